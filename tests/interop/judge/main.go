// Judge says what Go's crypto/x509 and crypto/tls think of a certificate, a key
// or a TLS connection: the same code that every Kubernetes component trusts,
// and none of ours.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

const usage = `Ask Go's crypto/x509 and crypto/tls.

  kpki-judge verify --roots ca.crt --usage server --name 10.0.0.1 --name db.test server.crt
  kpki-judge verify --roots ca.crt --usage client --at 2035-01-01T00:00:00Z admin.conf
  kpki-judge key server.key server.crt
  kpki-judge key sa.key sa.pub
  kpki-judge handshake --name db.test \
      --server-cert server.crt --server-key server.key --server-roots client-ca.crt \
      --client-cert client.crt --client-key client.key --client-roots server-ca.crt
  kpki-judge batch questions.json

The answer is JSON on stdout. Exit status: 0 accepted, 1 refused (its "error"
says why), 2 the question itself is wrong.

verify     every --usage (server, client, any; default any) with every --name
  --roots FILE          trusted CA certificates
  --intermediates FILE  CA certificates that may complete the chain; so may
                        those that follow the first one in the judged file
  --at TIME             RFC 3339; default now
key        the private key as crypto/tls reads it; given a certificate, or a
           public key, it must be that one's
handshake  over TLS 1.2, then 1.3
  --server-roots FILE   client CAs that the server trusts
  --client-roots FILE   server CAs that the client trusts
  --client-auth MODE    require, optional or none; default require if there are
                        --server-roots
  --at TIME             RFC 3339; default now
batch      a list of {"op": "verify", "id": ..., "roots": ..., "usages": [...],
           "names": [...], "cert": ...} and so on, each option by its name with
           _ for -; the answers are a list in the same order. "pkcs12" opens
           "store" with the first line of "passphrase_file": a chain with its
           key or, with "trust": true, trusted certificates for Java

A kubeconfig may stand wherever a file of PEM may: its embedded client
certificate, client key or certificate authority is taken.
`

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 || args[0] == "-h" || args[0] == "--help" || args[0] == "help" {
		fmt.Fprint(stdout, usage)
		return 0
	}
	answers, err := ask(args[0], args[1:])
	if err != nil {
		fmt.Fprintf(stderr, "error: %v\nhint: kpki-judge --help has examples\n", err)
		return 2
	}
	enc := json.NewEncoder(stdout)
	enc.SetIndent("", "  ")
	if args[0] == "batch" {
		enc.Encode(answers)
	} else {
		enc.Encode(answers[0])
	}
	for _, a := range answers {
		if !a.OK {
			return 1
		}
	}
	return 0
}

// A Question is one item of a batch, and what the other commands' flags fill.
type Question struct {
	Op string `json:"op"`
	ID string `json:"id"`

	At string `json:"at"`

	// verify
	Roots         string   `json:"roots"`
	Intermediates string   `json:"intermediates"`
	Usages        []string `json:"usages"`
	Names         []string `json:"names"`

	// verify, key
	Cert string `json:"cert"`
	Key  string `json:"key"`

	// handshake
	Name        string `json:"name"`
	ServerCert  string `json:"server_cert"`
	ServerKey   string `json:"server_key"`
	ServerRoots string `json:"server_roots"`
	ClientCert  string `json:"client_cert"`
	ClientKey   string `json:"client_key"`
	ClientRoots string `json:"client_roots"`
	ClientAuth  string `json:"client_auth"`

	// pkcs12, in a batch only
	Store          string `json:"store"`
	PassphraseFile string `json:"passphrase_file"`
	Trust          bool   `json:"trust"`
}

// An Answer holds the parts that its question's op fills.
type Answer struct {
	ID    string `json:"id,omitempty"`
	OK    bool   `json:"ok"`
	Error string `json:"error,omitempty"`

	Certificate *Certificate `json:"certificate,omitempty"` // verify
	Checks      []Check      `json:"checks,omitempty"`      // verify
	Key         *Key         `json:"key,omitempty"`         // key
	Connections []Connection `json:"connections,omitempty"` // handshake
}

// ask turns a command line into questions and answers them. An error means
// that a question makes no sense, never that something was refused.
func ask(op string, args []string) ([]Answer, error) {
	q := Question{Op: op}
	flags := flag.NewFlagSet(op, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	operands := 0
	switch op {
	case "verify":
		flags.StringVar(&q.Roots, "roots", "", "")
		flags.StringVar(&q.Intermediates, "intermediates", "", "")
		flags.Var((*list)(&q.Usages), "usage", "")
		flags.Var((*list)(&q.Names), "name", "")
		flags.StringVar(&q.At, "at", "", "")
		operands = 1
	case "key":
		operands = 2
	case "handshake":
		flags.StringVar(&q.Name, "name", "", "")
		flags.StringVar(&q.ServerCert, "server-cert", "", "")
		flags.StringVar(&q.ServerKey, "server-key", "", "")
		flags.StringVar(&q.ServerRoots, "server-roots", "", "")
		flags.StringVar(&q.ClientCert, "client-cert", "", "")
		flags.StringVar(&q.ClientKey, "client-key", "", "")
		flags.StringVar(&q.ClientRoots, "client-roots", "", "")
		flags.StringVar(&q.ClientAuth, "client-auth", "", "")
		flags.StringVar(&q.At, "at", "", "")
	case "batch":
		operands = 1
	default:
		return nil, fmt.Errorf("unknown command %q", op)
	}
	if err := flags.Parse(args); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	if flags.NArg() > operands {
		return nil, fmt.Errorf("%s: unexpected %q", op, flags.Arg(operands))
	}
	switch op {
	case "verify":
		q.Cert = flags.Arg(0)
	case "key":
		q.Key, q.Cert = flags.Arg(0), flags.Arg(1)
	case "batch":
		return askBatch(flags.Arg(0))
	}
	answer, err := q.answer()
	return []Answer{answer}, err
}

func askBatch(file string) ([]Answer, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(strings.NewReader(string(data)))
	dec.DisallowUnknownFields() // a misspelt option must not be a check left out
	var questions []Question
	if err := dec.Decode(&questions); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	answers := make([]Answer, len(questions))
	for i, q := range questions {
		if answers[i], err = q.answer(); err != nil {
			return nil, fmt.Errorf("%s: question %d: %w", file, i, err)
		}
	}
	return answers, nil
}

func (q Question) answer() (Answer, error) {
	var a Answer
	var refused, wrong error
	switch q.Op {
	case "verify":
		refused, wrong = q.verify(&a)
	case "key":
		refused, wrong = q.key(&a)
	case "handshake":
		refused, wrong = q.handshake(&a)
	case "pkcs12":
		refused, wrong = q.pkcs12(&a)
	default:
		wrong = fmt.Errorf("unknown op %q", q.Op)
	}
	a.ID = q.ID
	a.OK = refused == nil && wrong == nil
	if refused != nil {
		a.Error = refused.Error()
	}
	return a, wrong
}

// list is a flag that may be repeated.
type list []string

func (l *list) String() string     { return strings.Join(*l, ",") }
func (l *list) Set(s string) error { *l = append(*l, s); return nil }
