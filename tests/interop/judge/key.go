package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// A Key is what Go made of a private key file.
type Key struct {
	Label     string `json:"label"` // of its PEM block
	Form      string `json:"form"`  // of what is inside: PKCS1, PKCS8 or SEC1
	Algorithm string `json:"algorithm"`
	Bits      int    `json:"bits"`
	SPKI      string `json:"spki_sha256"`
}

func (q Question) key(a *Answer) (refused, wrong error) {
	if err := required("the key to judge", q.Key); err != nil {
		return nil, err
	}
	keyPEM, err := readPEM(q.Key, fieldKey)
	if err != nil {
		return err, nil
	}
	key, public, err := parseKey(keyPEM)
	if err != nil {
		return fmt.Errorf("%s: %w", q.Key, err), nil
	}
	a.Key = key
	if q.Cert == "" {
		return nil, nil
	}

	other, err := readPEM(q.Cert, fieldCertificate)
	if err != nil {
		return err, nil
	}
	if block, _ := pem.Decode(other); block != nil && block.Type == "PUBLIC KEY" {
		if !bytes.Equal(block.Bytes, public) {
			return fmt.Errorf("%s: not the public half of %s", q.Cert, q.Key), nil
		}
		return nil, nil
	}
	_, err = tls.X509KeyPair(other, keyPEM)
	return err, nil
}

// parseKey follows crypto/tls: the first block that is called a private key,
// and what is inside whatever its label says.
func parseKey(text []byte) (*Key, []byte, error) {
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return nil, nil, errors.New("no private key")
		}
		if block.Type != "PRIVATE KEY" && !strings.HasSuffix(block.Type, " PRIVATE KEY") {
			continue
		}
		form, private, err := parsePrivate(block.Bytes)
		if err != nil {
			return nil, nil, err
		}
		public := private.Public()
		spki, err := x509.MarshalPKIXPublicKey(public)
		if err != nil {
			return nil, nil, err
		}
		digest := sha256.Sum256(spki)
		key := &Key{Label: block.Type, Form: form, Bits: bits(public), SPKI: hex.EncodeToString(digest[:])}
		switch public.(type) {
		case *rsa.PublicKey:
			key.Algorithm = "RSA"
		case *ecdsa.PublicKey:
			key.Algorithm = "ECDSA"
		case ed25519.PublicKey:
			key.Algorithm = "Ed25519"
		}
		return key, spki, nil
	}
}

func parsePrivate(der []byte) (form string, private crypto.Signer, err error) {
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return "PKCS1", key, nil
	}
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		if signer, ok := key.(crypto.Signer); ok {
			return "PKCS8", signer, nil
		}
		return "", nil, fmt.Errorf("a %T cannot sign", key)
	}
	key, err := x509.ParseECPrivateKey(der)
	if err != nil {
		return "", nil, errors.New("not a private key in PKCS#1, PKCS#8 or SEC1 form")
	}
	return "SEC1", key, nil
}
