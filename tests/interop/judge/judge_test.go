package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestVerifyAcceptsEachUsageAndName(t *testing.T) {
	p := newPKI(t)
	a, exit := judge(t, "verify", "--roots", p.ca, "--usage", "server", "--name", "db.test", "--name", "10.0.0.1", p.server)
	if exit != 0 || !a.OK || len(a.Checks) != 2 {
		t.Fatalf("exit %d, %+v", exit, a)
	}
}

func TestVerifyRefuses(t *testing.T) {
	p := newPKI(t)
	for _, c := range []struct{ name, want, args string }{
		{"wrong usage", "incompatible key usage", "--roots CA --usage client SERVER"},
		{"wrong name", "not other.test", "--roots CA --name other.test SERVER"},
		{"wrong address", "not 10.0.0.2", "--roots CA --name 10.0.0.2 SERVER"},
		{"wrong root", "unknown authority", "--roots OTHER SERVER"},
		{"expired", "expired", "--roots CA --at 2099-01-01T00:00:00Z SERVER"},
		{"one of two usages", "incompatible key usage", "--roots CA --usage server --usage client SERVER"},
		{"no such file", "no such file", "--roots CA SERVER.gone"},
		{"no certificate in it", "no certificate", "--roots CA KEY"},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := strings.NewReplacer("CA", p.ca, "OTHER", p.otherCA, "SERVER", p.server, "KEY", p.serverKey).Replace(c.args)
			a, exit := judge(t, append([]string{"verify"}, strings.Fields(args)...)...)
			if exit != 1 || a.OK || !strings.Contains(a.Error, c.want) {
				t.Fatalf("exit %d, error %q, want %q", exit, a.Error, c.want)
			}
		})
	}
}

