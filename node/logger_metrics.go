package node

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

var _ prometheus.Collector = (*Logger)(nil)

// loggerMetrics are those with no other label than node.
var loggerMetrics = []loggerMetric{
	counterOf("zeek_cluster_zeromq_msg_errors_total", "Number of events with the wrong number of message parts.",
		func(l *Logger, _ *LoggerStats) float64 { return float64(l.refused[refusedFrames].n.Load()) }),
	counterOf("znode_logger_received_messages_total", "Messages read from the log socket",
		func(_ *Logger, s *LoggerStats) float64 { return float64(s.Messages) }),
	counterOf("znode_logger_received_bytes_total", "Bytes of the messages read from the log socket, without frame headers",
		func(_ *Logger, s *LoggerStats) float64 { return float64(s.Bytes) }),
	counterOf("znode_logger_written_bytes_total", "Bytes written to logs",
		func(_ *Logger, s *LoggerStats) float64 { return float64(s.Written) }),
	counterOf("znode_logger_discarded_records_total", "Records for Log::WRITER_NONE",
		func(l *Logger, _ *LoggerStats) float64 { return float64(l.discarded.Load()) }),
	counterOf("znode_logger_lost_batches_total", "Batches that were read and neither written nor kept",
		func(_ *Logger, s *LoggerStats) float64 { return float64(s.Lost) }),
	counterOf("znode_logger_write_errors_total", "Tries to write or finish a log, or to read the spool for it, that failed",
		func(l *Logger, _ *LoggerStats) float64 { return float64(l.writeErrors.Load()) }),
	counterOf("znode_logger_rejects_kept_total", "Refused batches kept for inspection",
		func(_ *Logger, s *LoggerStats) float64 { return float64(s.Rejected) }),
	counterOf("znode_logger_rejects_dropped_total", "Refused batches not kept for inspection",
		func(l *Logger, _ *LoggerStats) float64 { return float64(l.reject.dropped.Load()) }),
	counterOf("znode_logger_memory_waits_total", "Times that a connection was not read for lack of memory",
		func(l *Logger, _ *LoggerStats) float64 { return float64(l.budget.stats().waits) }),
	counterOf("znode_logger_spooled_batches_total", "Batches that went into the spool",
		func(_ *Logger, s *LoggerStats) float64 { return float64(s.Spooled) }),
	counterOf("znode_logger_rotations_total", "Logs that were finished and renamed",
		func(_ *Logger, s *LoggerStats) float64 { return float64(s.Rotations) }),
	counterOf("znode_logger_archived_total", "Finished logs that are in their final form and place",
		func(l *Logger, _ *LoggerStats) float64 { return float64(l.keeper.Stats().Archived) }),
	counterOf("znode_logger_archived_bytes_in_total", "Bytes of finished logs before compression",
		func(l *Logger, _ *LoggerStats) float64 { return float64(l.keeper.Stats().BytesIn) }),
	counterOf("znode_logger_archived_bytes_out_total", "Bytes of finished logs after compression",
		func(l *Logger, _ *LoggerStats) float64 { return float64(l.keeper.Stats().BytesOut) }),
	counterOf("znode_logger_archive_errors_total", "Tries to archive or delete a finished log that failed",
		func(l *Logger, _ *LoggerStats) float64 { return float64(l.keeper.Stats().Errors) }),
	counterOf("znode_logger_archive_deleted_total", "Archived logs deleted for their age or the archive's size",
		func(l *Logger, _ *LoggerStats) float64 { return float64(l.keeper.Stats().Deleted) }),
	counterOf("znode_logger_rotation_commands_total", "Rotation commands run",
		func(l *Logger, _ *LoggerStats) float64 { return float64(l.keeper.Stats().Commands) }),
	counterOf("znode_logger_rotation_command_errors_total", "Rotation commands that failed",
		func(l *Logger, _ *LoggerStats) float64 { return float64(l.keeper.Stats().CmdErrors) }),
	gaugeOf("znode_logger_files", "Log files being written",
		func(_ *Logger, s *LoggerStats) float64 { return float64(s.Files) }),
	gaugeOf("znode_logger_stuck_streams", "Paths whose files cannot be written at the moment",
		func(_ *Logger, s *LoggerStats) float64 { return float64(s.Stuck) }),
	gaugeOf("znode_logger_lag_seconds", "Age of the oldest batch being worked on",
		func(_ *Logger, s *LoggerStats) float64 { return s.Lag.Seconds() }),
	gaugeOf("znode_logger_memory_bytes", "Memory of what is read and not yet written",
		func(_ *Logger, s *LoggerStats) float64 { return float64(s.Memory) }),
	gaugeOf("znode_logger_memory_limit_bytes", "Bound on the memory of what is read and not yet written",
		func(l *Logger, _ *LoggerStats) float64 { return float64(l.opt.MemoryLimit) }),
	gaugeOf("znode_logger_spool_bytes", "Bytes of the spool on disk",
		func(_ *Logger, s *LoggerStats) float64 { return float64(s.Spool) }),
	gaugeOf("znode_logger_spool_limit_bytes", "Bound on the bytes of the spool",
		func(l *Logger, _ *LoggerStats) float64 { return float64(l.opt.SpoolLimit) }),
	gaugeOf("znode_logger_spool_segments", "Files of the spool",
		func(l *Logger, _ *LoggerStats) float64 { return float64(l.store.spool.Stats().Segments) }),
	gaugeOf("znode_logger_spool_full", "1 while the spool has no room and sockets are not read",
		func(_ *Logger, s *LoggerStats) float64 { return oneIf(s.SpoolFull) }),
	gaugeOf("znode_logger_spool_trouble", "1 while the spool cannot be written",
		func(l *Logger, _ *LoggerStats) float64 { return oneIf(l.store.trouble.Load() > 0) }),
	gaugeOf("znode_logger_archive_waiting", "Finished logs waiting to be compressed",
		func(l *Logger, _ *LoggerStats) float64 { return float64(l.keeper.Stats().Waiting) }),
	gaugeOf("znode_logger_connections", "Connections of the log socket, those in their handshake included",
		func(l *Logger, _ *LoggerStats) float64 { return float64(l.pull.Stats().Connections) }),
}

