package node

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// resync is what happens after the broker was lost and is there again: a lost
// broker cancels nothing, so nodes that have gone with it are found by their not
// coming back.
type resync struct {
	conn    uint32    // the connection of the XPUB after which nodes come back
	compare time.Time // when those that have not are taken for gone; zero if not to be
}

// connected takes note of a connection of the XPUB. The first thing that comes
// over a new one begins a resync.
func (m *member) connected(conn uint32) {
	if int32(conn-m.conn) <= 0 {
		return
	}
	first := m.conn == 0
	m.conn = conn
	if first {
		return
	}
	m.resync = resync{conn: conn}
	// Only when both connections are through to the broker can anybody's
	// subscription come, so only then the time begins.
	m.n.subs.mu.Lock()
	defer m.n.subs.mu.Unlock()
	m.n.subs.barrier(func() {
		if m.resync.conn == conn {
			m.resync.compare = m.deadline(m.n.opt.HelloExpiration)
		}
	})
}

// compare takes the nodes that have not come back for gone.
func (m *member) compare() {
	m.resync.compare = time.Time{}
	for _, id := range slices.Sorted(maps.Keys(m.known.names)) {
		if p := m.present[id]; p != nil && p.conn == m.conn {
			continue
		}
		name := m.known.names[id]
		m.warn(fmt.Sprintf("node '%s' did not come back with the broker (id:%s)", shown(name), shown(id)))
		m.down(name, id)
		m.remember(name, id)
	}
	maps.DeleteFunc(m.present, func(_ string, p *presence) bool { return p.conn != m.conn })
}

// deadline returns the time in d and makes the loop call tick then.
func (m *member) deadline(d time.Duration) time.Time {
	at := time.Now().Add(d)
	if m.next.IsZero() || at.Before(m.next) {
		m.next = at
	}
	return at
}

// tick does what is due at a time and finds the next deadline.
func (m *member) tick(now time.Time) {
	if m.next.IsZero() || now.Before(m.next) {
		return
	}
	m.next = time.Time{}
	m.resend()
	due := func(at time.Time) bool {
		if at.IsZero() {
			return false
		}
		if !now.Before(at) {
			return true
		}
		if m.next.IsZero() || at.Before(m.next) {
			m.next = at
		}
		return false
	}
	if due(m.resync.compare) {
		m.compare()
	}
	for id, p := range m.present {
		if due(p.expires) {
			p.expires = time.Time{}
			m.warn("Expired subscription from nodeid " + shown(id))
		}
	}
	for id, at := range m.hellos {
		if due(at) {
			delete(m.hellos, id)
			m.warn("Expired hello from nodeid " + shown(id))
		}
	}
	for id, at := range m.left {
		if due(at) {
			delete(m.left, id)
		}
	}
}

// resend sends the greetings that wait.
func (m *member) resend() {
	for i, g := range m.unsent {
		if !m.sent(g) {
			m.unsent = slices.Delete(m.unsent, 0, i)
			m.deadline(resendInterval)
			return
		}
	}
	m.unsent = nil
}
