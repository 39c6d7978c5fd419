package node

import (
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/znode/znode/sockets"
)

// BrokerOptions configures a [Broker].
type BrokerOptions struct {
	// Node is the value of the metrics' label "node".
	Node string
	// ListenXSUBEndpoint is where nodes connect their XPUB sockets, to publish.
	// Zeek's default is tcp://127.0.0.1:5556.
	ListenXSUBEndpoint string
	// ListenXPUBEndpoint is where nodes connect their XSUB sockets, to
	// subscribe. Zeek's default is tcp://127.0.0.1:5555.
	ListenXPUBEndpoint string
	// XSUB and XPUB configure the sockets. Verboser is set whatever they say.
	XSUB, XPUB sockets.Options
	// Curve, if not nil, makes both sockets CURVE servers that take only its
	// clients, with the rights that these have.
	Curve *CurveServer
	// Log gets the few lines the broker writes; nil discards them.
	Log *slog.Logger
}

// DefaultBrokerOptions returns Zeek's endpoints and queues, and our rule for
// slow subscribers.
func DefaultBrokerOptions() BrokerOptions {
	o := BrokerOptions{
		Node:               "znode",
		ListenXSUBEndpoint: "tcp://127.0.0.1:5556",
		ListenXPUBEndpoint: "tcp://127.0.0.1:5555",
		XSUB:               sockets.DefaultOptions(),
		XPUB:               sockets.DefaultOptions(),
	}
	o.XPUB.NoDrop = true
	o.XPUB.SlowGrace = DefaultSlowSubscriberGrace
	o.XSUB.Linger, o.XPUB.Linger = DefaultLinger, DefaultLinger
	return o
}

// ProxyStats counts what passed a broker, as ZeroMQ's steerable proxy does: each
// message once, however many get it; bytes are those of the frames' bodies. The
// frontend is the XSUB side, the backend the XPUB side.
type ProxyStats struct {
	FrontendMessagesReceived, FrontendBytesReceived uint64
	FrontendMessagesSent, FrontendBytesSent         uint64
	BackendMessagesReceived, BackendBytesReceived   uint64
	BackendMessagesSent, BackendBytesSent           uint64
}

// Broker forwards events from every node to the nodes that subscribed to them,
// and every node's subscriptions to all nodes.
//
// Events of one node reach each subscriber in the order they were published.
// Subscriptions are forwarded as Zeek's proxy does (XPUB_VERBOSER), but a prefix
// is cancelled when its last holder leaves it, however often it was subscribed
// to. Nothing is sent to a peer that did not ask for it.
type Broker struct {
	opt  BrokerOptions
	xsub *sockets.XSUB
	xpub *sockets.XPUB

	xsubEndpoint, xpubEndpoint string

	late                             *lateLog // of refusals; nil without CURVE
	topics                           *topics
	series                           *peerSeries
	events, eventBytes               atomic.Uint64
	refused, refusedBytes            atomic.Uint64 // of the events
	subscriptions, subscriptionBytes atomic.Uint64

	paused  atomic.Pointer[pause] // nil while running; written under mu
	mu      sync.Mutex            // orders subscriptions with Pause and Resume
	pending []heldSubscription
	closed  bool
}

// pause is one time between Pause and Resume.
type pause struct{ over chan struct{} }

// heldSubscription is a change of subscriptions while the broker was paused: a node
// left, or had just been read from. So they are never more than there were nodes'
// subscriptions when the pause began.
type heldSubscription struct {
	prefix             string
	subscribe, changed bool
}

// NewBroker binds both endpoints and starts forwarding.
func NewBroker(opt BrokerOptions) (*Broker, error) {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	b := &Broker{opt: opt, topics: newTopics(), series: newPeerSeries(maxPeerSeries)}
	xpub := opt.XPUB
	xpub.Verboser = true
	xpub.TopicCounter = b.topics.counter
	xsub := opt.XSUB
	b.secure(&xsub, &xpub)
	var err error
	if b.xpub, err = sockets.NewXPUB(xpub, b.subscription); err != nil {
		b.late.close()
		return nil, fmt.Errorf("broker: %w", err)
	}
	if b.xsub, err = sockets.NewXSUB(xsub, b.forward); err != nil {
		b.xpub.Close()
		b.late.close()
		return nil, fmt.Errorf("broker: %w", err)
	}
	if b.xsubEndpoint, err = b.xsub.Bind(opt.ListenXSUBEndpoint); err == nil {
		b.xpubEndpoint, err = b.xpub.Bind(opt.ListenXPUBEndpoint)
	}
	if err != nil {
		b.xsub.Close()
		b.xpub.Close()
		b.late.close()
		return nil, fmt.Errorf("broker: %w", err)
	}
	opt.Log.Info("broker listens", "xsub", b.xsubEndpoint, "xpub", b.xpubEndpoint)
	return b, nil
}

