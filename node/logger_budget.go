package node

import "sync"

// memoryBudget bounds the memory of what is read and not yet written. Who brings in
// more waits for room: the goroutine of a connection, so that the sender is held
// back.
type memoryBudget struct {
	limit int64

	mu      sync.Mutex
	used    int64
	peak    int64
	waits   uint64 // times somebody had to wait
	waiting int
	open    bool // nobody waits any more
	room    sync.Cond
}

func newMemoryBudget(limit int64) *memoryBudget {
	b := &memoryBudget{limit: limit}
	b.room.L = &b.mu
	return b
}

// take adds n bytes, after waiting for room. What alone is over the limit is let
// in when there is nothing else, so that nothing waits for ever.
func (b *memoryBudget) take(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.used+n > b.limit && b.used > 0 && !b.open {
		b.waits++
		b.waiting++
		for b.used+n > b.limit && b.used > 0 && !b.open {
			b.room.Wait()
		}
		b.waiting--
	}
	b.used += n
	b.peak = max(b.peak, b.used)
}

// force adds n bytes, negative to give them back, without waiting: for buffers
// that are needed to make room.
func (b *memoryBudget) force(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used += n
	b.peak = max(b.peak, b.used)
	if n < 0 && b.waiting > 0 {
		b.room.Broadcast()
	}
}

func (b *memoryBudget) give(n int64) { b.force(-n) }

// release lets everybody in from now on: for the end.
func (b *memoryBudget) release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open = true
	b.room.Broadcast()
}

type memoryStats struct {
	used, peak int64
	waits      uint64
	waiting    int
}

func (b *memoryBudget) stats() memoryStats {
	b.mu.Lock()
	defer b.mu.Unlock()
	return memoryStats{b.used, b.peak, b.waits, b.waiting}
}
