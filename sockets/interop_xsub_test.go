package sockets_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/znode/znode/sockets"
	"github.com/znode/znode/sockets/zmqtest"
)

// A downstream is an XSUB, ours or libzmq's.
type downstream struct {
	subscribe, cancel func(prefix string)
	bind              func() string
	connect           func(endpoint string)
	attend            func() // to connections that have come or gone
}

func ourDownstream(t *testing.T) downstream {
	x, _ := newXSUB(t, nil)
	return downstream{
		subscribe: func(p string) { x.Subscribe([]byte(p)) },
		cancel:    func(p string) { x.Cancel([]byte(p)) },
		bind:      func() string { return bind(t, x, anyPort) },
		connect:   func(e string) { connect(t, x, e) },
		attend:    func() {},
	}
}

func theirDownstream(t *testing.T, p *zmqtest.Process) downstream {
	x := p.Socket(t, "XSUB")
	return downstream{
		subscribe: func(p string) { x.Subscribe(t, p) },
		cancel:    func(p string) { x.Unsubscribe(t, p) },
		bind:      func() string { return x.Bind(t, zmqtest.Loopback) },
		connect:   func(e string) { x.Connect(t, e) },
		attend:    func() { x.TryRecv(t) },
	}
}

// TestXSUBCounts plays one script with our XSUB and libzmq's before raw
// publishers: one that is there from the start, one that comes late, and one that
// comes back.
func TestXSUBCounts(t *testing.T) {
	t.Parallel()
	p := zmqtest.Start(t)
	for who, d := range map[string]downstream{"ours": ourDownstream(t), "libzmq's": theirDownstream(t, p)} {
		l, late := zmqtest.Listen(t, zmqtest.Loopback), zmqtest.Listen(t, zmqtest.Loopback)
		d.connect(l.Endpoint)
		early := l.Accept(t)
		early.Handshake(t, "XPUB")
		d.subscribe("first")
		if got := early.RecvText(t); got[0] != "\x01first" {
			t.Errorf("%s: told %q", who, got)
		}
		d.cancel("first")
		early.Recv(t)
		markers := 0
		seen := func(r *zmqtest.Raw) string {
			markers++
			marker := fmt.Sprintf("marker %d", markers)
			d.subscribe(marker)
			d.cancel(marker)
			var got []string
			for _, m := range r.RecvUntil(t, "\x01"+marker) {
				if prefix := string(m[0][1:]); !strings.HasPrefix(prefix, "marker") {
					got = append(got, string("-+"[m[0][0]])+prefix)
				}
			}
			r.RecvUntil(t, "\x00"+marker)
			return strings.Join(got, " ")
		}
		check := func(what string, r *zmqtest.Raw, want string) {
			t.Helper()
			if got := seen(r); got != want {
				t.Errorf("%s: %s: %q, want %q", who, what, got, want)
			}
		}
		// A joiner is told what there is; what changes after that comes behind it.
		joins := func(what string, r *zmqtest.Raw, want string) {
			t.Helper()
			d.attend()
			var got []string
			for range strings.Fields(want) {
				m := r.Recv(t)
				got = append(got, string("-+"[m[0][0]])+string(m[0][1:]))
			}
			slices.Sort(got)
			if strings.Join(got, " ") != want {
				t.Errorf("%s: %s: %q, want %q", who, what, got, want)
			}
			check(what, r, "")
		}
		check("nothing yet", early, "")
		d.subscribe("a")
		d.subscribe("a")
		d.subscribe("")
		check("duplicates pass", early, "+a +a +")
		d.cancel("a")
		check("one is left", early, "")
		d.cancel("nothing")
		check("never held", early, "")
		d.cancel("a")
		d.cancel("a")
		check("the last goes, one too many does not", early, "-a")
		d.subscribe("b")
		d.subscribe("b")
		d.subscribe("c")
		d.cancel("c")
		check("b and c", early, "+b +b +c -c")
		// Who comes later is told what is current, each once.
		d.connect(late.Endpoint)
		second := late.Accept(t)
		second.Handshake(t, "PUB")
		joins("late joiner", second, "+ +b")
		check("the other sees nothing of it", early, "")
		// So is who comes back.
		early.Close()
		d.cancel("b")
		early = l.Accept(t)
		early.Handshake(t, "XPUB")
		joins("back again", early, "+ +b")
		d.cancel("b")
		check("its last one", early, "-b")
		d.subscribe("d")
		check("both see it", second, "-b +d")
		check("both see it", early, "+d")
	}
}

