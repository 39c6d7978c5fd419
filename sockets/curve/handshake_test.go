package curve

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/go-zeromq/zmq4"

	"github.com/znode/znode/sockets"
)

// TestHandshake: both sides learn the other's socket type, the server who the
// client is, and the traffic they then seal opens.
func TestHandshake(t *testing.T) {
	for _, c := range []struct{ server, client zmq4.SocketType }{
		{zmq4.XPub, zmq4.XSub}, {zmq4.XSub, zmq4.XPub}, {zmq4.Pull, zmq4.Push}, {zmq4.Push, zmq4.Pull},
		{zmq4.Pub, zmq4.Sub}, {zmq4.Sub, zmq4.Pub},
	} {
		is := newCast(t)
		server, client := is.server.Mechanism(true), is.client.Mechanism(false)
		s, k := shake(t, server, client, c.server, c.client)
		if s.err != nil || k.err != nil {
			t.Fatalf("%s and %s: server %v, client %v", c.server, c.client, s.err, k.err)
		}
		if got := s.conn.Peer.Meta[socketType]; got != string(c.client) || len(s.conn.Peer.Meta) != 1 {
			t.Errorf("the server sees %v", s.conn.Peer.Meta)
		}
		if got := k.conn.Peer.Meta[socketType]; got != string(c.server) || len(k.conn.Peer.Meta) != 1 {
			t.Errorf("the client sees %v", k.conn.Peer.Meta)
		}
		if id := server.(sockets.Identifier).PeerIdentity(); id != "friend" {
			t.Errorf("identity %v", id)
		}
		if _, is := client.(sockets.Identifier); is {
			t.Error("a client claims to know more of the server than its key")
		}
		exchange(t, server.(sockets.FrameCodec), client.(sockets.FrameCodec))
		exchange(t, client.(sockets.FrameCodec), server.(sockets.FrameCodec))
		for _, used := range []zmq4.Security{server, client} {
			if err := used.Handshake(s.conn, true); !errors.Is(err, ErrUsed) {
				t.Errorf("a second handshake: %v", err)
			}
		}
	}
}

