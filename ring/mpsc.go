package ring

import (
	"math"
	"runtime"
	"sync/atomic"

	"golang.org/x/sys/cpu"
)

const (
	// A state word counts the items put since the start, above one bit that
	// says whether the queue is closed. One word for both makes closing exact:
	// an item is counted before the bit is set or not at all.
	closedBit = 1
	oneItem   = 2

	// publishSpins is how often the consumer looks at a place that is given
	// out but not filled before it yields. Filling takes a few instructions,
	// unless the producer has just lost the CPU.
	publishSpins = 32

	// A producer that finds another at work counts to backOffSteps, some two
	// microseconds: long enough for the other to put a hundred items. If it is
	// still there it counts to twice that, once, and then goes ahead: the other
	// may have lost the CPU.
	backOffSteps = 6000
	patience     = 2
)

// MPSC is an unbounded queue from many producers to one consumer, with a
// high-water mark that ordinary items respect and forced items ignore.
//
// Offer, OfferBatch, Force, ForceBatch, Close, Closed and Len may be called by
// any goroutine; Drain, Wait, Ready and Ended by one at a time, the consumer.
// All are linearizable: calls take effect one by one, in an order that agrees
// with real time, and the items come out in the order they went in.
//
// Producers never wait for room or for the consumer, and for each other not
// longer than some microseconds. Drain never waits for a producer to come, but
// it does wait for one that is inside Offer or Force and has its place already.
//
// Memory grows and shrinks with the items, in segments of 512; up to 64 emptied
// segments are kept for reuse. An MPSC is made by [NewMPSC] and not copied.
type MPSC[T any] struct {
	hwm uint64 // items; never changes

	_ cpu.CacheLinePad
	// Written by the producers: state with every item or batch, limit when the
	// queue looks full, so that they seldom have to fetch the consumer's head.
	state atomic.Uint64 // items put since the start, and closedBit
	limit atomic.Uint64 // items below this number have room: hwm above a head

	_ cpu.CacheLinePad
	// Written by the consumer, with every batch. Only head is for others to read.
	head   atomic.Uint64 // items taken since the start, at the last Drain
	taken  uint64        // the same, also within a Drain
	filled uint64        // items below this number are known to be there
	seg    *segment[T]   // the segment of item taken; nil until it is needed

	_ cpu.CacheLinePad
	// Written by whoever comes to the end of a segment, and when the consumer
	// goes to sleep or is woken.
	segs  segments[T]
	items waker

	_ cpu.CacheLinePad
}

// NewMPSC returns an empty queue whose Offer refuses items while it holds hwm
// of them or more. A mark of 0 or below is no mark: nothing is refused until
// Close.
func NewMPSC[T any](hwm int) *MPSC[T] {
	q := &MPSC[T]{hwm: uint64(hwm), items: newWaker()}
	if hwm <= 0 {
		q.hwm = math.MaxInt64 // more than can ever be put
	}
	q.limit.Store(q.hwm)
	q.segs.init()
	return q
}

// Offer puts item into the queue, unless the queue is closed or at its
// high-water mark. It reports whether it did; if so, the consumer will get the
// item.
func (q *MPSC[T]) Offer(item T) bool { return q.put(item, true) }

// Force puts item into the queue whatever the high-water mark says. It is
// false only if the queue is closed, and then the item is not in it.
func (q *MPSC[T]) Force(item T) bool { return q.put(item, false) }

// put is Offer or Force. It is one function, with all that it calls for each
// item inlined: calls between the two locked instructions cost a tenth more.
func (q *MPSC[T]) put(item T, limited bool) bool {
	for lost := 0; ; lost++ {
		s := q.state.Load()
		i := s / oneItem
		if s&closedBit != 0 || limited && i >= q.limit.Load() && q.room(i, 1) <= 0 {
			return false
		}
		seg, at := q.segs.recent[i/segmentItems%recentSegments].Load(), i%segmentItems
		if lost < patience && busy(seg, at) || !q.state.CompareAndSwap(s, s+oneItem) {
			backOff(lost)
			continue
		}
		if seg.number.Load() != i/segmentItems {
			seg = q.segs.findSlow(i / segmentItems)
		}
		seg.items[at] = item
		seg.fill(at)
		q.items.wake()
		return true
	}
}

// OfferBatch puts as many of items into the queue as the high-water mark
// allows, from the first on, and returns their number: the consumer will get
// items[:n]. What is drained during the call may still count for the mark when it
// takes a part of them. They stay together, and they are counted as one step. It
// keeps no reference to the slice. The result is 0 once the queue is closed.
func (q *MPSC[T]) OfferBatch(items []T) int {
	for lost := 0; ; lost++ {
		s := q.state.Load()
		n := min(int64(len(items)), q.room(s/oneItem, int64(len(items))))
		if n <= 0 || s&closedBit != 0 {
			return 0
		}
		if q.claim(s, uint64(n), lost) {
			q.fill(s/oneItem, items[:n])
			return int(n)
		}
		backOff(lost)
	}
}

// ForceBatch puts all items into the queue whatever the high-water mark says.
// They stay together. It keeps no reference to the slice. It is false only if
// the queue is closed, and then none of them is in it.
func (q *MPSC[T]) ForceBatch(items []T) bool {
	for lost := 0; ; lost++ {
		s := q.state.Load()
		if s&closedBit != 0 {
			return false
		}
		if q.claim(s, uint64(len(items)), lost) {
			q.fill(s/oneItem, items)
			return true
		}
		backOff(lost)
	}
}

