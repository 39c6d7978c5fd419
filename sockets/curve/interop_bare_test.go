package curve

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/go-zeromq/zmq4"

	"github.com/znode/znode/sockets"
	"github.com/znode/znode/sockets/zmqtest"
)

// TestLibzmqBare: the mechanism serves code that frames for itself, as a PUB and as a
// SUB too, which package sockets has not: both learn the other's socket type and
// nothing else, and all loads pass.
func TestLibzmqBare(t *testing.T) {
	is := newKeys(t)
	p := zmqtest.Start(t)
	p.Admit(t, is.clientPublic.String())
	for _, c := range []struct {
		own  zmq4.SocketType
		peer string
	}{{zmq4.Pub, "SUB"}, {zmq4.Pub, "XSUB"}, {zmq4.Sub, "PUB"}, {zmq4.Sub, "XPUB"}} {
		for _, server := range []bool{true, false} {
			t.Run(fmt.Sprintf("own=%s/peer=%s/server=%v", c.own, c.peer, server), func(t *testing.T) {
				peer := theirs(t, p, c.peer, is, !server)
				defer peer.Close(t, 0)
				nc, err := net.Dial("tcp", strings.TrimPrefix(peer.Bind(t, zmqtest.Loopback), "tcp://"))
				if err != nil {
					t.Fatal(err)
				}
				defer nc.Close()
				nc.SetDeadline(time.Now().Add(patience))
				m := is.mechanism(t, server)(false)
				conn, err := zmq4.Open(nc, m, c.own, nil, false, nil)
				if err != nil {
					t.Fatal(err)
				}
				if meta := conn.Peer.Meta; meta[socketType] != c.peer || len(meta) != 1 {
					t.Errorf("libzmq announces %v", meta)
				}
				codec := m.(sockets.FrameCodec)
				if c.own == zmq4.Sub {
					bareSub(t, nc, codec, peer)
				} else {
					barePub(t, nc, codec, peer)
				}
			})
		}
	}
}

// barePub waits for the peer's subscription and sends it all loads.
func barePub(t *testing.T, nc net.Conn, codec sockets.FrameCodec, peer *zmqtest.Socket) {
	t.Helper()
	peer.Subscribe(t, "")
	subscribed := make(chan error, 1)
	go func() {
		outer, sealed, err := bareFrame(nc)
		if err == nil {
			var plain []byte
			if _, plain, err = codec.Open(outer, sealed); err == nil && string(plain) != "\x01" {
				err = fmt.Errorf("%q instead of a subscription", plain)
			}
		}
		subscribed <- err
	}()
	for len(subscribed) == 0 {
		peer.TryRecv(t) // a libzmq socket takes note of a connection in calls of its own only
	}
	if err := <-subscribed; err != nil {
		t.Fatal(err)
	}
	for _, want := range loads(false) {
		if _, err := nc.Write(sealMessage(t, codec, want)); err != nil {
			t.Fatal(err)
		}
		if got := peer.Recv(t); !equalFrames(got, want) {
			t.Fatalf("%d frames came as %d", len(want), len(got))
		}
	}
}

// bareSub subscribes to everything and receives all loads.
func bareSub(t *testing.T, nc net.Conn, codec sockets.FrameCodec, peer *zmqtest.Socket) {
	t.Helper()
	if _, err := nc.Write(sealMessage(t, codec, [][]byte{{1}})); err != nil {
		t.Fatal(err)
	}
	received := make(chan [][]byte, 100)
	failed := make(chan error, 1)
	go func() {
		for {
			var frames [][]byte
			for more := true; more; {
				outer, sealed, err := bareFrame(nc)
				if err != nil {
					return // the test has closed the connection
				}
				flags, plain, err := codec.Open(outer, sealed)
				if err != nil {
					failed <- err
					return
				}
				frames, more = append(frames, plain), flags&flagMore != 0
			}
			received <- frames
		}
	}()
	for len(received) == 0 && len(failed) == 0 {
		peer.SendText(t, "are you there?")
	}
	peer.SendText(t, "begin")
	next := func() [][]byte {
		select {
		case err := <-failed:
			t.Fatal(err)
		case got := <-received:
			return got
		case <-time.After(patience):
			t.Fatalf("no message within %v", patience)
		}
		return nil
	}
	for string(next()[0]) != "begin" {
	}
	for _, want := range loads(false) {
		peer.Send(t, want...)
		if got := next(); !equalFrames(got, want) {
			t.Fatalf("%d frames came as %d", len(want), len(got))
		}
	}
}

// bareFrame is readFrame for goroutines that may not end the test.
func bareFrame(nc net.Conn) (flags byte, body []byte, err error) {
	frame, err := rawFrame(nc)
	if err != nil {
		return 0, nil, err
	}
	if frame[0]&flagLong != 0 {
		return frame[0], frame[longHeader:], nil
	}
	return frame[0], frame[2:], nil
}

// sealMessage seals the frames of one message.
func sealMessage(t *testing.T, codec sockets.FrameCodec, frames [][]byte) (wire []byte) {
	t.Helper()
	var err error
	for i, f := range frames {
		var flags byte
		if i < len(frames)-1 {
			flags = flagMore
		}
		if wire, err = codec.Seal(wire, flags, f); err != nil {
			t.Fatal(err)
		}
	}
	return wire
}
