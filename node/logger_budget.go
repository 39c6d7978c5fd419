package node

import "sync"

// budget bounds the memory of what is read and not yet written. Who brings in
// more waits for room: the goroutine of a connection, so that the sender is held
// back.
type budget struct {
	limit int64

	mu      sync.Mutex
	used    int64
	peak    int64
	waits   uint64 // times somebody had to wait
	waiting int
	open    bool // nobody waits any more
	room    sync.Cond
}

func newBudget(limit int64) *budget {
	b := &budget{limit: limit}
	b.room.L = &b.mu
	return b
}

// take adds n bytes, after waiting for room. What alone is over the limit is let
// in when there is nothing else, so that nothing waits for ever.
func (b *budget) take(n int64) {
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
func (b *budget) force(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used += n
	b.peak = max(b.peak, b.used)
	if n < 0 && b.waiting > 0 {
		b.room.Broadcast()
	}
}

func (b *budget) give(n int64) { b.force(-n) }

// release lets everybody in from now on: for the end.
func (b *budget) release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open = true
	b.room.Broadcast()
}

type budgetStats struct {
	used, peak int64
	waits      uint64
	waiting    int
}

func (b *budget) stats() budgetStats {
	b.mu.Lock()
	defer b.mu.Unlock()
	return budgetStats{b.used, b.peak, b.waits, b.waiting}
}
