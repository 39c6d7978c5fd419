package sockets

import (
	"context"
	"slices"
	"sync"

	"github.com/go-zeromq/zmq4"
)

// PUSH sends every message to one of its PULL peers, in turn, leaving out those
// that have no room. A connecting socket queues for an endpoint from Connect on,
// also while nobody is there, unless Options.Immediate is set.
type PUSH struct {
	socket

	mu    sync.Mutex
	pipes []*pipe
	next  int // index of the pipe whose turn it is
	// changed is closed, and replaced, when a pipe has come or is connected.
	changed chan struct{}
}

var _ kind = (*PUSH)(nil)

// NewPUSH makes a PUSH socket.
func NewPUSH(opt Options) (*PUSH, error) {
	x := &PUSH{changed: make(chan struct{})}
	if err := x.init(zmq4.Push, opt, x); err != nil {
		return nil, err
	}
	return x, nil
}

// Send queues a message for the next peer that has room. It returns ErrAgain
// when none has. It does not block and keeps nothing of frames. Messages to one
// peer arrive in the order they were sent.
func (x *PUSH) Send(frames ...[]byte) error {
	if len(frames) == 0 {
		return nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.send(frames)
}

func (x *PUSH) send(frames [][]byte) error {
	if x.isClosing() {
		return ErrClosed
	}
	size := messageSize(frames)
	for i := range x.pipes {
		turn := (x.next + i) % len(x.pipes)
		p := x.pipes[turn]
		p.mu.Lock()
		if p.gone || p.conn == nil && x.opt.Immediate || p.room() == 0 {
			p.mu.Unlock()
			continue
		}
		p.send(frames, size)
		p.startWriter()
		p.mu.Unlock()
		x.next = turn + 1
		return nil
	}
	return ErrAgain
}

// SendContext is Send, but waits for room until ctx ends, whose error it then
// returns.
func (x *PUSH) SendContext(ctx context.Context, frames ...[]byte) error {
	if len(frames) == 0 {
		return nil
	}
	var w *waiter
	for {
		x.mu.Lock()
		err := x.send(frames)
		if err != ErrAgain {
			x.mu.Unlock()
			return err
		}
		if w == nil {
			w = newWaiter()
		}
		waiting := slices.Clone(x.pipes)
		changed := x.changed
		ready := false
		for _, p := range waiting {
			ready = p.waitForRoom(w, x.opt.Immediate) || ready
		}
		x.mu.Unlock()
		if !ready {
			select {
			case <-w.woken:
			case <-changed:
			case <-ctx.Done():
				err = ctx.Err()
			case <-x.closing:
				err = ErrClosed
			}
		}
		for _, p := range waiting {
			p.mu.Lock()
			p.forget(w)
			p.mu.Unlock()
		}
		if err != ErrAgain {
			return err
		}
	}
}

// waitForRoom has w woken when the pipe has room; it is true if it has by now.
func (p *pipe) waitForRoom(w *waiter, immediate bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone || p.conn == nil && immediate {
		return false
	}
	if p.room() > 0 {
		return true
	}
	p.slow.waiters = append(p.slow.waiters, w)
	return false
}

// tellChanged wakes those who wait for a peer. The caller holds x.mu.
func (x *PUSH) tellChanged() {
	close(x.changed)
	x.changed = make(chan struct{})
}

func (x *PUSH) opened(p *pipe) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.pipes = append(x.pipes, p)
	x.tellChanged()
}

func (x *PUSH) attached(*pipe) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.tellChanged()
}

// received ignores what a PULL sends: it has nothing to say.
func (x *PUSH) received(*pipe, Batch) error {
	return protocolErrorf(ReasonFrame, "a message from a PULL peer")
}

func (x *PUSH) subscription(_ *pipe, _ []byte, subscribe bool) error {
	return noSubscription(x.typ, subscribe)
}

func (x *PUSH) lost(*pipe) {}

func (x *PUSH) ended(p *pipe) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.pipes = slices.DeleteFunc(x.pipes, func(o *pipe) bool { return o == p })
}

func (x *PUSH) prefixes(*Peer) []string { return nil }
