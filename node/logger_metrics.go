package node

import (
	"strings"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/znode/znode/codec"
)

var _ prometheus.Collector = (*Logger)(nil)

// maxTallies bounds the combinations of stream, writer and filter counted for
// one path. What comes beyond is counted under otherTally.
const maxTallies = 32

const otherTally = "(other)"

// maxLabel bounds the labels that come from the wire, in bytes.
const maxLabel = 128

// writesKey tells the writes that are counted apart.
type writesKey struct{ stream, writer, filter, path string }

// tally counts the records of one stream, writer and filter under a path.
type tally struct {
	key     writesKey
	records atomic.Uint64
}

// tallies are a lane's. The lane adds to them, the scraper reads.
type tallies struct {
	list atomic.Pointer[[]*tally]
}

// of returns the counter for a batch.
func (t *tallies) of(b *codec.Batch) *atomic.Uint64 {
	var list []*tally
	if p := t.list.Load(); p != nil {
		list = *p
	}
	for _, c := range list {
		k := &c.key
		if string(b.Stream) == k.stream && string(b.Writer) == k.writer && string(b.Filter) == k.filter {
			return &c.records
		}
	}
	if len(list) > maxTallies {
		return &list[maxTallies].records
	}
	c := &tally{key: writesKey{label(b.Stream), label(b.Writer), label(b.Filter), label(b.Path)}}
	if len(list) == maxTallies {
		c.key.stream, c.key.writer, c.key.filter = otherTally, otherTally, otherTally
	}
	longer := append(list[:len(list):len(list)], c)
	t.list.Store(&longer)
	return &c.records
}

var (
	writerWrites = prometheus.NewDesc("zeek_log_writer_writes_total",
		"Total number of log writes passed to a concrete log writer not vetoed by stream or filter policies.",
		[]string{"stream", "writer", "filter_name", "path", "module", "node"}, nil)
	streamWrites = prometheus.NewDesc("zeek_log_stream_writes_total",
		"Total number of log writes for the given stream.", []string{"stream", "module", "node"}, nil)
	messageErrors = prometheus.NewDesc("zeek_cluster_zeromq_msg_errors_total",
		"Number of events with the wrong number of message parts.", []string{"node"}, nil)
	loggerRefused = prometheus.NewDesc("znode_logger_refused_messages_total",
		"Messages that were not written, by reason", []string{"node", "reason"}, nil)
	loggerReceived = prometheus.NewDesc("znode_logger_received_messages_total",
		"Messages read from the log socket", []string{"node"}, nil)
	loggerReceivedBytes = prometheus.NewDesc("znode_logger_received_bytes_total",
		"Bytes of the messages read from the log socket, without frame headers", []string{"node"}, nil)
	loggerFiles = prometheus.NewDesc("znode_logger_files",
		"Log files being written", []string{"node"}, nil)
	loggerStuck = prometheus.NewDesc("znode_logger_stuck_streams",
		"Paths whose files cannot be written at the moment", []string{"node"}, nil)
	loggerMemory = prometheus.NewDesc("znode_logger_memory_bytes",
		"Memory of what is read and not yet written", []string{"node"}, nil)
	loggerMemoryLimit = prometheus.NewDesc("znode_logger_memory_limit_bytes",
		"Bound on the memory of what is read and not yet written", []string{"node"}, nil)
	loggerMemoryWaits = prometheus.NewDesc("znode_logger_memory_waits_total",
		"Times that a connection was not read for lack of memory", []string{"node"}, nil)
	loggerConnections = prometheus.NewDesc("znode_logger_connections",
		"Connections of the log socket, those in their handshake included", []string{"node"}, nil)
	loggerClosed = prometheus.NewDesc("znode_logger_connections_closed_total",
		"Connections refused or ended, by reason", []string{"node", "reason"}, nil)
)

// Describe implements prometheus.Collector.
func (l *Logger) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		writerWrites, streamWrites, messageErrors, loggerRefused, loggerReceived, loggerReceivedBytes, loggerFiles,
		loggerStuck, loggerMemory, loggerMemoryLimit, loggerMemoryWaits, loggerConnections, loggerClosed,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (l *Logger) Collect(ch chan<- prometheus.Metric) {
	node := l.opt.Node
	counter := func(d *prometheus.Desc, v uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	gauge := func(d *prometheus.Desc, v float64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, node)
	}
	l.collectWrites(counter)
	for k := range refusalKinds {
		counter(loggerRefused, l.refused[k].n.Load(), node, k.String())
	}
	counter(messageErrors, l.refused[refusedFrames].n.Load(), node)
	counter(loggerReceived, l.received.Load(), node)
	counter(loggerReceivedBytes, l.receivedBytes.Load(), node)
	gauge(loggerFiles, float64(l.names.count()))
	gauge(loggerStuck, float64(l.stuck.Load()))
	b := l.budget.stats()
	gauge(loggerMemory, float64(b.used))
	gauge(loggerMemoryLimit, float64(l.opt.MemoryLimit))
	counter(loggerMemoryWaits, b.waits, node)
	s := l.pull.Stats()
	gauge(loggerConnections, float64(s.Connections))
	for reason, n := range s.Failures {
		counter(loggerClosed, n, node, string(reason))
	}
}

// collectWrites reports what was written under Zeek's names.
func (l *Logger) collectWrites(counter func(d *prometheus.Desc, v uint64, labels ...string)) {
	// Labels that were cut may be equal, which a scrape must not show.
	writes, streams := make(map[writesKey]uint64), make(map[string]uint64)
	for _, ln := range l.router.list() {
		list := ln.tallies.list.Load()
		if list == nil {
			continue
		}
		for _, c := range *list {
			n := c.records.Load()
			writes[c.key] += n
			streams[c.key.stream] += n
		}
	}
	for k, n := range writes {
		counter(writerWrites, n, k.stream, k.writer, k.filter, k.path, module(k.stream), l.opt.Node)
	}
	for stream, n := range streams {
		counter(streamWrites, n, stream, module(stream), l.opt.Node)
	}
}

// label makes a metric's label of bytes from the wire.
func label(b []byte) string {
	return strings.ToValidUTF8(string(b[:min(len(b), maxLabel)]), "\uFFFD")
}

// module is the part of a stream's name before "::".
func module(stream string) string {
	m, _, ok := strings.Cut(stream, "::")
	if !ok {
		return ""
	}
	return m
}
