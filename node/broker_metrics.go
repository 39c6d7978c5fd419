package node

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/znode/znode/sockets"
)

var _ prometheus.Collector = (*Broker)(nil)

const proxyPrefix = "zeek_cluster_zeromq_proxy_"

// proxyMetrics are Zeek's own, in Zeek's words (ZeroMQ-Proxy.cc).
var proxyMetrics = []struct {
	name, help string
	value      func(*ProxyStats) uint64
}{
	{"frontend_messages_received_total", "Number of messages received by the frontend socket", func(s *ProxyStats) uint64 { return s.FrontendMessagesReceived }},
	{"frontend_bytes_received_total", "Number of bytes received by the frontend socket", func(s *ProxyStats) uint64 { return s.FrontendBytesReceived }},
	{"frontend_messages_sent_total", "Number of messages sent by the frontend socket", func(s *ProxyStats) uint64 { return s.FrontendMessagesSent }},
	{"frontend_bytes_sent_total", "Number of bytes sent by the frontend socket", func(s *ProxyStats) uint64 { return s.FrontendBytesSent }},
	{"backend_messages_received_total", "Number of messages received by the backend socket", func(s *ProxyStats) uint64 { return s.BackendMessagesReceived }},
	{"backend_bytes_received_total", "Number of bytes received by the backend socket", func(s *ProxyStats) uint64 { return s.BackendBytesReceived }},
	{"backend_messages_sent_total", "Number of messages sent by the backend socket", func(s *ProxyStats) uint64 { return s.BackendMessagesSent }},
	{"backend_bytes_sent_total", "Number of bytes sent by the backend socket", func(s *ProxyStats) uint64 { return s.BackendBytesSent }},
}

var (
	proxyDescs = func() []*prometheus.Desc {
		descs := make([]*prometheus.Desc, len(proxyMetrics))
		for i, m := range proxyMetrics {
			descs[i] = prometheus.NewDesc(proxyPrefix+m.name, m.help, []string{"node"}, nil)
		}
		return descs
	}()
	brokerConnections = prometheus.NewDesc("znode_broker_connections",
		"Connections of a socket, those in their handshake included", []string{"node", "socket"}, nil)
	brokerClosed = prometheus.NewDesc("znode_broker_connections_closed_total",
		"Connections refused or ended, by reason", []string{"node", "socket", "reason"}, nil)
	brokerDropped = prometheus.NewDesc("znode_broker_dropped_total",
		"Messages dropped because a subscriber's queue was full, also of subscribers that have left", []string{"node"}, nil)
	brokerLost = prometheus.NewDesc("znode_broker_lost_total",
		"Messages that were queued for subscribers when they left", []string{"node"}, nil)
	brokerForeign = prometheus.NewDesc("znode_broker_foreign_messages_total",
		"Messages from subscribers that were neither a subscription nor a cancellation and were dropped", []string{"node"}, nil)
)

// Describe implements prometheus.Collector.
func (b *Broker) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range proxyDescs {
		ch <- d
	}
	ch <- brokerConnections
	ch <- brokerClosed
	ch <- brokerForeign
	ch <- brokerDropped
	ch <- brokerLost
	describePeers(ch)
	b.topics.describe(ch)
}

// Collect implements prometheus.Collector.
func (b *Broker) Collect(ch chan<- prometheus.Metric) {
	s := b.Stats()
	for i, m := range proxyMetrics {
		ch <- prometheus.MustNewConstMetric(proxyDescs[i], prometheus.CounterValue, float64(m.value(&s)), b.opt.Node)
	}
	for name, stats := range map[string]sockets.Stats{"xsub": b.xsub.Stats(), "xpub": b.xpub.Stats()} {
		ch <- prometheus.MustNewConstMetric(brokerConnections, prometheus.GaugeValue, float64(stats.Connections), b.opt.Node, name)
		for reason, n := range stats.Failures {
			ch <- prometheus.MustNewConstMetric(brokerClosed, prometheus.CounterValue, float64(n), b.opt.Node, name, string(reason))
		}
	}
	xpub := b.xpub.Stats()
	ch <- prometheus.MustNewConstMetric(brokerDropped, prometheus.CounterValue, float64(xpub.Dropped), b.opt.Node)
	ch <- prometheus.MustNewConstMetric(brokerLost, prometheus.CounterValue, float64(xpub.Lost), b.opt.Node)
	ch <- prometheus.MustNewConstMetric(brokerForeign, prometheus.CounterValue, float64(b.xpub.Foreign()), b.opt.Node)
	b.collectPeers(ch)
	b.topics.collect(ch, b.opt.Node)
}
