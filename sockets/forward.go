package sockets

import (
	"bytes"
	"hash/maphash"
	"sort"
)

// A run is messages [from, to) of a batch.
type run struct{ from, to int }

// A stage collects the messages of a batch that go to one pipe.
type stage struct {
	epoch uint64 // of the batch it was last used for
	pipe  *pipe
	runs  []run
}

// routeCache is the number of topics a router remembers; a power of two.
const routeCache = 256

// longestCached is the longest topic worth remembering.
const longestCached = 256

type route struct {
	root  *node // the tree the route was made from
	topic []byte
	set   []*pipe
	union []*pipe     // memory for a set that is not one node's
	count *TopicCount // nil when topics are not counted
}

// A router finds out who gets what of a batch. Its memory is reused from batch
// to batch; one goroutine uses it at a time.
type router struct {
	seed    maphash.Seed
	counter func(topic []byte) *TopicCount // nil when topics are not counted
	routes  [routeCache]route
	scratch route
	marks   []uint64 // by slot: the last union that took the pipe
	mark    uint64
	stages  []stage // by slot
	touched []int   // slots used by this batch
	epoch   uint64
	ends    []uint32
	firsts  []uint32
	waiter  *waiter

	refused Refused
}

func newRouter(counter func(topic []byte) *TopicCount) *router {
	return &router{seed: maphash.MakeSeed(), counter: counter, waiter: newWaiter()}
}

// lookup returns the route of a topic: the pipes that get it, each once. It is
// valid until the next lookup.
func (r *router) lookup(root *node, topic []byte) *route {
	e := &r.scratch
	if len(topic) <= longestCached {
		e = &r.routes[maphash.Bytes(r.seed, topic)%routeCache]
		if bytes.Equal(e.topic, topic) && e.root != nil {
			if e.root == root {
				return e
			}
		} else {
			e.topic = append(e.topic[:0], topic...)
			e.count = nil
		}
	} else {
		e.count = nil
	}
	if e.count == nil && r.counter != nil {
		e.count = r.counter(topic)
	}
	e.root = root
	e.set = nil
	merged := false
	for n := root; n != nil; n, topic = n.next(topic) {
		switch {
		case len(n.peers) == 0:
		case e.set == nil:
			e.set = n.peers
		case !merged:
			merged = true
			r.mark++
			e.union = r.merge(r.merge(e.union[:0], e.set), n.peers)
			e.set = e.union
		default:
			e.union = r.merge(e.union, n.peers)
			e.set = e.union
		}
	}
	return e
}

// merge appends the pipes that are not in dst yet.
func (r *router) merge(dst, pipes []*pipe) []*pipe {
	for _, p := range pipes {
		for len(r.marks) <= p.slot {
			r.marks = append(r.marks, 0)
		}
		if r.marks[p.slot] != r.mark {
			r.marks[p.slot] = r.mark
			dst = append(dst, p)
		}
	}
	return dst
}

// add puts a run of messages on the stages of these pipes.
func (r *router) add(set []*pipe, from, to int) {
	for _, p := range set {
		for len(r.stages) <= p.slot {
			r.stages = append(r.stages, stage{})
		}
		st := &r.stages[p.slot]
		if st.epoch != r.epoch {
			st.epoch = r.epoch
			st.pipe = p
			st.runs = st.runs[:0]
			r.touched = append(r.touched, p.slot)
		}
		if k := len(st.runs); k > 0 && st.runs[k-1].to == from {
			st.runs[k-1].to = to
		} else {
			st.runs = append(st.runs, run{from, to})
		}
	}
}

// index finds out what the reader of an XSUB tells of its batches.
func (r *router) index(b *Batch) {
	r.ends, r.firsts = r.ends[:0], r.firsts[:0]
	var last []byte
	for at := 0; at < len(b.data); {
		if topic := Message(b.data[at:]).First(); at == 0 || !bytes.Equal(topic, last) {
			last = topic
			r.firsts = append(r.firsts, uint32(len(r.ends)))
		}
		at = messageEnd(b.data, at)
		r.ends = append(r.ends, uint32(at))
	}
	b.ends, b.firsts = r.ends, r.firsts
}

