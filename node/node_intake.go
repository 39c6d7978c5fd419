package node

import (
	"sync"

	"github.com/znode/znode/sockets"
)

// workPool lends readers the memory to line up a batch in.
var workPool = sync.Pool{New: func() any { return new([]work) }}

// takeEvents is called with what the XSUB receives, by the goroutine that reads
// the connection.
func (n *Node) takeEvents(b sockets.Batch) {
	lent := workPool.Get().(*[]work)
	items := (*lent)[:0]
	own, broken := uint64(0), uint64(0)
	for m := range b.Messages() {
		_, sender, _, _, frames := m.Split()
		switch {
		case frames != 4:
			broken++
			n.complainFrames("xsub", b.Peer(), frames)
		case string(sender) == n.id:
			own++
		default:
			items = append(items, work{kind: workEvent, msg: m})
		}
	}
	if own > 0 {
		n.own.Add(own)
	}
	if broken > 0 {
		n.msgErrors.Add(broken)
	}
	if len(items) > 0 {
		n.received.Add(uint64(len(items)))
		n.offer(b, items)
	}
	clear(items)
	*lent = items
	workPool.Put(lent)
}

// offer puts events into the onloop queue. Those for which there is no room,
// also after the grace, are dropped.
func (n *Node) offer(b sockets.Batch, items []work) {
	var last *held
	refs := int32(0)
	defer func() { last.done(refs) }()
	for len(items) > 0 {
		k := len(items)
		if hwm := n.opt.OnloopQueueHWM; hwm > 0 {
			room := hwm - n.queue.Len()
			if room <= 0 {
				if n.grace.wait() {
					continue
				}
				n.dropEvents(len(items))
				return
			}
			k = min(k, room)
		}
		size := 0
		for i := range items[:k] {
			size += len(items[i].msg)
		}
		h := hold(b, items[:k], size)
		// What another reader was faster for may lie in the memory of last.
		last.done(refs)
		taken := n.queue.OfferBatch(items[:k])
		last, refs = h, int32(k-taken)+1
		items = items[taken:]
	}
}

// dropEvents counts events that found no room, and tells of the first.
func (n *Node) dropEvents(k int) {
	before := n.onloopDrops.Add(uint64(k)) - uint64(k)
	if n.onloopEpisode.begin(before) {
		n.log.Warn("dropping events, the onloop queue is full", "onloop_queue_hwm", n.opt.OnloopQueueHWM)
	}
}

// takeSubscription is called with every subscription that the XPUB is told.
func (n *Node) takeSubscription(s sockets.Subscription) {
	size := int64(len(s.Prefix)) + workBytes
	n.forced.take(size)
	h := heldPool.Get().(*held)
	h.left.Store(1)
	h.copied = append(h.copied[:0], s.Prefix...)
	h.forced, h.bytes = n.forced, size
	w := work{kind: workCancelled, msg: sockets.Message(h.copied), held: h, conn: n.xpubConns.Load()}
	if s.Subscribe {
		w.kind = workSubscribed
	}
	if !n.queue.Force(w) {
		h.done(1)
	}
}

// workBytes is about what a piece of work costs beside its message.
const workBytes = 128

// takeLogs is called with what the PULL receives, by the goroutine that reads
// the connection.
func (n *Node) takeLogs(b sockets.Batch) {
	lent := workPool.Get().(*[]work)
	items := (*lent)[:0]
	size := 0
	for m := range b.Messages() {
		items = append(items, work{kind: workLog, msg: m})
		size += len(m)
	}
	charge := int64(size) + workBytes
	if sharesBatch(b, size) {
		charge = int64(b.Held())
	}
	n.forced.take(charge)
	h := hold(b, items, size)
	h.forced, h.bytes = n.forced, charge
	if n.queue.ForceBatch(items) {
		h.done(1)
	} else {
		h.done(int32(len(items)) + 1)
	}
	clear(items)
	*lent = items
	workPool.Put(lent)
}

// complainFrames logs a message with another number of frames than four.
func (n *Node) complainFrames(socket string, from *sockets.Peer, frames int) {
	if log, ok := n.msgComplaint.allow(n.log); ok {
		log.Warn("message with a wrong number of frames", "socket", socket, "peer", from.Addr(), "frames", frames, "want", 4)
	}
}
