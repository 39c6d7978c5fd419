package soak

import "sync"

// tally is what one subscriber has received.
type tally struct {
	mu         sync.Mutex
	events     int64             // probes too
	misordered int64             // behind a later one of their source, or twice
	strange    int64             // not what anybody here publishes
	last       map[uint64]uint64 // the highest number, by source
	probes     map[uint64]uint64 // the newest generation, by source
}

func newTally() *tally {
	return &tally{last: make(map[uint64]uint64), probes: make(map[uint64]uint64)}
}

// add counts an event; numbers begin with 1.
func (t *tally) add(e event, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.events++
	switch {
	case !ok:
		t.strange++
	case e.probe:
		t.probes[e.source] = max(t.probes[e.source], e.number)
	case e.number <= t.last[e.source]:
		t.misordered++
	default:
		t.last[e.source] = e.number
	}
}

// count returns the events so far.
func (t *tally) count() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.events
}

// heard reports whether a probe of this generation has come from the source.
func (t *tally) heard(source, generation uint64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.probes[source] >= generation
}

// flaws returns what must be nothing, and forgets the sources that have died.
func (t *tally) flaws() (misordered, strange int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for source := range t.last {
		if source >= firstMortal {
			delete(t.last, source)
		}
	}
	return t.misordered, t.strange
}
