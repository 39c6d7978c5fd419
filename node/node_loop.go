package node

import (
	"sync"
	"time"

	uatomic "go.uber.org/atomic"

	"github.com/znode/znode/sockets"
)

// workKind says what a piece of work is.
type workKind uint8

const (
	workEvent workKind = iota
	workSubscribed
	workCancelled
	workLog
	workConnected // the XPUB has a new connection
	workCall
)

// work is an item of the onloop queue.
type work struct {
	msg  sockets.Message // the whole message; of a subscription the prefix alone
	held *held           // the memory of msg; nil if it has its own
	call func()          // workCall
	conn uint32          // workSubscribed, workConnected: which connection of the XPUB
	kind workKind
}

// loopBatch is how much work the loop takes at a time. What it has taken is no
// longer in the queue, so it is small beside the queue's high-water mark.
const loopBatch = 64

// run is the loop, the goroutine on which all handlers run. It ends when the
// queue is closed and empty.
func (n *Node) run() {
	defer close(n.looped)
	l := loop{n: n, timer: time.NewTimer(0)}
	defer l.timer.Stop()
	if !l.timer.Stop() {
		<-l.timer.C
	}
	for {
		k := n.queue.Drain(l.batch[:])
		if k > 0 {
			l.process(l.batch[:k])
			select {
			case <-l.timer.C:
				l.tick()
			default:
			}
			l.arm()
			continue
		}
		if n.queue.Ended() {
			return
		}
		select {
		case <-n.queue.Ready():
		case <-l.timer.C:
			l.tick()
			l.arm()
		}
	}
}

// loop is what only the loop uses.
type loop struct {
	n     *Node
	timer *time.Timer
	armed time.Time // when the timer fires; zero if it does not
	quiet time.Time // when to look whether drops have ended; zero if not to be
	event Event
	write LogWrite
	batch [loopBatch]work
}

// process does a batch of work and lets go of its memory.
func (l *loop) process(batch []work) {
	n := l.n
	h := n.handlers.Load()
	var of *held
	run := int32(0)
	for i := range batch {
		w := &batch[i]
		if w.held != of {
			of.done(run)
			of, run = w.held, 0
		}
		run++
		switch w.kind {
		case workEvent:
			l.handleEvent(h, w.msg)
			n.handled.Add(1)
		case workSubscribed, workCancelled:
			l.handleSubscription(h, w)
		case workLog:
			l.handleLog(h, w.msg)
			n.logBatches.Add(1)
		case workConnected:
			if n.member != nil {
				n.member.connected(w.conn)
			}
		case workCall:
			w.call()
		}
	}
	of.done(run)
	clear(batch) // it holds memory that others own now
	n.grace.taken()
}

// tick does what is due.
func (l *loop) tick() {
	n := l.n
	l.armed, l.quiet = time.Time{}, time.Time{}
	if n.member != nil {
		n.member.tick(time.Now())
	}
	if n.onloopEpisode.under() {
		if dropped, ended := n.onloopEpisode.over(n.onloopDrops.Load()); ended {
			n.log.Info("no more events are dropped", "dropped", dropped)
		}
	}
}

// arm sets the timer to the next deadline, if there is one.
func (l *loop) arm() {
	var next time.Time
	if l.n.member != nil {
		next = l.n.member.next
	}
	if l.n.onloopEpisode.under() {
		if l.quiet.IsZero() {
			l.quiet = time.Now().Add(quietTime)
		}
		if next.IsZero() || l.quiet.Before(next) {
			next = l.quiet
		}
	}
	if next.Equal(l.armed) {
		return
	}
	l.armed = next
	if next.IsZero() {
		l.timer.Stop()
		return
	}
	l.timer.Reset(time.Until(next))
}

// Do runs f on the loop, after what was received before. It is for what has to
// be in order with the handlers.
func (n *Node) Do(f func()) error {
	if !n.queue.Force(work{kind: workCall, call: f}) {
		return ErrClosed
	}
	return nil
}

// held is the memory of some pieces of work: a kept batch of a socket, or a copy
// of those messages that would keep alive too much of it.
type held struct {
	batch  sockets.Batch
	kept   bool // batch is to be released
	copied []byte
	forced *forced // account to credit with bytes, nil for events
	bytes  int64
	left   uatomic.Int32 // pieces of work not done yet, and one for the reader
}

// maxKeptCopy bounds the memory that a pooled held keeps for its next use.
const maxKeptCopy = 64 << 10

var heldPool = sync.Pool{New: func() any { return new(held) }}

// done takes back k references and frees the memory with the last. A nil held
// has none.
func (h *held) done(k int32) {
	if h == nil || k == 0 || h.left.Sub(k) > 0 {
		return
	}
	if h.kept {
		h.batch.Release()
		h.batch, h.kept = sockets.Batch{}, false
	}
	if h.forced != nil {
		h.forced.give(h.bytes)
		h.forced, h.bytes = nil, 0
	}
	if cap(h.copied) > maxKeptCopy {
		h.copied = nil
	}
	heldPool.Put(h)
}

// sharesBatch reports whether messages of size bytes are enough of b's memory to
// keep it alive for them.
func sharesBatch(b sockets.Batch, size int) bool { return 4*size >= b.Held() }

// hold makes the memory of the messages of items, which lie in b and have size
// bytes, last until their work is done. One reference is the caller's.
func hold(b sockets.Batch, items []work, size int) *held {
	h := heldPool.Get().(*held)
	h.left.Store(int32(len(items)) + 1)
	if sharesBatch(b, size) {
		// Keep shares the memory then, so the messages stay where they are.
		h.batch, h.kept = b.Keep(), true
		for i := range items {
			items[i].held = h
		}
		return h
	}
	h.copied = h.copied[:0]
	if cap(h.copied) < size {
		h.copied = make([]byte, 0, max(size, 512))
	}
	for i := range items {
		at := len(h.copied)
		h.copied = append(h.copied, items[i].msg...)
		items[i].msg = sockets.Message(h.copied[at:len(h.copied):len(h.copied)])
		items[i].held = h
	}
	return h
}
