package sockets_test

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/znode/znode/sockets"
	"github.com/znode/znode/sockets/zmqtest"
)

// words is a list that a test changes while sockets ask about it.
type words struct{ atomic.Pointer[[]string] }

func newWords(list ...string) *words {
	w := new(words)
	w.set(list...)
	return w
}

func (w *words) set(list ...string)       { w.Store(&list) }
func (w *words) have(word []byte) bool    { return slices.Contains(*w.Load(), string(word)) }
func (w *words) topic(topic []byte) bool  { return !w.have(topic) }
func (w *words) admit(*sockets.Peer) bool { return !w.have([]byte("nobody")) }

// TestMaySubscribe: what is refused has no effect, is told to nobody, is taken once
// it is allowed, and the other way round.
func TestMaySubscribe(t *testing.T) {
	refused := newWords("secret", "later")
	var asked, again atomic.Int32
	x, subs := newXPUB(t, func(o *sockets.Options) {
		o.Verboser = true
		o.MaxSubscriptions = 5
		o.MaySubscribe = func(p *sockets.Peer, prefix []byte, second bool) bool {
			if p.SocketType() != "XSUB" {
				t.Errorf("asked about a %s", p.SocketType())
			}
			asked.Add(1)
			if second {
				again.Add(1)
			}
			return !refused.have(prefix)
		}
	})
	r := zmqtest.DialAs(t, bind(t, x, anyPort), "XSUB")
	for _, prefix := range []string{"a", "secret", "later", "secret", "b"} {
		r.Subscribe(t, prefix)
	}
	if got := subs.before(t, "+b"); !slices.Equal(got, []string{"+a"}) {
		t.Errorf("told of %q", got)
	}
	if got := x.Prefixes(); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("prefixes %q", got)
	}
	if n := x.Peers()[0].Subscriptions; n != 2 {
		t.Errorf("the peer holds %d subscriptions", n)
	}
	if asked.Load() != 5 || again.Load() != 0 {
		t.Errorf("asked %d times, %d of them again", asked.Load(), again.Load())
	}

	refused.set("a")
	x.Rejudge()
	if got := []string{subs.take(t), subs.take(t), subs.take(t)}; !slices.Equal(got, []string{"-a", "+later", "+secret"}) {
		t.Errorf("after another judgement told of %q", got)
	}
	if again.Load() != 2 {
		t.Errorf("asked %d times again", again.Load())
	}
	for _, topic := range []string{"a", "secret", "later"} {
		if err := x.Publish([]byte(topic)); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"secret", "later"} {
		if m := r.RecvText(t); m[0] != want {
			t.Errorf("received %q, want %q", m, want)
		}
	}
	// A cancellation of what was refused is no news, and makes room again: the
	// most is 5, and a, b, secret, later are there.
	r.Unsubscribe(t, "a")
	r.Subscribe(t, "c")
	r.Subscribe(t, "d")
	if got := subs.before(t, "+d"); !slices.Equal(got, []string{"+c"}) {
		t.Errorf("told of %q", got)
	}
	refused.set("e")
	r.Subscribe(t, "e") // one too many, refused or not
	r.ReadClosed(t)
}

