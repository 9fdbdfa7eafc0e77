package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"
)

// A Connection is one attempt at one TLS version.
type Connection struct {
	Version     string       `json:"version"`
	OK          bool         `json:"ok"`
	ServerError string       `json:"server_error,omitempty"`
	ClientError string       `json:"client_error,omitempty"`
	Cipher      string       `json:"cipher,omitempty"`
	Client      *Certificate `json:"client,omitempty"` // whom the server saw
}

var clientAuth = map[string]tls.ClientAuthType{
	"none":     tls.NoClientCert,
	"optional": tls.VerifyClientCertIfGiven, // what the apiserver does
	"require":  tls.RequireAndVerifyClientCert,
}

func (q Question) handshake(a *Answer) (refused, wrong error) {
	if err := required("--server-cert", q.ServerCert, "--server-key", q.ServerKey,
		"--client-roots", q.ClientRoots, "--name", q.Name); err != nil {
		return nil, err
	}
	if (q.ClientCert == "") != (q.ClientKey == "") {
		return nil, errors.New("--client-cert and --client-key come together")
	}
	at, err := moment(q.At)
	if err != nil {
		return nil, err
	}
	if q.ClientAuth == "" {
		q.ClientAuth = "none"
		if q.ServerRoots != "" {
			q.ClientAuth = "require"
		}
	}
	auth, known := clientAuth[q.ClientAuth]
	if !known {
		return nil, fmt.Errorf("client-auth %q is none of require, optional, none", q.ClientAuth)
	}
	if auth != tls.NoClientCert && q.ServerRoots == "" {
		return nil, errors.New("--client-auth " + q.ClientAuth + " needs --server-roots")
	}

	now := func() time.Time { return at }
	server := &tls.Config{Time: now, ClientAuth: auth}
	if server.Certificates, err = readPair(q.ServerCert, q.ServerKey); err != nil {
		return err, nil
	}
	if q.ServerRoots != "" {
		if server.ClientCAs, err = readPool(q.ServerRoots); err != nil {
			return err, nil
		}
	}
	client := &tls.Config{Time: now, ServerName: q.Name}
	if client.RootCAs, err = readPool(q.ClientRoots); err != nil {
		return err, nil
	}
	if q.ClientCert != "" {
		pair, err := readPair(q.ClientCert, q.ClientKey)
		if err != nil {
			return err, nil
		}
		// Send it whatever CAs the server asks for: the server is to judge it.
		client.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return &pair[0], nil
		}
	}

	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		connection, err := connect(server, client, version)
		a.Connections = append(a.Connections, connection)
		if err != nil && refused == nil {
			refused = fmt.Errorf("%s: %w", connection.Version, err)
		}
	}
	return refused, nil
}

func readPair(cert, key string) ([]tls.Certificate, error) {
	certPEM, err := readPEM(cert, fieldCertificate)
	if err != nil {
		return nil, err
	}
	keyPEM, err := readPEM(key, fieldKey)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, fmt.Errorf("%s with %s: %w", cert, key, err)
	}
	return []tls.Certificate{pair}, nil
}

// connect shakes hands within this process. In TLS 1.3 a client is done before the server
// has judged it, so one byte follows from server to client.
func connect(serverConfig, clientConfig *tls.Config, version uint16) (Connection, error) {
	serverConfig, clientConfig = serverConfig.Clone(), clientConfig.Clone()
	for _, config := range []*tls.Config{serverConfig, clientConfig} {
		config.MinVersion, config.MaxVersion = version, version
	}
	connection := Connection{Version: tls.VersionName(version)}
	serverEnd, clientEnd, err := socketPair()
	if err != nil {
		return connection, err
	}
	deadline := time.Now().Add(10 * time.Second)
	serverEnd.SetDeadline(deadline)
	clientEnd.SetDeadline(deadline)
	server, client := tls.Server(serverEnd, serverConfig), tls.Client(clientEnd, clientConfig)

	served := make(chan error, 1)
	go func() {
		defer serverEnd.Close()
		err := server.Handshake()
		if err == nil {
			_, err = server.Write([]byte{0})
		}
		served <- err
	}()
	clientErr := client.Handshake()
	if clientErr == nil {
		_, clientErr = client.Read(make([]byte, 1))
	}
	clientEnd.Close()
	serverErr := <-served

	if serverErr != nil {
		connection.ServerError = serverErr.Error()
	}
	if clientErr != nil {
		connection.ClientError = clientErr.Error()
	}
	if err := errors.Join(serverErr, clientErr); err != nil {
		return connection, err
	}
	connection.OK = true
	state := server.ConnectionState()
	connection.Cipher = tls.CipherSuiteName(state.CipherSuite)
	if len(state.PeerCertificates) > 0 {
		connection.Client = describe(state.PeerCertificates[0])
	}
	return connection, nil
}

// socketPair is net.Pipe with buffers: on that one, two sides that both refuse
// would both wait for the other to read their alert.
func socketPair() (server, client net.Conn, err error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	var ends [2]net.Conn
	for i, fd := range fds {
		file := os.NewFile(uintptr(fd), "pair")
		ends[i], err = net.FileConn(file) // a duplicate
		file.Close()
		if err != nil {
			return nil, nil, err
		}
	}
	return ends[0], ends[1], nil
}
