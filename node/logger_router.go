package node

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/znode/znode/codec"
	"github.com/znode/znode/node/internal/logname"
)

// router hands messages to the lanes of their paths, through the spool where
// that is needed. It is the only one to make lanes and to append to the spool.
type router struct {
	l       *Logger
	touched []*lane      // that have something staged
	oldest  atomic.Int64 // when the first of what is being routed was received; 0 if there is nothing

	mu    sync.Mutex // for the map: writing by run, reading by others
	lanes map[string]*lane
	past  []*lane // that made room for others; kept for their counters

	evictAfter time.Time // when it is worth looking for a lane to evict again
}

func (r *router) init(l *Logger) {
	r.l = l
	r.lanes = make(map[string]*lane)
}

// idleEvery is how often the router looks whether the spool can rest.
const idleEvery = time.Second

// run is the router's goroutine; it ends when the ring is closed and empty, and
// then ends the lanes.
func (r *router) run() {
	r.l.recoverSpool()
	idle := time.NewTicker(idleEvery)
	defer idle.Stop()
	var buf [64]*parcel
	for {
		n := r.l.ring.Drain(buf[:])
		if n == 0 {
			if r.l.ring.Ended() {
				break
			}
			select {
			case <-r.l.ring.Ready():
			case <-idle.C:
				r.l.store.spool.Rest()
			}
			continue
		}
		r.oldest.Store(buf[0].at)
		for _, p := range buf[:n] {
			held := p.held
			r.route(p)
			r.l.inRing.give(held)
		}
		clear(buf[:n])
		r.l.store.deliver(r.touched)
		clear(r.touched)
		r.touched = r.touched[:0]
		r.oldest.Store(0)
	}
	r.l.store.end()
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

// all is list and the lanes that have made room for others.
func (r *router) all() []*lane {
	list := r.list()
	r.mu.Lock()
	defer r.mu.Unlock()
	return append(list, r.past...)
}

// rotate tells all lanes to rotate their files.
func (r *router) rotate() {
	for _, ln := range r.list() {
		ln.askToRotate()
	}
}

// route looks at the messages of a parcel and stages them.
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
			it := logItem{sender: sender, payload: payload, parcel: p, at: p.at}
			if ln := r.lane(&it); ln != nil {
				if len(ln.staged) == 0 {
					r.touched = append(r.touched, ln)
				}
				ln.staged = append(ln.staged, it)
				continue
			}
		}
		r.l.done(p, 1)
	}
}

// lane returns the lane for a batch, nil if it is refused.
func (r *router) lane(it *logItem) *lane {
	stream, path, ok := batchNames(it.payload)
	if !ok {
		var b codec.Batch
		r.l.refuseBatch(refusedBatch, it, &b, b.DecodeHeader(it.payload))
		return nil
	}
	if ln := r.lanes[string(path)]; ln != nil {
		return ln
	}
	name, err := logname.FromPath(path)
	if err != nil {
		r.l.refuseBatch(refusedPath, it, &codec.Batch{Stream: stream, Path: path}, err)
		return nil
	}
	if len(r.lanes) >= r.l.opt.MaxStreams && !r.evict() {
		r.l.refuseBatch(refusedStreams, it, &codec.Batch{Stream: stream, Path: path}, errStreams)
		return nil
	}
	return r.newLane(string(path), name)
}

var errStreams = errors.New("as many logs as max streams are being written")

// newLane makes and starts a lane.
func (r *router) newLane(path, name string) *lane {
	ln := newLane(r.l, path, name)
	r.mu.Lock()
	r.lanes[path] = ln
	r.mu.Unlock()
	r.l.work.Go(ln.run)
	return ln
}

// evict ends a lane that has nothing to do and no file: what is left of a peer
// that sent garbage, or of a log that was rotated and is not written any more.
func (r *router) evict() bool {
	if time.Now().Before(r.evictAfter) {
		return false
	}
	for path, ln := range r.lanes {
		if len(ln.staged) > 0 || !ln.endIfIdle() {
			continue
		}
		r.mu.Lock()
		delete(r.lanes, path)
		if len(r.past) < maxPast {
			r.past = append(r.past, ln)
		}
		r.mu.Unlock()
		return true
	}
	r.evictAfter = time.Now().Add(evictPause)
	return false
}

const (
	// maxPast bounds the lanes whose counters are kept after their end.
	maxPast = 1000
	// evictPause keeps a peer that sends ever new paths from having all lanes
	// looked at for each.
	evictPause = 100 * time.Millisecond
)

// rescue puts what the lanes could not write into the spool, for the next logger,
// and returns what was wrong. It is for when the lanes have ended. A spool that is
// full gets it too: it is no more than memory held.
func (r *router) rescue() (errs []error) {
	r.l.store.spool.Unbound()
	kept, entries := 0, 0
	for _, ln := range r.list() {
		entries += ln.disk.Len()
		if ln.err != nil {
			errs = append(errs, ln.err)
		}
		items := append(ln.formatted, ln.queue...)
		for i := range items {
			it := &items[i]
			switch {
			case it.parcel == nil || r.l.opt.journal() && !it.loose: // is there already
			case it.file != nil && len(it.file.buf) == 0: // was written after all
			case r.l.store.keep(it) == nil:
				kept++
			default:
				r.l.lost.Add(1)
			}
		}
	}
	if err := r.l.store.spool.Flush(); err != nil {
		errs = append(errs, fmt.Errorf("spool: %w", err))
		r.l.lost.Add(uint64(kept))
		kept = 0
	}
	if entries > 0 {
		errs = append(errs, fmt.Errorf("%d entries of the spool are not yet written", entries))
	}
	if kept > 0 {
		errs = append(errs, fmt.Errorf("%d batches are left in the spool", kept))
	}
	if n := r.l.lost.Load(); n > 0 {
		errs = append(errs, fmt.Errorf("%d batches are lost", n))
	}
	return errs
}

// batchNames finds the stream and the path of an encoded batch: the first and the
// fourth of the strings it begins with.
func batchNames(payload []byte) (stream, path []byte, ok bool) {
	for i := range 4 {
		if len(payload) < 4 {
			return nil, nil, false
		}
		n := binary.BigEndian.Uint32(payload)
		if uint64(n) > uint64(len(payload)-4) {
			return nil, nil, false
		}
		path, payload = payload[4:4+n], payload[4+n:]
		if i == 0 {
			stream = path
		}
	}
	return stream, path, true
}
