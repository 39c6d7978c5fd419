package sockets

import (
	"maps"
	"slices"
)

// Subscription is a change of what a peer of an XPUB is subscribed to.
type Subscription struct {
	Prefix    []byte // valid until the handler returns
	Subscribe bool   // false: the prefix is cancelled
	// Changed is whether the set of subscribed prefixes changed with it: the
	// first peer took the prefix, or the last one left it.
	Changed bool
	// More is whether another change that came together with this one follows
	// at once: whoever passes them on can do so in one piece.
	More bool
	Peer *Peer
}

// received takes subscriptions. As in libzmq every frame counts by itself.
func (x *XPUB) received(p *pipe, b Batch) error {
	if err := x.resumed(p); err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	defer x.reported()
	for m := range b.Messages() {
		for at := 0; at < len(m); {
			f := trustedFrame(m, at)
			at = f.end
			body := m[f.body:f.end]
			switch {
			case len(body) > 0 && body[0] == 1:
				if err := x.subscribe(p, body[1:]); err != nil {
					return err
				}
			case len(body) > 0 && body[0] == 0:
				x.cancel(p, body[1:])
			default:
				x.foreign.Add(1)
			}
		}
	}
	return nil
}

func (x *XPUB) subscription(p *pipe, prefix []byte, subscribe bool) error {
	if err := x.resumed(p); err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	defer x.reported()
	if subscribe {
		return x.subscribe(p, prefix)
	}
	x.cancel(p, prefix)
	return nil
}

// subscribe adds a prefix to what a pipe holds. The caller holds x.mu.
func (x *XPUB) subscribe(p *pipe, prefix []byte) error {
	first := false
	if _, held := p.subs[string(prefix)]; !held {
		p.pardon(prefix)
		if len(p.subs)+len(p.refused) >= x.opt.MaxSubscriptions {
			return protocolErrorf(ReasonSubscriptions, "more than %d subscriptions", x.opt.MaxSubscriptions)
		}
		if p.subBytes+len(prefix) > x.opt.MaxSubscriptionBytes {
			return protocolErrorf(ReasonSubscriptions, "subscriptions of more than %d bytes", x.opt.MaxSubscriptionBytes)
		}
		key := string(prefix)
		if x.opt.MaySubscribe != nil && !x.opt.MaySubscribe(p.peer, prefix, false) {
			p.refuse(key)
			return nil
		}
		first = x.take(p, key)
	}
	if first || x.opt.Verbose || x.opt.Verboser {
		x.report(Subscription{Prefix: prefix, Subscribe: true, Changed: first, Peer: p.peer})
	}
	return nil
}

// take puts a prefix into what a pipe holds and says whether nobody held it
// before. The caller holds x.mu.
func (x *XPUB) take(p *pipe, prefix string) (first bool) {
	p.subs[prefix] = struct{}{}
	p.subBytes += len(prefix)
	root, first := x.root.Load().with(prefix, p)
	x.root.Store(root)
	return first
}

// cancel removes a prefix from what a pipe holds. The caller holds x.mu.
func (x *XPUB) cancel(p *pipe, prefix []byte) {
	if p.pardon(prefix) {
		return
	}
	last := false
	if _, held := p.subs[string(prefix)]; held {
		delete(p.subs, string(prefix))
		p.subBytes -= len(prefix)
		var root *node
		root, last = x.root.Load().without(string(prefix), p)
		x.root.Store(root)
	}
	if last || x.opt.Verboser {
		x.report(Subscription{Prefix: prefix, Changed: last, Peer: p.peer})
	}
}

// report tells of a change, one late. The caller holds x.mu and calls reported
// when its changes are over.
func (x *XPUB) report(s Subscription) {
	if x.holding {
		x.held.More = true
		x.onSubscription(x.held)
	}
	x.held, x.holding = s, true
}

// reported tells of the last change.
func (x *XPUB) reported() {
	if x.holding {
		x.holding = false
		x.onSubscription(x.held)
		x.held = Subscription{}
	}
}

// cancelAll cancels what a pipe holds, in order, and forgets what it was refused.
// The caller holds x.mu.
func (x *XPUB) cancelAll(p *pipe) {
	for prefix := range p.refused {
		p.pardon([]byte(prefix))
	}
	for _, prefix := range slices.Sorted(maps.Keys(p.subs)) {
		x.cancel(p, []byte(prefix))
	}
	x.reported()
}