// TestXSUBBound: publishers that connect to a bound XSUB are told as others are.
func TestXSUBBound(t *testing.T) {
	t.Parallel()
	x, in := newXSUB(t, nil)
	endpoint := bind(t, x, anyPort)
	x.Subscribe([]byte("z"))
	x.Subscribe([]byte("a"))
	x.Subscribe([]byte("z"))
	for _, kind := range []string{"PUB", "XPUB"} {
		r := zmqtest.DialAs(t, endpoint, kind)
		got := zmqtest.Text(slices.Concat(r.Recv(t), r.Recv(t)))
		if !slices.Equal(got, []string{"\x01a", "\x01z"}) {
			t.Errorf("%s is told %q", kind, got)
		}
		r.SendText(t, "not asked for", "but sent")
		if got := in.text(t); got[1] != "but sent" {
			t.Errorf("received %q", got)
		}
		if n := x.Connected(); n != 1 {
			t.Errorf("%d connected", n)
		}
		r.Close()
		until(t, "the peer is gone", func() bool { return x.Connected() == 0 })
	}
	if err := x.Close(); err != nil {
		t.Error(err)
	}
	x.Subscribe([]byte("after Close"))
	x.Cancel([]byte("after Close"))
}

// TestRelay: what a broker passes on is not counted, so that no prefix is left
// over when its holders go without a word.
func TestRelay(t *testing.T) {
	t.Parallel()
	x, _ := newXSUB(t, nil)
	r := zmqtest.DialAs(t, bind(t, x, anyPort), "XPUB")
	until(t, "the publisher is connected", func() bool { return x.Connected() == 1 })
	step := func(s sockets.Subscription, want bool) {
		t.Helper()
		if got := x.Relay(s); got != want {
			t.Errorf("%+v is passed on: %v", s, got)
		}
	}
	a := []byte("a")
	step(sockets.Subscription{Prefix: a, Subscribe: true, Changed: true}, true)
	step(sockets.Subscription{Prefix: a, Subscribe: true}, true)
	step(sockets.Subscription{Prefix: a}, false)
	step(sockets.Subscription{Prefix: a, Changed: true}, true)
	step(sockets.Subscription{Prefix: []byte("end"), Subscribe: true, Changed: true}, true)
	var got []string
	for _, m := range r.RecvUntil(t, "\x01end") {
		got = append(got, string(m[0]))
	}
	if want := []string{"\x01a", "\x01a", "\x00a"}; !slices.Equal(got, want) {
		t.Errorf("the publisher is told %q, want %q", got, want)
	}
}

// prefixLengths are those at the edges of the wire format.
var prefixLengths = []int{0, 1, 2, 244, 245, 246, 250, 254, 255, 256, 257, 700}

// libzmqCan says whether libzmq 4.3.4 can send a subscription of n bytes as a
// ZMTP 3.minor frame: it forgets the LONG flag where only the byte or the
// command's name in front of the prefix makes the frame longer than 255 bytes.
func libzmqCan(minor, n int) bool {
	if minor == 0 {
		return n != 255
	}
	return n <= 255-len("\x09SUBSCRIBE") || n > 255
}

