package node

import (
	"maps"
	"slices"
	"strconv"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/znode/znode/sockets"
)

// maxPeerSeries bounds the peers shown one by one; the rest are added up under
// the peer "other".
const maxPeerSeries = 500

var peerLabels = []string{"node", "socket", "peer", "id"}

// peerMetrics are shown for every peer of the XPUB, the side that queues.
var peerMetrics = []struct {
	desc  *prometheus.Desc
	typ   prometheus.ValueType
	value func(*sockets.PeerStats) float64
}{
	{peerDesc("sent_messages_total", "Messages the kernel took for the peer"), prometheus.CounterValue,
		func(p *sockets.PeerStats) float64 { return float64(p.SentMessages) }},
	{peerDesc("sent_bytes_total", "Bytes on the wire the kernel took for the peer"), prometheus.CounterValue,
		func(p *sockets.PeerStats) float64 { return float64(p.SentBytes) }},
	{peerDesc("dropped_total", "Messages dropped because the peer's queue was full"), prometheus.CounterValue,
		func(p *sockets.PeerStats) float64 { return float64(p.DroppedMessages) }},
	{peerDesc("queued_messages", "Messages waiting for the peer"), prometheus.GaugeValue,
		func(p *sockets.PeerStats) float64 { return float64(p.QueuedMessages) }},
	{peerDesc("queued_bytes", "Memory kept alive by what waits for the peer"), prometheus.GaugeValue,
		func(p *sockets.PeerStats) float64 { return float64(p.QueuedBytes) }},
	{peerDesc("subscriptions", "Prefixes the peer is subscribed to"), prometheus.GaugeValue,
		func(p *sockets.PeerStats) float64 { return float64(p.Subscriptions) }},
	{peerDesc("isolated", "1 while the peer is too slow to be waited for"), prometheus.GaugeValue,
		func(p *sockets.PeerStats) float64 {
			if p.Isolated {
				return 1
			}
			return 0
		}},
}

func peerDesc(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("znode_broker_peer_"+name, help, peerLabels, nil)
}

func describePeers(ch chan<- *prometheus.Desc) {
	for _, m := range peerMetrics {
		ch <- m.desc
	}
}

// peerSeries chooses the peers that are shown one by one. A peer keeps what it got
// first, a series of its own or a part in that of the others, so that counters
// never go back.
type peerSeries struct {
	most int // series of their own

	mu     sync.Mutex
	own    map[uint64]struct{}          // by ID
	others map[uint64]sockets.PeerStats // as last seen
	gone   []float64                    // by metric: what others had counted when they left; nil before there were others
}

func newPeerSeries(most int) *peerSeries {
	return &peerSeries{most: most, own: make(map[uint64]struct{}), others: make(map[uint64]sockets.PeerStats)}
}

// split returns the peers to be shown, and by metric the sums of the others; nil
// if there never were any. It asks for the peers itself, one caller at a time: with
// older ones than the last caller's, some would seem to have left.
func (s *peerSeries) split(now func() []sockets.PeerStats) (own []sockets.PeerStats, others []float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	peers := now()
	s.forget(peers)
	for _, p := range peers {
		id := p.Peer.ID
		_, shown := s.own[id]
		_, hidden := s.others[id]
		if !shown && (hidden || len(s.own) >= s.most) {
			s.others[id] = p
			continue
		}
		s.own[id] = struct{}{}
		own = append(own, p)
	}
	if len(s.others) > 0 && s.gone == nil {
		s.gone = make([]float64, len(peerMetrics))
	}
	others = slices.Clone(s.gone)
	for _, p := range s.others {
		for i, m := range peerMetrics {
			others[i] += m.value(&p)
		}
	}
	return own, others
}

// forget drops the peers that have left.
func (s *peerSeries) forget(peers []sockets.PeerStats) {
	there := make(map[uint64]struct{}, len(peers))
	for _, p := range peers {
		there[p.Peer.ID] = struct{}{}
	}
	left := func(id uint64) bool { _, ok := there[id]; return !ok }
	maps.DeleteFunc(s.own, func(id uint64, _ struct{}) bool { return left(id) })
	for id, p := range s.others {
		if !left(id) {
			continue
		}
		for i, m := range peerMetrics {
			if m.typ == prometheus.CounterValue {
				s.gone[i] += m.value(&p)
			}
		}
		delete(s.others, id)
	}
}

func (b *Broker) collectPeers(ch chan<- prometheus.Metric) {
	peers, others := b.series.split(b.xpub.Peers)
	for i, sum := range others {
		m := peerMetrics[i]
		ch <- prometheus.MustNewConstMetric(m.desc, m.typ, sum, b.opt.Node, "xpub", "other", "")
	}
	for i := range peers {
		p := &peers[i]
		id := strconv.FormatUint(p.Peer.ID, 10)
		for _, m := range peerMetrics {
			ch <- prometheus.MustNewConstMetric(m.desc, m.typ, m.value(p), b.opt.Node, "xpub", p.Peer.Addr(), id)
		}
	}
}
