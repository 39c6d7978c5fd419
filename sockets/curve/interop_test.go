package curve

import (
	"bytes"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/go-zeromq/zmq4"

	"github.com/znode/znode/sockets"
	"github.com/znode/znode/sockets/zmqtest"
)

// loads are messages with bodies around all edges, in one frame and in several, to
// 64 KiB or to 16 MiB.
func loads(large bool) (messages [][][]byte) {
	for _, n := range []int{0, 1, 30, 31, 32, 221, 222, 223, 224, 255, 256, 257, 4096, 65535, 65536} {
		messages = append(messages, [][]byte{body(n)})
	}
	messages = append(messages,
		[][]byte{{}, {}},
		[][]byte{{}, body(5), {}, body(300)},
		[][]byte{[]byte("zeek.cluster.node.worker"), []byte("sender"), []byte("broker-bin-v1"), body(200)},
	)
	if !large {
		return messages
	}
	return append(messages,
		[][]byte{body(1 << 20)},
		[][]byte{body(16 << 20)},
		[][]byte{body(200), body(1 << 20), body(1), body(2 << 20)},
		[][]byte{body(10), body(16 << 20), body(10)},
	)
}

// theirs makes a libzmq socket with the keys of its role.
func theirs(t *testing.T, p *zmqtest.Process, kind string, is keys, server bool) *zmqtest.Socket {
	t.Helper()
	s := p.Socket(t, kind)
	if server {
		s.CurveServer(t, is.serverSecret.Reveal())
	} else {
		s.CurveClient(t, is.serverPublic.String(), is.clientPublic.String(), is.clientSecret.Reveal())
	}
	return s
}

// keys are two pairs.
type keys struct {
	serverPublic, clientPublic Public
	serverSecret, clientSecret Secret
}

func newKeys(t *testing.T) (k keys) {
	t.Helper()
	k.serverPublic, k.serverSecret = newPair(t)
	k.clientPublic, k.clientSecret = newPair(t)
	return k
}

// mechanism makes our side of these keys.
func (k keys) mechanism(t *testing.T, server bool) func(bool) zmq4.Security {
	t.Helper()
	if server {
		s, err := NewServer(ServerOptions{Secret: k.serverSecret, Public: k.serverPublic, Authorize: only(k.clientPublic)})
		if err != nil {
			t.Fatal(err)
		}
		return s.Mechanism
	}
	c, err := NewClient(ClientOptions{Server: k.serverPublic, Secret: k.clientSecret, Public: k.clientPublic})
	if err != nil {
		t.Fatal(err)
	}
	return c.Mechanism
}

// TestLibzmq exchanges all loads with libzmq, for all pairs of socket types, in
// both roles; and with the roles the wrong way round for who binds.
func TestLibzmq(t *testing.T) {
	is := newKeys(t)
	p := zmqtest.Start(t)
	p.Admit(t, is.clientPublic.String())
	for _, c := range []struct {
		own  zmq4.SocketType
		peer string
	}{
		{zmq4.XPub, "SUB"}, {zmq4.XPub, "XSUB"}, {zmq4.XSub, "PUB"}, {zmq4.XSub, "XPUB"}, {zmq4.Push, "PULL"}, {zmq4.Pull, "PUSH"},
	} {
		for _, server := range []bool{true, false} {
			for _, binds := range []bool{true, false} {
				t.Run(fmt.Sprintf("own=%s/peer=%s/server=%v/binds=%v", c.own, c.peer, server, binds), func(t *testing.T) {
					own := openSocket(t, c.own, is.mechanism(t, server), nil)
					peer := theirs(t, p, c.peer, is, !server)
					defer peer.Close(t, 0)
					if binds {
						peer.Connect(t, own.bind(t))
					} else {
						own.connect(t, peer.Bind(t, zmqtest.Loopback))
					}
					if c.peer == "SUB" || c.peer == "XSUB" {
						peer.Subscribe(t, "")
					}
					// Who binds makes no difference to what travels.
					testLibzmq(t, own, peer, c.peer, server, loads(server == binds && !testing.Short()))
				})
			}
		}
	}
}

func testLibzmq(t *testing.T, own *ours, peer *zmqtest.Socket, kind string, server bool, messages [][][]byte) {
	t.Helper()
	connected := own.event(t, sockets.EventConnected)
	if got := string(connected.Peer.SocketType()); got != kind {
		t.Errorf("the peer announced %q", got)
	}
	if id := connected.Peer.Identity(); server != (id == "friend") {
		t.Errorf("the peer's identity is %v", id)
	}
	switch kind {
	case "SUB", "XSUB":
		// A libzmq socket that binds takes note of a connection, and sends it its
		// subscriptions, only in a call of its own.
		for len(own.ready) == 0 {
			peer.TryRecv(t)
		}
	case "XPUB":
		if got := peer.RecvText(t); len(got) != 1 || got[0] != "\x01" {
			t.Fatalf("subscription %q", got)
		}
	case "PUB": // it does not tell of subscriptions
		for len(own.received) == 0 {
			peer.SendText(t, "are you there?")
		}
		peer.SendText(t, "begin")
		for string(own.recv(t).frames[0]) != "begin" {
		}
	}
	for _, want := range messages {
		var got [][]byte
		if own.send != nil {
			if err := own.send(want...); err != nil {
				t.Fatal(err)
			}
			got = peer.Recv(t)
		} else {
			peer.Send(t, want...)
			m := own.recv(t)
			if got = m.frames; m.peer != connected.Peer {
				t.Fatal("the message is of another peer")
			}
		}
		if !equalFrames(got, want) {
			t.Fatalf("%d frames, the last of %d octets, came as %d", len(want), len(want[len(want)-1]), len(got))
		}
	}
}