// TestPrefixLengths has libzmq's sockets subscribe to prefixes of all lengths,
// live and on connecting, and again when the connection has been lost.
func TestPrefixLengths(t *testing.T) {
	t.Parallel()
	p := zmqtest.Start(t)
	for _, kind := range []string{"XSUB", "SUB"} {
		for _, tc := range []struct {
			name  string
			minor int // the version that libzmq believes we have
		}{{"messages", 0}, {"commands", 1}} {
			t.Run(kind+" "+tc.name, func(t *testing.T) {
				var events *mailbox[sockets.Event]
				x, subs := newXPUB(t, watched(&events))
				r := newRelay(t, bind(t, x, anyPort), tc.minor)
				s := p.Socket(t, kind)
				s.SetInt(t, zmqtest.RECONNECT_IVL, 1)
				var want []string
				for i, n := range prefixLengths {
					if !libzmqCan(tc.minor, n) {
						continue
					}
					prefix := string(pattern(i, n))
					want = append(want, prefix)
					if i%2 == 0 {
						s.Subscribe(t, prefix)
					}
				}
				s.Connect(t, r.endpoint)
				awaitKind(t, events, sockets.EventConnected)
				for i, n := range prefixLengths {
					if prefix := string(pattern(i, n)); i%2 == 1 && slices.Contains(want, prefix) {
						s.Subscribe(t, prefix)
					}
				}
				slices.Sort(want)
				holds := func() bool {
					if _, ok := s.TryRecv(t); ok { // it attends to its connections
						t.Fatal("a message from nowhere")
					}
					return slices.Equal(x.Prefixes(), want)
				}
				until(t, "all prefixes are held", holds)
				for _, prefix := range want {
					if !x.Matches([]byte(prefix + "topic")) {
						t.Errorf("%.10q of %d bytes does not match", prefix, len(prefix))
					}
				}
				// They go with the connection, and come back with the next.
				r.up.Store(0)
				s.Subscribe(t, "last")
				awaitKind(t, events, sockets.EventDisconnected)
				cancelled := 0
				cancellations := func(n int) {
					for cancelled < n {
						if subs.take(t)[0] == '-' {
							cancelled++
						}
					}
				}
				// Before the new connection can hold any of them.
				cancellations(len(want))
				want = append(want, "last")
				slices.Sort(want)
				until(t, "all prefixes are held again", holds)
				for _, prefix := range want {
					s.Unsubscribe(t, prefix)
				}
				until(t, "none is held", func() bool { return len(x.Prefixes()) == 0 })
				if x.Foreign() != 0 {
					t.Errorf("%d foreign frames", x.Foreign())
				}
				cancellations(2*len(want) - 1)
				if c, ok := subs.try(); ok {
					t.Errorf("and then %.20q", c)
				}
			})
		}
	}
}

// TestCommandLengths sends SUBSCRIBE and CANCEL commands of all lengths as RFC 37
// has them, also those that libzmq cannot.
func TestCommandLengths(t *testing.T) {
	t.Parallel()
	x, subs := newXPUB(t, nil)
	r := zmqtest.DialAs(t, bind(t, x, anyPort), "XSUB")
	for i, n := range append(prefixLengths, 5000, 60_000, 70_000, 1<<20) {
		prefix := pattern(i, n)
		r.SendBytes(t, zmqtest.AppendCommand(nil, "SUBSCRIBE", prefix))
		if got := subs.take(t); got != "+"+string(prefix) {
			t.Errorf("prefix of %d bytes: told %.20q", n, got)
		}
		r.SendBytes(t, zmqtest.AppendCommand(nil, "CANCEL", prefix))
		if got := subs.take(t); got != "-"+string(prefix) {
			t.Errorf("prefix of %d bytes: told %.20q", n, got)
		}
	}
}

// TestLongPrefixesToLibzmq sends prefixes of all lengths to libzmq's publishers.
func TestLongPrefixesToLibzmq(t *testing.T) {
	t.Parallel()
	p := zmqtest.Start(t)
	xpub := p.Socket(t, "XPUB")
	x, in := newXSUB(t, nil)
	for i, n := range prefixLengths {
		if i%2 == 0 {
			x.Subscribe(pattern(i, n))
		}
	}
	connect(t, x, xpub.Bind(t, zmqtest.Loopback))
	until(t, "connected", func() bool { return x.Connected() == 1 })
	for i, n := range prefixLengths {
		if i%2 == 1 {
			x.Subscribe(pattern(i, n))
		}
	}
	held := make(map[string]bool)
	for range prefixLengths {
		held[string(xpub.Recv(t)[0])] = true
	}
	for i, n := range prefixLengths {
		prefix := pattern(i, n)
		if !held["\x01"+string(prefix)] {
			t.Errorf("the prefix of %d bytes did not arrive", n)
		}
		xpub.Send(t, prefix, []byte("payload"))
		if got := in.take(t); string(got[0]) != string(prefix) {
			t.Errorf("received a topic of %d bytes, want %d", len(got[0]), n)
		}
	}
}
