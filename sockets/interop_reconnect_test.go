package sockets_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/znode/znode/sockets"
	"github.com/znode/znode/sockets/zmqtest"
)

// TestLibzmqRestarts kills the libzmq process at the other end and starts another
// at the same endpoint, for each of our types connecting to it.
func TestLibzmqRestarts(t *testing.T) {
	t.Parallel()
	first, second := zmqtest.Start(t), zmqtest.Start(t)

	var pubEvents, subEvents, pushEvents, pullEvents *mailbox[sockets.Event]
	xpub, subs := newXPUB(t, func(o *sockets.Options) { o.Verbose = true; watched(&pubEvents)(o) })
	xsub, in := newXSUB(t, watched(&subEvents))
	push := newPUSH(t, watched(&pushEvents))
	pull, logs := newPULL(t, watched(&pullEvents))
	xsub.Subscribe([]byte("a"))
	xsub.Subscribe([]byte("a"))
	xsub.Subscribe([]byte("b"))

	endpoints := map[string]string{"XSUB": anyPath(t), "XPUB": anyPath(t), "PULL": anyPath(t), "PUSH": anyPath(t)}
	serve := func(p *zmqtest.Process) map[string]*zmqtest.Socket {
		all := make(map[string]*zmqtest.Socket)
		for kind, at := range endpoints {
			s := p.Socket(t, kind)
			if kind == "XPUB" {
				s.SetInt(t, zmqtest.XPUB_VERBOSE, 1)
			}
			s.Bind(t, at)
			all[kind] = s
		}
		return all
	}
	theirs := serve(first)
	connect(t, xpub, endpoints["XSUB"])
	connect(t, xsub, endpoints["XPUB"])
	connect(t, push, endpoints["PULL"])
	connect(t, pull, endpoints["PUSH"])

	theirs["XSUB"].Subscribe(t, "topic")
	subs.awaited(t, "+topic", theirs["XSUB"])
	if err := xpub.Publish([]byte("topic"), []byte("1")); err != nil {
		t.Fatal(err)
	}
	if got := theirs["XSUB"].RecvText(t); got[1] != "1" {
		t.Errorf("XPUB to XSUB: %q", got)
	}
	checkResent(t, theirs["XPUB"])
	theirs["PUSH"].SendText(t, "1")
	if got := logs.text(t); got[0] != "1" {
		t.Errorf("PUSH to PULL: %q", got)
	}
	if err := push.Send([]byte("1")); err != nil {
		t.Fatal(err)
	}
	if got := theirs["PULL"].RecvText(t); got[0] != "1" {
		t.Errorf("PUSH to PULL: %q", got)
	}

	first.Kill(t)
	for _, events := range []*mailbox[sockets.Event]{pubEvents, subEvents, pushEvents, pullEvents} {
		awaitKind(t, events, sockets.EventDisconnected)
	}
	// As on libzmq's connecting sockets: the XPUB reports no cancellation, it
	// and the PUSH queue what is sent now.
	if got, ok := subs.try(); ok {
		t.Errorf("the lost connection was told as %q", got)
	}
	if got := xpub.Prefixes(); !slices.Equal(got, []string{"topic"}) {
		t.Errorf("prefixes %q", got)
	}
	if err := xpub.Publish([]byte("topic"), []byte("2")); err != nil {
		t.Fatal(err)
	}
	if err := push.Send([]byte("2")); err != nil {
		t.Fatal(err)
	}
	xsub.Subscribe([]byte("c"))
	xsub.Cancel([]byte("c"))
	xsub.Cancel([]byte("b"))
	xsub.Subscribe([]byte("b"))

	theirs = serve(second)
	if got := theirs["PULL"].RecvText(t); got[0] != "2" {
		t.Errorf("PULL after the restart: %q", got)
	}
	checkResent(t, theirs["XPUB"])
	theirs["XPUB"].SendText(t, "a", "2")
	if got := in.text(t); got[1] != "2" {
		t.Errorf("XSUB after the restart: %q", got)
	}
	theirs["PUSH"].SendText(t, "2")
	if got := logs.text(t); got[0] != "2" {
		t.Errorf("PULL after the restart: %q", got)
	}
	if got := theirs["XSUB"].RecvText(t); got[1] != "2" {
		t.Errorf("XSUB after the restart: %q", got)
	}
	theirs["XSUB"].Subscribe(t, "topic")
	if got := subs.take(t); got != "+topic" {
		t.Errorf("a subscription that is held already is told as %q", got)
	}
}

