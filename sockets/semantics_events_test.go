package sockets_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/znode/znode/sockets"
	"github.com/znode/znode/sockets/zmqtest"
)

// TestEventOrder follows a connecting socket through everything that can happen
// to its connection; the events come in this order.
func TestEventOrder(t *testing.T) {
	t.Parallel()
	var events *mailbox[sockets.Event]
	x, _ := newPULL(t, watched(&events))
	endpoint := anyPath(t)
	connect(t, x, endpoint)
	step := func(kind sockets.EventKind, reason sockets.Reason) sockets.Event {
		t.Helper()
		e := events.take(t)
		for e.Kind == sockets.EventDialFailed && kind != e.Kind {
			e = events.take(t) // it tries again and again
		}
		if e.Kind != kind || e.Reason != reason || e.Endpoint != endpoint || e.Socket != "PULL" {
			t.Errorf("event %+v (%v), want %v, reason %q", e, e.Err, kind, reason)
		}
		return e
	}
	if e := step(sockets.EventDialFailed, ""); e.Err == nil || !strings.Contains(e.Err.Error(), endpoint) || e.Peer != nil {
		t.Errorf("event %+v", e)
	}
	l := zmqtest.Listen(t, endpoint)
	l.Accept(t).Close()
	if e := step(sockets.EventHandshakeFailed, sockets.ReasonClosed); e.Peer != nil || e.Addr == "" {
		t.Errorf("event %+v", e)
	}
	r := l.Accept(t)
	r.SendBytes(t, zmqtest.Greeting(0, "NULL", false))
	r.SendBytes(t, zmqtest.Ready("Socket-Type", "PULL"))
	if e := step(sockets.EventHandshakeFailed, sockets.ReasonSocketType); e.Err == nil || !strings.Contains(e.Err.Error(), "PULL") {
		t.Errorf("event %+v", e)
	}
	for range 2 {
		r = l.Accept(t)
		r.Handshake(t, "PUSH")
		up := step(sockets.EventConnected, "")
		if up.Peer == nil || up.Peer.Addr() != up.Addr || up.Peer.SocketType() != "PUSH" || up.Peer.Endpoint != endpoint || up.Peer.Identity() != nil {
			t.Errorf("event %+v", up)
		}
		r.Close()
		if e := step(sockets.EventDisconnected, sockets.ReasonClosed); e.Peer != up.Peer || e.Err != nil {
			t.Errorf("event %+v", e)
		}
	}
	r = l.Accept(t)
	r.Handshake(t, "PUSH")
	step(sockets.EventConnected, "")
	r.SendBytes(t, []byte{0xff, 0})
	if e := step(sockets.EventDisconnected, sockets.ReasonFrame); e.Err == nil {
		t.Errorf("event %+v", e)
	}
	r = l.Accept(t)
	r.Handshake(t, "PUSH")
	step(sockets.EventConnected, "")
	x.Close()
	step(sockets.EventDisconnected, sockets.ReasonShutdown)
	if e, ok := events.try(); ok {
		t.Errorf("and %+v", e)
	}
	f := x.Stats().Failures
	if f[sockets.ReasonSocketType] != 1 || f[sockets.ReasonFrame] != 1 || f[sockets.ReasonShutdown] != 1 {
		t.Errorf("failures %v", f)
	}
}

// TestEventsPerPeer: for each of many peers that come and go at once, connected
// comes before disconnected.
func TestEventsPerPeer(t *testing.T) {
	t.Parallel()
	var events *mailbox[sockets.Event]
	x, _ := newXPUB(t, watched(&events))
	endpoint := bind(t, x, anyPort)
	const peers = 100
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range peers / 4 {
				zmqtest.DialAs(t, endpoint, "SUB").Close()
			}
		})
	}
	wg.Wait()
	up := make(map[*sockets.Peer]int)
	for range 2 * peers {
		e := events.take(t)
		want := map[sockets.EventKind]int{sockets.EventConnected: 0, sockets.EventDisconnected: 1}[e.Kind]
		if up[e.Peer] != want || e.Kind > sockets.EventDisconnected {
			t.Errorf("event %v of peer %d, which had %d before", e.Kind, e.Peer.ID, up[e.Peer])
		}
		up[e.Peer]++
	}
	if len(up) != peers {
		t.Errorf("%d peers", len(up))
	}
}