// route stages the batch, without the messages whose topic may says no to; a nil
// may allows all.
func (r *router) route(root *node, b *Batch, may func(topic []byte) bool) {
	r.epoch++
	r.touched = r.touched[:0]
	if len(root.kids) == 0 && r.counter == nil && may == nil {
		r.add(root.peers, 0, b.n)
		return
	}
	at := 0
	for i, first := range b.firsts {
		from, to := int(first), b.n
		if i+1 < len(b.firsts) {
			to = int(b.firsts[i+1])
		}
		run := Message(b.data[at:b.ends[to-1]])
		at = int(b.ends[to-1])
		topic := run.First()
		if may != nil && !may(topic) {
			r.refused.add(run, to-from)
			continue
		}
		e := r.lookup(root, topic)
		r.add(e.set, from, to)
		if e.count != nil {
			e.count.Messages.Add(uint64(to - from))
			e.count.Bytes.Add(uint64(len(run)))
		}
	}
}

// Forward sends every message of the batch to every peer whose subscription is a
// prefix of its first frame: what a broker does with what its XSUB receives. It is
// called by the handler that got the batch, by many of them at once. Batches of
// one caller reach each peer in order.
//
// It returns at once unless a peer's queue is full. Then, without Options.NoDrop,
// what does not fit is dropped for that peer; with it Forward waits for the peer
// until the peer's budget (Options.SlowGrace) is spent, whereupon the peer is
// isolated: dropped for until half of its queue is free.
//
// Small parts of a batch may be written only when its reader has nothing more to
// read, or waits for a peer; see [Batch.Flush].
func (x *XPUB) Forward(b Batch) { x.ForwardIf(b, nil) }

// ForwardIf is Forward for a sender that may not send everything: messages whose
// first frame may says no to go to nobody. It is asked once for messages of one
// topic that follow each other; nil allows all.
func (x *XPUB) ForwardIf(b Batch, may func(topic []byte) bool) Refused {
	r := x.routers.Get().(*router)
	defer x.routers.Put(r)
	r.refused = Refused{}
	if b.firsts == nil {
		r.index(&b)
	}
	r.route(x.root.Load(), &b, may)
	// Whoever has room is served before anybody is waited for.
	behind := 0
	for _, slot := range r.touched {
		st := &r.stages[slot]
		if st.runs = st.pipe.offer(&b, st.runs); len(st.runs) > 0 {
			behind++
		}
	}
	if behind > 0 {
		// Nobody else's messages wait with these.
		b.Flush()
		b.turn = nil
		x.insistAll(r, &b, behind)
	}
	for _, slot := range r.touched {
		r.stages[slot].pipe = nil
	}
	refused := r.refused
	r.refused = Refused{} // it holds on to the batch
	return refused
}

// Hurry makes Forward, now and from now on, wait for nobody: what does not fit is
// dropped and counted. It is for a shutdown, when those who call Forward are to
// come to an end. Close includes it.
func (x *XPUB) Hurry() { x.hurry() }

// insist delivers what a pipe had no room for, or drops it.
func (x *XPUB) insist(st *stage, b *Batch, w *waiter) {
	p := st.pipe
	for len(st.runs) > 0 {
		p.mu.Lock()
		if x.opt.NoDrop && !p.slow.isolated {
			p.await(w)
		}
		if p.gone || p.room() == 0 {
			for _, left := range st.runs {
				p.drop(left.to - left.from)
			}
			p.mu.Unlock()
			st.runs = st.runs[:0]
			return
		}
		p.mu.Unlock()
		st.runs = p.offer(b, st.runs)
	}
}

// offer writes or queues messages as far as there is room and returns what is
// left of the runs.
func (p *pipe) offer(b *Batch, runs []run) []run {
	all := runs
	done := 0
	small := b.small(runs)
	ahead := small
	if b.turn != nil && small < turnBytes {
		ahead = min(putOff*small, turnBytes)
	}
	p.mu.Lock()
	if small > 0 {
		p.makeWay(small)
	}
	for done < len(runs) && !p.gone {
		room := p.room()
		if room == 0 {
			break
		}
		r := &runs[done]
		n := min(room, r.to-r.from)
		data, start := b.span(r.from, r.from+n)
		c := p.conn
		if c != nil && !p.flushing && p.q.empty() && c.wr.direct() &&
			(small == 0 || len(data) >= copyBelow) {
			p.writeDirect(c, b, run{r.from, r.from + n})
		} else {
			p.pushShared(b.chunk, data, start, n, ahead)
		}
		if r.from += n; r.from == r.to {
			done++
		}
	}
	if p.gone {
		done = len(runs)
	}
	c := p.conn
	switch {
	case c == nil || p.flushing || p.q.empty():
		p.mu.Unlock()
	case b.turn != nil && done == len(runs) && p.little():
		b.turn.owe(p)
		p.mu.Unlock()
	default:
		p.flushing = true
		p.mu.Unlock()
		p.flushInline(c)
	}
	// The rest is moved to the front, so that the stage keeps its memory.
	return all[:copy(all, runs[done:])]
}

