package main

import (
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"software.sslmate.com/src/go-pkcs12"
)

// pkcs12 opens a PKCS#12 file: a certificate with its key and the chain to a CA,
// or, with "trust", trusted certificates marked as Java marks them.
func (q Question) pkcs12(a *Answer) (refused, wrong error) {
	if err := required("the store to judge", q.Store); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(q.Store)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(q.PassphraseFile)
	if err != nil {
		return nil, err
	}
	passphrase, _, _ := strings.Cut(string(text), "\n")
	if q.Trust {
		certs, err := pkcs12.DecodeTrustStore(data, passphrase)
		if err != nil {
			return err, nil
		}
		if len(certs) == 0 {
			return errors.New("no trusted certificate"), nil
		}
		a.Certificate = describe(certs[0])
		return nil, nil
	}
	key, cert, above, err := pkcs12.DecodeChain(data, passphrase)
	if err != nil {
		return err, nil
	}
	a.Certificate = describe(cert)
	if len(above) == 0 {
		return errors.New("no certificate above it"), nil
	}
	roots := x509.NewCertPool()
	for _, c := range above {
		roots.AddCert(c)
	}
	if _, err := cert.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err != nil {
		return err, nil
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return fmt.Errorf("a key of type %T", key), nil
	}
	public, ok := signer.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(cert.PublicKey) {
		return errors.New("the key is not the certificate's"), nil
	}
	return nil, nil
}