// TestStuckOnEvent: a handler of events that hangs stops no traffic; what it
// misses is counted.
func TestStuckOnEvent(t *testing.T) {
	t.Parallel()
	stuck := make(chan struct{})
	x, in := newPULL(t, func(o *sockets.Options) { o.OnEvent = func(sockets.Event) { <-stuck } })
	release := sync.OnceFunc(func() { close(stuck) })
	t.Cleanup(release) // or a failure would not end
	endpoint := bind(t, x, anyPort)
	for range 20 {
		connect(t, x, anyPath(t)) // fails all the time, and tells of it
	}
	until(t, "events are lost", func() bool { return x.Stats().LostEvents > 0 })
	zmqtest.DialAs(t, endpoint, "PUSH").SendText(t, "through")
	in.before(t, "through")
	release()
}

// lockedBuffer collects a log.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Split(strings.TrimSpace(l.b.String()), "\n")
}

// TestLogLines: peers that break the protocol are named with a reason, but only so
// many times; who just comes and goes is not.
func TestLogLines(t *testing.T) {
	t.Parallel()
	var log lockedBuffer
	x, _ := newXPUB(t, func(o *sockets.Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	endpoint := bind(t, x, anyPort)
	addrs := make(map[string]bool)
	for i := range 100 {
		r := zmqtest.Dial(t, endpoint)
		addrs[r.Conn.LocalAddr().String()] = true
		if i%2 == 0 {
			r.SendBytes(t, []byte("GET / HTTP/1.1\r\n\r\n"))
			r.ReadClosed(t)
			continue
		}
		r.Handshake(t, "SUB")
		r.Close()
	}
	until(t, "all are counted", func() bool { return x.Stats().Failures[sockets.ReasonGreeting] == 50 })
	x.Close()
	lines := log.lines()
	// 10 at once, and one a second after that.
	if len(lines) < 10 || len(lines) > 49 {
		t.Errorf("%d lines", len(lines))
	}
	for _, l := range lines {
		_, addr, _ := strings.Cut(l, "peer=")
		addr, _, _ = strings.Cut(addr, " ")
		if !strings.Contains(l, "level=WARN") || !strings.Contains(l, "reason=greeting") || !strings.Contains(l, "socket=XPUB") ||
			!strings.Contains(l, "endpoint="+endpoint) || !addrs[addr] {
			t.Errorf("line %s", l)
		}
	}
}

// TestIsolationIsTold: one line when a subscriber is given up, one when it is
// served again, with what it subscribes to and what it lost.
func TestIsolationIsTold(t *testing.T) {
	t.Parallel()
	var log lockedBuffer
	var events *mailbox[sockets.Event]
	x, subs := newXPUB(t, func(o *sockets.Options) {
		watched(&events)(o)
		o.Log = slog.New(slog.NewTextHandler(&log, nil))
		o.NoDrop, o.SlowGrace, o.SndHWM, o.SndBuf = true, time.Millisecond, 10, 32<<10
	})
	in, err := sockets.NewPULL(options(nil), func(b sockets.Batch) { x.Forward(b) })
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	r := zmqtest.DialAs(t, bind(t, x, anyPort), "SUB")
	for i := range 12 {
		r.Subscribe(t, "t"+strings.Repeat("x", i))
	}
	subs.before(t, "+t"+strings.Repeat("x", 11))
	sent := fillForLong(x)
	sender := zmqtest.DialAs(t, bind(t, in, anyPort), "PUSH")
	until(t, "the subscriber is isolated", func() bool {
		sender.Send(t, numbered("t", sent, 1000)...)
		sent++
		return x.Peers()[0].Isolated
	})
	sender.Ping(t)
	e := awaitKind(t, events, sockets.EventIsolated)
	if e.Peer != x.Peers()[0].Peer || len(e.Prefixes) == 0 || len(e.Prefixes) > 8 {
		t.Errorf("event %+v", e)
	}
	received := 0
	until(t, "it is served again", func() bool {
		if p := x.Peers()[0]; p.QueuedMessages > 0 || received < int(p.SentMessages) {
			r.Recv(t)
			received++
		}
		return !x.Peers()[0].Isolated
	})
	told := awaitKind(t, events, sockets.EventRejoined)
	if told.Dropped != x.Peers()[0].DroppedMessages || told.Dropped == 0 {
		t.Errorf("told of %d dropped, counted %d", told.Dropped, x.Peers()[0].DroppedMessages)
	}
	for received < sent-int(told.Dropped) {
		r.Recv(t)
		received++
	}
	x.Close()
	text := strings.Join(log.lines(), "\n")
	if strings.Count(text, "slow subscriber isolated") != 1 || !strings.Contains(text, fmt.Sprintf("dropped=%d", told.Dropped)) || !strings.Contains(text, "txx") {
		t.Errorf("the log says\n%s", text)
	}
}

// fillForLong fills the queue of a peer with what the kernel cannot take the half
// of, so that its isolation does not end before it reads, and returns the number of
// messages.
func fillForLong(x *sockets.XPUB) (n int) {
	for x.Publish([]byte("t"), make([]byte, 100<<10)) != sockets.ErrAgain {
		n++
	}
	return n
}

// TestIsolatedPeerLeaves: that an isolation is over is told also when it is because
// the subscriber has left.
func TestIsolatedPeerLeaves(t *testing.T) {
	t.Parallel()
	var events *mailbox[sockets.Event]
	x, subs := newXPUB(t, func(o *sockets.Options) {
		watched(&events)(o)
		o.NoDrop, o.SlowGrace, o.SndHWM, o.SndBuf = true, 0, 10, 32<<10
	})
	in, err := sockets.NewPULL(options(nil), func(b sockets.Batch) { x.Forward(b) })
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	r := zmqtest.DialAs(t, bind(t, x, anyPort), "SUB")
	r.Subscribe(t, "t")
	subs.before(t, "+t")
	peer := x.Peers()[0].Peer
	fillForLong(x)
	sender := zmqtest.DialAs(t, bind(t, in, anyPort), "PUSH")
	sent := 0
	until(t, "the subscriber is isolated", func() bool {
		sender.Send(t, numbered("t", sent, 1000)...)
		sent++
		return x.Peers()[0].Isolated
	})
	sender.Ping(t)
	dropped := x.Peers()[0].DroppedMessages
	r.Close()
	e := awaitKind(t, events, sockets.EventLeft)
	if e.Peer != peer || e.Dropped != dropped || !slices.Equal(e.Prefixes, []string{`"t"`}) {
		t.Errorf("event %+v, dropped %d", e, dropped)
	}
}

// TestFailedHandshakeLevel: that a listener hangs up on us is worth a warning, that
// we do so ourselves is not.
func TestFailedHandshakeLevel(t *testing.T) {
	t.Parallel()
	for _, ours := range []bool{true, false} {
		var log lockedBuffer
		var events *mailbox[sockets.Event]
		x := newPUSH(t, func(o *sockets.Options) {
			watched(&events)(o)
			o.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			o.ReconnectInterval = zmqtest.Patience
		})
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		endpoint := "tcp://" + l.Addr().String()
		connect(t, x, endpoint)
		nc, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(nc, make([]byte, 10)); err != nil {
			t.Fatal(err) // else the handshake had not begun
		}
		if ours {
			if err := x.Disconnect(endpoint); err != nil {
				t.Error(err)
			}
		}
		nc.Close()
		if e := awaitKind(t, events, sockets.EventHandshakeFailed); e.Reason != sockets.ReasonClosed {
			t.Errorf("ours %v: event %+v", ours, e)
		}
		x.Close()
		if got := strings.Contains(strings.Join(log.lines(), "\n"), "level=WARN"); got == ours {
			t.Errorf("ours %v: the log says\n%s", ours, strings.Join(log.lines(), "\n"))
		}
	}
}

func TestEventKindNames(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	for k := sockets.EventConnected; k <= sockets.EventLeft; k++ {
		if s := k.String(); s == "" || strings.Contains(s, "EventKind") || seen[s] {
			t.Errorf("kind %d is %q", int(k), s)
		} else {
			seen[s] = true
		}
	}
	if got := sockets.EventKind(99).String(); got != "EventKind(99)" {
		t.Errorf("an unknown kind is %q", got)
	}
	err := error(&sockets.ProtocolError{Reason: sockets.ReasonFrame, Detail: "d"})
	var p *sockets.ProtocolError
	if !errors.As(err, &p) || err.Error() != "bad_frame: d" {
		t.Errorf("error %q", err)
	}
}
