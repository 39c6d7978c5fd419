package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/znode/znode/bench/internal/report"
	"github.com/znode/znode/codec"
)

// The sides.
const (
	sideZnode = "znode"
	sideBare  = "bare"
)

// scenario is one task for a logger.
type scenario struct {
	name, title string
	paths       int // that the records are spread over
	records     int // of a batch
	format      codec.TextFormat
	args        []string // further flags for znode
	throttle    int64    // bytes a second that the disk takes; 0 is -dir as it is, else the logger is alone
	wants       []report.Want
}

// What is measured.
var (
	metricRate    = report.Metric{Name: "records", Unit: report.PerSecond, Better: report.More, Plot: true}
	metricCPU     = report.Metric{Name: "cpu-per-record", Unit: report.Seconds, Better: report.Less, Plot: true}
	metricUser    = report.Metric{Name: "user-per-record", Unit: report.Seconds, Better: report.Less}
	metricSystem  = report.Metric{Name: "system-per-record", Unit: report.Seconds, Better: report.Less}
	metricPeakRSS = report.Metric{Name: "rss-peak", Unit: report.Bytes, Better: report.Less, Plot: true}
	metricRSS     = report.Metric{Name: "rss-after", Unit: report.Bytes, Better: report.Less}
	metricSpool   = report.Metric{Name: "spool-peak", Unit: report.Bytes, Better: report.Less}
	metricLost    = report.Metric{Name: "lost", Unit: report.Count, Better: report.Less}
	metricForeign = report.Metric{Name: "foreign", Unit: report.Share, Better: report.Less}
)

func own(m report.Metric, bound report.Bound, limit float64) report.Want {
	return report.Want{Side: sideZnode, Metric: m.Name, Unit: m.Unit, Bound: bound, Limit: limit}
}

// presets returns all scenarios, with what is wanted of znode in each.
func presets() []scenario {
	lossless := own(metricLost, report.AtMost, 0)
	small := own(metricPeakRSS, report.AtMost, 128<<20)
	smallAfter := own(metricRSS, report.AtMost, 128<<20)
	return []scenario{
		{
			name: "json", title: "one JSON log, batches of 1000 records", paths: 1, records: 1000, format: codec.FormatJSON,
			wants: []report.Want{own(metricCPU, report.AtMost, 0.5e-6), own(metricRate, report.AtLeast, 1.5e6), small, smallAfter, lossless},
		},
		{
			name: "json-paths", title: "four JSON logs, batches of 1000 records", paths: 4, records: 1000, format: codec.FormatJSON,
			wants: []report.Want{own(metricCPU, report.AtMost, 0.5e-6), small, lossless},
		},
		{
			name: "json-small", title: "one JSON log, batches of 50 records", paths: 1, records: 50, format: codec.FormatJSON,
			wants: []report.Want{small, lossless},
		},
		{
			name: "tsv", title: "one TSV log, batches of 1000 records", paths: 1, records: 1000, format: codec.FormatTSV,
			wants: []report.Want{own(metricCPU, report.AtMost, 0.5e-6), small, lossless},
		},
		{
			name: "journal", title: "one JSON log, batches of 1000 records, each on disk before it is formatted",
			paths: 1, records: 1000, format: codec.FormatJSON, args: []string{"--durability", "journal"},
			wants: []report.Want{small, lossless},
		},
		{
			name: "throttled", title: "one JSON log, batches of 1000 records, on a disk that takes 20 MB a second; the spool is in -dir",
			paths: 1, records: 1000, format: codec.FormatJSON, throttle: 20e6,
			wants: []report.Want{small, smallAfter, lossless},
		},
	}
}

// maxForeign is the share of the machine that others may use before figures are
// called noisy.
const maxForeign = 0.1

// env is what scenarios run with.
type env struct {
	*options
	self, znode string // programs
	dir         string // for everything that is written
	progress    io.Writer
}

// run runs a scenario, the sides in turn.
func (e *env) run(s scenario) report.Group {
	g := report.Group{Name: "scenario=" + s.name, Title: s.title, Wants: s.wants}
	for _, side := range e.sides {
		if s.throttle > 0 && side != sideZnode {
			continue // the disk alone would be measured
		}
		g.Series = append(g.Series, report.Series{Side: side})
	}
	rounds := e.rounds
	if s.throttle > 0 {
		rounds = 1 // it takes long, and shows memory
	}
	for round := range rounds {
		for i := range g.Series {
			e.turn(s, &g.Series[(i+round)%len(g.Series)], round)
		}
	}
	var used []string
	for _, series := range g.Series {
		if v := series.Find(metricForeign.Name); v != nil && v.Median() > maxForeign {
			used = append(used, fmt.Sprintf("%s (%s)", series.Side, report.FormatValue(v.Median(), report.Share)))
		}
	}
	if used != nil {
		g.Warnings = append(g.Warnings, "too noisy: share of the machine that other processes used beside "+strings.Join(used, ", "))
	}
	return g
}

// turn is one run of one side.
func (e *env) turn(s scenario, series *report.Series, round int) {
	if series.Missing != "" {
		return
	}
	start := time.Now()
	t := &trial{env: e, scenario: s, side: series.Side}
	err := t.run()
	text := ""
	if errors.Is(err, errNoDisk) {
		series.Missing = err.Error()
		return
	}
	if err != nil {
		// Without this side's samples of the round its ratios would pair wrongly.
		series.Failed, series.Missing = true, fmt.Sprintf("failed in round %d: %v", round+1, err)
		text = err.Error()
	}
	for _, v := range t.samples {
		series.Add(v.metric, v.value)
		text += v.metric.Name + " " + report.FormatValue(v.value, v.metric.Unit) + ", "
	}
	fmt.Fprintf(e.progress, "%s round %d %s: %sin %.1fs\n", s.name, round+1, series.Side, text, time.Since(start).Seconds())
}
