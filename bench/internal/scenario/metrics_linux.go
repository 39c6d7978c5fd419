package scenario

import "github.com/znode/znode/bench/internal/report"

// What is measured. Rates and CPU are of the steady state only.
var (
	metricDeliveries = report.Metric{Name: "deliveries", Unit: report.PerSecond, Better: report.More, Plot: true}
	metricMessages   = report.Metric{Name: "messages", Unit: report.PerSecond, Better: report.More}
	metricCPU        = report.Metric{Name: "cpu-per-delivery", Unit: report.Seconds, Better: report.Less, Plot: true}
	metricP50        = report.Metric{Name: "p50", Unit: report.Seconds, Better: report.Less, Plot: true}
	metricP99        = report.Metric{Name: "p99", Unit: report.Seconds, Better: report.Less, Plot: true}
	metricLost       = report.Metric{Name: "lost", Unit: report.Count, Better: report.Less}
	metricMisordered = report.Metric{Name: "misordered", Unit: report.Count, Better: report.Less}
	metricRSS        = report.Metric{Name: "rss", Unit: report.Bytes, Better: report.Less}
	metricPeakRSS    = report.Metric{Name: "rss-peak", Unit: report.Bytes, Better: report.Less}
	metricCores      = report.Metric{Name: "broker-cores", Unit: report.Count}
	metricLoadCores  = report.Metric{Name: "load-cores", Unit: report.Count}
	metricForeign    = report.Metric{Name: "foreign", Unit: report.Share, Better: report.Less}

	// Stopped and slow subscribers. The others are the three that read on.
	metricPause       = report.Metric{Name: "others-pause", Unit: report.Seconds, Better: report.Less, Plot: true}
	metricOthersLost  = report.Metric{Name: "others-lost", Unit: report.Count, Better: report.Less}
	metricStoppedLost = report.Metric{Name: "stopped-lost", Unit: report.Count}
	metricMiscounted  = report.Metric{Name: "miscounted", Unit: report.Count, Better: report.Less} // lost, but for the broker's counter
	metricResumed     = report.Metric{Name: "resumed", Unit: report.Count, Better: report.More}
	metricOthersRate  = report.Metric{Name: "others-rate", Unit: report.PerSecond} // of each, when all are fast
	metricKept        = report.Metric{Name: "others-kept", Unit: report.Share, Better: report.More, Plot: true}
	metricKeptOnset   = report.Metric{Name: "others-kept-onset", Unit: report.Share, Better: report.More}

	// Clusters.
	metricJoin      = report.Metric{Name: "join", Unit: report.Seconds, Better: report.Less, Plot: true}
	metricJoined    = report.Metric{Name: "joined", Unit: report.Count, Better: report.More} // nodes that have seen all others
	metricJoinPeak  = report.Metric{Name: "join-rss", Unit: report.Bytes, Better: report.Less, Plot: true}
	metricJoinCPU   = report.Metric{Name: "join-cpu", Unit: report.Seconds, Better: report.Less}
	metricIdleCores = report.Metric{Name: "idle-cores", Unit: report.Share, Better: report.Less}
	metricIdleRSS   = report.Metric{Name: "idle-rss", Unit: report.Bytes, Better: report.Less}
	metricDelay     = report.Metric{Name: "join-delay", Unit: report.Seconds, Better: report.Less}
	metricPerSilent = report.Metric{Name: "rss-per-silent", Unit: report.Bytes, Better: report.Less, Plot: true}
	metricHeld      = report.Metric{Name: "silent-held", Unit: report.Count}
)
