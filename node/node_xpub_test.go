package node

import (
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/znode/znode/sockets/zmqtest"
)

// numbered subscribes a node to numbers and collects them.
func numbered(t *testing.T, n *Node) *atomic.Uint64 {
	t.Helper()
	var next, count atomic.Uint64
	n.Handle("Test::number", func(e *Event) {
		i, _ := e.Arg(0).AsCount()
		if i < next.Load() {
			t.Errorf("event %d after %d", i, next.Load())
		}
		next.Store(i + 1)
		count.Add(1)
	})
	if err := n.Subscribe("test.numbers", nil); err != nil {
		t.Fatal(err)
	}
	return &count
}

// While the broker is stopped, an event is either taken, and arrives, or dropped
// and counted, and the caller knows which.
func TestXPUBDropsWithStoppedBroker(t *testing.T) {
	t.Parallel()
	log := new(lockedBuffer)
	p := zmqtest.Start(t)
	b := p.Broker(t)
	opt := testNodeOptions(t)
	opt.ConnectXPUBEndpoint, opt.ConnectXSUBEndpoint = b.XSUBEndpoint, b.XPUBEndpoint
	subOpt := opt
	subOpt.OnloopQueueHWM = 0
	sub := newNode(t, subOpt)
	got := numbered(t, sub)
	startNode(t, sub)
	mustReady(t, sub)
	opt.Log = slog.New(slog.NewTextHandler(log, nil))
	opt.XPUBSndBuf = 64 << 10 // so that the kernel is soon full
	pub := newNode(t, opt)
	startNode(t, pub)
	mustReady(t, pub)

	p.Stop(t)
	taken, dropped := uint64(0), uint64(0)
	for i := uint64(0); dropped < 10_000; i++ {
		switch err := pub.Publish("test.numbers", "Test::number", i); {
		case err == nil:
			taken++
		case errors.Is(err, ErrDropped):
			dropped++
		default:
			t.Fatal(err)
		}
	}
	if s := pub.Stats(); s.XPUBDrops != dropped || s.Published != taken {
		t.Errorf("%d taken and %d dropped, the node counts %+v", taken, dropped, s)
	}
	t.Logf("%d events taken by a stopped broker, %d dropped", taken, dropped)
	// The kernel may take some more after a while, and there is another time of
	// drops then. Each is told of once.
	told := log.String()
	begun, over := strings.Count(told, "level=WARN"), strings.Count(told, "no more events to be published are dropped")
	if begun == 0 || begun != over && begun != over+1 {
		t.Errorf("%d times of drops begun and %d over:\n%s", begun, over, told)
	}
	p.Continue(t)
	await(t, "what was taken", func() bool { return got.Load() == taken })
	mustReady(t, pub)
	if s := sub.Stats(); s.Received != taken {
		t.Errorf("%d arrived, %d were taken", s.Received, taken)
	}
}

// Without nodrop Publish is not told, but the counter knows.
func TestXPUBDropsWithoutNoDrop(t *testing.T) {
	t.Parallel()
	opt := testNodeOptions(t)
	opt.ConnectXPUBNoDrop, opt.XPUBSndHWM, opt.XPUBSndBuf = false, 10, 4096
	n, r := startWithRaw(t, opt, nil)
	r.xsub.Subscribe(t, "a")
	await(t, "the subscription", func() bool { return n.XPUB().Matches([]byte("a")) })
	const events = 20_000
	for range events {
		if err := n.PublishEncoded("a", make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
	}
	s := n.Stats()
	if s.Published != events || s.XPUBDrops == 0 || s.XPUBDrops > events {
		t.Errorf("%+v", s)
	}
	if err := n.XPUB().Publish([]byte("a-marker")); err != nil {
		t.Fatal(err)
	}
	// The queue is full, so the marker may be dropped too; what was not comes.
	for range events - s.XPUBDrops {
		r.xsub.Recv(t)
	}
}

// A broker that is gone keeps its subscriptions, as with libzmq: up to the
// high-water mark events wait for it, and the rest is dropped.
func TestXPUBDropsWithKilledBroker(t *testing.T) {
	t.Parallel()
	p := zmqtest.Start(t)
	at := testEndpoints(t) // a port that is free again could be another test's
	p.BrokerAt(t, at.xsub, at.xpub)
	opt := testNodeOptions(t)
	opt.ConnectXPUBEndpoint, opt.ConnectXSUBEndpoint = at.xsub, at.xpub
	pub := newNode(t, opt)
	numbered(t, pub)
	startNode(t, pub)
	mustReady(t, pub)
	p.Kill(t)
	await(t, "the connections to end", func() bool { return pub.XPUB().Stats().Connections+pub.XSUB().Stats().Connections == 0 })
	for i := range uint64(5000) {
		if err := pub.Publish("test.numbers", "Test::number", i); (err == nil) != (i < 1000) {
			t.Fatalf("event %d: %v", i, err)
		}
	}
	if err := pub.Publish("other", "Test::number", uint64(0)); err != nil {
		t.Errorf("what nobody is subscribed to: %v", err)
	}
	if s := pub.Stats(); s.XPUBDrops != 4000 {
		t.Errorf("%+v", s)
	}
}

// With both high-water marks 0 nothing is lost, however slow the handler.
func TestNoHighWaterMarksLoseNothing(t *testing.T) {
	t.Parallel()
	b := testBroker(t, func(o *BrokerOptions) { o.XPUB.SndHWM, o.XPUB.QueueBytes = 0, 0 })
	opt := testNodeOptions(t).at(b)
	opt.XPUBSndHWM, opt.OnloopQueueHWM = 0, 0
	events := uint64(cheaper(fewer(300_000), 50_000)) // more than any queue has room for by default
	block := newLatch()
	sub, pub := newNode(t, opt), newNode(t, opt)
	sub.HandleTopic("", func(*Event) { block.wait() })
	block.endsWith(t)
	got := numbered(t, sub)
	startNode(t, sub)
	startNode(t, pub)
	mustReady(t, sub)
	mustReady(t, pub)
	for i := range events {
		if err := pub.Publish("test.numbers", "Test::number", i); err != nil {
			t.Fatal(err)
		}
	}
	await(t, "all to be received", func() bool { return sub.Stats().Received == events })
	block.open()
	await(t, "all to be handled", func() bool { return got.Load() == events })
	if s, p := sub.Stats(), pub.Stats(); s.OnloopDrops+p.XPUBDrops != 0 {
		t.Errorf("%+v\n%+v", s, p)
	}
}
