package sockets_test

import (
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/znode/znode/sockets"
	"github.com/znode/znode/sockets/zmqtest"
)

// TestLingerNobody: Close waits for a peer that never comes no longer than Linger
// says; negative is for ever, until the peer does come.
func TestLingerNobody(t *testing.T) {
	t.Parallel()
	for _, linger := range []time.Duration{0, 10 * time.Millisecond} {
		push := newPUSH(t, func(o *sockets.Options) { o.Linger = linger })
		connect(t, push, anyPath(t))
		if err := push.Send([]byte("x")); err != nil {
			t.Fatal(err)
		}
		finishes(t, "Close returns", background(func() { push.Close() }))
		if err := push.Send([]byte("x")); err != sockets.ErrClosed {
			t.Errorf("Send after Close: %v", err)
		}
		if err := push.SendContext(t.Context(), []byte("x")); err != sockets.ErrClosed {
			t.Errorf("SendContext after Close: %v", err)
		}
	}
	push := newPUSH(t, func(o *sockets.Options) { o.Linger = -1 })
	l := zmqtest.Listen(t, zmqtest.Loopback)
	connect(t, push, l.Endpoint)
	const queued = 500
	for i := range queued {
		if err := push.Send(numbered("t", i, 2000)...); err != nil {
			t.Fatal(err)
		}
	}
	closed := background(func() { push.Close() })
	r := l.Accept(t) // the peer comes when Close has begun, or before
	r.Handshake(t, "PULL")
	for i := range queued {
		sameFrames(t, r.Recv(t), numbered("t", i, 2000))
	}
	finishes(t, "Close returns", closed)
	if rest := r.ReadClosed(t); len(rest) > 0 {
		t.Errorf("and %d bytes", len(rest))
	}
}

// TestLingerToLibzmq: what was sent before Close arrives, from every type that
// sends, bound and connecting.
func TestLingerToLibzmq(t *testing.T) {
	t.Parallel()
	p := zmqtest.Start(t)
	const count = 900 // below the high-water mark
	linger := func(o *sockets.Options) { o.Linger = -1 }
	t.Run("PUSH connecting", func(t *testing.T) {
		pull := p.Socket(t, "PULL")
		push := newPUSH(t, linger)
		connect(t, push, pull.Bind(t, zmqtest.Loopback))
		for i := range count {
			if err := push.Send(numbered("t", i, 3000)...); err != nil {
				t.Fatal(err)
			}
		}
		push.Close()
		for i := range count {
			sameFrames(t, pull.Recv(t), numbered("t", i, 3000))
		}
	})
	t.Run("PUSH bound", func(t *testing.T) {
		push := newPUSH(t, linger)
		pull := p.Socket(t, "PULL")
		pull.Connect(t, bind(t, push, anyPort))
		for i := range count {
			if err := push.SendContext(t.Context(), numbered("t", i, 3000)...); err != nil {
				t.Fatal(err)
			}
		}
		push.Close()
		for i := range count {
			sameFrames(t, pull.Recv(t), numbered("t", i, 3000))
		}
	})
	t.Run("XPUB", func(t *testing.T) {
		x, subs := newXPUB(t, linger)
		s := p.Socket(t, "SUB")
		s.Subscribe(t, "t")
		s.Connect(t, bind(t, x, anyPort))
		subs.before(t, "+t")
		for i := range count {
			if err := x.Publish(numbered("t", i, 3000)...); err != nil {
				t.Fatal(err)
			}
		}
		x.Close()
		for i := range count {
			sameFrames(t, s.Recv(t), numbered("t", i, 3000))
		}
		if err := x.Publish([]byte("t")); err != sockets.ErrClosed {
			t.Errorf("Publish after Close: %v", err)
		}
	})
	t.Run("XSUB", func(t *testing.T) {
		xpub := p.Socket(t, "XPUB")
		xpub.SetInt(t, zmqtest.XPUB_VERBOSE, 1)
		x, _ := newXSUB(t, linger)
		connect(t, x, xpub.Bind(t, zmqtest.Loopback))
		until(t, "connected", func() bool { return x.Connected() == 1 })
		for i := range count {
			x.Subscribe(fmt.Append(nil, "prefix ", i))
		}
		x.Close()
		for i := range count {
			if got := xpub.RecvText(t)[0]; got != "\x01prefix "+strconv.Itoa(i) {
				t.Fatalf("subscription %d is %q", i, got)
			}
		}
	})
}

// TestCloseWhileWaiting ends those who wait for room.
func TestCloseWhileWaiting(t *testing.T) {
	t.Parallel()
	for _, connected := range []bool{false, true} {
		push := newPUSH(t, func(o *sockets.Options) { o.SndHWM, o.SndBuf = 1, 32<<10 })
		endpoint := bind(t, push, anyPort)
		if connected {
			zmqtest.DialAs(t, endpoint, "PULL")
			until(t, "the queue is full", func() bool { return push.Send(pattern(0, 10_000)) != nil && len(push.Peers()) == 1 })
		}
		waiting := make(chan error, 3)
		for range cap(waiting) {
			go func() {
				var err error
				for err == nil { // a little room may still come
					err = push.SendContext(t.Context(), pattern(0, 10_000))
				}
				waiting <- err
			}()
		}
		finishes(t, "Close returns", background(func() { push.Close() }))
		for range cap(waiting) {
			if err := <-waiting; !errors.Is(err, sockets.ErrClosed) {
				t.Errorf("who waited gets %v", err)
			}
		}
	}
}