// checkResent expects each current subscription of TestLibzmqRestarts once.
func checkResent(t *testing.T, xpub *zmqtest.Socket) {
	t.Helper()
	got := []string{xpub.RecvText(t)[0], xpub.RecvText(t)[0]}
	slices.Sort(got)
	if !slices.Equal(got, []string{"\x01a", "\x01b"}) {
		t.Errorf("a new upstream was told %q", got)
	}
	if more, ok := xpub.TryRecv(t); ok {
		t.Errorf("and then %q", more)
	}
}

// TestWeRestart closes our bound sockets and binds others at their endpoints;
// libzmq's sockets come back, re-send what they subscribe to, and deliver what
// they queued.
func TestWeRestart(t *testing.T) {
	t.Parallel()
	p := zmqtest.Start(t)
	toXPUB, toXSUB, toPULL, toPUSH := anyPath(t), anyPath(t), anyPath(t), anyPath(t)
	theirXSUB, theirXPUB, theirPUSH, theirPULL := p.Socket(t, "XSUB"), p.Socket(t, "XPUB"), p.Socket(t, "PUSH"), p.Socket(t, "PULL")
	theirXSUB.Subscribe(t, "topic")
	theirXPUB.SetInt(t, zmqtest.XPUB_VERBOSE, 1)
	xpubMonitor, pushMonitor := theirXPUB.Monitor(t), theirPUSH.Monitor(t)
	for round := range 3 {
		xpub, subs := newXPUB(t, nil)
		xsub, in := newXSUB(t, nil)
		pull, logs := newPULL(t, nil)
		push := newPUSH(t, nil)
		xsub.Subscribe([]byte("all"))
		bind(t, xpub, toXPUB)
		bind(t, xsub, toXSUB)
		bind(t, pull, toPULL)
		bind(t, push, toPUSH)
		if round == 0 {
			theirXSUB.Connect(t, toXPUB)
			theirXPUB.Connect(t, toXSUB)
			theirPUSH.Connect(t, toPULL)
			theirPULL.Connect(t, toPUSH)
			theirPUSH.SendText(t, "0")
		} else if got := in.text(t); got[1] != "while nobody was there" {
			t.Errorf("XSUB received %q", got)
		}
		subs.awaited(t, "+topic", theirXSUB)
		if got := theirXPUB.RecvText(t); got[0] != "\x01all" {
			t.Errorf("the XPUB sees %q", got)
		}
		if got := logs.text(t); got[0] != strconv.Itoa(round) {
			t.Errorf("PULL received %q in round %d", got, round)
		}
		if err := xpub.Publish([]byte("topic"), []byte(strconv.Itoa(round))); err != nil {
			t.Fatal(err)
		}
		if got := theirXSUB.RecvText(t); got[1] != strconv.Itoa(round) {
			t.Errorf("XSUB received %q", got)
		}
		if err := push.SendContext(t.Context(), []byte(strconv.Itoa(round))); err != nil {
			t.Fatal(err)
		}
		if got := theirPULL.RecvText(t); got[0] != strconv.Itoa(round) {
			t.Errorf("PULL received %q", got)
		}
		for _, x := range []interface{ Close() error }{xpub, xsub, pull, push} {
			x.Close()
		}
		// What is sent before they have noticed is lost.
		xpubMonitor.Await(t, "DISCONNECTED")
		pushMonitor.Await(t, "DISCONNECTED")
		theirPUSH.SendText(t, strconv.Itoa(round+1))
		theirXPUB.SendText(t, "all", "while nobody was there")
	}
}

