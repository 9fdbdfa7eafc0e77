package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

const (
	// One request; the API server's own clients wait longer, and so would hide a gap.
	answerWithin = 5 * time.Second
	// Between two requests of one client.
	pause      = 20 * time.Millisecond
	configMaps = "/api/v1/namespaces/default/configmaps"
)

// Outcome is what became of one client's requests, one after the other.
type outcome struct {
	Good   int `json:"good"`
	Failed int `json:"failed"`
	// The longest time without a good answer, in seconds.
	LongestGap float64 `json:"longest-gap"`
	// Whether the very last one was good.
	LastGood bool `json:"last-good"`
	// What the first that failed said.
	FirstError string `json:"first-error"`
	// The names of what was written and acknowledged.
	Acknowledged []string `json:"acknowledged,omitempty"`
}

// Load reads and writes for a while, through one URL, with a client
// certificate; what came of it is printed as JSON. Two of its clients keep
// their connections, as every client of Kubernetes does; one makes a new one
// each time.
func load(out io.Writer, url, authority, certificate, key, prefix, span string) error {
	length, err := time.ParseDuration(span)
	if err != nil {
		return err
	}
	identity, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		return err
	}
	pem, err := os.ReadFile(authority)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return errors.New(authority + " has no certificate")
	}
	client := func(anew bool) *http.Client {
		return &http.Client{Timeout: answerWithin, Transport: &http.Transport{
			TLSClientConfig:   &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{identity}},
			DisableKeepAlives: anew,
			ForceAttemptHTTP2: !anew,
		}}
	}
	read := func(client *http.Client) func(int) (string, error) {
		return func(int) (string, error) {
			return "", expect(client, http.MethodGet, url+configMaps+"?limit=1", nil, http.StatusOK)
		}
	}
	writer := client(false)
	clients := map[string]func(int) (string, error){
		"reads":           read(client(false)),
		"new-connections": read(client(true)),
		"writes": func(number int) (string, error) {
			name := fmt.Sprintf("%s-%d", prefix, number)
			body := fmt.Sprintf(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":%q}}`, name)
			return name, expect(writer, http.MethodPost, url+configMaps, []byte(body), http.StatusCreated)
		},
	}
	type named struct {
		name string
		outcome
	}
	ended := make(chan named)
	for name, request := range clients {
		go func() { ended <- named{name, repeat(request, length)} }()
	}
	all := map[string]outcome{}
	for range clients {
		one := <-ended
		all[one.name] = one.outcome
	}
	return json.NewEncoder(out).Encode(all)
}

func repeat(request func(int) (string, error), length time.Duration) outcome {
	var result outcome
	began := time.Now()
	last := began
	for number := 0; time.Since(began) < length; number++ {
		name, err := request(number)
		result.LastGood = err == nil
		if err != nil {
			result.Failed++
			if result.FirstError == "" {
				result.FirstError = err.Error()
			}
		} else {
			result.Good++
			result.LongestGap = max(result.LongestGap, time.Since(last).Seconds())
			last = time.Now()
			if name != "" {
				result.Acknowledged = append(result.Acknowledged, name)
			}
		}
		time.Sleep(pause)
	}
	result.LongestGap = max(result.LongestGap, time.Since(last).Seconds())
	return result
}

func expect(client *http.Client, method, url string, body []byte, status int) error {
	question, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	question.Header.Set("Content-Type", "application/json")
	answer, err := client.Do(question)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode != status {
		return fmt.Errorf("%s: %.200s", answer.Status, said)
	}
	return nil
}
