package node

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/znode/znode/node/internal/spool"
	"github.com/znode/znode/sockets"
)

// logSerializer is the name on the wire of the only serializer for logs.
const logSerializer = "zeek-bin-serializer"

// A parcel is a batch of messages kept from a socket. It lives until all of its
// messages are written, refused or in the spool.
type parcel struct {
	batch sockets.Batch
	own   []byte // a copy of one message, for which there is no batch
	peer  *sockets.Peer
	held  int64 // memory that it keeps alive
	data  int64 // bytes of its messages, of which there are fewer
	at    int64 // when it was received, in nanoseconds since 1970
	left  atomic.Int32
}

var parcels = sync.Pool{New: func() any { return new(parcel) }}

func (p *parcel) addr() string { return p.peer.Addr() }

// share is the part of the parcel's memory that goes with n of its bytes.
func (p *parcel) share(n int) int64 {
	return int64(n) * p.held / p.data
}

// done says that n messages of the parcel are finished with.
func (l *Logger) done(p *parcel, n int32) {
	if p.left.Add(-n) > 0 {
		return
	}
	if p.own == nil {
		p.batch.Release()
	}
	p.batch, p.own, p.peer = sockets.Batch{}, nil, nil
	l.budget.give(p.held)
	parcels.Put(p)
}

// receive is called with what a peer sent, by the goroutine of its connection.
// Waiting here is what holds the peer back.
func (l *Logger) receive(b sockets.Batch) {
	l.hooks().hasReceived(b.Len())
	p := parcels.Get().(*parcel)
	p.batch, p.peer = b.Keep(), b.Peer()
	p.held = int64(p.batch.Held())
	p.data = int64(len(p.batch.Bytes()))
	p.at = time.Now().UnixNano()
	p.left.Store(int32(b.Len()))
	l.budget.take(p.held)
	l.inRing.take(p.held)
	l.received.Add(uint64(b.Len()))
	l.receivedBytes.Add(uint64(b.BodyBytes()))
	l.ring.Force(p)
}

// A logItem is one batch of log writes on its way to its lane's file. It is in
// memory, and with a journal in the spool too.
type logItem struct {
	sender  []byte // its node ID
	payload []byte
	parcel  *parcel // whose memory these are in; nil when they are from the spool
	at      int64   // when it was received, in nanoseconds since 1970
	seq     uint64  // its number; see package spool

	// ref is the entry of the spool that ends with this item, if entry is true.
	ref   spool.Ref
	entry bool
	// loose: it should be in the spool and is not.
	loose bool

	file *logFile // whose buffer has the lines; nil before, and if there are none
}

// copyOut gives an item memory of its own if that keeps alive much less than its
// parcel: for an item that may have to wait, while others of the parcel do not.
func (l *Logger) copyOut(it *logItem) {
	from := it.parcel
	n := len(it.sender) + len(it.payload)
	if from.own != nil || int64(4*n) > from.held {
		return
	}
	own := append(append(make([]byte, 0, n), it.sender...), it.payload...)
	p := parcels.Get().(*parcel)
	p.own, p.peer, p.at = own, from.peer, from.at
	p.held, p.data = int64(n), int64(n)
	p.left.Store(1)
	it.sender, it.payload, it.parcel = own[:len(it.sender):len(it.sender)], own[len(it.sender):], p
	l.budget.force(p.held)
	l.done(from, 1)
}

// cost is the memory that the item keeps alive.
func (it *logItem) cost() int64 {
	if it.parcel == nil {
		return 0
	}
	return it.parcel.share(len(it.payload))
}
