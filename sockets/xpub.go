package sockets

import (
	"net"
	"sync"
	"sync/atomic"

	"github.com/go-zeromq/zmq4"
)

// XPUB publishes to the peers that subscribed, and tells of their
// subscriptions. SUB and XSUB peers connect to it, or it to them.
//
// A peer's subscriptions are a set: a prefix taken three times is undone by one
// cancellation. On a bound socket they end with the connection, on a connecting
// one without Options.Immediate they outlive it, as do the messages queued (see
// libzmq's xpub.cpp).
type XPUB struct {
	socket
	onSubscription func(Subscription)

	mu    sync.Mutex // orders subscriptions; held while onSubscription runs
	root  atomic.Pointer[node]
	slots []*pipe // by pipe.slot; nil where free
	// held is the change reported last, kept until it is known whether More
	// follows.
	held    Subscription
	holding bool

	paused  atomic.Pointer[chan struct{}] // closed by Resume; nil while not paused
	publish sync.Mutex                    // one Publish at a time
	routers sync.Pool
	foreign atomic.Uint64
}

var _ kind = (*XPUB)(nil)

// NewXPUB makes an XPUB socket. onSubscription, which may be nil, is told of
// subscriptions and cancellations: of those that change the set of prefixes; with
// Options.Verbose also of every other subscription; with Options.Verboser also of
// every other cancellation. It is called by one goroutine at a time, in the order
// in which they take effect, and must not wait for the socket.
func NewXPUB(opt Options, onSubscription func(Subscription)) (*XPUB, error) {
	x := &XPUB{onSubscription: onSubscription}
	if x.onSubscription == nil {
		x.onSubscription = func(Subscription) {}
	}
	x.root.Store(&node{})
	x.routers.New = func() any { return newRouter(opt.TopicCounter) }
	if err := x.init(zmq4.XPub, opt, x); err != nil {
		return nil, err
	}
	return x, nil
}

// Publish queues a message for every peer whose subscription is a prefix of the
// first frame. Without one it is discarded. When the queue of one of them is full
// it returns ErrAgain and queues for none (Options.NoDrop), or drops it for that
// peer. It does not block and keeps nothing of frames. Messages of one goroutine
// reach each peer in order.
func (x *XPUB) Publish(frames ...[]byte) error {
	if len(frames) == 0 {
		return nil
	}
	x.publish.Lock()
	defer x.publish.Unlock()
	if x.isClosing() {
		return ErrClosed
	}
	r := x.routers.Get().(*router)
	defer x.routers.Put(r)
	set := r.lookup(x.root.Load(), frames[0]).set
	if x.opt.NoDrop {
		for _, p := range set {
			p.mu.Lock()
			full := !p.gone && p.room() == 0
			p.mu.Unlock()
			if full {
				return ErrAgain
			}
		}
	}
	size := messageSize(frames)
	for _, p := range set {
		p.mu.Lock()
		switch {
		case p.gone:
		case p.room() == 0:
			p.drop(1)
		default:
			p.send(frames, size)
			p.startWriter()
		}
		p.mu.Unlock()
	}
	return nil
}

// Prefixes returns the prefixes that peers are subscribed to, each once, in
// order.
func (x *XPUB) Prefixes() []string { return x.root.Load().prefixes(nil, "") }

// Matches reports whether a message whose first frame is topic has a subscriber.
func (x *XPUB) Matches(topic []byte) bool {
	for n := x.root.Load(); n != nil; n, topic = n.next(topic) {
		if len(n.peers) > 0 {
			return true
		}
	}
	return false
}

// Foreign returns the number of frames from subscribers that were neither a
// subscription nor a cancellation. They are dropped.
func (x *XPUB) Foreign() uint64 { return x.foreign.Load() }

// Peers returns the figures of all peers, in the order of their IDs.
func (x *XPUB) Peers() []PeerStats {
	list := x.socket.Peers()
	x.mu.Lock()
	defer x.mu.Unlock()
	subs := make(map[*Peer]int, len(x.slots))
	for _, p := range x.slots {
		if p != nil {
			subs[p.peer] = len(p.subs)
		}
	}
	for i := range list {
		list[i].Subscriptions = subs[list[i].Peer]
	}
	return list
}

func (x *XPUB) opened(p *pipe) {
	x.mu.Lock()
	defer x.mu.Unlock()
	p.subs = make(map[string]struct{})
	for i, o := range x.slots {
		if o == nil {
			p.slot = i
			x.slots[i] = p
			return
		}
	}
	p.slot = len(x.slots)
	x.slots = append(x.slots, p)
}

func (x *XPUB) attached(*pipe) {}

// lost keeps the subscriptions, but for a socket that is immediate: there, as in
// libzmq, nothing outlives a connection.
func (x *XPUB) lost(p *pipe) {
	if !x.opt.Immediate {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.cancelAll(p)
}

func (x *XPUB) ended(p *pipe) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.cancelAll(p)
	// Only now may another pipe get the slot: no tree holds both.
	x.slots[p.slot] = nil
}

// Pause makes the socket take nothing from its peers until Resume: their
// subscriptions wait in the kernel and with them. What a peer holds ends as ever
// when it leaves.
func (x *XPUB) Pause() {
	over := make(chan struct{})
	x.paused.CompareAndSwap(nil, &over)
}

// Resume ends Pause.
func (x *XPUB) Resume() {
	if over := x.paused.Swap(nil); over != nil {
		close(*over)
	}
}

// resumed waits for the end of a pause; an error says that the connection has
// ended first.
func (x *XPUB) resumed(p *pipe) error {
	over := x.paused.Load()
	if over == nil {
		return nil
	}
	p.mu.Lock()
	c := p.conn
	p.mu.Unlock()
	select {
	case <-*over:
		return nil
	case <-c.done:
		return net.ErrClosed
	case <-x.closing:
		return ErrClosed
	}
}

// maxLoggedPrefixes bounds what a log line tells of a peer's subscriptions.
const maxLoggedPrefixes = 8

func (x *XPUB) prefixes(peer *Peer) []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, p := range x.slots {
		if p == nil || p.peer != peer {
			continue
		}
		var list []string
		for prefix := range p.subs {
			if list = append(list, quoted([]byte(prefix))); len(list) == maxLoggedPrefixes {
				break
			}
		}
		return list
	}
	return nil
}