func exchange(t *testing.T, from, to sockets.FrameCodec) {
	t.Helper()
	for _, text := range []string{"", "zeek.cluster.node.worker.", strings.Repeat("log", 1000)} {
		wire, err := from.Seal(nil, flagMore, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		outer, sealed, _ := cutFrame(t, wire)
		flags, plain, err := to.Open(outer, sealed)
		if err != nil || flags != flagMore || string(plain) != text {
			t.Fatalf("%q came out as %#x %q, %v", text, flags, plain, err)
		}
	}
}

// TestMetadata: INITIATE and READY carry Socket-Type and nothing else.
func TestMetadata(t *testing.T) {
	is := newCast(t)
	s, c := serverHandshake{server: is.server}, clientHandshake{client: is.client}
	hello, err := c.hello()
	if err != nil {
		t.Fatal(err)
	}
	welcome, err := s.hello(hello)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.welcome(welcome); err != nil {
		t.Fatal(err)
	}
	want := []byte("\x0bSocket-Type\x00\x00\x00\x04XPUB")
	initiate, err := c.initiate(want)
	if err != nil {
		t.Fatal(err)
	}
	// Sizes of RFC 26, the names included.
	if len(hello)+6 != 200 || len(welcome)+8 != 168 || len(initiate)+9 != 257+len(want) {
		t.Errorf("HELLO %d, WELCOME %d, INITIATE %d octets", len(hello)+6, len(welcome)+8, len(initiate)+9)
	}
	key, metadata, err := s.initiate(initiate)
	if err != nil || key != is.client.Public() || !bytes.Equal(metadata, want) {
		t.Fatalf("INITIATE: %v %q %v", key, metadata, err)
	}
	ready := s.ready(want)
	if len(ready)+6 != 30+len(want) {
		t.Errorf("READY %d octets", len(ready)+6)
	}
	if metadata, err := c.ready(ready); err != nil || !bytes.Equal(metadata, want) {
		t.Fatalf("READY: %q %v", metadata, err)
	}
	if s.sent != 1 || s.received != 2 || c.sent != 2 || c.received != 1 {
		t.Errorf("nonces: server %d %d, client %d %d", s.sent, s.received, c.sent, c.received)
	}
}

// TestNothingSecretBeforeInitiate: between WELCOME and INITIATE the server holds
// of a connection only what went over the network.
func TestNothingSecretBeforeInitiate(t *testing.T) {
	is := newCast(t)
	s, c := serverHandshake{server: is.server}, clientHandshake{client: is.client}
	hello, err := c.hello()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.hello(hello); err != nil {
		t.Fatal(err)
	}
	if s != (serverHandshake{server: is.server, cookieNonce: s.cookieNonce, received: 1}) || s.cookieNonce == [longNonceSize]byte{} {
		t.Errorf("the server holds %+v", s)
	}
}

// TestRefusals: who is refused, why, and what both sides then see.
func TestRefusals(t *testing.T) {
	stranger := newCast(t)
	for name, c := range map[string]struct {
		prepare        func(*cast)
		types          [2]zmq4.SocketType // server, client
		server, client sockets.Reason     // "" is no ProtocolError: the peer closed
		says           string             // in the client's error
	}{
		"client with another server's key": {
			prepare: func(is *cast) { is.client.server = stranger.server.public },
			server:  sockets.ReasonSecurity, says: stranger.server.public.String(),
		},
		"unlisted client": {
			prepare: func(is *cast) { is.client.public, is.client.secret = stranger.client.public, stranger.client.secret },
			server:  sockets.ReasonUnauthorized, client: sockets.ReasonUnauthorized, says: stranger.client.public.String(),
		},
		"nobody listed": {
			prepare: func(is *cast) { is.server.authorize = only() },
			server:  sockets.ReasonUnauthorized, client: sockets.ReasonUnauthorized,
		},
		"client with another's public key": { // it cannot vouch for it
			prepare: func(is *cast) { is.client.secret = stranger.client.secret },
			server:  sockets.ReasonSecurity,
		},
		"client that vouches to another server": {
			prepare: func(is *cast) { is.server.public = stranger.server.public },
			server:  sockets.ReasonSecurity,
		},
		"wrong socket types": {
			types:  [2]zmq4.SocketType{zmq4.XPub, zmq4.Push},
			server: sockets.ReasonSocketType,
		},
		"unlisted client with wrong socket type": { // the first thing told is the key
			prepare: func(is *cast) { is.server.authorize = only() },
			types:   [2]zmq4.SocketType{zmq4.XPub, zmq4.Push},
			server:  sockets.ReasonUnauthorized, client: sockets.ReasonUnauthorized,
		},
	} {
		t.Run(name, func(t *testing.T) {
			is := newCast(t)
			if c.prepare != nil {
				c.prepare(&is)
			}
			if c.types[0] == "" {
				c.types = [2]zmq4.SocketType{zmq4.Pull, zmq4.Push}
			}
			m := is.server.Mechanism(true)
			s, k := shake(t, m, is.client.Mechanism(false), c.types[0], c.types[1])
			wantReason(t, s.err, c.server)
			if c.client != "" {
				wantReason(t, k.err, c.client)
			} else if !errors.Is(k.err, io.EOF) {
				t.Errorf("the client sees %v, want the connection closed", k.err)
			}
			if !strings.Contains(k.err.Error(), c.says) {
				t.Errorf("the client's error %q does not tell %q", k.err, c.says)
			}
			if m.(sockets.Identifier).PeerIdentity() != nil {
				t.Error("a refused client has an identity")
			}
			if _, err := m.(sockets.FrameCodec).Seal(nil, 0, nil); !errors.Is(err, ErrNoHandshake) {
				t.Errorf("after a refusal Seal gives %v", err)
			}
		})
	}
}

// TestSameRole: two clients, or two servers, cannot come together.
func TestSameRole(t *testing.T) {
	is := newCast(t)
	a, b := shake(t, is.client.Mechanism(true), is.client.Mechanism(false), zmq4.Pull, zmq4.Push)
	wantReason(t, a.err, sockets.ReasonHandshake)
	wantReason(t, b.err, sockets.ReasonHandshake)
}

// record keeps what is written through a connection.
type record struct {
	net.Conn
	sent bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.sent.Write(p)
	return r.Conn.Write(p)
}

// TestErrorBytes: a refused key gets the ten octets that libzmq sends, and nothing
// behind them.
func TestErrorBytes(t *testing.T) {
	is := newCast(t)
	is.server.authorize = only()
	a, b := loopback(t)
	recorder := &record{Conn: a}
	done := make(chan error, 1)
	go func() {
		_, err := zmq4.Open(recorder, is.server.Mechanism(true), zmq4.Pull, nil, true, nil)
		a.Close()
		done <- err
	}()
	if _, err := zmq4.Open(b, is.client.Mechanism(false), zmq4.Push, nil, false, nil); err == nil {
		t.Fatal("the client was let in")
	}
	wantReason(t, <-done, sockets.ReasonUnauthorized)
	want := []byte("\x04\x0a\x05ERROR\x03400")
	if got := recorder.sent.Bytes()[64+2+168:]; !bytes.Equal(got, want) {
		t.Errorf("after WELCOME the server sent %q, want %q", got, want)
	}
}

// TestPeerErrors: how a client takes ERROR with other reasons than 400.
func TestPeerErrors(t *testing.T) {
	for text, want := range map[string]sockets.Reason{
		"\x03400": sockets.ReasonUnauthorized,
		"\x03500": sockets.ReasonPeerError,
		"\x00":    sockets.ReasonPeerError,
		"":        sockets.ReasonPeerError,
	} {
		is := newCast(t)
		a, b := loopback(t)
		go func() {
			a.Write(greeting("CURVE"))
			io.CopyN(io.Discard, a, 64+2+200)
			a.Write(sockets.AppendCommand(nil, cmdError, []byte(text)))
		}()
		_, err := zmq4.Open(b, is.client.Mechanism(false), zmq4.Push, nil, false, nil)
		wantReason(t, err, want)
	}
}

func greeting(mechanism string) []byte {
	g := make([]byte, 64)
	g[0], g[9], g[10] = 0xff, 0x7f, 3
	copy(g[12:], mechanism)
	return g
}

// TestNoncesRise: INITIATE must have a higher nonce than HELLO. It is put into a
// handshake that is right in all else.
func TestNoncesRise(t *testing.T) {
	for hello, initiate := range map[uint64]uint64{1: 1, 7: 6, 1 << 63: 1} {
		is := newCast(t)
		s, c := serverHandshake{server: is.server}, clientHandshake{client: is.client}
		data, err := c.hello()
		if err != nil {
			t.Fatal(err)
		}
		data = binary.BigEndian.AppendUint64(data[:helloNonceAt], hello)
		data = appendBox(data, make([]byte, helloZeros), shortNonce(helloPrefix, hello), &c.hkey)
		welcome, err := s.hello(data)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.welcome(welcome); err != nil {
			t.Fatal(err)
		}
		c.sent = initiate - 1
		if data, err = c.initiate(nil); err != nil {
			t.Fatal(err)
		}
		_, _, err = s.initiate(data)
		wantReason(t, err, sockets.ReasonSecurity)
	}
}

// TestHelloZeros: the box of HELLO must hold zeros.
func TestHelloZeros(t *testing.T) {
	is := newCast(t)
	s, c := serverHandshake{server: is.server}, clientHandshake{client: is.client}
	data, err := c.hello()
	if err != nil {
		t.Fatal(err)
	}
	data = appendBox(data[:helloBoxAt], body(helloZeros), shortNonce(helloPrefix, 1), &c.hkey)
	_, err = s.hello(data)
	wantReason(t, err, sockets.ReasonSecurity)
}

// TestWithoutRandom: a handshake without random numbers ends with their error.
func TestWithoutRandom(t *testing.T) {
	broken := errors.New("no random numbers")
	// How many octets each side may draw before the source fails.
	for _, limit := range []int64{0, 31, 32, 40, 64, 70} {
		failing := func() io.Reader {
			return io.MultiReader(io.LimitReader(bytes.NewReader(body(1000)), limit), iotest.ErrReader(broken))
		}
		is := newCast(t)
		is.server.random = failing()
		is.server.cookies.random = is.server.random
		s, _ := shake(t, is.server.Mechanism(true), is.client.Mechanism(false), zmq4.Pull, zmq4.Push)
		if !errors.Is(s.err, broken) {
			t.Errorf("server with %d octets: %v", limit, s.err)
		}
		if limit > 40 {
			continue // a client needs 48
		}
		is = newCast(t)
		is.client.random = failing()
		_, c := shake(t, is.server.Mechanism(true), is.client.Mechanism(false), zmq4.Pull, zmq4.Push)
		if !errors.Is(c.err, broken) {
			t.Errorf("client with %d octets: %v", limit, c.err)
		}
	}
}
