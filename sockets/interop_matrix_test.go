package sockets_test

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/znode/znode/sockets"
	"github.com/znode/znode/sockets/zmqtest"
)

// shapes are messages at the edges of the wire format: empty frames, the two
// sizes of a frame's length, sizes around our buffers, and many frames.
func shapes() [][][]byte {
	all := [][][]byte{
		{{}},
		{{}, {}},
		{[]byte("topic"), {}, []byte("x"), {}},
		make([][]byte, 200),
	}
	for _, n := range []int{1, 254, 255, 256, 257, 4095, 16 << 10, 65535, 65536, 1 << 20} {
		all = append(all, [][]byte{pattern(n, n)}, [][]byte{[]byte("topic"), pattern(n, n), []byte("end")})
	}
	many := make([][]byte, 200)
	for i := range many {
		many[i] = pattern(i, i*3)
	}
	return append(all, many)
}

// hugeMessage is of the size at which libzmq and our defaults still must agree.
func hugeMessage() [][]byte { return [][]byte{[]byte("topic"), pattern(1, 64<<20)} }

func sameFrames(t *testing.T, got, want [][]byte) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d frames arrived of %d", len(got), len(want))
	}
	for i := range want {
		if !bytes.Equal(got[i], want[i]) {
			t.Fatalf("frame %d of %d arrived as %d bytes %.40q, was %d bytes %.40q", i, len(want), len(got[i]), got[i], len(want[i]), want[i])
		}
	}
}

// A link is a socket of ours and one of libzmq's with a connection between them.
type link struct {
	theirs *zmqtest.Socket
	send   func(frames ...[]byte) error // from ours to theirs, or nil
	inbox  inbox                        // from theirs to ours
}

// newLink connects our type to theirs; bound says that ours binds. When it
// returns, what is sent arrives.
func newLink(t *testing.T, p *zmqtest.Process, ours, theirs, transport string, bound bool) link {
	t.Helper()
	l := link{theirs: p.Socket(t, theirs)}
	var x interface {
		binder
		connecter
	}
	var ready func()
	switch ours {
	case "XPUB":
		xpub, subs := newXPUB(t, nil)
		l.theirs.Subscribe(t, "")
		ready = func() { subs.awaited(t, "+", l.theirs) }
		x, l.send = xpub, xpub.Publish
	case "XSUB":
		xsub, in := newXSUB(t, nil)
		xsub.Subscribe(nil)
		ready = func() { heard(t, l.theirs, theirs, in) }
		x, l.inbox = xsub, in
	case "PUSH":
		push := newPUSH(t, nil)
		ready = func() {}
		x, l.send = push, func(frames ...[]byte) error { return push.SendContext(t.Context(), frames...) }
	case "PULL":
		pull, in := newPULL(t, nil)
		ready = func() {}
		x, l.inbox = pull, in
	}
	endpoint := map[string]string{"tcp": "tcp://127.0.0.1:*", "ipc": "ipc://" + filepath.Join(t.TempDir(), "s")}[transport]
	if bound {
		l.theirs.Connect(t, bind(t, x, endpoint))
	} else {
		connect(t, x, l.theirs.Bind(t, endpoint))
	}
	ready()
	return l
}

// heard waits until a publisher of libzmq's knows our subscription.
func heard(t *testing.T, pub *zmqtest.Socket, kind string, in inbox) {
	t.Helper()
	if kind == "XPUB" {
		if got := pub.RecvText(t); got[0] != "\x01" {
			t.Fatalf("libzmq saw subscription %q", got)
		}
		return
	}
	// A PUB cannot tell, so it sends until something arrives.
	for {
		pub.SendText(t, "heard?")
		if _, ok := in.try(); ok {
			break
		}
	}
	pub.SendText(t, "heard")
	in.before(t, "heard")
}

// TestMatrix moves messages of all shapes between each of our types and each of
// libzmq's that it talks to, whoever binds.
func TestMatrix(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]string{
		{"XPUB", "XSUB"}, {"XPUB", "SUB"}, {"XSUB", "XPUB"}, {"XSUB", "PUB"}, {"PUSH", "PULL"}, {"PULL", "PUSH"},
	} {
		p := zmqtest.Start(t)
		for _, role := range []string{"bind", "connect"} {
			for _, transport := range []string{"tcp", "ipc"} {
				t.Run(fmt.Sprintf("%s %s %s to %s", transport, pair[0], role, pair[1]), func(t *testing.T) {
					l := newLink(t, p, pair[0], pair[1], transport, role == "bind")
					messages := shapes()
					if !testing.Short() && !sockets.RaceEnabled && transport == "tcp" && role == "bind" && pair[1] != "SUB" && pair[1] != "PUB" {
						messages = append(messages, hugeMessage())
					}
					for _, m := range messages {
						if l.send == nil {
							l.theirs.Send(t, m...)
							sameFrames(t, l.inbox.take(t), m)
							continue
						}
						if err := l.send(m...); err != nil {
							t.Fatal(err)
						}
						sameFrames(t, l.theirs.Recv(t), m)
					}
				})
			}
		}
	}
}

