package main

import (
	"crypto/x509"
	"fmt"
)

// A Check is one verification: a usage with a name.
type Check struct {
	Usage string `json:"usage"`
	Name  string `json:"name,omitempty"`
	OK    bool   `json:"ok"`
	Error string `json:"error,omitempty"`
}

var usages = map[string]x509.ExtKeyUsage{
	"server": x509.ExtKeyUsageServerAuth,
	"client": x509.ExtKeyUsageClientAuth,
	"any":    x509.ExtKeyUsageAny,
}

func (q Question) verify(a *Answer) (refused, wrong error) {
	if err := required("--roots", q.Roots, "the certificate to judge", q.Cert); err != nil {
		return nil, err
	}
	at, err := moment(q.At)
	if err != nil {
		return nil, err
	}
	if len(q.Usages) == 0 {
		q.Usages = []string{"any"}
	}
	for _, usage := range q.Usages {
		if _, known := usages[usage]; !known {
			return nil, fmt.Errorf("usage %q is none of server, client, any", usage)
		}
	}
	if len(q.Names) == 0 {
		q.Names = []string{""}
	}

	chain, err := readCertificates(q.Cert, fieldCertificate)
	if err != nil {
		return err, nil
	}
	a.Certificate = describe(chain[0])
	options := x509.VerifyOptions{CurrentTime: at, Intermediates: x509.NewCertPool()}
	if options.Roots, err = readPool(q.Roots); err != nil {
		return err, nil
	}
	between := chain[1:]
	if q.Intermediates != "" {
		more, err := readCertificates(q.Intermediates, fieldAuthority)
		if err != nil {
			return err, nil
		}
		between = append(between, more...)
	}
	for _, cert := range between {
		options.Intermediates.AddCert(cert)
	}

	for _, usage := range q.Usages {
		for _, name := range q.Names {
			options.KeyUsages = []x509.ExtKeyUsage{usages[usage]}
			options.DNSName = name // an address is looked for among the iPAddress SANs
			check := Check{Usage: usage, Name: name}
			if _, err := chain[0].Verify(options); err != nil {
				check.Error = err.Error()
				if refused == nil {
					refused = err
				}
			} else {
				check.OK = true
			}
			a.Checks = append(a.Checks, check)
		}
	}
	return refused, nil
}
