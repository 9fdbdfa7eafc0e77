package main

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"
)

// The field of a kubeconfig that stands for a file.
const (
	fieldCertificate = "client-certificate-data"
	fieldKey         = "client-key-data"
	fieldAuthority   = "certificate-authority-data"
)

// readPEM returns a file's PEM text or, where it is a kubeconfig, the PEM text
// of its given field.
func readPEM(file, field string) ([]byte, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if strings.Contains(string(data), "-----BEGIN ") {
		return data, nil
	}
	found := regexp.MustCompile(field + `["']?:\s*["']?([A-Za-z0-9+/=]+)`).FindSubmatch(data)
	if found == nil {
		return nil, fmt.Errorf("%s: neither PEM nor a kubeconfig with %s", file, field)
	}
	text, err := base64.StdEncoding.DecodeString(string(found[1]))
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", file, field, err)
	}
	return text, nil
}

func readCertificates(file, field string) ([]*x509.Certificate, error) {
	rest, err := readPEM(file, field)
	if err != nil {
		return nil, err
	}
	var certs []*x509.Certificate
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		certs = append(certs, cert)
	}
	if len(certs) == 0 {
		return nil, fmt.Errorf("%s: no certificate", file)
	}
	return certs, nil
}

func readPool(file string) (*x509.CertPool, error) {
	certs, err := readCertificates(file, fieldAuthority)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	for _, cert := range certs {
		pool.AddCert(cert)
	}
	return pool, nil
}

// moment is the time to judge at; empty means now.
func moment(at string) (time.Time, error) {
	if at == "" {
		return time.Now(), nil
	}
	return time.Parse(time.RFC3339, at)
}

// required names the first value that is missing.
func required(pairs ...string) error {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			return errors.New("missing " + pairs[i])
		}
	}
	return nil
}
