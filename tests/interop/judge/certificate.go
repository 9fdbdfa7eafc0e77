package main

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"time"
)

// A Certificate is what Go read, with everything that a test may want to
// compare. Raw values are hexadecimal DER.
type Certificate struct {
	Version      int         `json:"version"`
	Serial       string      `json:"serial"` // hexadecimal, a leading - if negative
	Subject      string      `json:"subject"`
	SubjectRDNs  [][2]string `json:"subject_rdns"` // [oid, value] in encoded order
	SubjectRaw   string      `json:"subject_raw"`
	Issuer       string      `json:"issuer"`
	IssuerRDNs   [][2]string `json:"issuer_rdns"`
	IssuerRaw    string      `json:"issuer_raw"`
	NotBefore    time.Time   `json:"not_before"`
	NotAfter     time.Time   `json:"not_after"`
	PublicKey    string      `json:"public_key_algorithm"`
	PublicBits   int         `json:"public_key_bits"`
	Signature    string      `json:"signature_algorithm"`
	User         string      `json:"user"`   // what the apiserver makes of a client's CN
	Groups       []string    `json:"groups"` // and of its O values
	DNS          []string    `json:"dns"`
	IPs          []string    `json:"ips"`
	Emails       []string    `json:"emails"`
	URIs         []string    `json:"uris"`
	KeyUsages    []string    `json:"key_usages"`
	ExtKeyUsages []string    `json:"ext_key_usages"`
	HasBasic     bool        `json:"basic_constraints"`
	IsCA         bool        `json:"is_ca"`
	MaxPathLen   int         `json:"max_path_len"` // -1: no limit
	PathLenZero  bool        `json:"max_path_len_zero"`
	SKI          string      `json:"ski"`
	AKI          string      `json:"aki"`
	Extensions   []Extension `json:"extensions"`
}

type Extension struct {
	OID      string `json:"oid"`
	Critical bool   `json:"critical"`
}

func describe(c *x509.Certificate) *Certificate {
	d := &Certificate{
		Version:      c.Version,
		Serial:       c.SerialNumber.Text(16),
		Subject:      c.Subject.String(),
		SubjectRDNs:  rdns(c.RawSubject),
		SubjectRaw:   hex.EncodeToString(c.RawSubject),
		Issuer:       c.Issuer.String(),
		IssuerRDNs:   rdns(c.RawIssuer),
		IssuerRaw:    hex.EncodeToString(c.RawIssuer),
		NotBefore:    c.NotBefore,
		NotAfter:     c.NotAfter,
		PublicKey:    c.PublicKeyAlgorithm.String(),
		PublicBits:   bits(c.PublicKey),
		Signature:    c.SignatureAlgorithm.String(),
		User:         c.Subject.CommonName,
		Groups:       orEmpty(c.Subject.Organization),
		DNS:          orEmpty(c.DNSNames),
		IPs:          []string{},
		Emails:       orEmpty(c.EmailAddresses),
		URIs:         []string{},
		KeyUsages:    keyUsages(c.KeyUsage),
		ExtKeyUsages: extKeyUsages(c),
		HasBasic:     c.BasicConstraintsValid,
		IsCA:         c.IsCA,
		MaxPathLen:   c.MaxPathLen,
		PathLenZero:  c.MaxPathLenZero,
		SKI:          hex.EncodeToString(c.SubjectKeyId),
		AKI:          hex.EncodeToString(c.AuthorityKeyId),
		Extensions:   []Extension{},
	}
	for _, ip := range c.IPAddresses {
		d.IPs = append(d.IPs, ip.String())
	}
	for _, uri := range c.URIs {
		d.URIs = append(d.URIs, uri.String())
	}
	for _, e := range c.Extensions {
		d.Extensions = append(d.Extensions, Extension{e.Id.String(), e.Critical})
	}
	return d
}

// rdns flattens a name: crypto/x509 has parsed the same bytes already.
func rdns(raw []byte) [][2]string {
	out := [][2]string{}
	var name pkix.RDNSequence
	if _, err := asn1.Unmarshal(raw, &name); err != nil {
		return append(out, [2]string{"error", err.Error()})
	}
	for _, rdn := range name {
		for _, attribute := range rdn {
			out = append(out, [2]string{attribute.Type.String(), fmt.Sprint(attribute.Value)})
		}
	}
	return out
}

func bits(public any) int {
	switch k := public.(type) {
	case *rsa.PublicKey:
		return k.N.BitLen()
	case *ecdsa.PublicKey:
		return k.Curve.Params().BitSize
	case ed25519.PublicKey:
		return len(k) * 8
	}
	return 0
}

func keyUsages(usage x509.KeyUsage) []string {
	out := []string{}
	for i, name := range []string{ // RFC 5280 4.2.1.3, in bit order
		"digitalSignature", "contentCommitment", "keyEncipherment", "dataEncipherment", "keyAgreement",
		"keyCertSign", "cRLSign", "encipherOnly", "decipherOnly",
	} {
		if usage&(1<<i) != 0 {
			out = append(out, name)
		}
	}
	return out
}

func extKeyUsages(c *x509.Certificate) []string {
	out := []string{}
	for _, usage := range c.ExtKeyUsage {
		out = append(out, usage.String())
	}
	for _, oid := range c.UnknownExtKeyUsage {
		out = append(out, oid.String())
	}
	return out
}

// orEmpty makes an absent list [] in JSON, not null.
func orEmpty(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