// TestSees: a peer that does not see everything is told what it sees, in order with
// what others are told, when it connects, live, and after another judgement.
func TestSees(t *testing.T) {
	limits := newWords("a", "late")
	free := new(atomic.Bool)
	xsub, _ := newXSUB(t, func(o *sockets.Options) {
		o.Sees = func(p *sockets.Peer) func([]byte) bool {
			if p.SocketType() == "PUB" || free.Load() { // a PUB stands for who may see all
				return nil
			}
			return limits.have
		}
	})
	at := bind(t, xsub, anyPort)
	relay := func(prefix string, subscribe, changed, more bool) {
		xsub.Relay(sockets.Subscription{Prefix: []byte(prefix), Subscribe: subscribe, Changed: changed, More: more})
	}
	relay("a", true, true, true)
	relay("hidden", true, true, false)
	limited, all := zmqtest.DialAs(t, at, "XPUB"), zmqtest.DialAs(t, at, "PUB")
	until(t, "two peers", func() bool { return xsub.Connected() == 2 })
	want := func(r *zmqtest.Raw, name, list string) {
		t.Helper()
		for _, want := range strings.Fields(list) {
			sign := map[byte]string{'+': "\x01", '-': "\x00"}[want[0]]
			if m := r.RecvText(t); len(m) != 1 || m[0] != sign+want[1:] {
				t.Fatalf("%s is told %q, want %s", name, m, want)
			}
		}
	}
	want(limited, "who is limited", "+a")
	want(all, "who sees all", "+a +hidden")
	relay("secret", true, true, true)
	relay("late", true, true, true)
	relay("late", true, false, false) // another holder
	relay("hidden", false, true, false)
	relay("late", false, false, false) // it left again
	relay("a", false, true, false)
	want(limited, "who is limited", "+late +late -a")
	want(all, "who sees all", "+secret +late +late -hidden -a")

	limits.set("secret")
	xsub.Rejudge()
	want(limited, "who is limited", "-late +secret")
	free.Store(true)
	xsub.Rejudge()
	want(limited, "who was limited", "+late")
	relay("x", true, true, false)
	want(limited, "who was limited", "+x")
	free.Store(false)
	xsub.Rejudge()
	want(limited, "who is limited again", "-late -x")
	// What is not relayed but asked for by ourselves.
	limits.set("secret", "own")
	xsub.Subscribe([]byte("own"))
	xsub.Subscribe([]byte("other"))
	xsub.Cancel([]byte("other"))
	xsub.Cancel([]byte("own"))
	want(limited, "who is limited again", "+own -own")
	want(all, "who sees all", "+x +own +other -other -own")
}

// TestAdmit: who is not admitted is never told anything, and who is not any more
// loses its connection.
func TestAdmit(t *testing.T) {
	closed := newWords("nobody")
	xsub, _ := newXSUB(t, func(o *sockets.Options) { o.Admit = closed.admit })
	xsub.Subscribe([]byte("secret"))
	at := bind(t, xsub, anyPort)
	if got := zmqtest.DialAs(t, at, "XPUB").ReadClosed(t); len(got) != 0 {
		t.Errorf("told %q", got)
	}
	closed.set()
	r := zmqtest.DialAs(t, at, "XPUB")
	if m := r.RecvText(t); m[0] != "\x01secret" {
		t.Errorf("received %q", m)
	}
	xsub.Readmit()
	r.Ping(t)
	closed.set("nobody")
	xsub.Readmit()
	r.ReadClosed(t)
	until(t, "two connections refused", func() bool { return xsub.Stats().Failures[sockets.ReasonUnauthorized] == 2 })
}

// TestForwardIf: what a sender may not send goes to nobody, however it is mixed.
func TestForwardIf(t *testing.T) {
	refused := newWords("bad", "worse")
	type total struct {
		messages int
		bytes    int64
		first    string
	}
	sums := newMailbox[total]()
	var xpub *sockets.XPUB
	xpub, subs := newXPUB(t, nil)
	in, err := sockets.NewXSUB(options(nil), func(b sockets.Batch) {
		r := xpub.ForwardIf(b, refused.topic)
		sums.put(total{r.Messages, r.Bytes, string(r.Topic)})
	})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	sub := zmqtest.DialAs(t, bind(t, xpub, anyPort), "SUB")
	sub.Subscribe(t, "") // a tree of the root alone
	subs.before(t, "+")
	pub := zmqtest.DialAs(t, bind(t, in, anyPort), "PUB")
	sent := [][]string{{"good", "1"}, {"bad", "23"}, {"bad", "4"}, {"good"}, {"worse", "", "567"}, {"bad"}, {"good", "end"}}
	var wire []byte
	for _, m := range sent {
		wire = zmqtest.AppendMessage(wire, zmqtest.Frames(m...)...)
	}
	pub.SendBytes(t, wire)
	for _, m := range sent {
		if m[0] == "good" {
			if got := sub.RecvText(t); !slices.Equal(got, m) {
				t.Errorf("received %q, want %q", got, m)
			}
		}
	}
	var all total
	first := ""
	for all.messages < 4 {
		got := sums.take(t)
		if first == "" {
			first = got.first
		}
		all.messages += got.messages
		all.bytes += got.bytes
	}
	if all != (total{4, 3 + 2 + 3 + 1 + 5 + 3 + 3, ""}) || first != "bad" {
		t.Errorf("refused %d messages, %d bytes, first %q", all.messages, all.bytes, first)
	}
}
