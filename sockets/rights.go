package sockets

import (
	"maps"
	"slices"
)

// admits asks Options.Admit about the peer of a pipe.
func (s *socket) admits(p *pipe) bool { return s.opt.Admit == nil || s.opt.Admit(p.peer) }

// errExpelled is why a connection ends that Options.Admit refuses.
var errExpelled = &ProtocolError{Reason: ReasonUnauthorized, Detail: "the peer may not be connected"}

// expel ends a connection whose peer is not admitted.
func (c *conn) expel() { c.closeFor(errExpelled) }

// Readmit asks Options.Admit again about all who are connected, and ends the
// connections that it refuses. It does not wait for that. Who connects meanwhile
// is asked about after the answers have changed.
func (s *socket) Readmit() {
	for _, p := range s.allPipes() {
		p.mu.Lock()
		c := p.conn
		p.mu.Unlock()
		if c != nil && !s.admits(p) {
			c.expel()
		}
	}
}

// Refused is what [XPUB.ForwardIf] did not forward.
type Refused struct {
	Messages int
	Bytes    int64  // of the bodies of their frames
	Topic    []byte // the first frame of the first of them, a slice of the batch
}

// add counts messages that lie side by side.
func (r *Refused) add(run Message, n int) {
	if r.Messages == 0 {
		r.Topic = run.First()
	}
	r.Messages += n
	for at := 0; at < len(run); {
		f := trustedFrame(run, at)
		r.Bytes += int64(f.end - f.body)
		at = f.end
	}
}

// refuse notes a prefix that the pipe may not hold. The caller holds XPUB.mu.
func (p *pipe) refuse(prefix string) {
	if p.refused == nil {
		p.refused = make(map[string]struct{})
	}
	p.refused[prefix] = struct{}{}
	p.subBytes += len(prefix)
}

// pardon forgets that a prefix was refused, and says whether it was. The caller
// holds XPUB.mu.
func (p *pipe) pardon(prefix []byte) bool {
	_, was := p.refused[string(prefix)]
	if was {
		delete(p.refused, string(prefix))
		p.subBytes -= len(prefix)
	}
	return was
}

// Rejudge asks Options.MaySubscribe again about all subscriptions: those that it
// refuses now are cancelled, those that it allows now are taken, and the handler
// is told as if the peers had sent it.
func (x *XPUB) Rejudge() {
	if x.opt.MaySubscribe == nil {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	defer x.reported()
	for _, p := range x.slots {
		if p == nil {
			continue
		}
		refused := slices.Sorted(maps.Keys(p.refused))
		for _, prefix := range slices.Sorted(maps.Keys(p.subs)) {
			if !x.opt.MaySubscribe(p.peer, []byte(prefix), false) {
				x.cancel(p, []byte(prefix))
				p.refuse(prefix)
			}
		}
		for _, prefix := range refused {
			if !x.opt.MaySubscribe(p.peer, []byte(prefix), true) {
				continue
			}
			p.pardon([]byte(prefix))
			if first := x.take(p, prefix); first || x.opt.Verbose || x.opt.Verboser {
				x.report(Subscription{Prefix: []byte(prefix), Subscribe: true, Changed: first, Peer: p.peer})
			}
		}
	}
}

// HeldBy reports whether a peer that match accepts is subscribed to exactly this
// prefix. It takes no lock.
func (x *XPUB) HeldBy(prefix []byte, match func(*Peer) bool) bool {
	n := x.root.Load().at(prefix)
	return n != nil && slices.ContainsFunc(n.peers, func(p *pipe) bool { return match(p.peer) })
}

// A view is what a peer of an XSUB is told of the subscriptions. All of it is
// under XSUB.mu.
type view struct {
	sees   func(prefix []byte) bool // nil: everything, and the rest is not used
	shown  map[string]struct{}      // what the peer holds for subscribed to
	buf    []byte                   // changes to be sent
	queued int                      // their number
}

func (v *view) limited() bool { return v.sees != nil }

// tell adds a change to what is to be sent, if the peer is to know of it. held
// says whether anybody holds the prefix, subscribe that somebody has just taken it.
func (v *view) tell(prefix []byte, subscribe, held bool) {
	_, shown := v.shown[string(prefix)]
	switch sees := held && v.sees(prefix); {
	case sees && (subscribe || !shown):
		if v.shown == nil {
			v.shown = make(map[string]struct{})
		}
		v.shown[string(prefix)] = struct{}{}
		v.add(1, prefix)
	case shown && !sees:
		delete(v.shown, string(prefix))
		v.add(0, prefix)
	}
}

func (v *view) add(first byte, prefix []byte) {
	v.buf = appendSubscription(v.buf, first, prefix)
	v.queued++
}

// sendView sends the changes that were collected.
func (p *pipe) sendView() {
	p.sendForced(p.view.buf, p.view.queued)
	p.view.buf, p.view.queued = nil, 0
}

// sight asks what a peer may see.
func (x *XSUB) sight(p *pipe) func([]byte) bool {
	if x.opt.Sees == nil {
		return nil
	}
	return x.opt.Sees(p.peer)
}

// tellEach notes a change for all peers that do not see everything. The caller
// holds x.mu and has made the change.
func (x *XSUB) tellEach(prefix []byte, subscribe bool) {
	held := x.subs[string(prefix)] > 0
	for _, p := range x.pipes {
		if p.view.limited() {
			p.view.tell(prefix, subscribe, held)
		}
	}
}

// tellAll brings a peer that does not see everything up to date. The caller holds
// x.mu.
func (x *XSUB) tellAll(p *pipe) {
	for _, prefix := range x.sorted() {
		p.view.tell([]byte(prefix), false, true)
	}
	p.sendView()
}

// Rejudge asks Options.Sees again about all peers, and tells them what is new to
// them and what is not theirs to know any more.
func (x *XSUB) Rejudge() {
	if x.opt.Sees == nil {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.flushRelay()
	for _, p := range x.pipes {
		sees := x.sight(p)
		if !p.view.limited() {
			if sees == nil {
				continue
			}
			p.view.shown = make(map[string]struct{}, len(x.subs))
			for prefix := range x.subs {
				p.view.shown[prefix] = struct{}{}
			}
		}
		p.view.sees = sees
		if sees == nil {
			p.view.sees = func([]byte) bool { return true }
		}
		x.tellAll(p)
		if sees == nil {
			p.view = view{}
		}
	}
}
