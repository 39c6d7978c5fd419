package zmqtest

import (
	"net"
	"strings"
	"testing"
	"time"
)

// A Listener accepts connections as [Raw] peers.
type Listener struct {
	Endpoint string // with the port that the kernel chose
	l        net.Listener
}

// Listen listens at a tcp or ipc endpoint, often [Loopback], for the time of
// the test.
func Listen(tb testing.TB, endpoint string) *Listener {
	tb.Helper()
	network, address := address(tb, endpoint)
	l, err := net.Listen(network, address)
	if err != nil {
		tb.Fatalf("zmqtest: raw listener: %v", err)
	}
	tb.Cleanup(func() { l.Close() })
	scheme, _, _ := strings.Cut(endpoint, "://")
	return &Listener{Endpoint: scheme + "://" + l.Addr().String(), l: l}
}

// Accept returns the next connection, on which nothing has been sent.
func (l *Listener) Accept(tb testing.TB) *Raw {
	tb.Helper()
	l.l.(interface{ SetDeadline(time.Time) error }).SetDeadline(time.Now().Add(Patience))
	conn, err := l.l.Accept()
	if err != nil {
		tb.Fatalf("zmqtest: raw listener at %s: %v", l.Endpoint, err)
	}
	return NewRaw(tb, conn)
}

// Close stops listening; accepted connections stay.
func (l *Listener) Close() { l.l.Close() }

// address splits a ZeroMQ endpoint into what package net wants.
func address(tb testing.TB, endpoint string) (network, address string) {
	tb.Helper()
	scheme, address, _ := strings.Cut(endpoint, "://")
	switch scheme {
	case "tcp":
		if host, port, err := net.SplitHostPort(address); err == nil && port == "*" {
			address = net.JoinHostPort(host, "0")
		}
		return "tcp", address
	case "ipc":
		return "unix", address
	}
	tb.Fatalf("zmqtest: endpoint %q is neither tcp:// nor ipc://", endpoint)
	return "", ""
}
