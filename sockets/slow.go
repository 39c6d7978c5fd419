package sockets

import "time"

// refillPart is how much slower a waiting budget refills than it is spent.
const refillPart = 10

// slowness is a pipe's account of being waited for; all under pipe.mu.
//
//	waited for --budget spent--> isolated --half of the queue free--> trusted again
//
// The budget, SlowGrace at most, is spent while the pipe is full and anybody waits
// for room in it, and refills at a tenth of real time otherwise. So one subscriber
// costs the publishers at most the grace at once, or a tenth of their time in the
// long run. Who has something for several full pipes waits for all of them at the
// same time, so that those which stop together cost no more than one.
type slowness struct {
	budget   time.Duration // at the time below
	at       time.Time     // zero before the first wait: the budget is whole
	waiting  int           // how many have something for the pipe that it has no room for
	waiters  []*waiter
	isolated bool
	dropped  uint64 // since the isolation began
}

// A waiter waits for room in a pipe; a goroutine uses one for all its waits.
type waiter struct {
	woken chan struct{}
	timer *time.Timer
}

func newWaiter() *waiter {
	w := &waiter{woken: make(chan struct{}, 1), timer: time.NewTimer(time.Hour)}
	w.timer.Stop()
	return w
}

// wake releases all who wait. The caller holds p.mu.
func (p *pipe) wake() {
	for i, w := range p.slow.waiters {
		select {
		case w.woken <- struct{}{}:
		default:
		}
		p.slow.waiters[i] = nil
	}
	p.slow.waiters = p.slow.waiters[:0]
}

// settle brings the budget up to date; spent says whether it was spent lately, or
// refilled. It is called before that changes.
func (s *slowness) settle(now time.Time, grace time.Duration, spent bool) {
	switch {
	case s.at.IsZero():
		s.budget = grace
	case spent:
		s.budget = max(0, s.budget-now.Sub(s.at))
	default:
		s.budget = min(grace, s.budget+now.Sub(s.at)/refillPart)
	}
	s.at = now
}

// settle brings the pipe's budget up to date, before it becomes full or ceases to
// be, and before the number of those who wait changes. The caller holds p.mu.
func (p *pipe) settle() {
	p.slow.settle(time.Now(), p.sock.opt.SlowGrace, p.full && p.slow.waiting > 0)
}

// waitedFor counts who has something for the pipe that it has no room for: more
// with 1, less with -1.
func (p *pipe) waitedFor(more int) {
	p.mu.Lock()
	p.settle()
	p.slow.waiting += more
	p.mu.Unlock()
}

// insistAll delivers what pipes had no room for, behind in number, or drops it.
func (x *XPUB) insistAll(r *router, b *Batch, behind int) {
	// While one of them is waited for, so are the others.
	together := behind > 1 && x.opt.NoDrop
	if together {
		for _, slot := range r.touched {
			if st := &r.stages[slot]; len(st.runs) > 0 {
				st.pipe.waitedFor(1)
			}
		}
	}
	for _, slot := range r.touched {
		if st := &r.stages[slot]; len(st.runs) > 0 {
			x.insist(st, b, r.waiter)
			if together {
				st.pipe.waitedFor(-1)
			}
		}
	}
}

// await waits until the pipe has room, is isolated, or has ended, or the socket
// closes. The caller holds p.mu, also afterwards.
func (p *pipe) await(w *waiter) {
	grace := p.sock.opt.SlowGrace
	s := &p.slow
	for p.room() == 0 && !p.gone && !s.isolated && !p.sock.isHurried() {
		p.settle()
		if grace >= 0 && s.budget <= 0 {
			p.isolate()
			return
		}
		s.waiting++
		p.waitOnce(w, grace >= 0)
		p.settle()
		s.waiting--
		// Judged at once: what the budget gains until the next turn must not
		// keep it above nothing for ever.
		if grace >= 0 && s.budget <= 0 && p.room() == 0 && !p.gone && !s.isolated {
			p.isolate()
			return
		}
	}
}

// waitOnce waits for a wake-up, or until the budget is spent. The caller holds
// p.mu, which is released meanwhile.
func (p *pipe) waitOnce(w *waiter, bounded bool) {
	var expired <-chan time.Time
	if bounded {
		w.timer.Reset(p.slow.budget)
		expired = w.timer.C
	}
	p.slow.waiters = append(p.slow.waiters, w)
	p.mu.Unlock()
	select {
	case <-w.woken:
	case <-expired:
	case <-p.sock.hurried:
	}
	w.timer.Stop()
	p.mu.Lock()
	p.forget(w)
}

// forget removes a waiter that was not woken, and its wake-up if it was.
func (p *pipe) forget(w *waiter) {
	for i, o := range p.slow.waiters {
		if o == w {
			last := len(p.slow.waiters) - 1
			p.slow.waiters[i] = p.slow.waiters[last]
			p.slow.waiters[last] = nil
			p.slow.waiters = p.slow.waiters[:last]
			break
		}
	}
	select {
	case <-w.woken:
	default:
	}
}

// isolate stops waiting for the pipe. The caller holds p.mu.
func (p *pipe) isolate() {
	p.slow.isolated = true
	p.slow.dropped = 0
	p.wake()
	p.sock.tell(Event{Kind: EventIsolated, Endpoint: p.peer.Endpoint, Addr: p.peer.Addr(), Peer: p.peer})
}

// rejoin ends the isolation. The caller holds p.mu.
func (p *pipe) rejoin() {
	if !p.slow.isolated {
		return
	}
	p.slow.isolated = false
	p.sock.tell(Event{Kind: EventRejoined, Endpoint: p.peer.Endpoint, Addr: p.peer.Addr(), Peer: p.peer, Dropped: p.slow.dropped})
}

// tellLeft tells of an isolation that is over because the pipe has ended. Its
// subscriptions are still there.
func (p *pipe) tellLeft() {
	p.mu.Lock()
	isolated, dropped := p.slow.isolated, p.slow.dropped
	p.mu.Unlock()
	if isolated {
		p.sock.tell(Event{
			Kind: EventLeft, Endpoint: p.peer.Endpoint, Addr: p.peer.Addr(), Peer: p.peer,
			Dropped: dropped, Prefixes: p.sock.kind.prefixes(p.peer),
		})
	}
}

// drop counts n messages that were not queued. The caller holds p.mu.
func (p *pipe) drop(n int) {
	p.peer.ctr.dropped.Add(uint64(n))
	p.sock.dropped.Add(uint64(n))
	if p.slow.isolated {
		p.slow.dropped += uint64(n)
	}
}
