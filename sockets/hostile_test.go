package sockets

import (
	"bytes"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/znode/znode/sockets/zmqtest"
)

// events collects what a socket tells.
func collectEvents(o *Options) <-chan Event {
	ch := make(chan Event, 1000)
	o.OnEvent = func(e Event) { ch <- e }
	return ch
}

// awaitEvent returns the next event of this kind.
func awaitEvent(tb testing.TB, ch <-chan Event, kind EventKind) Event {
	tb.Helper()
	deadline := time.After(zmqtest.Patience)
	for {
		select {
		case e := <-ch:
			if e.Kind == kind {
				return e
			}
		case <-deadline:
			tb.Fatalf("no event %q", kind)
		}
	}
}

// TestGarbage opens connections that speak anything but proper ZMTP. Each loses
// its connection, and only its own, and the reason is told and counted.
func TestGarbage(t *testing.T) {
	greeting := zmqtest.Greeting(0, "NULL", false)
	with := func(at int, b byte) []byte {
		g := bytes.Clone(greeting)
		g[at] = b
		return g
	}
	shake := func(rest ...[]byte) []byte {
		return append(bytes.Clone(greeting), bytes.Join(rest, nil)...)
	}
	ready := zmqtest.Ready("Socket-Type", "SUB")
	for _, tc := range []struct {
		name string
		send []byte
		kind EventKind
		want Reason
	}{
		{"nothing", nil, EventHandshakeFailed, ReasonClosed},
		{"half a signature", greeting[:5], EventHandshakeFailed, ReasonClosed},
		{"half a greeting", greeting[:33], EventHandshakeFailed, ReasonMechanism},
		{"http", []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), EventHandshakeFailed, ReasonGreeting},
		{"tls", append([]byte{0x16, 3, 1, 2, 0, 1}, make([]byte, 100)...), EventHandshakeFailed, ReasonGreeting},
		{"signature end", with(9, 0), EventHandshakeFailed, ReasonGreeting},
		{"ZMTP 2", with(10, 1), EventHandshakeFailed, ReasonGreeting},
		{"CURVE", zmqtest.Greeting(1, "CURVE", false), EventHandshakeFailed, ReasonMechanism},
		{"no mechanism", zmqtest.Greeting(1, "", false), EventHandshakeFailed, ReasonMechanism},
		{"mechanism padding", with(31, 'x'), EventHandshakeFailed, ReasonGreeting},
		{"as-server", with(32, 7), EventHandshakeFailed, ReasonGreeting},
		{"message instead of READY", shake(zmqtest.AppendMessage(nil, []byte("x"))), EventHandshakeFailed, ReasonHandshake},
		{"other command", shake(zmqtest.AppendCommand(nil, "HELLO", nil)), EventHandshakeFailed, ReasonHandshake},
		{"empty command", shake([]byte{4, 0}), EventHandshakeFailed, ReasonHandshake},
		{"name beyond the command", shake([]byte{4, 3, 9, 'R', 'E'}), EventHandshakeFailed, ReasonHandshake},
		{"huge command", shake([]byte{6, 0x7f, 255, 255, 255, 255, 255, 255, 255}), EventHandshakeFailed, ReasonHandshake},
		{"negative command", shake([]byte{6, 255, 255, 255, 255, 255, 255, 255, 255}), EventHandshakeFailed, ReasonHandshake},
		{"ERROR", shake(zmqtest.AppendCommand(nil, "ERROR", []byte("\x03400"))), EventHandshakeFailed, ReasonPeerError},
		{"no Socket-Type", shake(zmqtest.Ready()), EventHandshakeFailed, ReasonSocketType},
		{"unknown Socket-Type", shake(zmqtest.Ready("Socket-Type", "NOSUCH")), EventHandshakeFailed, ReasonSocketType},
		{"wrong Socket-Type", shake(zmqtest.Ready("Socket-Type", "PULL")), EventHandshakeFailed, ReasonSocketType},
		{"metadata cut off", shake(zmqtest.AppendCommand(nil, "READY", []byte("\x0bSocket-Type\x00\x00\x00\x09SUB"))), EventHandshakeFailed, ReasonHandshake},
		{"metadata without name", shake(zmqtest.AppendCommand(nil, "READY", []byte{0, 0, 0, 0, 0})), EventHandshakeFailed, ReasonHandshake},
		{"metadata length", shake(zmqtest.AppendCommand(nil, "READY", []byte("\x01a\xff\xff\xff\xff"))), EventHandshakeFailed, ReasonHandshake},
		{"reserved flags", shake(ready, []byte{0x40, 0}), EventDisconnected, ReasonFrame},
		{"frame of 2^63", shake(ready, []byte{2, 0x80, 0, 0, 0, 0, 0, 0, 0}), EventDisconnected, ReasonMessageSize},
		{"unknown command", shake(ready, zmqtest.AppendCommand(nil, "SHUTDOWN", nil)), EventDisconnected, ReasonCommand},
		{"many subscriptions", shake(ready, subscriptions(50)), EventDisconnected, ReasonSubscriptions},
		{"large subscription", shake(ready, zmqtest.AppendMessage(nil, []byte("\x01"+strings.Repeat("x", 5000)))), EventDisconnected, ReasonSubscriptions},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var events <-chan Event
			x, endpoint := newTestXPUB(t, func(o *Options) {
				o.MaxSubscriptions, o.MaxSubscriptionBytes = 20, 4096
				events = collectEvents(o)
			})
			honest := zmqtest.DialAs(t, endpoint, "SUB")
			honest.Subscribe(t, "")
			awaitSubscriptions(x, 1)
			awaitEvent(t, events, EventConnected)

			bad := zmqtest.Dial(t, endpoint)
			bad.SendBytes(t, tc.send)
			if len(tc.send) < greetingSize && bytes.HasPrefix(greeting, tc.send) {
				got := make([]byte, greetingSize)
				if len(tc.send) <= versionAt {
					got = got[:versionAt+1] // the rest waits for the peer's version
				}
				if _, err := io.ReadFull(bad, got); err != nil { // unread bytes would make it a reset
					t.Error(err)
				}
				bad.Close()
			}
			e := awaitEvent(t, events, tc.kind)
			if e.Reason != tc.want || e.Addr == "" {
				t.Errorf("event %+v (%v), want reason %s and the peer's address", e, e.Err, tc.want)
			}
			if tc.want != ReasonClosed && len(tc.send) != 33 {
				// Not a byte but the greeting and READY that every peer gets: a
				// Zeek node would take an ERROR as a reason to exit.
				got := bad.ReadClosed(t)
				if len(got) > greetingSize && got[greetingSize] != flagCommand || bytes.Contains(got, []byte("ERROR")) {
					t.Errorf("sent %q", got)
				}
			}
			if x.Stats().Failures[tc.want] != 1 {
				t.Errorf("failures %v", x.Stats().Failures)
			}
			if err := x.Publish([]byte("still"), []byte("here")); err != nil {
				t.Error(err)
			}
			if got := honest.RecvText(t); strings.Join(got, " ") != "still here" {
				t.Errorf("the honest peer received %q", got)
			}
		})
	}
}

