package sockets_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/znode/znode/sockets"
	"github.com/znode/znode/sockets/zmqtest"
)

// TestAttach serves peers on connections that no listener of ours accepted,
// and that are no file descriptors.
func TestAttach(t *testing.T) {
	t.Parallel()
	var events *mailbox[sockets.Event]
	x, subs := newXPUB(t, func(o *sockets.Options) { o.MaxConnections = 3; watched(&events)(o) })
	for _, kind := range []string{"hidden", "tls"} {
		a, b := pipe(t, kind)
		if err := x.Attach(a, kind); err != nil {
			t.Fatal(err)
		}
		r := zmqtest.NewRaw(t, b)
		r.Handshake(t, "SUB")
		r.Subscribe(t, "t")
		if got := subs.take(t); got != "+t" {
			t.Fatalf("subscription %q", got)
		}
		if e := awaitKind(t, events, sockets.EventConnected); e.Endpoint != kind {
			t.Errorf("event %+v", e)
		}
		for i := range 100 {
			if err := x.Publish(numbered("t", i, i*100)...); err != nil {
				t.Fatal(err)
			}
			sameFrames(t, r.Recv(t), numbered("t", i, i*100))
		}
		r.Ping(t)
		r.Close()
		if got := subs.take(t); got != "-t" {
			t.Errorf("at the end: %q", got)
		}
		awaitKind(t, events, sockets.EventDisconnected)
	}
	// The bounds are those of accepted connections.
	until(t, "the connections are gone", func() bool { return x.Stats().Connections == 0 })
	for i := range 4 {
		a, b := net.Pipe()
		defer b.Close()
		err := x.Attach(a, "silent")
		if (err != nil) != (i == 3) || err != nil && !strings.Contains(err.Error(), "MaxConnections") {
			t.Errorf("connection %d: error %v", i, err)
		}
		if i == 3 {
			if e := awaitKind(t, events, sockets.EventRefused); e.Reason != sockets.ReasonConnections {
				t.Errorf("event %+v", e)
			}
			if n, err := b.Read(make([]byte, 1)); err == nil {
				t.Errorf("a refused connection gets %d bytes", n)
			}
		}
	}
	x.Close()
	a, b := net.Pipe()
	defer b.Close()
	if err := x.Attach(a, "late"); !errors.Is(err, sockets.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if _, err := b.Read(make([]byte, 1)); err == nil {
		t.Error("after Close the connection is open")
	}
}

// hidden is a connection of which only the interface is known.
type hidden struct{ net.Conn }

// pipe is both ends of a connection that is not of the operating system.
func pipe(t *testing.T, kind string) (a, b net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if b, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if a, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	if kind == "hidden" {
		return hidden{a}, b
	}
	s := httptest.NewUnstartedServer(nil) // for its certificate
	s.StartTLS()
	defer s.Close()
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return tls.Server(a, s.TLS), tls.Client(b, &tls.Config{RootCAs: pool, ServerName: "example.com"})
}

// TestAttachWhileFull closes a socket whose peer does not read, so that a Write is
// under way.
func TestAttachWhileFull(t *testing.T) {
	t.Parallel()
	x := newPUSH(t, func(o *sockets.Options) { o.SndHWM = 10 })
	a, b := pipe(t, "hidden")
	if err := x.Attach(a, "hidden"); err != nil {
		t.Fatal(err)
	}
	r := zmqtest.NewRaw(t, b)
	r.Handshake(t, "PULL")
	big := make([]byte, 1<<20)
	// It stays full until half of it is free, and the kernel may still take some.
	until(t, "the queue is full", func() bool { return x.Send(big) != nil && len(x.Peers()) == 1 && x.Peers()[0].QueuedMessages > 5 })
	finishes(t, "Close returns", background(func() { x.Close() }))
	if lost := x.Stats(); lost.Connections != 0 {
		t.Errorf("%+v", lost)
	}
}
