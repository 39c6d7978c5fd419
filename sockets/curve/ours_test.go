package curve

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/go-zeromq/zmq4"

	"github.com/znode/znode/sockets"
)

// ours is one of our sockets in a test, whatever its type.
type ours struct {
	socket interface {
		Bind(string) (string, error)
		Connect(string) error
		Peers() []sockets.PeerStats
		Stats() sockets.Stats
		Close() error
	}
	send     func(frames ...[]byte) error // nil for those that receive
	received chan message                 // what came, for those that receive
	ready    chan struct{}                // XPUB: a subscription came
	events   chan sockets.Event
}

// message is what came in one message.
type message struct {
	frames [][]byte
	peer   *sockets.Peer
}

// openSocket makes a socket that is closed with the test. change may be nil.
func openSocket(t *testing.T, typ zmq4.SocketType, mechanism func(bool) zmq4.Security, change func(*sockets.Options)) *ours {
	t.Helper()
	o := &ours{
		received: make(chan message, 1000),
		ready:    make(chan struct{}, 1000),
		events:   make(chan sockets.Event, 1000),
	}
	opt := sockets.DefaultOptions()
	opt.Mechanism = mechanism
	opt.Linger = patience
	opt.OnEvent = func(e sockets.Event) { o.events <- e }
	if change != nil {
		change(&opt)
	}
	onBatch := func(b sockets.Batch) {
		for m := range b.Messages() {
			var frames [][]byte
			for _, f := range m.Frames(nil) {
				frames = append(frames, bytes.Clone(f))
			}
			o.received <- message{frames, b.Peer()}
		}
	}
	var err error
	switch typ {
	case zmq4.XPub:
		var s *sockets.XPUB
		s, err = sockets.NewXPUB(opt, func(sockets.Subscription) { o.ready <- struct{}{} })
		o.socket, o.send = s, s.Publish
	case zmq4.XSub:
		var s *sockets.XSUB
		s, err = sockets.NewXSUB(opt, onBatch)
		s.Subscribe(nil)
		o.socket = s
	case zmq4.Push:
		var s *sockets.PUSH
		s, err = sockets.NewPUSH(opt)
		o.socket = s
		o.send = func(frames ...[]byte) error {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			return s.SendContext(ctx, frames...)
		}
	case zmq4.Pull:
		o.socket, err = sockets.NewPULL(opt, onBatch)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.socket.Close() })
	return o
}

func (o *ours) bind(t *testing.T) (endpoint string) {
	t.Helper()
	endpoint, err := o.socket.Bind("tcp://127.0.0.1:*")
	if err != nil {
		t.Fatal(err)
	}
	return endpoint
}

func (o *ours) connect(t *testing.T, endpoint string) {
	t.Helper()
	if err := o.socket.Connect(endpoint); err != nil {
		t.Fatal(err)
	}
}

// recv returns the next message.
func (o *ours) recv(t *testing.T) message {
	t.Helper()
	return await(t, o.received, "a message")
}

// event returns the next event of this kind.
func (o *ours) event(t *testing.T, kind sockets.EventKind) sockets.Event {
	t.Helper()
	for {
		if e := await(t, o.events, "event "+kind.String()); e.Kind == kind {
			return e
		}
	}
}

func await[T any](t *testing.T, from <-chan T, what string) T {
	t.Helper()
	select {
	case got := <-from:
		return got
	case <-time.After(patience):
		t.Fatalf("no %s within %v", what, patience)
		panic("unreachable")
	}
}

// equalFrames compares messages.
func equalFrames(a, b [][]byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !bytes.Equal(a[i], b[i]) {
			return false
		}
	}
	return true
}
