package ring

import (
	"math/bits"
	"sync/atomic"

	"golang.org/x/sys/cpu"
)

// SPSC is a bounded queue from one producer to one consumer. All its memory is
// allocated at the start.
//
// Offer, OfferBatch, Room and WaitRoom belong to one goroutine at a time, the
// producer; Drain, Wait, Ready and Ended to one at a time, the consumer. Close,
// Closed and Len may be called by any goroutine. All are linearizable.
//
// An SPSC is made by [NewSPSC] and not copied.
type SPSC[T any] struct {
	slots []T // as many as capacity or more, a power of two; never changes
	limit uint64

	_ cpu.CacheLinePad
	// Written by the producer; closedBit by Close.
	state    atomic.Uint64 // items put since the start, and closedBit
	headSeen uint64        // the last head read; read anew when the queue looks full

	_ cpu.CacheLinePad
	// Written by the consumer.
	head     atomic.Uint64 // items taken since the start
	tailSeen uint64        // items put, as last read; read anew when there seem too few

	_ cpu.CacheLinePad
	// Written when a side goes to sleep or is woken.
	items waker // the consumer sleeps here
	space waker // the producer sleeps here

	_ cpu.CacheLinePad
}

// NewSPSC returns an empty queue for capacity items; a capacity below 1 counts
// as 1.
func NewSPSC[T any](capacity int) *SPSC[T] {
	capacity = max(capacity, 1)
	return &SPSC[T]{
		slots: make([]T, 1<<bits.Len(uint(capacity-1))),
		limit: uint64(capacity),
		items: newWaker(),
		space: newWaker(),
	}
}

// Offer puts item into the queue, unless the queue is full or closed. It
// reports whether it did; if so, the consumer will get the item.
func (q *SPSC[T]) Offer(item T) bool {
	s := q.state.Load()
	if s&closedBit != 0 {
		return false
	}
	tail := s / oneItem
	if tail-q.headSeen >= q.limit {
		q.headSeen = q.head.Load()
		if tail-q.headSeen >= q.limit {
			return false
		}
	}
	at := tail & uint64(len(q.slots)-1)
	q.slots[at] = item
	if !q.state.CompareAndSwap(s, s+oneItem) {
		// Only Close competes for the word, and the place is still the producer's.
		var none T
		q.slots[at] = none
		return false
	}
	q.items.wake()
	return true
}

// OfferBatch puts as many of items into the queue as there is room for, from
// the first on, and returns their number: the consumer will get items[:n]. What
// is drained during the call may still take up room when it takes a part of them.
// It keeps no reference to the slice. The result is 0 once the queue is closed.
func (q *SPSC[T]) OfferBatch(items []T) int {
	s := q.state.Load()
	if s&closedBit != 0 {
		return 0
	}
	tail := s / oneItem
	if tail-q.headSeen+uint64(len(items)) > q.limit {
		q.headSeen = q.head.Load()
	}
	n := min(uint64(len(items)), q.limit-(tail-q.headSeen))
	if n == 0 {
		return 0
	}
	first, second := q.places(tail, n)
	copy(second, items[copy(first, items[:n]):n])
	if !q.state.CompareAndSwap(s, s+n*oneItem) {
		clear(first)
		clear(second)
		return 0
	}
	q.items.wake()
	return int(n)
}

// places returns the slots of n items from number i on, in two parts where
// they wrap around.
func (q *SPSC[T]) places(i, n uint64) (first, second []T) {
	at := i & uint64(len(q.slots)-1)
	split := min(n, uint64(len(q.slots))-at)
	return q.slots[at : at+split], q.slots[:n-split]
}

// Drain moves what is there to dst, in order, and returns how many items that
// is: at most len(dst), and 0 only if the queue is empty.
func (q *SPSC[T]) Drain(dst []T) int {
	head := q.head.Load()
	if q.tailSeen-head < uint64(len(dst)) {
		q.tailSeen = q.state.Load() / oneItem
	}
	n := min(q.tailSeen-head, uint64(len(dst)))
	switch n {
	case 0:
		return 0
	case 1: // cheaper than the calls behind copy and clear
		var none T
		slot := &q.slots[head&uint64(len(q.slots)-1)]
		dst[0], *slot = *slot, none
	default:
		first, second := q.places(head, n)
		copy(dst[copy(dst, first):], second)
		clear(first)
		clear(second)
	}
	q.head.Store(head + n)
	if q.space.armed.Load() && q.roomy() {
		q.space.fire()
	}
	return int(n)
}

// Wait parks the consumer until Drain has something to take, and reports
// whether it does: false means that the queue is closed and everything
// accepted has been taken.
func (q *SPSC[T]) Wait() bool {
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
func (q *SPSC[T]) Ready() <-chan struct{} {
	q.items.arm()
	if q.available() || q.Ended() {
		q.items.fire()
	}
	return q.items.c
}

func (q *SPSC[T]) available() bool {
	head := q.head.Load()
	return q.tailSeen != head || q.state.Load()/oneItem != head
}

// Ended reports whether the queue is closed and everything accepted has been
// taken: there will never be an item again.
func (q *SPSC[T]) Ended() bool { return q.state.Load() == q.head.Load()*oneItem|closedBit }

// WaitRoom parks the producer until at least half of the capacity is free, so
// that a slow consumer does not wake it for every item, and reports whether it
// is: false means that the queue is closed. It is for a producer that has been
// refused; Offer itself is content with one free place.
func (q *SPSC[T]) WaitRoom() bool {
	for !q.Closed() {
		if q.roomy() {
			return true
		}
		<-q.Room()
	}
	return false
}

// Room is WaitRoom for a producer that waits for other things too. It returns
// a channel that yields one value when half of the capacity is free or the
// queue is closed, at once if that is so already. It must be called anew for
// each wait. A value may turn up early; Offer may then still refuse.
func (q *SPSC[T]) Room() <-chan struct{} {
	q.space.arm()
	if q.roomy() || q.Closed() {
		q.space.fire()
	}
	return q.space.c
}

// roomy reports whether at least half of the capacity is free. The two sides
// are the only ones to ask, and each reads its own counter, which stands still.
func (q *SPSC[T]) roomy() bool {
	return uint64(q.Len()) <= q.limit/2
}

// Close makes every later Offer say no and wakes both sides. What was accepted
// can still be drained. Calls after the first do nothing.
func (q *SPSC[T]) Close() {
	q.state.Or(closedBit)
	q.items.wake()
	q.space.wake()
}

// Closed reports whether Close has been called; it tells a producer whose item
// was refused why.
func (q *SPSC[T]) Closed() bool { return q.state.Load()&closedBit != 0 }

// Len returns the number of items accepted and not yet taken, at most the
// capacity.
func (q *SPSC[T]) Len() int {
	for {
		head := q.head.Load()
		tail := q.state.Load() / oneItem
		if q.head.Load() == head { // else tail and head never held together
			return int(tail - head)
		}
	}
}
