package node

import (
	"encoding/binary"
	"sync"
	"sync/atomic"

	"github.com/znode/znode/codec"
	"github.com/znode/znode/node/internal/logname"
	"github.com/znode/znode/sockets"
)

// logSerializer is the name on the wire of the only serializer for logs.
const logSerializer = "zeek-bin-serializer"

// A parcel is a batch of messages kept from a socket. It lives until all of its
// messages are written or refused.
type parcel struct {
	batch sockets.Batch
	held  int64
	left  atomic.Int32
}

var parcels = sync.Pool{New: func() any { return new(parcel) }}

func (p *parcel) addr() string { return p.batch.Peer().Addr() }

// done says that n messages of the parcel are finished with.
func (l *Logger) done(p *parcel, n int32) {
	if p.left.Add(-n) > 0 {
		return
	}
	p.batch.Release()
	p.batch = sockets.Batch{}
	l.budget.give(p.held)
	parcels.Put(p)
}

// receive is called with what a peer sent, by the goroutine of its connection.
// Waiting here is what holds the peer back.
func (l *Logger) receive(b sockets.Batch) {
	p := parcels.Get().(*parcel)
	p.batch = b.Keep()
	p.held = int64(p.batch.Held())
	p.left.Store(int32(b.Len()))
	l.budget.take(p.held)
	l.received.Add(uint64(b.Len()))
	l.receivedBytes.Add(uint64(b.BodyBytes()))
	l.ring.Force(p)
}

// router hands the messages to the lanes of their paths. It is the only one to
// make lanes.
type router struct {
	l       *Logger
	touched []*lane // that have got something and not been told

	mu    sync.Mutex // for the map: writing by run, reading by others
	lanes map[string]*lane
}

func (r *router) init(l *Logger) {
	r.l = l
	r.lanes = make(map[string]*lane)
}

// run is the router's goroutine; it ends when the ring is closed and empty, and
// then ends the lanes.
func (r *router) run() {
	var buf [64]*parcel
	for r.l.ring.Wait() {
		n := r.l.ring.Drain(buf[:])
		for _, p := range buf[:n] {
			r.route(p)
		}
		clear(buf[:n])
		for _, ln := range r.touched {
			ln.deliver()
		}
		r.touched = r.touched[:0]
	}
	for _, ln := range r.list() {
		ln.end()
	}
}

func (r *router) list() []*lane {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]*lane, 0, len(r.lanes))
	for _, ln := range r.lanes {
		list = append(list, ln)
	}
	return list
}

// errors returns what the lanes could not write; for after their end.
func (r *router) errors() []error {
	var errs []error
	for _, ln := range r.list() {
		if ln.err != nil {
			errs = append(errs, ln.err)
		}
	}
	return errs
}

func (r *router) route(p *parcel) {
	for m := range p.batch.Messages() {
		_, sender, serializer, payload, frames := m.Split()
		switch {
		case frames != 4:
			if log, ok := r.l.refuse(refusedFrames); ok {
				log.Warn("log message refused", "peer", p.addr(), "frames", frames)
			}
		case string(serializer) != logSerializer:
			if log, ok := r.l.refuse(refusedSerializer); ok {
				log.Warn("log message refused", "peer", p.addr(), "sender", quoted(sender), "serializer", quoted(serializer))
			}
		default:
			if ln := r.lane(p, payload); ln != nil {
				if len(ln.staged) == 0 {
					r.touched = append(r.touched, ln)
				}
				ln.staged = append(ln.staged, item{payload: payload, parcel: p})
				continue
			}
		}
		r.l.done(p, 1)
	}
}

// lane returns the lane for a batch, nil if it is refused.
func (r *router) lane(p *parcel, payload []byte) *lane {
	path, ok := batchPath(payload)
	if !ok {
		var b codec.Batch
		r.l.refuseBatch(p, &b, b.DecodeHeader(payload))
		return nil
	}
	if ln := r.lanes[string(path)]; ln != nil {
		return ln
	}
	name, err := logname.FromPath(path)
	if err != nil {
		if log, ok := r.l.refuse(refusedPath); ok {
			log.Warn("log batch refused", "peer", p.addr(), "path", quoted(path), "error", err)
		}
		return nil
	}
	if len(r.lanes) >= r.l.opt.MaxStreams {
		if log, ok := r.l.refuse(refusedStreams); ok {
			log.Warn("log batch refused", "peer", p.addr(), "path", quoted(path), "max_streams", r.l.opt.MaxStreams)
		}
		return nil
	}
	ln := newLane(r.l, name)
	r.mu.Lock()
	r.lanes[string(path)] = ln
	r.mu.Unlock()
	r.l.wg.Go(ln.run)
	return ln
}

// batchPath finds the path of an encoded batch: the fourth of the strings it
// begins with.
func batchPath(payload []byte) (path []byte, ok bool) {
	for range 4 {
		if len(payload) < 4 {
			return nil, false
		}
		n := binary.BigEndian.Uint32(payload)
		if uint64(n) > uint64(len(payload)-4) {
			return nil, false
		}
		path, payload = payload[4:4+n], payload[4+n:]
	}
	return path, true
}
