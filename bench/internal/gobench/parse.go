package gobench

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/znode/znode/bench/internal/report"
)

// result is one line of a benchmark's output.
type result struct {
	name    string // without "Benchmark" and the number of processors
	samples []sample
}

type sample struct {
	metric report.Metric
	value  float64
}

// procs is the GOMAXPROCS that go test puts behind a benchmark's name.
var procs = regexp.MustCompile(`-\d+$`)

// parse reads the output of go test -bench.
func parse(r io.Reader) (all []result, err error) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) < 4 || !strings.HasPrefix(f[0], "Benchmark") || len(f)%2 != 0 {
			continue
		}
		one := result{name: procs.ReplaceAllString(strings.TrimPrefix(f[0], "Benchmark"), "")}
		for i := 2; i < len(f); i += 2 {
			v, err := strconv.ParseFloat(f[i], 64)
			if err != nil {
				return nil, fmt.Errorf("benchmark line %q: %w", lines.Text(), err)
			}
			if s, ok := measured(v, f[i+1]); ok {
				one.samples = append(one.samples, s)
			}
		}
		all = append(all, one)
	}
	return all, lines.Err()
}

// measured is a figure as the report has it. What only says another one again is
// left out.
func measured(v float64, unit string) (sample, bool) {
	what, per, ratio := strings.Cut(unit, "/")
	switch {
	case unit == "ns/op":
		return sample{Time, v / 1e9}, true
	case unit == "allocs/op":
		return sample{Allocs, v}, true
	case unit == "B/op":
		return sample{Bytes, v}, true
	case unit == "MB/s":
		return sample{}, false
	case ratio && (what == "ns" || strings.HasSuffix(what, "-ns")):
		name := strings.TrimSuffix(strings.TrimSuffix(what, "ns"), "-")
		if name == "" {
			name = "time"
		}
		return sample{report.Metric{Name: name + "-per-" + per, Unit: report.Seconds, Better: report.Less}, v / 1e9}, true
	case ratio && per == "s" && strings.HasPrefix(what, "M"):
		return sample{report.Metric{Name: what[1:], Unit: report.PerSecond, Better: report.More}, v * 1e6}, true
	case strings.HasSuffix(unit, "-MiB"):
		return sample{report.Metric{Name: strings.TrimSuffix(unit, "-MiB"), Unit: report.Bytes, Better: report.Less}, v * (1 << 20)}, true
	default:
		return sample{report.Metric{Name: strings.ReplaceAll(unit, "/", "-per-"), Unit: report.Count}, v}, true
	}
}

// split takes the side out of a benchmark's name: "MPSC/queue=ring/batch=1" is
// the task "bench=MPSC/batch=1" and the side "ring".
func split(name, key string) (task, side string) {
	side = "znode"
	parts := strings.Split(name, "/")
	kept := []string{"bench=" + parts[0]}
	for _, p := range parts[1:] {
		if k, v, ok := strings.Cut(p, "="); ok && k == key {
			side = v
			continue
		}
		kept = append(kept, p)
	}
	return strings.Join(kept, "/"), side
}
