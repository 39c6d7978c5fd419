package sockets_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/znode/znode/sockets"
	"github.com/znode/znode/sockets/zmqtest"
)

// readPong reads frames up to a PONG and returns its data and the messages before.
func readPong(t *testing.T, r *zmqtest.Raw) (data string, before int) {
	t.Helper()
	for {
		f := r.ReadFrame(t)
		if name, data := f.Command(); name == "PONG" {
			return string(data), before
		}
		if f.Flags&(zmqtest.FlagMore|zmqtest.FlagCommand) == 0 {
			before++
		}
	}
}

// TestPing: a PING is answered with its context, of any permitted length, also
// between the frames of a message.
func TestPing(t *testing.T) {
	t.Parallel()
	x, in := newPULL(t, nil)
	r := zmqtest.DialAs(t, bind(t, x, anyPort), "PUSH")
	for n := range 17 {
		context := strings.Repeat("c", n)
		r.SendBytes(t, zmqtest.AppendCommand(nil, "PING", []byte("\x00\x64"+context)))
		if got, _ := readPong(t, r); got != context {
			t.Errorf("context of %d bytes is answered with %q", n, got)
		}
	}
	r.SendBytes(t, zmqtest.AppendFrame(nil, zmqtest.FlagMore, []byte("one")))
	r.SendBytes(t, zmqtest.AppendCommand(nil, "PING", []byte("\x00\x00x")))
	if got, _ := readPong(t, r); got != "x" {
		t.Errorf("answer %q", got)
	}
	r.SendBytes(t, zmqtest.AppendFrame(nil, 0, []byte("two")))
	in.before(t, "one|two")
	// An unasked PONG is nothing.
	r.SendBytes(t, zmqtest.AppendCommand(nil, "PONG", []byte("x")))
	r.Ping(t)
}

// TestOwnHeartbeat: a peer that answers our PING with a PONG, or says anything at
// all, stays; one that does not is disconnected.
func TestOwnHeartbeat(t *testing.T) {
	t.Parallel()
	var events *mailbox[sockets.Event]
	x, _ := newXPUB(t, func(o *sockets.Options) {
		watched(&events)(o)
		o.HeartbeatInterval, o.HeartbeatTimeout = 5*time.Millisecond, zmqtest.Patience
	})
	endpoint := bind(t, x, anyPort)
	answers := zmqtest.DialAs(t, endpoint, "SUB")
	for i := range 20 {
		f := answers.ReadFrame(t)
		if name, data := f.Command(); name != "PING" || string(data) != "\x00\x00" {
			t.Fatalf("received %+v", f)
		}
		if i%2 == 0 {
			answers.SendBytes(t, zmqtest.AppendCommand(nil, "PONG", nil))
		} else {
			answers.Subscribe(t, "t")
		}
	}
	awaitKind(t, events, sockets.EventConnected)
	if e, ok := events.try(); ok {
		t.Errorf("event %+v", e)
	}

	// Long enough for the PING to get out first.
	y, _ := newXPUB(t, func(o *sockets.Options) {
		watched(&events)(o)
		o.HeartbeatInterval, o.HeartbeatTimeout = 5*time.Millisecond, time.Second
	})
	silent := zmqtest.DialAs(t, bind(t, y, anyPort), "SUB")
	const ping = "\x04\x07\x04PING\x00\x00"
	if got := silent.ReadClosed(t); string(got) != ping {
		t.Errorf("before the end came %q", got)
	}
	if e := awaitKind(t, events, sockets.EventDisconnected); e.Reason != sockets.ReasonTimeout {
		t.Errorf("event %+v", e)
	}
}

// TestOwnHeartbeatToLibzmq: libzmq's sockets answer.
func TestOwnHeartbeatToLibzmq(t *testing.T) {
	t.Parallel()
	p := zmqtest.Start(t)
	for _, kind := range []string{"SUB", "XSUB"} {
		var events *mailbox[sockets.Event]
		x, subs := newXPUB(t, func(o *sockets.Options) {
			watched(&events)(o)
			o.HeartbeatInterval, o.HeartbeatTimeout = 5*time.Millisecond, zmqtest.Patience
		})
		s := p.Socket(t, kind)
		s.Subscribe(t, "t")
		s.Connect(t, bind(t, x, anyPort))
		subs.awaited(t, "+t", s)
		until(t, "it has answered ten times", func() bool { return x.Peers()[0].SentMessages >= 10 })
		if err := x.Publish([]byte("t"), []byte("x")); err != nil {
			t.Fatal(err)
		}
		if got := s.RecvText(t); got[1] != "x" {
			t.Errorf("received %q", got)
		}
		awaitKind(t, events, sockets.EventConnected)
		if e, ok := events.try(); ok {
			t.Errorf("%s: event %+v", kind, e)
		}
	}
}

// TestPingOfSlowPeer: a subscriber with much in its queue that asks for a life
// sign is kept, whatever the high-water mark is, and answered when it reads.
func TestPingOfSlowPeer(t *testing.T) {
	t.Parallel()
	for _, hwm := range []int{0, 1, 5000} {
		x, subs := newXPUB(t, func(o *sockets.Options) { o.SndHWM = hwm })
		r := zmqtest.DialAs(t, bind(t, x, anyPort), "SUB")
		r.Subscribe(t, "t")
		subs.before(t, "+t")
		many := 0
		// With a short queue most are dropped before the kernel is full.
		for many < 20_000 || x.Peers()[0].QueuedMessages == 0 {
			if err := x.Publish(numbered("t", many, 500)...); err != nil {
				t.Fatal(err)
			}
			many++
		}
		p := x.Peers()[0]
		if hwm == 0 && p.QueuedMessages < 2000 {
			t.Fatalf("HWM %d: only %d are queued", hwm, p.QueuedMessages)
		}
		for i := range 20 {
			r.SendBytes(t, zmqtest.AppendCommand(nil, "PING", fmt.Appendf(nil, "\x00\x00%d", i)))
		}
		all := 0
		for i := range 20 {
			got, before := readPong(t, r)
			if got != fmt.Sprint(i) {
				t.Errorf("HWM %d: answer %q", hwm, got)
			}
			all += before
		}
		if dropped := int(x.Peers()[0].DroppedMessages); all+dropped != many {
			t.Errorf("HWM %d: %d received and %d dropped of %d", hwm, all, dropped, many)
		}
	}
}

// TestPingFlood: a peer that asks and asks and does not read costs bounded memory,
// or its connection, and harms nobody.
func TestPingFlood(t *testing.T) {
	t.Parallel()
	x, subs := newXPUB(t, func(o *sockets.Options) { o.SndBuf = 32 << 10 })
	endpoint := bind(t, x, anyPort)
	honest := zmqtest.DialAs(t, endpoint, "SUB")
	honest.Subscribe(t, "t")
	subs.before(t, "+t")
	r := zmqtest.DialAs(t, endpoint, "SUB")
	ping := zmqtest.AppendCommand(nil, "PING", []byte("\x00\x000123456789abcdef"))
	many := []byte(strings.Repeat(string(ping), 1000))
	for range 200 {
		if _, err := r.Write(many); err != nil {
			break
		}
	}
	for _, p := range x.Peers() {
		if p.QueuedBytes > 1<<20 || p.QueuedMessages > 3000 {
			t.Errorf("%d bytes and %d messages are queued", p.QueuedBytes, p.QueuedMessages)
		}
	}
	if err := x.Publish([]byte("t")); err != nil {
		t.Fatal(err)
	}
	honest.Recv(t)
}