// loggerMetric is one figure; value reads it, if it can from s.
type loggerMetric struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(l *Logger, s *LoggerStats) float64
}

func counterOf(name, help string, value func(*Logger, *LoggerStats) float64) loggerMetric {
	return loggerMetric{prometheus.NewDesc(name, help, []string{"node"}, nil), prometheus.CounterValue, value}
}

func gaugeOf(name, help string, value func(*Logger, *LoggerStats) float64) loggerMetric {
	return loggerMetric{prometheus.NewDesc(name, help, []string{"node"}, nil), prometheus.GaugeValue, value}
}

func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// The metrics of logs that a Node and a Logger have in common with each other and
// with Zeek (src/logging/Manager.cc).
var (
	writerLabels = []string{"stream", "writer", "filter_name", "path", "module", "node"}
	writerWrites = prometheus.NewDesc("zeek_log_writer_writes_total",
		"Total number of log writes passed to a concrete log writer not vetoed by stream or filter policies.",
		writerLabels, nil)
	writerDiscarded = prometheus.NewDesc("zeek_log_writer_discarded_writes_total",
		"Total number of log writes discarded due to size limitations.", writerLabels, nil)
	writerCutStrings = prometheus.NewDesc("zeek_log_writer_truncated_string_fields_total",
		"Total number of logged string fields limited by length", writerLabels, nil)
	writerCutContainers = prometheus.NewDesc("zeek_log_writer_truncated_containers_total",
		"Total number of logged container fields limited by length", writerLabels, nil)
	streamWrites = prometheus.NewDesc("zeek_log_stream_writes_total",
		"Total number of log writes for the given stream.", []string{"stream", "module", "node"}, nil)
	logDescs = []*prometheus.Desc{writerWrites, writerDiscarded, writerCutStrings, writerCutContainers, streamWrites}
)

var (
	loggerRefused = prometheus.NewDesc("znode_logger_refused_messages_total",
		"Messages that were not written, by reason", []string{"node", "reason"}, nil)
	loggerRefusedBy = prometheus.NewDesc("znode_logger_refused_batches_total",
		"Batches that were not written, by stream and sender", []string{"node", "stream", "sender"}, nil)
	loggerClosed = prometheus.NewDesc("znode_logger_connections_closed_total",
		"Connections refused or ended, by reason", []string{"node", "reason"}, nil)
)

// Describe implements prometheus.Collector.
func (l *Logger) Describe(ch chan<- *prometheus.Desc) {
	for _, m := range loggerMetrics {
		ch <- m.desc
	}
	for _, d := range slices.Concat(logDescs, []*prometheus.Desc{loggerRefused, loggerRefusedBy, loggerClosed}) {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (l *Logger) Collect(ch chan<- prometheus.Metric) {
	node, stats := l.opt.Node, l.Stats()
	for _, m := range loggerMetrics {
		ch <- prometheus.MustNewConstMetric(m.desc, m.kind, m.value(l, &stats), node)
	}
	counter := func(d *prometheus.Desc, v uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	l.collectWrites(counter)
	for k := range refusalKinds {
		counter(loggerRefused, l.refused[k].n.Load(), node, k.String())
	}
	l.bySender.each(func(stream, sender string, n uint64) {
		counter(loggerRefusedBy, n, node, stream, sender)
	})
	for reason, n := range l.pull.Stats().Failures {
		counter(loggerClosed, n, node, string(reason))
	}
}

// collectWrites reports what was written under Zeek's names.
func (l *Logger) collectWrites(counter func(d *prometheus.Desc, v uint64, labels ...string)) {
	// Labels that were cut may be equal, which a scrape must not show.
	sums := make(map[writesKey]logSums)
	for _, ln := range l.router.all() {
		for _, c := range ln.tallies.all() {
			s := sums[c.key]
			sums[c.key] = logSums{s.records + c.records.Load(), s.discarded + c.discarded.Load()}
		}
	}
	collectLogs(sums, l.opt.Node, counter)
}

// logSums are the records of a log.
type logSums struct{ records, discarded uint64 }

// collectLogs reports the records of logs under Zeek's names.
func collectLogs(logs map[writesKey]logSums, node string, counter func(d *prometheus.Desc, v uint64, labels ...string)) {
	streams := make(map[string]uint64)
	for k, s := range logs {
		streams[k.stream] += s.records
		labels := []string{k.stream, k.writer, k.filter, k.path, module(k.stream), node}
		counter(writerWrites, s.records, labels...)
		counter(writerDiscarded, s.discarded, labels...)
		// Zeek has a limit for these; here nothing is cut.
		counter(writerCutStrings, 0, labels...)
		counter(writerCutContainers, 0, labels...)
	}
	for stream, n := range streams {
		counter(streamWrites, n, stream, module(stream), node)
	}
}
