package node

import (
	"strconv"

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

func (b *Broker) collectPeers(ch chan<- prometheus.Metric) {
	peers := b.xpub.Peers()
	if len(peers) > maxPeerSeries {
		for _, m := range peerMetrics {
			sum := 0.0
			for i := maxPeerSeries; i < len(peers); i++ {
				sum += m.value(&peers[i])
			}
			ch <- prometheus.MustNewConstMetric(m.desc, m.typ, sum, b.opt.Node, "xpub", "other", "")
		}
		peers = peers[:maxPeerSeries]
	}
	for i := range peers {
		p := &peers[i]
		id := strconv.FormatUint(p.Peer.ID, 10)
		for _, m := range peerMetrics {
			ch <- prometheus.MustNewConstMetric(m.desc, m.typ, m.value(p), b.opt.Node, "xpub", p.Peer.Addr(), id)
		}
	}
}
