package node

import (
	"sync"
	"sync/atomic"
	"time"

	uatomic "go.uber.org/atomic"
)

// grace is an account of the time for which reading may pause for a full onloop
// queue. It is spent while a reader waits and refills at a tenth of real time,
// as the account of a slow subscriber at the broker does.
type grace struct {
	most   time.Duration // the whole account
	half   int           // length of the queue at which readers go on
	length func() int

	wanted uatomic.Bool // somebody waits; tells the loop to look
	blocks atomic.Uint64

	mu      sync.Mutex
	budget  time.Duration // as of at
	at      time.Time     // zero before the first wait
	waiting int
	room    chan struct{} // closed when there is room; nil when nobody waits
	closed  bool
}

const graceRefill = 10

func newGrace(most time.Duration, hwm int, length func() int) *grace {
	return &grace{most: most, half: hwm / 2, length: length}
}

// wait waits until half of the queue is free. It is false at once when the
// account is empty, when it becomes so, and after close.
func (g *grace) wait() bool {
	if g.most == 0 {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.settle()
	// A hair's breadth is not worth a timer, nor being counted as a wait.
	if g.closed || g.budget < g.most/1000 {
		return false
	}
	if g.room == nil {
		g.room = make(chan struct{})
		g.wanted.Store(true)
	}
	if g.length() <= g.half { // the loop may have looked before it was told to
		return true
	}
	g.blocks.Add(1)
	room := g.room
	timer := time.NewTimer(g.budget)
	defer timer.Stop()
	g.waiting++
	g.mu.Unlock()
	in := false
	select {
	case <-room:
		in = true
	case <-timer.C:
	}
	g.mu.Lock()
	g.settle()
	g.waiting--
	return in && !g.closed
}

// settle brings the account up to date.
func (g *grace) settle() {
	now := time.Now()
	switch spent := now.Sub(g.at); {
	case g.at.IsZero():
		g.budget = g.most
	case g.waiting > 0:
		g.budget = max(0, g.budget-spent)
	default:
		g.budget = min(g.most, g.budget+spent/graceRefill)
	}
	g.at = now
}

// taken is called by the loop after it has taken from the queue.
func (g *grace) taken() {
	if g.wanted.Load() && g.length() <= g.half {
		g.wake(false)
	}
}

func (g *grace) close() { g.wake(true) }

func (g *grace) wake(closed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = g.closed || closed
	if g.room != nil {
		close(g.room)
		g.room = nil
	}
	g.wanted.Store(false)
}

// forced is the account of the memory in the onloop queue that is not dropped.
// Who takes from it waits while it is overdrawn, so that its connection is not
// read.
type forced struct {
	most   int64
	used   atomic.Int64
	blocks atomic.Uint64

	mu     sync.Mutex
	room   sync.Cond
	closed bool
}

func newForced(most int64) *forced {
	f := &forced{most: most}
	f.room.L = &f.mu
	return f
}

// take waits until the account is below its bound, then takes n bytes: one
// taker may overdraw it once. After close it does not wait.
func (f *forced) take(n int64) {
	if f.used.Load() >= f.most {
		f.wait()
	}
	f.used.Add(n)
}

func (f *forced) wait() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed || f.used.Load() < f.most {
		return
	}
	f.blocks.Add(1)
	for !f.closed && f.used.Load() > f.most/2 {
		f.room.Wait()
	}
}

// give returns n bytes.
func (f *forced) give(n int64) {
	left := f.used.Add(-n)
	if left <= f.most/2 && left+n > f.most/2 {
		// With the lock: a waiter that has just looked is in Wait by then.
		f.mu.Lock()
		f.room.Broadcast()
		f.mu.Unlock()
	}
}

func (f *forced) close() {
	f.mu.Lock()
	f.closed = true
	f.room.Broadcast()
	f.mu.Unlock()
}

// episode is a time in which messages are dropped. It is told of once when it
// begins and once when it ends: when nothing has been dropped for quietTime.
type episode struct {
	on    uatomic.Bool
	last  atomic.Int64 // when the last drop was, in nanoseconds of Unix time
	mu    sync.Mutex
	start uint64 // drops counted before it
}

const quietTime = time.Second

// begin is called with a drop; before is the number of drops until then. It is
// true if the drop is the first of the episode.
func (e *episode) begin(before uint64) bool {
	e.last.Store(time.Now().UnixNano())
	if e.on.Load() {
		return false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.on.Load() {
		return false
	}
	e.start = before
	e.on.Store(true)
	return true
}

// under reports whether an episode is under way.
func (e *episode) under() bool { return e.on.Load() }

// over ends the episode if it is time, and then returns the number of drops in
// it; now is the number of drops so far.
func (e *episode) over(now uint64) (dropped uint64, ended bool) {
	if time.Since(time.Unix(0, e.last.Load())) < quietTime {
		return 0, false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.on.Load() {
		return 0, false
	}
	e.on.Store(false)
	return now - e.start, true
}
