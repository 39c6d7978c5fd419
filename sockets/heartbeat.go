package sockets

import "time"

// heartbeat sends PING commands (RFC 37) to all peers and ends the connections of
// those that stay silent. It is a goroutine of the socket with
// Options.HeartbeatInterval.
//
// One PING at a time is without an answer, whatever the interval, so that a peer
// that does not read is not sent more and more of them. Whatever a peer sends is
// as good an answer as a PONG. While the handler has what a peer sent, nobody would
// hear more of it: it is not silent then, however long that takes.
func (s *socket) heartbeat() {
	tick := time.NewTicker(s.opt.HeartbeatInterval)
	defer tick.Stop()
	asked := make(map[*conn]time.Time) // since when there is no answer
	for {
		select {
		case now := <-tick.C:
			s.beat(now, asked)
		case <-s.closing:
			return
		}
	}
}

// beat is one round. What it leaves in asked are the connections that there are.
func (s *socket) beat(now time.Time, asked map[*conn]time.Time) {
	there := make(map[*conn]struct{})
	for _, p := range s.allPipes() {
		p.mu.Lock()
		c := p.conn
		p.mu.Unlock()
		if c == nil {
			continue
		}
		there[c] = struct{}{}
		since, waits := asked[c]
		switch {
		case c.handling.Load():
			asked[c] = now
		case c.heard.Swap(false) || !waits:
			asked[c] = now
			c.due = !p.ping(c)
		case c.due && p.ping(c):
			asked[c] = now
			c.due = false
		case now.Sub(since) >= s.opt.HeartbeatTimeout:
			c.closeFor(protocolErrorf(ReasonTimeout, "no life sign in %v", now.Sub(since)))
		}
	}
	for c := range asked {
		if _, ok := there[c]; !ok {
			delete(asked, c)
		}
	}
}

// ping queues a PING that asks for nothing but an answer: its time to live is 0. It
// does not, and returns false, while the last one counts as not sent. That one may
// be answered already, so another is due.
func (p *pipe) ping(c *conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	sent := p.peer.ctr.sentMessages.Load()
	if p.gone || p.conn != c || sent < c.pinged {
		return false
	}
	c.pinged = sent + uint64(p.msgs) + 1
	const cmd = "\x04\x07\x04PING\x00\x00"
	copy(p.grow(len(cmd), 1, 0), cmd)
	p.startWriter()
	return true
}
