package soak

import (
	"fmt"
	"strings"
)

// base is where the counters of a round begin: there is nothing under way.
type base struct {
	sent    int64
	members []int64          // got
	slow    []int64          // received
	dropped map[string]int64 // by the broker, by peer
}

// balance is the account of a round's events so far. Unaccounted must come down
// to nothing, and never be below.
type balance struct {
	sent      int64 // by members and by those that died
	delivered int64 // to members, their own that came back and what their queue dropped included
	toMembers int64 // dropped by the broker for members
	toSlow    []slowBalance
}

type slowBalance struct {
	name               string
	delivered, dropped int64
}

// sent is all that was published for everybody: each event goes to each member
// and to each slow subscriber.
func (s *soak) sent() int64 {
	sum := s.sentByMortals.Load()
	for _, m := range s.members {
		sum += m.sent.Load()
	}
	return sum
}

// droppedByPeer returns what the broker has dropped for whom.
func (s *soak) droppedByPeer() (map[string]int64, error) {
	f, err := s.broker.scrape()
	if err != nil {
		return nil, err
	}
	dropped := make(map[string]int64)
	for peer, n := range f.by("znode_broker_peer_dropped_total", "peer") {
		dropped[peer] = int64(n)
	}
	return dropped, nil
}

// open takes the base of a round. Nothing may be under way.
func (s *soak) open() (err error) {
	b := base{sent: s.sent()}
	for _, m := range s.members {
		b.members = append(b.members, m.got())
	}
	for _, p := range s.slow {
		b.slow = append(b.slow, p.tally.count())
	}
	b.dropped, err = s.droppedByPeer()
	s.base = b
	return err
}

// balance returns the account of the round.
func (s *soak) balance() (balance, error) {
	dropped, err := s.droppedByPeer()
	if err != nil {
		return balance{}, err
	}
	b := balance{sent: s.sent() - s.base.sent}
	for i, m := range s.members {
		b.delivered += m.got() - s.base.members[i]
	}
	for i, p := range s.slow {
		at := p.addr()
		b.toSlow = append(b.toSlow, slowBalance{p.name, p.tally.count() - s.base.slow[i], dropped[at] - s.base.dropped[at]})
		delete(dropped, at)
	}
	for peer, n := range dropped {
		b.toMembers += n - s.base.dropped[peer]
	}
	return b, nil
}

// unaccounted returns the events that are neither delivered nor counted as
// dropped, of all members and of each slow subscriber.
func (b *balance) unaccounted(members int) []int64 {
	missing := []int64{int64(members)*b.sent - b.delivered - b.toMembers}
	for _, p := range b.toSlow {
		missing = append(missing, b.sent-p.delivered-p.dropped)
	}
	return missing
}

// balanced reports whether nothing is unaccounted for.
func (b *balance) balanced(members int) bool {
	for _, n := range b.unaccounted(members) {
		if n != 0 {
			return false
		}
	}
	return true
}

// String is a line for people.
func (b *balance) String() string {
	var t strings.Builder
	fmt.Fprintf(&t, "%d published, members: %d delivered, %d dropped", b.sent, b.delivered, b.toMembers)
	for _, p := range b.toSlow {
		fmt.Fprintf(&t, "; %s: %d delivered, %d dropped", p.name, p.delivered, p.dropped)
	}
	return t.String()
}

// batches returns how many batches of log writes were sent, bad ones too, and
// how many the loggers have read and refused.
func (s *soak) batches() (sent, read, refused int64, err error) {
	sent = s.badSent.Load()
	for _, a := range s.accounts() {
		sent += int64(a.batches)
	}
	for _, l := range s.loggers {
		read, refused = read+l.received, refused+l.refused
		if !l.running() {
			continue
		}
		f, err := l.scrape()
		if err != nil {
			return 0, 0, 0, err
		}
		read += int64(f.sum("znode_logger_received_messages_total"))
		refused += int64(f.sum("znode_logger_refused_messages_total"))
	}
	return sent, read, refused, nil
}
