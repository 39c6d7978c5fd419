package curve

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/go-zeromq/zmq4"

	"github.com/znode/znode/sockets"
)

// patience bounds what would otherwise hang; only a test that fails waits so long.
const patience = 20 * time.Second

// A cast is a server and a client that know each other.
type cast struct {
	server *Server
	client *Client
}

// newCast makes them with fresh keys; the client's identity is "friend".
func newCast(tb testing.TB) cast { return newCastFrom(tb, rand.Reader, rand.Reader) }

// newCastFrom makes them with these sources for what they draw in handshakes.
func newCastFrom(tb testing.TB, serverRandom, clientRandom io.Reader) cast {
	tb.Helper()
	serverPublic, serverSecret := newPair(tb)
	clientPublic, clientSecret := newPair(tb)
	server, err := newServer(ServerOptions{Secret: serverSecret, Authorize: only(clientPublic)}, serverRandom)
	if err != nil {
		tb.Fatal(err)
	}
	client, err := newClient(ClientOptions{Server: serverPublic, Secret: clientSecret}, clientRandom)
	if err != nil {
		tb.Fatal(err)
	}
	return cast{server, client}
}

func newPair(tb testing.TB) (Public, Secret) {
	tb.Helper()
	public, secret, err := Generate()
	if err != nil {
		tb.Fatal(err)
	}
	return public, secret
}

// only authorizes these keys as "friend".
func only(keys ...Public) func(Public) (any, bool) {
	return func(client Public) (any, bool) {
		for _, key := range keys {
			if key == client {
				return "friend", true
			}
		}
		return nil, false
	}
}

// outcome is one side of a handshake.
type outcome struct {
	conn *zmq4.Conn
	err  error
}

// shake runs both sides of a handshake over loopback; a side that fails closes its
// end, as a socket does.
func shake(tb testing.TB, server, client zmq4.Security, serverType, clientType zmq4.SocketType) (s, c outcome) {
	tb.Helper()
	a, b := loopback(tb)
	var wg sync.WaitGroup
	side := func(o *outcome, nc net.Conn, sec zmq4.Security, typ zmq4.SocketType) {
		o.conn, o.err = zmq4.Open(nc, sec, typ, nil, false, nil)
		if o.err != nil {
			nc.Close()
		}
	}
	wg.Go(func() { side(&s, a, server, serverType) })
	wg.Go(func() { side(&c, b, client, clientType) })
	wg.Wait()
	return s, c
}

// connected runs a handshake that must succeed and returns both mechanisms.
func connected(tb testing.TB, is cast) (server, client sockets.FrameCodec) {
	tb.Helper()
	s, c := is.server.Mechanism(true), is.client.Mechanism(false)
	so, co := shake(tb, s, c, zmq4.XPub, zmq4.XSub)
	if so.err != nil || co.err != nil {
		tb.Fatalf("server: %v, client: %v", so.err, co.err)
	}
	return s.(sockets.FrameCodec), c.(sockets.FrameCodec)
}

// loopback returns the two ends of a TCP connection, closed with the test.
func loopback(tb testing.TB) (accepted, dialled net.Conn) {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	dialled, err = net.Dial("tcp", l.Addr().String())
	if err != nil {
		tb.Fatal(err)
	}
	accepted, err = l.Accept()
	if err != nil {
		tb.Fatal(err)
	}
	for _, nc := range []net.Conn{accepted, dialled} {
		tb.Cleanup(func() { nc.Close() })
		nc.SetDeadline(time.Now().Add(patience))
	}
	return accepted, dialled
}

// wantReason fails the test unless err is a ProtocolError of this reason.
func wantReason(tb testing.TB, err error, want sockets.Reason) {
	tb.Helper()
	var p *sockets.ProtocolError
	if !errors.As(err, &p) || p.Reason != want {
		tb.Fatalf("error %v, want a ProtocolError with reason %q", err, want)
	}
}

// body is n octets that are not all the same.
func body(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + n)
	}
	return b
}

// cutFrame splits off the first frame of wire.
func cutFrame(tb testing.TB, wire []byte) (flags byte, body, rest []byte) {
	tb.Helper()
	r := bytes.NewReader(wire)
	flags, body = readFrame(tb, r)
	return flags, body, wire[len(wire)-r.Len():]
}

// readFrame reads one frame.
func readFrame(tb testing.TB, r io.Reader) (flags byte, body []byte) {
	tb.Helper()
	var head [9]byte
	n := 1
	if _, err := io.ReadFull(r, head[:1]); err != nil {
		tb.Fatal(err)
	}
	if head[0]&flagLong != 0 {
		n = 8
	}
	if _, err := io.ReadFull(r, head[1:1+n]); err != nil {
		tb.Fatal(err)
	}
	size := 0
	for _, b := range head[1 : 1+n] {
		size = size<<8 | int(b)
	}
	body = make([]byte, size)
	if _, err := io.ReadFull(r, body); err != nil {
		tb.Fatal(err)
	}
	return head[0], body
}
