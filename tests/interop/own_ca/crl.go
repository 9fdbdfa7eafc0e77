// Says what Go's crypto/x509 reads in a revocation list, once the CA's signature holds: crl CA LIST
package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
)

func main() {
	authority, err := x509.ParseCertificate(block(os.Args[1]))
	check(err)
	list, err := x509.ParseRevocationList(block(os.Args[2]))
	check(err)
	check(list.CheckSignatureFrom(authority))
	if string(list.RawIssuer) != string(authority.RawSubject) || string(list.AuthorityKeyId) != string(authority.SubjectKeyId) {
		check(fmt.Errorf("of another issuer"))
	}
	fmt.Println("number", list.Number)
	for _, entry := range list.RevokedCertificateEntries {
		fmt.Printf("revoked %x reason %d\n", entry.SerialNumber, entry.ReasonCode)
	}
}

func block(path string) []byte {
	text, err := os.ReadFile(path)
	check(err)
	found, _ := pem.Decode(text)
	if found == nil {
		check(fmt.Errorf("%s: no PEM", path))
	}
	return found.Bytes
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