// TestCutInAFrame cuts connections at every place of a message, again and again:
// what arrives is whole, in order and once, and it goes on afterwards.
func TestCutInAFrame(t *testing.T) {
	t.Parallel()
	p := zmqtest.Start(t)
	t.Run("PUSH connects to libzmq", func(t *testing.T) {
		pull := p.Socket(t, "PULL")
		r := newRelay(t, pull.Bind(t, zmqtest.Loopback), 0)
		push := newPUSH(t, nil)
		connect(t, push, r.endpoint)
		cutAndCheck(t, &r.up, push.Send, fromLibzmq(t, pull))
	})
	t.Run("PUSH bound, libzmq connects", func(t *testing.T) {
		push := newPUSH(t, nil)
		r := newRelay(t, bind(t, push, anyPort), 0)
		pull := p.Socket(t, "PULL")
		pull.SetInt(t, zmqtest.RECONNECT_IVL, 1)
		pull.Connect(t, r.endpoint)
		send := func(frames ...[]byte) error {
			// Not to a connection whose end we have not heard of yet.
			until(t, "one peer", func() bool { return len(push.Peers()) == 1 })
			return push.SendContext(t.Context(), frames...)
		}
		cutAndCheck(t, &r.down, send, fromLibzmq(t, pull))
	})
	t.Run("libzmq's PUSH connects", func(t *testing.T) {
		pull, in := newPULL(t, nil)
		r := newRelay(t, bind(t, pull, anyPort), 0)
		push := p.Socket(t, "PUSH")
		push.SetInt(t, zmqtest.RECONNECT_IVL, 1)
		push.Connect(t, r.endpoint)
		send := func(frames ...[]byte) error { push.Send(t, frames...); return nil }
		cutAndCheck(t, &r.up, send, in.try)
	})
	t.Run("XSUB connects to libzmq", func(t *testing.T) {
		xpub := p.Socket(t, "XPUB")
		r := newRelay(t, xpub.Bind(t, zmqtest.Loopback), 0)
		xsub, in := newXSUB(t, nil)
		xsub.Subscribe([]byte("t"))
		connect(t, xsub, r.endpoint)
		send := func(frames ...[]byte) error {
			xpub.TryRecv(t) // it attends to its connections
			xpub.Send(t, frames...)
			return nil
		}
		cutAndCheck(t, &r.down, send, in.try)
	})
	t.Run("XPUB connects to libzmq", func(t *testing.T) {
		xsub := p.Socket(t, "XSUB")
		r := newRelay(t, xsub.Bind(t, zmqtest.Loopback), 0)
		xpub, subs := newXPUB(t, nil)
		connect(t, xpub, r.endpoint)
		xsub.Subscribe(t, "t")
		subs.awaited(t, "+t", xsub)
		cutAndCheck(t, &r.up, xpub.Publish, fromLibzmq(t, xsub))
	})
	t.Run("subscriptions", func(t *testing.T) {
		// The cut is in what our XSUB sends: the other side must end up with
		// the subscriptions that we have, each whole.
		xpub := p.Socket(t, "XPUB")
		r := newRelay(t, xpub.Bind(t, zmqtest.Loopback), 0)
		xsub, _ := newXSUB(t, nil)
		r.up.Store(64 + 30 + 700)
		want := make(map[string]bool)
		for i := range 50 {
			prefix := "prefix " + strconv.Itoa(i) + strings.Repeat("x", i)
			want[prefix] = true
			xsub.Subscribe([]byte(prefix))
		}
		connect(t, xsub, r.endpoint)
		held := make(map[string]bool)
		for !maps.Equal(held, want) {
			m := xpub.RecvText(t)[0]
			if !want[m[1:]] {
				t.Fatalf("a subscription %q that nobody made", m)
			}
			if m[0] == 0 {
				delete(held, m[1:])
			} else {
				held[m[1:]] = true
			}
		}
	})
}

// fromLibzmq makes a mailbox's try of a libzmq socket.
func fromLibzmq(t *testing.T, s *zmqtest.Socket) func() ([][]byte, bool) {
	return func() ([][]byte, bool) { return s.TryRecv(t) }
}

// cutAndCheck sends messages over a connection that is cut inside every third of
// them, and then marks until one arrives and so the connection is whole again.
// What is sent then must arrive. What the kernel had taken when the cut came is
// lost, with libzmq as with us, but nothing is damaged, repeated or out of order.
func cutAndCheck(t *testing.T, budget *atomic.Int64, send func(frames ...[]byte) error, try func() ([][]byte, bool)) {
	t.Helper()
	last := -1
	await := func(name string, again func()) {
		until(t, name+" arrives", func() bool {
			again()
			for {
				m, ok := try()
				if !ok {
					return false
				}
				if mark := string(m[1]); strings.HasPrefix(mark, "mark") {
					if mark == name {
						return true
					}
					continue
				}
				i, err := strconv.Atoi(string(m[1]))
				if len(m) != 3 || err != nil || i <= last || !bytes.Equal(m[2], pattern(i, 100+i*20)) {
					t.Fatalf("message %q of %d frames behind %d is repeated or damaged", m[1], len(m), last)
				}
				last = i
				if string(m[1]) == name {
					return true
				}
			}
		})
	}
	sent := func(frames ...[]byte) {
		if err := send(frames...); err != nil {
			t.Fatal(err)
		}
	}
	for i := 0; i < 90; i += 3 {
		mark := fmt.Sprintf("mark %d", i)
		await(mark, func() { sent([]byte("t"), []byte(mark)) })
		sent(numbered("t", i, 100+i*20)...)
		await(strconv.Itoa(i), func() {})
		budget.Store(int64(i * 5))
		sent(numbered("t", i+1, 100+(i+1)*20)...)
		sent(numbered("t", i+2, 100+(i+2)*20)...)
	}
	mark := "mark of the end"
	await(mark, func() { sent([]byte("t"), []byte(mark)) })
}
