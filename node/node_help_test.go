package node

import (
	"context"
	"log/slog"
	"os"
	"sync"
	"testing"

	"github.com/znode/znode/codec"
	"github.com/znode/znode/sockets"
	"github.com/znode/znode/sockets/zmqtest"
)

// testNodeOptions are the defaults, connected to nothing, logging to the test.
func testNodeOptions(t testing.TB) Options {
	opt := DefaultOptions()
	opt.ConnectXPUBEndpoint, opt.ConnectXSUBEndpoint = "", ""
	opt.Linger = 0
	opt.Log = slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	opt.Sockets.Log = slog.New(slog.DiscardHandler)
	return opt
}

// newNode makes a node that is closed with the test, if not before.
func newNode(t testing.TB, opt Options) *Node {
	t.Helper()
	n, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n
}

// startNode starts a node.
func startNode(t testing.TB, n *Node) {
	t.Helper()
	if err := n.Start(); err != nil {
		t.Fatal(err)
	}
}

// testBroker is a broker on ports that the kernel chooses.
func testBroker(t testing.TB, change func(*BrokerOptions)) *Broker {
	t.Helper()
	opt := DefaultBrokerOptions()
	opt.ListenXSUBEndpoint, opt.ListenXPUBEndpoint = zmqtest.Loopback, zmqtest.Loopback
	opt.XSUB.Linger, opt.XPUB.Linger = 0, 0
	// A loaded machine must not make a test drop: whoever is slow is waited for.
	opt.XPUB.SlowGrace = -1
	if change != nil {
		change(&opt)
	}
	b, err := NewBroker(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// at makes the options connect to a broker.
func (o Options) at(b *Broker) Options {
	o.ConnectXPUBEndpoint, o.ConnectXSUBEndpoint = b.XSUBEndpoint(), b.XPUBEndpoint()
	return o
}

// rawBroker stands for a broker: two raw peers that a node has connected to.
type rawBroker struct {
	xsub *zmqtest.Raw // gets what the node publishes
	xpub *zmqtest.Raw // sends what the node receives

	listenXSUB, listenXPUB *zmqtest.Listener
}

// appendFrames is the wire form of a message.
func appendFrames(frames [][]byte) sockets.Message { return sockets.AppendMessage(nil, frames...) }

// startWithRaw starts a node of these options at a raw broker.
func startWithRaw(t testing.TB, opt Options, prepare func(*Node)) (*Node, *rawBroker) {
	t.Helper()
	xsub, xpub := zmqtest.Listen(t, "tcp://127.0.0.1:0"), zmqtest.Listen(t, "tcp://127.0.0.1:0")
	opt.ConnectXPUBEndpoint, opt.ConnectXSUBEndpoint = xsub.Endpoint, xpub.Endpoint
	n := newNode(t, opt)
	if prepare != nil {
		prepare(n)
	}
	startNode(t, n)
	r := &rawBroker{xsub: xsub.Accept(t), xpub: xpub.Accept(t), listenXSUB: xsub, listenXPUB: xpub}
	r.xsub.Handshake(t, "XSUB")
	r.xpub.Handshake(t, "XPUB")
	return n, r
}

// relay passes on the node's own next subscription or cancellation, as a broker
// does, and returns it.
func (r *rawBroker) relay(t testing.TB) string {
	t.Helper()
	frames := r.xpub.Recv(t)
	r.xsub.Send(t, frames...)
	return string(frames[0])
}

// testEvent is an event of about 200 bytes on the wire.
func testEvent(t testing.TB, topic, sender, name string) []byte {
	t.Helper()
	payload, err := codec.AppendEventArgs(nil, name, uint64(5), "CHhAvVGS1DHFjwGM9", "10.0.0.1", int64(-1))
	if err != nil {
		t.Fatal(err)
	}
	return sockets.AppendMessage(nil, []byte(topic), []byte(sender), []byte(BrokerBinV1), payload)
}

// patience is a context for what must not take long.
func patience(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), zmqtest.Patience)
	t.Cleanup(cancel)
	return ctx
}

func mustReady(t testing.TB, n *Node) {
	t.Helper()
	if err := n.WaitReady(patience(t)); err != nil {
		t.Fatal(err)
	}
}

// onLoop runs f on the loop and returns its result.
func onLoop[T any](n *Node, f func() T) T {
	result := make(chan T, 1)
	if n.Do(func() { result <- f() }) != nil {
		panic("onLoop on a closed node")
	}
	return <-result
}

func readFile(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil || len(b) == 0 {
		t.Fatalf("%s: %d bytes, %v", name, len(b), err)
	}
	return string(b)
}

// latch holds handlers up until it is opened.
type latch struct {
	c    chan struct{}
	once sync.Once
}

func newLatch() *latch { return &latch{c: make(chan struct{})} }

func (l *latch) wait() { <-l.c }

func (l *latch) open() { l.once.Do(func() { close(l.c) }) }

// endsWith opens the latch with the test, also with one that fails. To be called
// after the node was made, so that it comes before the node's Close.
func (l *latch) endsWith(t testing.TB) { t.Cleanup(l.open) }
