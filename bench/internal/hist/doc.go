// Package hist counts latencies in a fixed number of buckets, so that a
// benchmark can record every message without allocating and processes written
// in different languages can add up what they saw.
//
// Entry points: [Histogram.Record], [Histogram.Quantile], [Histogram.Add].
package hist
