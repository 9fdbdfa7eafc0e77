package main

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// Serve listens on every address of both families and says each question on
// stdout, for kubectl logs.
func serve(address string) error {
	// The first process of a container has no default for SIGTERM.
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-ended
		os.Exit(0)
	}()
	log.SetFlags(0)
	log.SetOutput(os.Stdout)
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	log.Printf("serving on %s", listener.Addr())
	return http.Serve(listener, logged(pages()))
}

func pages() http.Handler {
	pages := http.NewServeMux()
	page := func(path string, answer func(out io.Writer, question *http.Request) error) {
		pages.HandleFunc("GET "+path, func(w http.ResponseWriter, question *http.Request) {
			var body bytes.Buffer
			if err := answer(&body, question); err != nil {
				http.Error(w, err.Error(), http.StatusBadGateway)
				return
			}
			w.Header().Set("Content-Type", "text/plain")
			_, _ = body.WriteTo(w)
		})
	}
	page("/hostname", func(out io.Writer, _ *http.Request) error {
		name, err := os.Hostname()
		fmt.Fprintln(out, name)
		return err
	})
	page("/client", func(out io.Writer, question *http.Request) error {
		host, _, err := net.SplitHostPort(question.RemoteAddr)
		fmt.Fprintln(out, host)
		return err
	})
	page("/dns", func(out io.Writer, question *http.Request) error {
		return lookUp(out, question.FormValue("name"))
	})
	page("/dns-over-tls", func(out io.Writer, question *http.Request) error {
		value := question.FormValue
		return lookUpOverTLS(out, value("server"), value("name"), value("ca"), value("server-name"))
	})
	page("/api", func(out io.Writer, question *http.Request) error {
		path := question.FormValue("path")
		if path == "" {
			path = "/api"
		}
		return askAPI(out, path)
	})
	page("/environment", func(out io.Writer, _ *http.Request) error {
		_, err := fmt.Fprintln(out, strings.Join(os.Environ(), "\n"))
		return err
	})
	return pages
}

func logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, question *http.Request) {
		log.Printf("%s %s from %s", question.Method, question.URL, question.RemoteAddr)
		next.ServeHTTP(w, question)
	})
}