// subscriptions is n different subscriptions.
func subscriptions(n int) (wire []byte) {
	for i := range n {
		wire = zmqtest.AppendMessage(wire, []byte{1, byte(i), 'x'})
	}
	return wire
}

// awaitSubscriptions waits until peers hold n prefixes altogether.
func awaitSubscriptions(x *XPUB, n int) {
	for len(x.Prefixes()) < n {
		runtime.Gosched()
	}
}

// TestHandshakeTimeout: nobody waits for who does not get on with the handshake,
// and who does not finish it in time is closed without a word.
func TestHandshakeTimeout(t *testing.T) {
	for _, timeout := range []time.Duration{time.Hour, 300 * time.Millisecond} {
		var events <-chan Event
		x, endpoint := newTestXPUB(t, func(o *Options) {
			o.HandshakeTimeout = timeout
			events = collectEvents(o)
		})
		silent := zmqtest.Dial(t, endpoint)
		half := zmqtest.Dial(t, endpoint)
		half.SendBytes(t, zmqtest.Greeting(0, "NULL", false))
		if timeout == time.Hour { // an honest peer might be too late for the other one
			zmqtest.DialAs(t, endpoint, "SUB").Subscribe(t, "honest")
			awaitSubscriptions(x, 1)
			if _, err := io.ReadFull(silent, make([]byte, versionAt+1)); err != nil {
				t.Error(err)
			}
			x.Close()
			if got := silent.ReadClosed(t); len(got) > 0 {
				t.Errorf("the silent peer was sent %q beyond the greeting's first %d bytes", got, versionAt+1)
			}
			continue
		}
		for range 2 {
			if e := awaitEvent(t, events, EventHandshakeFailed); e.Reason != ReasonHandshakeTimeout {
				t.Errorf("reason %s", e.Reason)
			}
		}
		if got := silent.ReadClosed(t); len(got) > versionAt+1 {
			t.Errorf("the silent peer was sent %d bytes, want the greeting's first %d at most", len(got), versionAt+1)
		}
		half.ReadClosed(t)
	}
}

// TestMaxConnections: beyond the bound connections are closed at once, and there
// is room again when one ends.
func TestMaxConnections(t *testing.T) {
	var events <-chan Event
	x, endpoint := newTestXPUB(t, func(o *Options) {
		o.MaxConnections = 2
		events = collectEvents(o)
	})
	first := zmqtest.DialAs(t, endpoint, "SUB")
	zmqtest.DialAs(t, endpoint, "SUB")
	if got := zmqtest.Dial(t, endpoint).ReadClosed(t); len(got) != 0 {
		t.Errorf("a refused peer was sent %q", got)
	}
	if e := awaitEvent(t, events, EventRefused); e.Reason != ReasonConnections {
		t.Errorf("reason %s", e.Reason)
	}
	first.Close()
	awaitEvent(t, events, EventDisconnected)
	for x.Stats().Connections > 1 {
		runtime.Gosched()
	}
	zmqtest.DialAs(t, endpoint, "SUB")
}

// TestForeignMessages: what is no subscription is dropped and counted.
func TestForeignMessages(t *testing.T) {
	x, endpoint := newTestXPUB(t, nil)
	r := zmqtest.DialAs(t, endpoint, "XSUB")
	r.SendText(t, "hello", "world")
	r.SendText(t, "\x02x")
	r.SendText(t, "")
	r.Subscribe(t, "after")
	awaitSubscriptions(x, 1)
	if n := x.Foreign(); n != 4 {
		t.Errorf("%d foreign frames, want 4", n)
	}
}