// room returns how many items may come before the mark is reached, as of tail
// items put; below zero where forced items have gone over it. It may be too low
// only if it is want or more.
//
// A limit that is old only makes the queue look longer. One that is too low for
// want is made anew, and tail is then the older of the two: a refusal was right
// when head was read.
func (q *MPSC[T]) room(tail uint64, want int64) int64 {
	old := q.limit.Load()
	if n := int64(old - tail); n >= want {
		return n
	}
	limit := q.head.Load() + q.hwm
	if limit > old {
		q.limit.Store(limit) // who is late may put an older one back: no harm, as above
	}
	return int64(limit - tail)
}

// claim takes the next n places for the caller, as of state s, and reports
// whether it did.
func (q *MPSC[T]) claim(s, n uint64, lost int) bool {
	i := s / oneItem
	seg := q.segs.recent[i/segmentItems%recentSegments].Load()
	return (lost >= patience || !busy(seg, i%segmentItems)) && q.state.CompareAndSwap(s, s+n*oneItem)
}

// fill fills the places from item number i on, which are the caller's.
func (q *MPSC[T]) fill(i uint64, items []T) {
	for len(items) > 0 {
		seg := q.segs.find(i / segmentItems)
		at := i % segmentItems
		n := uint64(copy(seg.items[at:], items))
		seg.fillUp(at, at+n)
		i += n
		items = items[n:]
	}
	q.items.wake()
}

// busy reports whether another producer has the place before at, the next to be
// given out, and has not filled it yet. seg is meant to be the segment of that
// place. If it is another, or if at is its first place, the answer may be wrong:
// it only tells whether to back off.
func busy[T any](seg *segment[T], at uint64) bool { return at != 0 && !seg.isFilled(at-1) }

// backOff lets whoever is at work put some more before the next try. Two
// processors that put single items by turns fetch three cache lines from each
// other for every item, and are several times slower than one of them alone.
func backOff(lost int) {
	for range backOffSteps << min(lost, patience-1) {
	}
}

// Drain moves items to dst, in order, and returns how many: what is there, up
// to len(dst), and at least one unless the queue is empty. Items behind one
// whose producer has not finished its call yet may be left for the next Drain.
//
// After Close a result of 0 for a dst that is not empty means that everything
// accepted has been taken.
func (q *MPSC[T]) Drain(dst []T) int {
	n := 0
	for n < len(dst) {
		if q.taken == q.filled && !q.look(len(dst)-n) {
			if n > 0 || q.state.Load()/oneItem == q.taken {
				break
			}
			q.awaitFilled()
		}
		n += q.take(dst[n:])
	}
	if n > 0 {
		q.head.Store(q.taken)
	}
	return n
}

// take moves filled items of the current segment to dst and clears their
// places. There is at least one, and room for it.
func (q *MPSC[T]) take(dst []T) int {
	at, n := q.taken%segmentItems, q.filled-q.taken
	if n == 1 || len(dst) == 1 { // cheaper than the calls behind copy and clear
		var none T
		dst[0], q.seg.items[at] = q.seg.items[at], none
		n = 1
	} else {
		n = uint64(copy(dst, q.seg.items[at:at+n]))
		clear(q.seg.items[at : at+n])
	}
	q.taken += n
	if q.taken%segmentItems == 0 {
		q.seg = nil
		q.segs.retire()
	}
	return int(n)
}

// look moves filled forward over want items or somewhat more, within the
// segment, and reports whether there are any to take. What was found before
// has been taken.
func (q *MPSC[T]) look(want int) bool {
	if q.seg == nil {
		if q.state.Load()/oneItem == q.taken {
			return false
		}
		q.seg = q.segs.find(q.taken / segmentItems)
	}
	n := q.seg.filledFrom(q.taken%segmentItems, uint64(want))
	q.filled = q.taken + n
	return n > 0
}

// awaitFilled waits for the producer that has the next place and is about to
// fill it.
func (q *MPSC[T]) awaitFilled() {
	for n := 0; !q.look(1); n++ {
		if n >= publishSpins {
			runtime.Gosched()
		}
	}
}

// Wait parks the consumer until Drain has something to take, and reports
// whether it does: false means that the queue is closed and everything
// accepted has been taken.
func (q *MPSC[T]) Wait() bool {
	for !q.available() {
		if q.Ended() {
			return false
		}
		<-q.Ready()
	}
	return true
}

// Ready is Wait for a consumer that waits for other things too. It returns a
// channel that yields one value when Drain has something to take or the queue
// has ended, at once if that is so already. It must be called anew for each
// wait, when Drain has found nothing, and best within the select statement
// itself. A value may turn up early; Drain then returns 0.
func (q *MPSC[T]) Ready() <-chan struct{} {
	q.items.arm()
	if q.available() || q.Ended() {
		q.items.fire()
	}
	return q.items.c
}

// available reports whether the next item is filled in.
func (q *MPSC[T]) available() bool { return q.taken != q.filled || q.look(1) }

// Ended reports whether the queue is closed and everything accepted has been
// taken: there will never be an item again.
func (q *MPSC[T]) Ended() bool { return q.state.Load() == q.taken*oneItem|closedBit }

// Close makes every later Offer and Force say no and wakes the consumer. What
// was accepted can still be drained. Calls after the first do nothing.
func (q *MPSC[T]) Close() {
	q.state.Or(closedBit)
	q.items.wake()
}

// Closed reports whether Close has been called; it tells a producer whose item
// was refused why.
func (q *MPSC[T]) Closed() bool { return q.state.Load()&closedBit != 0 }

// Len returns the number of items accepted and not yet taken. Without forced
// items it never exceeds the high-water mark.
func (q *MPSC[T]) Len() int {
	for {
		head := q.head.Load()
		tail := q.state.Load() / oneItem
		if q.head.Load() == head { // else tail and head never held together
			return int(tail - head)
		}
	}
}