// TestLibzmqPing: libzmq's PING travels as a COMMAND inside of the box, and so does
// the PONG that it needs to keep the connection.
func TestLibzmqPing(t *testing.T) {
	is := newKeys(t)
	peer := theirs(t, zmqtest.Start(t), "PUSH", is, true)
	peer.SetInt(t, zmqtest.HEARTBEAT_IVL, 10)
	peer.SetInt(t, zmqtest.HEARTBEAT_TIMEOUT, patience.Milliseconds())
	nc, err := net.Dial("tcp", strings.TrimPrefix(peer.Bind(t, zmqtest.Loopback), "tcp://"))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(patience))
	m := is.mechanism(t, false)(false)
	if _, err := zmq4.Open(nc, m, zmq4.Pull, nil, false, nil); err != nil {
		t.Fatal(err)
	}
	codec := m.(sockets.FrameCodec)
	peer.SendText(t, "one")
	for pings := 0; pings < 3; {
		outer, sealed := readFrame(t, nc)
		flags, plain, err := codec.Open(outer, sealed)
		if err != nil {
			t.Fatal(err)
		}
		name := []byte("\x04PING")
		switch {
		case flags == flagCommand && bytes.HasPrefix(plain, name):
			pings++
			pong := append([]byte("\x04PONG"), plain[len(name)+2:]...)
			wire, err := codec.Seal(nil, flagCommand, pong)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := nc.Write(wire); err != nil {
				t.Fatal(err)
			}
		case flags != 0 || string(plain) != "one":
			t.Fatalf("frame with flags %#x: %q", flags, plain)
		}
	}
}

// TestPing: our sockets answer a sealed PING with a sealed PONG of its context, also
// between the frames of a message.
func TestPing(t *testing.T) {
	is := newKeys(t)
	own := openSocket(t, zmq4.Pull, is.mechanism(t, true), nil)
	nc, err := net.Dial("tcp", strings.TrimPrefix(own.bind(t), "tcp://"))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(patience))
	m := is.mechanism(t, false)(false)
	if _, err := zmq4.Open(nc, m, zmq4.Push, nil, false, nil); err != nil {
		t.Fatal(err)
	}
	codec := m.(sockets.FrameCodec)
	var wire []byte
	for _, f := range []struct {
		flags byte
		body  string
	}{{flagMore, "first"}, {flagCommand, "\x04PING\x00\x00context"}, {0, "second"}} {
		if wire, err = codec.Seal(wire, f.flags, []byte(f.body)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := nc.Write(wire); err != nil {
		t.Fatal(err)
	}
	outer, sealed := readFrame(t, nc)
	flags, plain, err := codec.Open(outer, sealed)
	if err != nil || flags != flagCommand || string(plain) != "\x04PONGcontext" {
		t.Fatalf("answer %#x %q, %v", flags, plain, err)
	}
	if got := own.recv(t).frames; !equalFrames(got, [][]byte{[]byte("first"), []byte("second")}) {
		t.Fatalf("message %q", got)
	}
}

// TestLibzmqMany moves a load at full speed, so that frames come in every way of
// being cut by the network.
func TestLibzmqMany(t *testing.T) {
	const count = 20000
	is := newKeys(t)
	p := zmqtest.Start(t)
	for _, server := range []bool{true, false} {
		own := openSocket(t, zmq4.Push, is.mechanism(t, server), nil)
		in := theirs(t, p, "PULL", is, !server)
		if server {
			in.Connect(t, own.bind(t))
		} else {
			own.connect(t, in.Bind(t, zmqtest.Loopback))
		}
		gather := in.StartGather(t, zmqtest.Gather{Count: count})
		for n := range count {
			if err := own.send(zmqtest.LoadMessage("log-write", "own", uint64(n), 8+n%500)...); err != nil {
				t.Fatal(err)
			}
		}
		gather.Wait(t).Complete(t, count, "own")
		in.Close(t, 0)

		back := openSocket(t, zmq4.Pull, is.mechanism(t, server), nil)
		out := theirs(t, p, "PUSH", is, !server)
		if server {
			out.Connect(t, back.bind(t))
		} else {
			back.connect(t, out.Bind(t, zmqtest.Loopback))
		}
		out.StartLoad(t, zmqtest.Load{Topics: []string{"log-write"}, Sender: "s", Count: count, Size: 200})
		for n := range count {
			m := back.recv(t)
			if want := zmqtest.LoadMessage("log-write", "s", uint64(n), 200); !equalFrames(m.frames, want) {
				t.Fatalf("message %d came as %q", n, m.frames)
			}
		}
		out.Close(t, 0)
	}
}
