package node

import (
	"testing"

	"github.com/znode/znode/sockets"
)

// TestPeerSeries: peers beyond the bound are added up; nobody changes sides, and
// counters of those who leave stay.
func TestPeerSeries(t *testing.T) {
	s := newPeerSeries(2)
	peer := func(id, sent uint64, queued int) sockets.PeerStats {
		return sockets.PeerStats{Peer: &sockets.Peer{ID: id}, SentMessages: sent, QueuedMessages: queued}
	}
	const sent, queued = 0, 3 // in peerMetrics
	for i, step := range []struct {
		peers        []sockets.PeerStats
		own          []uint64
		sent, queued float64 // of the others, -1 when there are none
	}{
		{[]sockets.PeerStats{peer(1, 10, 1), peer(2, 20, 2)}, []uint64{1, 2}, -1, -1},
		{[]sockets.PeerStats{peer(1, 10, 1), peer(2, 20, 2), peer(3, 30, 3), peer(4, 40, 4)}, []uint64{1, 2}, 70, 7},
		// 1 has left: 3 and 4 stay where they are, 5 gets what is free.
		{[]sockets.PeerStats{peer(2, 20, 2), peer(3, 31, 3), peer(4, 41, 4), peer(5, 50, 5)}, []uint64{2, 5}, 72, 7},
		{[]sockets.PeerStats{peer(2, 20, 2), peer(4, 42, 0), peer(5, 50, 5)}, []uint64{2, 5}, 73, 0},
		{[]sockets.PeerStats{peer(2, 20, 2)}, []uint64{2}, 73, 0},
		{[]sockets.PeerStats{peer(2, 20, 2), peer(6, 60, 6)}, []uint64{2, 6}, 73, 0},
	} {
		own, others := s.split(func() []sockets.PeerStats {
			if s.mu.TryLock() {
				t.Fatal("two may ask at the same time, and the older figures come last")
			}
			return step.peers
		})
		var ids []uint64
		for _, p := range own {
			ids = append(ids, p.Peer.ID)
		}
		if len(ids) != len(step.own) || ids[0] != step.own[0] || ids[len(ids)-1] != step.own[len(ids)-1] {
			t.Errorf("step %d: shown are %v, want %v", i, ids, step.own)
		}
		switch {
		case step.sent < 0:
			if others != nil {
				t.Errorf("step %d: others %v", i, others)
			}
		case others[sent] != step.sent || others[queued] != step.queued:
			t.Errorf("step %d: others sent %v and queue %v, want %v and %v", i, others[sent], others[queued], step.sent, step.queued)
		}
	}
}
