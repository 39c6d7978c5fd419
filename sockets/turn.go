package sockets

// turnBytes is how much is put off for one pipe at most, and turnReads how many
// reads a turn has: a few hundred microseconds of a connection that is never
// silent.
const (
	turnBytes = 64 << 10
	turnReads = 8
)

// A turn is what a reader does between two times that it waits. When what it
// reads goes in small parts to many pipes, writing each part at once would be
// nearly all of a broker's work: a write costs much the same for one message as
// for a hundred. So while the reader knows that there is more to read, small parts
// stay in the pipes' queues, and the turn remembers whom they are for.
//
// Only the goroutine that reads uses it; that a pipe is flushed by somebody else
// before does no harm.
type turn struct {
	number uint64
	owed   []*pipe
}

// owe makes the turn's end flush the pipe. The caller holds p.mu.
func (t *turn) owe(p *pipe) {
	// When another turn has come between, the pipe is in the list twice.
	if p.turn != t || p.turnNumber != t.number {
		p.turn, p.turnNumber = t, t.number
		t.owed = append(t.owed, p)
	}
}

// end writes what was put off.
func (t *turn) end() {
	for i, p := range t.owed {
		p.flush()
		t.owed[i] = nil
	}
	t.owed = t.owed[:0]
	t.number++
}

// flush writes what is queued, unless somebody does so already.
func (p *pipe) flush() {
	p.mu.Lock()
	c := p.conn
	if c == nil || p.flushing || p.q.empty() {
		p.mu.Unlock()
		return
	}
	p.flushing = true
	p.mu.Unlock()
	p.flushInline(c)
}