// XSUBEndpoint returns the endpoint where nodes publish, with the real port.
func (b *Broker) XSUBEndpoint() string { return b.xsubEndpoint }

// XPUBEndpoint returns the endpoint where nodes subscribe, with the real port.
func (b *Broker) XPUBEndpoint() string { return b.xpubEndpoint }

// XSUB returns the socket nodes publish to, for its figures.
func (b *Broker) XSUB() *sockets.XSUB { return b.xsub }

// XPUB returns the socket nodes subscribe at, for its figures.
func (b *Broker) XPUB() *sockets.XPUB { return b.xpub }

// forward is called with the events of one node, by the reader of its
// connection.
func (b *Broker) forward(batch sockets.Batch) {
	if p := b.paused.Load(); p != nil {
		batch.Flush()
		<-p.over
	}
	b.events.Add(uint64(batch.Len()))
	b.eventBytes.Add(uint64(batch.BodyBytes()))
	if b.opt.Curve == nil {
		b.xpub.Forward(batch)
	} else {
		b.forwardFor(batch)
	}
}

// subscription is called with every subscription and cancellation, one at a
// time.
func (b *Broker) subscription(s sockets.Subscription) {
	b.subscriptions.Add(1)
	b.subscriptionBytes.Add(uint64(1 + len(s.Prefix)))
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.paused.Load() != nil {
		b.pending = append(b.pending, heldSubscription{string(s.Prefix), s.Subscribe, s.Changed})
		return
	}
	b.xsub.Relay(s)
}

// Pause stops forwarding, of events and of subscriptions, until Resume. Both wait
// at their senders. Nodes that leave meanwhile are told of afterwards.
func (b *Broker) Pause() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.paused.Load() == nil && !b.closed {
		b.paused.Store(&pause{over: make(chan struct{})})
		b.xpub.Pause()
	}
}

// Resume ends Pause.
func (b *Broker) Resume() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.resume()
}

func (b *Broker) resume() {
	p := b.paused.Load()
	if p == nil {
		return
	}
	for i, s := range b.pending {
		b.xsub.Relay(sockets.Subscription{
			Prefix: []byte(s.prefix), Subscribe: s.subscribe, Changed: s.changed, More: i < len(b.pending)-1,
		})
	}
	b.pending = nil
	b.paused.Store(nil)
	close(p.over)
	b.xpub.Resume()
}

// Stats returns the proxy's figures.
func (b *Broker) Stats() ProxyStats {
	// Refused ones first: they were counted last.
	refused, refusedBytes := b.refused.Load(), b.refusedBytes.Load()
	events, eventBytes := b.events.Load(), b.eventBytes.Load()
	subs, subBytes := b.subscriptions.Load(), b.subscriptionBytes.Load()
	return ProxyStats{
		FrontendMessagesReceived: events, FrontendBytesReceived: eventBytes,
		FrontendMessagesSent: subs, FrontendBytesSent: subBytes,
		BackendMessagesReceived: subs, BackendBytesReceived: subBytes,
		BackendMessagesSent: events - refused, BackendBytesSent: eventBytes - refusedBytes,
	}
}

// Close stops taking events, sends what is queued, for as long as the options'
// Linger says, and closes all connections. Later calls wait for the first.
func (b *Broker) Close() error {
	b.mu.Lock()
	b.closed = true
	b.resume()
	b.mu.Unlock()
	// The side that events come from is closed first, so that nothing new is
	// queued while the other one lingers. It waits for those who forward what
	// they have read, and they perhaps for a slow subscriber: not for ever.
	if linger := b.opt.XPUB.Linger; linger >= 0 {
		hurry := time.AfterFunc(linger, b.xpub.Hurry)
		defer hurry.Stop()
	}
	b.xsub.Close()
	b.xpub.Close()
	b.late.close()
	s := b.Stats()
	b.opt.Log.Info("broker stopped", "events", s.FrontendMessagesReceived, "subscriptions", s.BackendMessagesReceived)
	return nil
}
