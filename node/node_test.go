package node

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/znode/znode/sockets"
)

// pair is two clients at one broker; got collects what the second one gets.
type pair struct {
	pub, sub *Node
	got      chan string
}

func testPair(t *testing.T, change func(*Options)) *pair {
	t.Helper()
	b := testBroker(t, nil)
	opt := testNodeOptions(t).at(b)
	if change != nil {
		change(&opt)
	}
	p := &pair{pub: newNode(t, opt), sub: newNode(t, opt), got: make(chan string, 1000)}
	startNode(t, p.pub)
	startNode(t, p.sub)
	return p
}

func (p *pair) subscribe(t *testing.T, prefix string) {
	t.Helper()
	active := make(chan struct{})
	if err := p.sub.Subscribe(prefix, func() { close(active) }); err != nil {
		t.Fatal(err)
	}
	<-active
	mustReady(t, p.pub)
}

func TestPublishAndHandle(t *testing.T) {
	t.Parallel()
	for _, serializer := range []string{BrokerBinV1, BrokerJSONV1} {
		t.Run("serializer="+serializer, func(t *testing.T) {
			t.Parallel()
			p := testPair(t, func(o *Options) { o.EventSerializer = serializer })
			text := func(who string) func(*Event) {
				return func(e *Event) {
					var n uint64
					var s string
					if err := e.Scan(&n, &s); err != nil {
						t.Error(err)
					}
					if string(e.Serializer()) != serializer || string(e.Sender()) != p.pub.ID() {
						t.Errorf("event in %s from %s", e.Serializer(), e.Sender())
					}
					p.got <- fmt.Sprintf("%s %s %s %d %s", who, e.Topic(), e.Name(), n, s)
				}
			}
			p.sub.Handle("A::x", text("name"))
			remove := p.sub.Handle("A::x", text("second"))
			p.sub.HandleTopic("test.", text("topic"))
			p.sub.HandleTopic("tests", text("never"))
			p.sub.HandleTopic("", text("all"))
			p.subscribe(t, "test.")
			publish := func(topic, event string, args ...any) {
				t.Helper()
				if err := p.pub.Publish(topic, event, args...); err != nil {
					t.Fatal(err)
				}
			}
			publish("other.a", "A::x", uint64(0), "not subscribed to")
			publish("test.a", "A::x", uint64(1), "one")
			for _, want := range []string{"topic", "all", "name", "second"} {
				if got := <-p.got; got != want+" test.a A::x 1 one" {
					t.Errorf("got %q, want it by %s", got, want)
				}
			}
			remove()
			publish("test.b", "A::x", uint64(2), "two")
			publish("test.b", "A::y", uint64(3), "three")
			for _, want := range []string{"topic test.b A::x 2 two", "all test.b A::x 2 two", "name test.b A::x 2 two", "topic test.b A::y 3 three", "all test.b A::y 3 three"} {
				if got := <-p.got; got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			}
			// An event counts as handled after its last handler.
			await(t, "the events to be counted", func() bool { return p.sub.Stats().Handled == 3 })
			if s := p.sub.Stats(); s.Received != 3 || s.OnloopDrops != 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestPublishTo(t *testing.T) {
	t.Parallel()
	at := testEndpoints(t)
	b := at.broker(t)
	m, _, _ := testMember(t, "worker-2", at, nil)
	got := make(chan string, 1)
	m.Handle("A::x", func(e *Event) { got <- string(e.Topic()) })
	startNode(t, m)
	pub := newNode(t, testNodeOptions(t).at(b))
	startNode(t, pub)
	mustReady(t, m)
	mustReady(t, pub)
	if err := pub.PublishTo("worker-2", "A::x"); err != nil {
		t.Fatal(err)
	}
	if topic := <-got; topic != "zeek.cluster.node.worker-2." {
		t.Errorf("published to %s", topic)
	}
}

// Subscriptions are counted, sent once, and told of when the broker knows them.
func TestSubscribeUnsubscribe(t *testing.T) {
	t.Parallel()
	n, r := startWithRaw(t, testNodeOptions(t), nil)
	var active atomic.Int32
	count := func() { active.Add(1) }
	expect := func(want string) {
		t.Helper()
		if got := r.xpub.RecvText(t)[0]; !strings.HasPrefix(got, want) {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
	for _, f := range []func(){nil, count, count} {
		if err := n.Subscribe("a.", f); err != nil {
			t.Fatal(err)
		}
	}
	expect("\x01a.")
	marks := [2]string{r.xpub.RecvText(t)[0], r.xpub.RecvText(t)[0]}
	for i, m := range marks {
		if !strings.HasPrefix(m, "\x01"+n.subs.marker) {
			t.Fatalf("got %q, want a mark", m)
		}
		if active.Load() != int32(i) {
			t.Errorf("%d active before mark %d came back", active.Load(), i)
		}
		r.xsub.SendText(t, "\x01a.") // somebody's, it need not be ours
		r.xsub.SendText(t, m)
		expect("\x00" + m[1:])
		await(t, "the callback", func() bool { return active.Load() == int32(i+1) })
	}
	for range 2 {
		if err := n.Unsubscribe("a."); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.Subscribe("b.", nil); err != nil {
		t.Fatal(err)
	}
	expect("\x01b.") // nothing yet for a.
	if err := n.Unsubscribe("a."); err != nil {
		t.Fatal(err)
	}
	expect("\x00a.")
	if err := n.Unsubscribe("a."); !errors.Is(err, ErrNotSubscribed) {
		t.Errorf("one too many: %v", err)
	}
	for _, prefix := range []string{"zeek.cluster.nodeid.", "zeek.cluster.nodeid.x."} {
		if err := n.Subscribe(prefix, nil); !errors.Is(err, ErrNodeIDTopic) {
			t.Errorf("%s: %v", prefix, err)
		}
	}
	for _, prefix := range []string{"", "zeek.cluster.nodeid", "zeek."} {
		if err := n.Subscribe(prefix, nil); err != nil {
			t.Errorf("%q: %v", prefix, err)
		}
		expect("\x01" + prefix)
	}
	if err := n.Subscribe(strings.Repeat("x", maxPrefix+1), nil); err == nil {
		t.Error("a prefix without bound")
	}
}

func TestHandleSubscriptions(t *testing.T) {
	t.Parallel()
	got := make(chan string, 10)
	_, r := startWithRaw(t, testNodeOptions(t), func(n *Node) {
		n.HandleSubscriptions(func(s Subscription) { got <- fmt.Sprintf("%v %s", s.Subscribe, s.Prefix) })
	})
	r.xsub.Subscribe(t, "a.")
	r.xsub.Subscribe(t, "a.")
	r.xsub.Subscribe(t, "b.")
	r.xsub.Unsubscribe(t, "a.")
	r.xsub.Unsubscribe(t, "c.")
	r.xsub.Unsubscribe(t, "b.")
	for _, want := range []string{"true a.", "true a.", "true b.", "false a.", "false b."} {
		if s := <-got; s != want {
			t.Errorf("got %q, want %q", s, want)
		}
	}
}

// A client is invisible: all that the broker hears of it is what it was told to
// subscribe to.
func TestClientIsSilent(t *testing.T) {
	t.Parallel()
	n, r := startWithRaw(t, testNodeOptions(t), nil)
	r.xsub.Subscribe(t, zeekIDTopic("idA"))
	r.xsub.Subscribe(t, "test")
	if err := n.Subscribe("", nil); err != nil {
		t.Fatal(err)
	}
	if got := r.xpub.RecvText(t); !slices.Equal(got, []string{"\x01"}) {
		t.Errorf("subscribes to %q first", got)
	}
	await(t, "the subscription", func() bool { return n.XPUB().Matches([]byte("test")) })
	if err := n.Publish("test", "A::x"); err != nil {
		t.Fatal(err)
	}
	if got := r.xsub.RecvText(t); got[0] != "test" {
		t.Errorf("publishes %q first", got)
	}
	if n.Nodes() != nil {
		t.Error("a client knows nodes")
	}
}

// Own events come back and are ignored; wrong ones are counted by what is wrong.
func TestIntakeCounts(t *testing.T) {
	t.Parallel()
	handled := make(chan string, 10)
	n, r := startWithRaw(t, testNodeOptions(t), func(n *Node) {
		n.HandleTopic("", func(e *Event) { handled <- string(e.Name()) })
	})
	r.xpub.SendBytes(t, testEvent(t, "a", n.ID(), "Own::event"))
	r.xpub.SendText(t, "a")
	r.xpub.SendText(t, "a", "x", BrokerBinV1)
	r.xpub.SendText(t, "a", "x", BrokerBinV1, "payload", "more")
	r.xpub.SendText(t, "a", "x", "broker-xml-v1", "<event/>")
	r.xpub.SendText(t, "a", "x", BrokerBinV1, "\x0e")
	r.xpub.SendText(t, "a", "x", BrokerJSONV1, "{")
	r.xpub.SendBytes(t, testEvent(t, "a", "x", "Good::event"))
	if got := <-handled; got != "Good::event" {
		t.Errorf("handled %s", got)
	}
	await(t, "the counters", func() bool { return n.Stats().Handled == 4 })
	s := n.Stats()
	if s.Received != 4 || s.Undecodable != 3 || s.Own != 1 || s.MessageErrors != 3 || s.OnloopDrops != 0 {
		t.Errorf("%+v", s)
	}
	r.xpub.Ping(t) // the connection lives
}

// Events that stay in the queue do not keep memory alive that is not theirs, and
// nothing is read after its memory was given back.
func TestIntakeMemory(t *testing.T) {
	sockets.PoisonReleased(true)
	defer sockets.PoisonReleased(false)
	block := newLatch()
	var wrong atomic.Int32
	opt := testNodeOptions(t)
	opt.OnloopQueueHWM, opt.OnloopGrace = 10, 0
	n, r := startWithRaw(t, opt, func(n *Node) {
		n.HandleTopic("", func(e *Event) {
			block.wait()
			if string(e.Name()) != "A::x" || string(e.Topic()) != "a" || e.NumArgs() != 4 {
				wrong.Add(1)
			}
		})
	})
	block.endsWith(t)
	const rounds, perRound = 50, 500
	buf := make([]byte, 0, 1<<20)
	for i := range perRound {
		sender := "x"
		if i%3 == 0 {
			sender = n.ID()
		}
		buf = append(buf, testEvent(t, "a", sender, "A::x")...)
	}
	for range rounds {
		r.xpub.SendBytes(t, buf)
	}
	const others = rounds * (perRound - (perRound+2)/3)
	await(t, "all to be read", func() bool { return n.Stats().Received == others })
	block.open()
	await(t, "all to be handled", func() bool { s := n.Stats(); return s.Handled+s.OnloopDrops == others })
	if s := n.Stats(); s.OnloopDrops == 0 || s.Undecodable > 0 || wrong.Load() > 0 {
		t.Errorf("%+v, %d wrong", s, wrong.Load())
	}
}