func TestVerifyCompletesTheChainFromFileOrFlag(t *testing.T) {
	p := newPKI(t)
	between := p.issue(t, "between", &x509.Certificate{
		Subject: pkix.Name{CommonName: "between"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, p.caCert, p.caKey)
	leaf := p.issue(t, "deep", &x509.Certificate{DNSNames: []string{"deep.test"}}, between.cert, between.key)

	if a, exit := judge(t, "verify", "--roots", p.ca, leaf.file); exit != 1 {
		t.Fatalf("without the intermediate: %+v", a)
	}
	if a, exit := judge(t, "verify", "--roots", p.ca, "--intermediates", between.file, leaf.file); exit != 0 {
		t.Fatalf("by flag: %+v", a)
	}
	chain := p.write(t, "chain.crt", append(read(t, leaf.file), read(t, between.file)...))
	if a, exit := judge(t, "verify", "--roots", p.ca, chain); exit != 0 {
		t.Fatalf("in the file: %+v", a)
	}
}

func TestDescribesWhatTheCertificateSays(t *testing.T) {
	p := newPKI(t)
	a, _ := judge(t, "verify", "--roots", p.ca, p.client)
	c := a.Certificate
	wantRDNs := [][2]string{{"2.5.4.10", "system:b"}, {"2.5.4.10", "system:a"}, {"2.5.4.3", "alice"}}
	if !slices.Equal(c.SubjectRDNs, wantRDNs) {
		t.Errorf("subject %v, want %v in this order", c.SubjectRDNs, wantRDNs)
	}
	if c.User != "alice" || !slices.Equal(c.Groups, []string{"system:b", "system:a"}) {
		t.Errorf("user %q, groups %v", c.User, c.Groups)
	}
	if !slices.Equal(c.KeyUsages, []string{"digitalSignature"}) || !slices.Equal(c.ExtKeyUsages, []string{"clientAuth"}) {
		t.Errorf("usages %v, %v", c.KeyUsages, c.ExtKeyUsages)
	}
	if c.PublicKey != "ECDSA" || c.PublicBits != 256 || c.IsCA || c.AKI == "" || len(c.DNS) != 0 || c.DNS == nil {
		t.Errorf("%+v", c)
	}

	a, _ = judge(t, "verify", "--roots", p.ca, p.ca)
	c = a.Certificate
	if !c.IsCA || c.MaxPathLen != -1 || c.PathLenZero || c.SKI == "" || c.SubjectRaw != c.IssuerRaw {
		t.Errorf("%+v", c)
	}
}

func TestKeyInEveryForm(t *testing.T) {
	dir := t.TempDir()
	write := func(name, label string, der []byte, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	rsaKey, _ := rsa.GenerateKey(rand.Reader, 2048)
	ecKey, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	_, edKey, _ := ed25519.GenerateKey(rand.Reader)
	pkcs8 := func(key any) []byte { der, _ := x509.MarshalPKCS8PrivateKey(key); return der }
	sec1, err := x509.MarshalECPrivateKey(ecKey)

	for _, c := range []struct {
		file, form, algorithm string
		bits                  int
	}{
		{write("1", "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey), nil), "PKCS1", "RSA", 2048},
		{write("2", "PRIVATE KEY", pkcs8(rsaKey), nil), "PKCS8", "RSA", 2048},
		{write("3", "EC PRIVATE KEY", sec1, err), "SEC1", "ECDSA", 384},
		{write("4", "PRIVATE KEY", pkcs8(ecKey), nil), "PKCS8", "ECDSA", 384},
		{write("5", "PRIVATE KEY", pkcs8(edKey), nil), "PKCS8", "Ed25519", 256},
	} {
		a, exit := judge(t, "key", c.file)
		if exit != 0 || a.Key.Form != c.form || a.Key.Algorithm != c.algorithm || a.Key.Bits != c.bits {
			t.Errorf("%s %s: exit %d, %+v %s", c.form, c.algorithm, exit, a.Key, a.Error)
		}
	}

	public, err := x509.MarshalPKIXPublicKey(ecKey.Public())
	sa := write("sa.pub", "PUBLIC KEY", public, err)
	if _, exit := judge(t, "key", filepath.Join(dir, "3"), sa); exit != 0 {
		t.Error("its own public half refused")
	}
	if a, exit := judge(t, "key", filepath.Join(dir, "1"), sa); exit != 1 || !strings.Contains(a.Error, "not the public half") {
		t.Errorf("another's public half: exit %d, %s", exit, a.Error)
	}
	if _, exit := judge(t, "key", write("junk", "PRIVATE KEY", []byte("junk"), nil)); exit != 1 {
		t.Error("junk accepted")
	}
}

func TestKeyMustBelongToTheCertificate(t *testing.T) {
	p := newPKI(t)
	if a, exit := judge(t, "key", p.serverKey, p.server); exit != 0 {
		t.Errorf("own key: %s", a.Error)
	}
	if a, exit := judge(t, "key", p.clientKey, p.server); exit != 1 || !strings.Contains(a.Error, "does not match") {
		t.Errorf("other key: exit %d, %s", exit, a.Error)
	}
}

func TestKubeconfigStandsForItsFiles(t *testing.T) {
	p := newPKI(t)
	b64 := base64.StdEncoding.EncodeToString
	conf := p.write(t, "admin.conf", []byte("apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: "+b64(read(t, p.ca))+
		"\nusers:\n- name: admin\n  user:\n    client-certificate-data: "+b64(read(t, p.client))+
		"\n    client-key-data: "+b64(read(t, p.clientKey))+"\n"))
	if a, exit := judge(t, "verify", "--roots", conf, "--usage", "client", conf); exit != 0 || a.Certificate.User != "alice" {
		t.Errorf("verify: %+v", a)
	}
	if a, exit := judge(t, "key", conf, conf); exit != 0 {
		t.Errorf("key: %+v", a)
	}
}

func TestHandshake(t *testing.T) {
	p := newPKI(t)
	server := []string{"handshake", "--server-cert", p.server, "--server-key", p.serverKey, "--client-roots", p.ca, "--name", "db.test"}
	trusting := []string{"--server-roots", p.ca}
	client := []string{"--client-cert", p.client, "--client-key", p.clientKey}
	serverAsClient := []string{"--client-cert", p.server, "--client-key", p.serverKey}

	for _, c := range []struct {
		name string
		args []string
		exit int
		want string
	}{
		{"mutual", slices.Concat(server, trusting, client), 0, ""},
		{"server only", server, 0, ""},
		{"no client certificate", slices.Concat(server, trusting), 1, "didn't provide a certificate"},
		{"optional, none", slices.Concat(server, trusting, []string{"--client-auth", "optional"}), 0, ""},
		{"optional, but a wrong one", slices.Concat(server, trusting, serverAsClient, []string{"--client-auth", "optional"}), 1, "incompatible key usage"},
		{"client CA not trusted", slices.Concat(server, []string{"--server-roots", p.otherCA}, client), 1, "unknown authority"},
		{"server CA not trusted", slices.Concat(server, []string{"--client-roots", p.otherCA}), 1, "unknown authority"},
		{"other name", slices.Concat(server, []string{"--name", "10.0.0.2"}), 1, "not 10.0.0.2"},
		{"too late", slices.Concat(server, []string{"--at", "2099-01-01T00:00:00Z"}), 1, "expired"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, exit := judge(t, c.args...)
			if exit != c.exit || !strings.Contains(a.Error, c.want) {
				t.Fatalf("exit %d, error %q", exit, a.Error)
			}
			if len(a.Connections) != 2 {
				t.Fatalf("%+v", a.Connections)
			}
			for _, connection := range a.Connections {
				if connection.OK != (c.exit == 0) {
					t.Errorf("%+v", connection)
				}
			}
		})
	}
	a, _ := judge(t, slices.Concat(server, trusting, client)...)
	if got := a.Connections[1]; got.Version != "TLS 1.3" || got.Client.User != "alice" {
		t.Errorf("%+v", got)
	}
}

func TestBatchAnswersInOrder(t *testing.T) {
	p := newPKI(t)
	questions, _ := json.Marshal([]map[string]any{
		{"op": "verify", "id": "good", "roots": p.ca, "usages": []string{"client"}, "cert": p.client},
		{"op": "key", "id": "bad", "key": p.clientKey, "cert": p.server},
		{"op": "handshake", "id": "tls", "name": "db.test", "server_cert": p.server, "server_key": p.serverKey, "client_roots": p.ca},
	})
	var out bytes.Buffer
	exit := run([]string{"batch", p.write(t, "questions.json", questions)}, &out, os.Stderr)
	var answers []Answer
	if err := json.Unmarshal(out.Bytes(), &answers); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range answers {
		got = append(got, a.ID, map[bool]string{true: "ok", false: "refused"}[a.OK])
	}
	if exit != 1 || !slices.Equal(got, []string{"good", "ok", "bad", "refused", "tls", "ok"}) {
		t.Errorf("exit %d, %v", exit, got)
	}
}

func TestAWrongQuestionIsNotARefusal(t *testing.T) {
	p := newPKI(t)
	misspelt := p.write(t, "misspelt.json", []byte(`[{"op": "verify", "roots": "r", "cert": "c", "name": "db.test"}, {"usage": ["server"]}]`))
	for _, args := range [][]string{
		{"judge-me"},
		{"verify", p.server},
		{"verify", "--roots", p.ca, "--usage", "both", p.server},
		{"verify", "--roots", p.ca, "--at", "tomorrow", p.server},
		{"verify", "--roots", p.ca, p.server, "--name", "db.test"}, // an option behind the file would be lost
		{"key"},
		{"handshake", "--name", "db.test"},
		{"batch", misspelt},
	} {
		var out, talk bytes.Buffer
		if exit := run(args, &out, &talk); exit != 2 || out.Len() > 0 || !strings.HasPrefix(talk.String(), "error: ") {
			t.Errorf("%v: exit %d, %q, %q", args, exit, out.String(), talk.String())
		}
	}
}

// judge runs one command and reads its answer.
func judge(t *testing.T, args ...string) (Answer, int) {
	t.Helper()
	var out, talk bytes.Buffer
	exit := run(args, &out, &talk)
	var a Answer
	if err := json.Unmarshal(out.Bytes(), &a); err != nil {
		t.Fatalf("%v: %v\n%s%s", args, err, out.String(), talk.String())
	}
	return a, exit
}

// A pki is a CA with a server and a client certificate in a folder, and a CA
// that has nothing to do with them.
type pki struct {
	dir                                               string
	ca, otherCA, server, serverKey, client, clientKey string
	caCert                                            *x509.Certificate
	caKey                                             crypto.Signer
}

type issued struct {
	file string
	cert *x509.Certificate
	key  crypto.Signer
}

func newPKI(t *testing.T) *pki {
	p := &pki{dir: t.TempDir()}
	authority := &x509.Certificate{
		Subject: pkix.Name{CommonName: "test-ca"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	other := p.issue(t, "other-ca", authority, nil, nil)
	ca := p.issue(t, "ca", authority, nil, nil)
	p.ca, p.otherCA, p.caCert, p.caKey = ca.file, other.file, ca.cert, ca.key
	p.server = p.issue(t, "server", &x509.Certificate{
		DNSNames: []string{"db.test"}, IPAddresses: []net.IP{{10, 0, 0, 1}},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, p.caCert, p.caKey).file
	// Two groups, each an RDN of its own, in an order that is not alphabetical.
	p.client = p.issue(t, "client", &x509.Certificate{
		RawSubject: name(t, "2.5.4.10", "system:b", "2.5.4.10", "system:a", "2.5.4.3", "alice"),
		KeyUsage:   x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, p.caCert, p.caKey).file
	p.serverKey, p.clientKey = filepath.Join(p.dir, "server.key"), filepath.Join(p.dir, "client.key")
	return p
}

// issue signs a certificate, by its own key where there is no issuer, and
// writes it with its key.
func (p *pki) issue(t *testing.T, file string, template, issuer *x509.Certificate, signer crypto.Signer) issued {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if issuer == nil {
		issuer, signer = template, key
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Minute), time.Now().Add(time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	p.write(t, file+".key", pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER}))
	return issued{p.write(t, file+".crt", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), cert, key}
}

func (p *pki) write(t *testing.T, file string, data []byte) string {
	t.Helper()
	file = filepath.Join(p.dir, file)
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// name encodes oid, value, oid, value ... as one RDN each.
func name(t *testing.T, pairs ...string) []byte {
	t.Helper()
	oids := map[string]asn1.ObjectIdentifier{"2.5.4.3": {2, 5, 4, 3}, "2.5.4.10": {2, 5, 4, 10}}
	var rdns pkix.RDNSequence
	for i := 0; i < len(pairs); i += 2 {
		rdns = append(rdns, pkix.RelativeDistinguishedNameSET{{Type: oids[pairs[i]], Value: pairs[i+1]}})
	}
	der, err := asn1.Marshal(rdns)
	if err != nil {
		t.Fatal(err)
	}
	return der
}
