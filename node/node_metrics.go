package node

import (
	"github.com/prometheus/client_golang/prometheus"
)

var _ prometheus.Collector = (*Node)(nil)

// nodeMetrics are the figures of a node without further labels. Those of Zeek
// have Zeek's words (src/cluster/backend/zeromq/ZeroMQ.cc).
var nodeMetrics = []struct {
	desc  *prometheus.Desc
	typ   prometheus.ValueType
	value func(*Stats) float64
}{
	{nodeDesc("zeek_cluster_zeromq_xpub_drops_total", "Number of published events dropped due to XPUB socket HWM."),
		prometheus.CounterValue, func(s *Stats) float64 { return float64(s.XPUBDrops) }},
	{nodeDesc("zeek_cluster_zeromq_onloop_drops_total", "Number of received events dropped due to OnLoop queue full."),
		prometheus.CounterValue, func(s *Stats) float64 { return float64(s.OnloopDrops) }},
	{nodeDesc("znode_node_received_events_total", "Events received from other nodes, dropped ones included"),
		prometheus.CounterValue, func(s *Stats) float64 { return float64(s.Received) }},
	{nodeDesc("znode_node_handled_events_total", "Events that the loop has handled"),
		prometheus.CounterValue, func(s *Stats) float64 { return float64(s.Handled) }},
	{nodeDesc("znode_node_undecodable_events_total", "Handled events that could not be read"),
		prometheus.CounterValue, func(s *Stats) float64 { return float64(s.Undecodable) }},
	{nodeDesc("znode_node_own_events_total", "Events of the node itself that came back and were ignored"),
		prometheus.CounterValue, func(s *Stats) float64 { return float64(s.Own) }},
	{nodeDesc("znode_node_published_events_total", "Events handed to the XPUB socket"),
		prometheus.CounterValue, func(s *Stats) float64 { return float64(s.Published) }},
	{nodeDesc("znode_node_onloop_queue_length", "Work waiting for the loop"),
		prometheus.GaugeValue, func(s *Stats) float64 { return float64(s.OnloopLength) }},
	{nodeDesc("znode_node_onloop_forced_bytes", "Memory of the log batches and subscriptions waiting for the loop"),
		prometheus.GaugeValue, func(s *Stats) float64 { return float64(s.ForcedBytes) }},
	{nodeDesc("znode_node_log_batches_total", "Log batches received and handled"),
		prometheus.CounterValue, func(s *Stats) float64 { return float64(s.LogBatches) }},
	{nodeDesc("znode_node_log_refused_batches_total", "Of the log batches handled, those that could not be read"),
		prometheus.CounterValue, func(s *Stats) float64 { return float64(s.LogRefused) }},
	{nodeDesc("znode_log_writes_total", "Log records written by this node"),
		prometheus.CounterValue, func(s *Stats) float64 { return float64(s.LogWrites) }},
	{nodeDesc("znode_log_discards_total", "Log records left out because a value does not fit its column"),
		prometheus.CounterValue, func(s *Stats) float64 { return float64(s.LogDiscards) }},
	{nodeDesc("znode_log_sent_total", "Log records handed to the PUSH socket"),
		prometheus.CounterValue, func(s *Stats) float64 { return float64(s.LogSent) }},
	{nodeDesc("znode_log_batches_sent_total", "Log batches handed to the PUSH socket"),
		prometheus.CounterValue, func(s *Stats) float64 { return float64(s.LogBatchesTo) }},
	{nodeDesc("znode_log_lost_batches_total", "Of these, batches that waited for a logger that went away, or that no logger took before the node closed"),
		prometheus.CounterValue, func(s *Stats) float64 { return float64(s.LogBatchesLost) }},
	{nodeDesc("znode_log_drops_total", "Log records dropped because no logger had room"),
		prometheus.CounterValue, func(s *Stats) float64 { return float64(s.LogDrops) }},
}

func nodeDesc(name, help string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, []string{"node"}, nil)
}

// onloopTag is Zeek's name of the queue.
const onloopTag = "ZeroMQ"

var (
	nodeBlocks = prometheus.NewDesc("zeek_cluster_onloop_queue_blocks_total",
		"Increased whenever a cluster backend thread is blocked due to the OnLoop queue being full.", []string{"node", "tag"}, nil)
	nodeUp = prometheus.NewDesc("znode_node_cluster_nodes", "Other nodes of the cluster that are up", []string{"node"}, nil)
	// A Logger shows this too, and those of logs.
	nodeMsgErrors = nodeDesc("zeek_cluster_zeromq_msg_errors_total", "Number of events with the wrong number of message parts.")
)

// Describe implements prometheus.Collector.
func (n *Node) Describe(ch chan<- *prometheus.Desc) {
	for _, m := range nodeMetrics {
		ch <- m.desc
	}
	ch <- nodeBlocks
	ch <- nodeUp
	d := &coreDescs
	for _, desc := range []*prometheus.Desc{
		d.outgoing, d.incoming, d.verboseOutgoing, d.verboseIncoming, d.debugOutgoing, d.debugIncoming,
	} {
		ch <- desc
	}
	if !n.opt.BesideLogger {
		ch <- nodeMsgErrors
		for _, d := range logDescs {
			ch <- d
		}
	}
}

// Collect implements prometheus.Collector.
func (n *Node) Collect(ch chan<- prometheus.Metric) {
	s := n.Stats()
	for _, m := range nodeMetrics {
		ch <- prometheus.MustNewConstMetric(m.desc, m.typ, m.value(&s), n.opt.Node)
	}
	ch <- prometheus.MustNewConstMetric(nodeBlocks, prometheus.CounterValue, float64(s.OnloopBlocks), n.opt.Node, onloopTag)
	ch <- prometheus.MustNewConstMetric(nodeUp, prometheus.GaugeValue, float64(len(n.Nodes())), n.opt.Node)
	n.core.collect(ch, &coreDescs, n.opt.Node)
	if n.opt.BesideLogger {
		return
	}
	ch <- prometheus.MustNewConstMetric(nodeMsgErrors, prometheus.CounterValue, float64(s.MessageErrors), n.opt.Node)
	collectLogs(n.logs.written(), n.opt.Node, func(d *prometheus.Desc, v uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	})
}