// putOff is by how much memory for what is put off exceeds what a batch needs: so
// many further batches of a turn are hoped for.
const putOff = 8

// small returns the bytes of the runs that had better be brought together than be
// written one by one.
func (b *Batch) small(runs []run) (bytes int) {
	if len(runs) == 1 && b.turn == nil {
		return 0
	}
	for _, r := range runs {
		if data, _ := b.span(r.from, r.to); len(data) < copyBelow {
			bytes += len(data)
		}
	}
	return min(bytes, maxGrow)
}

// makeWay writes what was put off when n more bytes do not fit behind it, so that
// they are not written in two parts. The caller holds p.mu.
func (p *pipe) makeWay(n int) {
	if !p.q.empty() && p.q.spare() < n {
		p.mu.Unlock()
		p.flush()
		p.mu.Lock()
	}
}

// little reports whether what is queued is so little that it can be put off: a queue
// must not be full only because nobody has tried to write it. The caller holds p.mu.
func (p *pipe) little() bool {
	if len(p.q.list)-p.q.head != 1 || !p.halfFree() {
		return false
	}
	s := p.q.front()
	return s.own && s.end-s.off < turnBytes
}

// span returns the bytes of messages [from, to) and where they begin in the
// chunk.
func (b *Batch) span(from, to int) (data []byte, start int) {
	at := 0
	if from > 0 {
		at = int(b.ends[from-1])
	}
	return b.data[at:b.ends[to-1]], b.off + at
}

// upTo returns how many messages of a run end within its first n bytes, and where the
// last of them does.
func (b *Batch) upTo(r run, n int) (msgs, end int) {
	base := 0
	if r.from > 0 {
		base = int(b.ends[r.from-1])
	}
	msgs = sort.Search(r.to-r.from, func(i int) bool { return int(b.ends[r.from+i])-base > n })
	if msgs > 0 {
		end = int(b.ends[r.from+msgs-1]) - base
	}
	return msgs, end
}

// writeDirect writes messages without queueing them, and queues what the kernel
// does not take. The caller holds p.mu, which is released meanwhile; the queue is
// empty and nobody is flushing.
func (p *pipe) writeDirect(c *conn, b *Batch, r run) {
	data, start := b.span(r.from, r.to)
	n := r.to - r.from
	p.flushing = true
	p.mu.Unlock()
	written, err := c.wr.try(data)
	if err != nil {
		c.failed(err)
	}
	p.mu.Lock()
	if p.conn == c && written == len(data) {
		p.peer.ctr.sent(n, len(data))
		if p.q.empty() {
			p.flushing = false
			p.becameEmpty()
		} else {
			c.wr.wake() // others queued behind us
		}
		return
	}
	whole, at := b.upTo(r, written)
	p.peer.ctr.sent(whole, at)
	if p.gone {
		p.lose(n - whole)
		return
	}
	rest := segment{start: start + at, off: start + written, end: start + len(data), msgs: n - whole}
	if b.chunk.keepsTooMuch(len(data) - at) {
		rest.chunk = newChunk(len(data) - at)
		rest.end = copy(rest.chunk.buf, data[at:])
		rest.start, rest.off = 0, written-at
		rest.own = p.q.empty()
	} else {
		rest.chunk = b.chunk.hold()
	}
	p.msgs += rest.msgs
	p.bytes += len(rest.chunk.buf)
	if p.conn != c {
		// The connection was lost, and with it what the kernel had of the
		// message; whoever flushes now owns the front of the queue.
		rest.off = rest.start
		p.q.push(rest)
		p.startWriter()
		return
	}
	p.q.pushFront(rest)
	c.wr.wake()
}
