package sockets

import (
	"context"

	"github.com/go-zeromq/zmq4"
)

// PULL receives what PUSH peers send it. Every connection is read by itself, so
// no peer takes another's turn.
type PULL struct {
	socket
	onBatch func(Batch)
}

var _ kind = (*PULL)(nil)

// NewPULL makes a PULL socket. onBatch gets what its peers send, on the
// goroutine that reads the peer's connection: batches of one peer in order, those
// of several peers at the same time. While it runs, that connection is not read.
func NewPULL(opt Options, onBatch func(Batch)) (*PULL, error) {
	x := &PULL{onBatch: onBatch}
	if err := x.init(zmq4.Pull, opt, x); err != nil {
		return nil, err
	}
	return x, nil
}

// Drain takes in what the peers have handed over, for the end of a receiver: it
// stops accepting and dialling, lets every connection be read until nothing more
// is there, and ends it. It returns when no connection is left, or when ctx ends,
// whose error it then returns; connections still there are ended by Close. Peers
// that go on sending can make it last as long as ctx does.
func (x *PULL) Drain(ctx context.Context) error { return x.drain(ctx) }

func (x *PULL) opened(*pipe) {}

func (x *PULL) attached(*pipe) {}

func (x *PULL) received(_ *pipe, b Batch) error {
	x.onBatch(b)
	return nil
}

func (x *PULL) subscription(_ *pipe, _ []byte, subscribe bool) error {
	return noSubscription(x.typ, subscribe)
}

func (x *PULL) lost(*pipe) {}

func (x *PULL) ended(*pipe) {}

func (x *PULL) prefixes(*Peer) []string { return nil }
