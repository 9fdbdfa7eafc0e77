package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// Where every pod finds who it is.
const account = "/var/run/secrets/kubernetes.io/serviceaccount/"

// AskAPI prints the status and the body of what the API server answers to the
// pod's own token, under the name that every pod knows it by.
func askAPI(out io.Writer, path string) error {
	token, err := os.ReadFile(account + "token")
	if err != nil {
		return err
	}
	authority, err := os.ReadFile(account + "ca.crt")
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authority) {
		return errors.New("ca.crt has no certificate")
	}
	question, err := http.NewRequest(http.MethodGet, "https://kubernetes.default.svc"+path, nil)
	if err != nil {
		return err
	}
	question.Header.Set("Authorization", "Bearer "+string(token))
	client := http.Client{
		Timeout:   10 * time.Second,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}},
	}
	answer, err := client.Do(question)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	fmt.Fprintln(out, answer.StatusCode)
	_, err = io.Copy(out, answer.Body)
	return err
}
