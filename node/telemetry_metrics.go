package node

import (
	"maps"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// telemetryDescs are the metrics of one telemetry, named as Zeek names them.
type telemetryDescs struct {
	outgoing, incoming               *prometheus.Desc
	verboseOutgoing, verboseIncoming *prometheus.Desc
	debugOutgoing, debugIncoming     *prometheus.Desc
}

func newTelemetryDescs(name string) telemetryDescs {
	desc := func(what, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("zeek_cluster_"+name+"_"+what, help, append([]string{"node"}, labels...), nil)
	}
	return telemetryDescs{
		outgoing: desc("outgoing_events_total", "Number of outgoing events"),
		incoming: desc("incoming_events_total", "Number of incoming events"),
		verboseOutgoing: desc("verbose_outgoing_events_total",
			"Number of outgoing events with topic and handler information", "topic", "handler"),
		verboseIncoming: desc("verbose_incoming_events_total",
			"Number of incoming events with topic and handler information", "topic", "handler"),
		debugOutgoing: desc("debug_outgoing_event_sizes",
			"The number and size distribution of outgoing events with topic, handler and script location information",
			"topic", "handler", "script_location"),
		debugIncoming: desc("debug_incoming_event_sizes",
			"The number and size distribution of incoming events with topic and handler information", "topic", "handler"),
	}
}

var coreDescs = newTelemetryDescs("core")

// collect shows what is counted.
func (t *telemetry) collect(ch chan<- prometheus.Metric, d *telemetryDescs, node string) {
	if t.opt.CoreMetrics&TelemetryInfo != 0 {
		ch <- prometheus.MustNewConstMetric(d.outgoing, prometheus.CounterValue, float64(t.out.total.Load()), node)
		ch <- prometheus.MustNewConstMetric(d.incoming, prometheus.CounterValue, float64(t.in.total.Load()), node)
	}
	if t.opt.CoreMetrics&TelemetryVerbose != 0 {
		t.collectVerbose(ch, &t.out, d.verboseOutgoing, node)
		t.collectVerbose(ch, &t.in, d.verboseIncoming, node)
	}
	if t.opt.CoreMetrics&TelemetryDebug != 0 {
		for _, c := range t.out.list() {
			t.collectSizes(ch, c, d.debugOutgoing, node, c.labels.topic, c.labels.event, c.labels.place)
		}
		for _, c := range t.in.list() {
			t.collectSizes(ch, c, d.debugIncoming, node, c.labels.topic, c.labels.event)
		}
	}
}

// collectVerbose shows the counts by topic and event, those of all places added
// up.
func (t *telemetry) collectVerbose(ch chan<- prometheus.Metric, e *events, d *prometheus.Desc, node string) {
	sums := make(map[eventLabels]uint64)
	for _, c := range e.list() {
		sums[eventLabels{topic: c.labels.topic, event: c.labels.event}] += c.n.Load()
	}
	for l, n := range sums {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), node, l.topic, l.event)
	}
}

func (t *telemetry) collectSizes(ch chan<- prometheus.Metric, c *eventCounter, d *prometheus.Desc, node string, labels ...string) {
	buckets := make(map[float64]uint64, len(c.buckets))
	count, sum := c.n.Load(), c.sum.Load()
	below := uint64(0)
	for i, bound := range t.opt.MessageSizeBounds {
		below += c.buckets[i].Load()
		buckets[bound] = min(below, count) // an event may be half counted
	}
	ch <- prometheus.MustNewConstHistogram(d, count, float64(sum), buckets, append([]string{node}, labels...)...)
}

// list returns the counters there are, those left out excepted.
func (e *events) list() []*eventCounter {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.DeleteFunc(slices.Collect(maps.Values(e.labels)), func(c *eventCounter) bool { return c.skip })
}
