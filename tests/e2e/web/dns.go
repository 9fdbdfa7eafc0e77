package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"time"
)

const patience = 10 * time.Second

// LookUp asks the resolver that /etc/resolv.conf names, search list and all.
func lookUp(out io.Writer, name string) error {
	return printAddresses(out, &net.Resolver{PreferGo: true}, name)
}

// LookUpOverTLS asks one server, which has to prove who it is: RFC 7858.
func lookUpOverTLS(out io.Writer, server, name, authority, serverName string) error {
	pem, err := os.ReadFile(authority)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return fmt.Errorf("%s has no certificate", authority)
	}
	if serverName == "" {
		serverName, _, err = net.SplitHostPort(server)
		if err != nil {
			return err
		}
	}
	dialer := tls.Dialer{Config: &tls.Config{RootCAs: roots, ServerName: serverName}}
	return printAddresses(out, &net.Resolver{
		PreferGo: true,
		// A connection that is no packet connection is spoken to as over TCP.
		Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "tcp", server)
		},
	}, name)
}

func printAddresses(out io.Writer, resolver *net.Resolver, name string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	addresses, err := resolver.LookupHost(ctx, name)
	if err != nil {
		return err
	}
	slices.Sort(addresses)
	for _, address := range addresses {
		fmt.Fprintln(out, address)
	}
	return nil
}