// TestLoads moves many messages between our sockets and libzmq's, in both
// directions, and compares digests of everything.
func TestLoads(t *testing.T) {
	t.Parallel()
	p := zmqtest.Start(t)
	const count = 20_000
	load := zmqtest.Load{Topics: []string{"a", "bb", "ccc"}, Sender: "one", Count: count, Size: 100}
	t.Run("PUSH to PULL", func(t *testing.T) {
		l := newLink(t, p, "PUSH", "PULL", "tcp", true)
		job := l.theirs.StartGather(t, zmqtest.Gather{Count: count})
		for i := range uint64(count) {
			if err := l.send(zmqtest.LoadMessage("a", "one", i, 100)...); err != nil {
				t.Fatal(err)
			}
		}
		job.Wait(t).Complete(t, count, "one")
	})
	for _, pair := range [][2]string{{"PULL", "PUSH"}, {"XSUB", "XPUB"}} {
		t.Run(pair[1]+" to "+pair[0], func(t *testing.T) {
			l := newLink(t, p, pair[0], pair[1], "tcp", false)
			if pair[1] == "XPUB" {
				l.theirs.SetInt(t, zmqtest.XPUB_NODROP, 1)
			}
			job := l.theirs.StartLoad(t, load)
			for i := range uint64(count) {
				want := zmqtest.LoadMessage(load.Topics[i%3], "one", i, 100)
				sameFrames(t, l.inbox.take(t), want)
			}
			job.Wait(t)
		})
	}
	t.Run("XPUB to XSUB", func(t *testing.T) {
		x, subs := newXPUB(t, func(o *sockets.Options) { o.NoDrop = true })
		xsub := p.Socket(t, "XSUB")
		xsub.Subscribe(t, "")
		xsub.Connect(t, bind(t, x, anyPort))
		subs.before(t, "+")
		job := xsub.StartGather(t, zmqtest.Gather{Count: count})
		for i := range uint64(count) {
			m := zmqtest.LoadMessage("a", "one", i, 100)
			until(t, "there is room", func() bool { return x.Publish(m...) != sockets.ErrAgain })
		}
		job.Wait(t).Complete(t, count, "one")
	})
}

// TestGreeting: we announce ZMTP 3.0, so that libzmq sends subscriptions as
// messages, and a READY with the Socket-Type and nothing else.
func TestGreeting(t *testing.T) {
	t.Parallel()
	for _, ours := range []string{"XPUB", "XSUB", "PUSH", "PULL"} {
		var x binder
		peer := map[string]string{"XPUB": "SUB", "XSUB": "PUB", "PUSH": "PULL", "PULL": "PUSH"}[ours]
		switch ours {
		case "XPUB":
			x, _ = newXPUB(t, nil)
		case "XSUB":
			x, _ = newXSUB(t, nil)
		case "PUSH":
			x = newPUSH(t, nil)
		case "PULL":
			x, _ = newPULL(t, nil)
		}
		r := zmqtest.Dial(t, bind(t, x, anyPort))
		r.SendBytes(t, zmqtest.Greeting(1, "NULL", false))
		g := r.ReadGreeting(t)
		if g[10] != 3 || g[11] != 0 {
			t.Errorf("%s announces ZMTP %d.%d, want 3.0", ours, g[10], g[11])
		}
		r.SendBytes(t, zmqtest.Ready("Identity", "", "socket-type", peer, "X-Other", "ignored"))
		if got := r.ReadReady(t); len(got) != 1 || got["Socket-Type"] != ours {
			t.Errorf("%s sends the properties %q", ours, got)
		}
		r.Ping(t)
	}
}

// TestHeartbeats: a libzmq peer that expects life signs gets them, from sockets
// of every type, and stays connected.
func TestHeartbeats(t *testing.T) {
	t.Parallel()
	p := zmqtest.Start(t)
	for _, pair := range [][2]string{{"XPUB", "XSUB"}, {"XSUB", "XPUB"}, {"PUSH", "PULL"}, {"PULL", "PUSH"}} {
		var events *mailbox[sockets.Event]
		change := watched(&events)
		var x interface {
			binder
			Peers() []sockets.PeerStats
		}
		switch pair[0] {
		case "XPUB":
			x, _ = newXPUB(t, change)
		case "XSUB":
			x, _ = newXSUB(t, change)
		case "PUSH":
			x = newPUSH(t, change)
		case "PULL":
			x, _ = newPULL(t, change)
		}
		s := p.Socket(t, pair[1])
		s.SetInt(t, zmqtest.HEARTBEAT_IVL, 5)
		s.SetInt(t, zmqtest.HEARTBEAT_TIMEOUT, 10_000)
		s.SetInt(t, zmqtest.HEARTBEAT_TTL, 10_000)
		s.Connect(t, bind(t, x, anyPort))
		awaitKind(t, events, sockets.EventConnected)
		until(t, pair[0]+" answers", func() bool {
			l := x.Peers()
			return len(l) == 1 && l[0].SentMessages >= 10
		})
		if e, ok := events.try(); ok {
			t.Errorf("%s: event %v, %v", pair[0], e.Kind, e.Err)
		}
	}
}

// TestSendContext: waiting for room ends with the context.
func TestSendContext(t *testing.T) {
	t.Parallel()
	push := newPUSH(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- push.SendContext(ctx, []byte("x")) }()
	cancel()
	if err := <-done; err != context.Canceled {
		t.Errorf("error %v", err)
	}
	// The socket is as it was: a peer that comes gets what is sent then.
	r := zmqtest.DialAs(t, bind(t, push, anyPort), "PULL")
	if err := push.SendContext(t.Context(), []byte("y")); err != nil {
		t.Fatal(err)
	}
	if got := r.RecvText(t); got[0] != "y" {
		t.Errorf("received %q", got)
	}
	if err := push.SendContext(ctx); err != nil {
		t.Errorf("no frames: %v", err)
	}
}
