// Web is the workload of the end-to-end tests: a small server that tells what
// the network looks like from inside a pod, and a client for kubectl exec,
// since its image has nothing else in it. Beside pods it puts the API under load.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

const usage = `Serve, or ask, from inside a pod.

  web serve [:8080]                       # IPv4 and IPv6
  web get http://web.default.svc.cluster.local/hostname
  web dns kubernetes.default.svc          # by the pod's resolver
  web dns-over-tls SERVER:853 NAME CA-FILE [SERVER-NAME]
  web api [PATH]                          # of the API, with the pod's own token
  web load URL CA-FILE CERTIFICATE KEY PREFIX SPAN  # of the API: reads, and writes ConfigMaps
  web sleep                               # until it is killed

serve answers:
  /hostname           the pod's host name
  /client             the address that the question came from
  /dns?name=X         what the pod's resolver says, an address a line
  /dns-over-tls?server=ADDRESS:853&name=X&ca=FILE[&server-name=Y]
  /api?path=/api      what the API server says to the pod's token: status, then body
  /environment        the pod's environment

Every question that goes wrong is answered with status 502 and the error; as a
command it exits 1.
`

func main() {
	if len(os.Args) < 2 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(command string, args []string) error {
	switch {
	case command == "serve":
		return serve(argument(args, 0, ":8080"))
	case command == "get" && len(args) == 1:
		return get(os.Stdout, args[0])
	case command == "dns" && len(args) == 1:
		return lookUp(os.Stdout, args[0])
	case command == "dns-over-tls" && len(args) >= 3:
		return lookUpOverTLS(os.Stdout, args[0], args[1], args[2], argument(args, 3, ""))
	case command == "api":
		return askAPI(os.Stdout, argument(args, 0, "/api"))
	case command == "load" && len(args) == 6:
		return load(os.Stdout, args[0], args[1], args[2], args[3], args[4], args[5])
	case command == "sleep":
		select {}
	case command == "--help", command == "help":
		_, err := fmt.Print(usage)
		return err
	}
	return fmt.Errorf("cannot %s %q; see --help", command, args)
}

func argument(args []string, number int, otherwise string) string {
	if len(args) > number {
		return args[number]
	}
	return otherwise
}

// Get prints a page; any status but 200 is an error.
func get(out io.Writer, url string) error {
	client := http.Client{Timeout: 10 * time.Second}
	answer, err := client.Get(url)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(out, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s", answer.Status)
	}
	return nil
}
