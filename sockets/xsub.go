package sockets

import (
	"maps"
	"slices"
	"sync"

	"github.com/go-zeromq/zmq4"
)

// XSUB subscribes to publishers and receives what they publish. PUB and XPUB
// peers connect to it, or it to them. Every peer is sent all subscriptions, a new
// or reconnected one at once all current ones, each prefix once (see libzmq's
// xsub.cpp). To peers of any version they go as messages, never as commands.
type XSUB struct {
	socket
	onBatch func(Batch)

	mu    sync.Mutex // orders what is sent upstream
	subs  map[string]int
	pipes []*pipe // those connected
	// relay is what Relay has collected to be sent in one piece.
	relay  []byte
	relayN int
}

var _ kind = (*XSUB)(nil)

// NewXSUB makes an XSUB socket. onBatch gets what its peers send, on the
// goroutine that reads the peer's connection: batches of one peer in order, those
// of several peers at the same time. While it runs, that connection is not read.
func NewXSUB(opt Options, onBatch func(Batch)) (*XSUB, error) {
	x := &XSUB{onBatch: onBatch, subs: make(map[string]int)}
	if err := x.init(zmq4.XSub, opt, x); err != nil {
		return nil, err
	}
	return x, nil
}

// Subscribe asks all publishers for the messages that begin with prefix, the
// empty prefix for all. Subscriptions are counted: each takes its own Cancel. A
// duplicate is sent too.
func (x *XSUB) Subscribe(prefix []byte) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.subs[string(prefix)]++
	x.sendAll(1, prefix)
}

// Cancel takes back one Subscribe. The last one for a prefix is sent; one too
// many is not.
func (x *XSUB) Cancel(prefix []byte) {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch n := x.subs[string(prefix)]; n {
	case 0:
	case 1:
		delete(x.subs, string(prefix))
		x.sendAll(0, prefix)
	default:
		x.subs[string(prefix)] = n - 1
	}
}

// Relay passes on what an XPUB reports, for a broker: every subscription, and a
// cancellation when the last holder of the prefix has gone. It reports whether
// it was passed on. Prefixes are held once, however often they are subscribed
// to, so that none is left over when holders leave without a word. Relay is not
// to be mixed with Subscribe and Cancel.
//
// Changes with More are collected and sent with the next one that has none.
func (x *XSUB) Relay(s Subscription) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	first := byte(0)
	switch {
	case s.Subscribe:
		first = 1
		x.subs[string(s.Prefix)] = 1
	case s.Changed:
		delete(x.subs, string(s.Prefix))
	}
	x.tellEach(s.Prefix, s.Subscribe)
	passed := s.Subscribe || s.Changed
	if passed {
		x.relay = appendSubscription(x.relay, first, s.Prefix)
		x.relayN++
	}
	if !s.More {
		x.flushRelay()
	}
	return passed
}

// flushRelay sends what Relay has collected. The caller holds x.mu.
func (x *XSUB) flushRelay() {
	for _, p := range x.pipes {
		if p.view.limited() {
			p.sendView()
		} else {
			p.sendForced(x.relay, x.relayN)
		}
	}
	x.relay, x.relayN = x.relay[:0], 0
	if cap(x.relay) > maxGrow {
		x.relay = nil
	}
}

// Connected returns the number of peers that are connected.
func (x *XSUB) Connected() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.pipes)
}

// appendSubscription appends the message that subscribes (first 1) or cancels
// (first 0).
func appendSubscription[T string | []byte](dst []byte, first byte, prefix T) []byte {
	dst = append(appendHeader(dst, 0, 1+len(prefix)), first)
	return append(dst, prefix...)
}

func (x *XSUB) sendAll(first byte, prefix []byte) {
	var small [64]byte
	msg := appendSubscription(small[:0], first, prefix)
	x.tellEach(prefix, first == 1)
	for _, p := range x.pipes {
		if p.view.limited() {
			p.sendView()
		} else {
			p.sendForced(msg, 1)
		}
	}
}

func (x *XSUB) opened(*pipe) {}

func (x *XSUB) attached(p *pipe) {
	x.mu.Lock()
	defer x.mu.Unlock()
	// What is collected goes to those who were there; the new one gets all.
	x.flushRelay()
	x.pipes = append(x.pipes, p)
	p.view = view{sees: x.sight(p)}
	if p.view.limited() {
		x.tellAll(p)
		return
	}
	var all []byte
	for _, prefix := range x.sorted() {
		all = appendSubscription(all, 1, prefix)
	}
	p.sendForced(all, len(x.subs))
}

// sorted returns all prefixes in order.
func (x *XSUB) sorted() []string { return slices.Sorted(maps.Keys(x.subs)) }

func (x *XSUB) received(_ *pipe, b Batch) error {
	x.onBatch(b)
	return nil
}

func (x *XSUB) subscription(_ *pipe, _ []byte, subscribe bool) error {
	return noSubscription(x.typ, subscribe)
}

// lost forgets what was not sent: the next connection gets the whole state.
func (x *XSUB) lost(p *pipe) {
	p.detach(false, true)
	x.remove(p)
}

func (x *XSUB) ended(p *pipe) { x.remove(p) }

func (x *XSUB) remove(p *pipe) {
	x.mu.Lock()
	x.pipes = slices.DeleteFunc(x.pipes, func(o *pipe) bool { return o == p })
	x.mu.Unlock()
}

func (x *XSUB) prefixes(*Peer) []string { return nil }
