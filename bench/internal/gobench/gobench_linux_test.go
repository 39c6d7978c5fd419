package gobench

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/znode/znode/bench/internal/report"
)

const output = `goos: linux
pkg: github.com/znode/znode/ring
BenchmarkMPSC/queue=ring/producers=1/batch=64-2     	  100000	        25.00 ns/op	       0 B/op	       0 allocs/op
BenchmarkMPSC/queue=chan/producers=1/batch=64-2     	  100000	        50.00 ns/op	       8 B/op	       1 allocs/op
BenchmarkNode/hwm=0-2	 5000	 400 ns/op	 512.00 MB/s	 2.5 Mevents/s	 300 cpu-ns/event	 7 drops
BenchmarkLogger/format=json 	 1	 1.5 ns/record	 20.00 peak-MiB
ok  	github.com/znode/znode/ring	1.2s
`

func TestParseAndGroup(t *testing.T) {
	all, err := parse(strings.NewReader(output))
	if err != nil || len(all) != 4 {
		t.Fatalf("%+v, %v", all, err)
	}
	s := Suite{Package: "ring", Side: "queue", Wants: Ring()[0].Wants[:1]}
	var groups []report.Group
	for _, one := range append(all, all...) { // two rounds
		groups = s.add(groups, one)
	}
	if len(groups) != 3 || groups[0].Name != "pkg=ring/bench=MPSC/producers=1/batch=64" {
		t.Fatalf("%+v", groups)
	}
	check := func(g int, side, metric string, want float64) {
		t.Helper()
		v := groups[g].Find(side).Find(metric)
		if v == nil || len(v.Samples) != 2 || v.Samples[0] != want {
			t.Errorf("%s of %s: %+v, want %v twice", metric, side, v, want)
		}
	}
	check(0, "ring", "time-per-op", 25e-9)
	check(0, "chan", "allocs-per-op", 1)
	check(1, "znode", "events", 2.5e6)
	check(1, "znode", "cpu-per-event", 300e-9)
	check(1, "znode", "drops", 7)
	check(2, "znode", "time-per-record", 1.5e-9)
	check(2, "znode", "peak", 20<<20)
	r := report.Report{Margin: 0.25, Groups: groups[:1]}
	if missed := r.Judge(); missed != 0 || !strings.HasPrefix(r.Groups[0].Verdicts[0], report.Met) {
		t.Errorf("%d missed: %q", missed, r.Groups[0].Verdicts)
	}
	if _, err := parse(strings.NewReader("BenchmarkX-2 1 much ns/op\n")); err == nil {
		t.Error("a value that is no number was taken")
	}
}

// The suites name benchmarks that are there.
func TestSuitesRun(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles other packages' tests")
	}
	for _, suites := range [][]Suite{Ring(), Codec()} { // the others compile much more
		for _, s := range suites {
			var progress bytes.Buffer
			e := Env{Dir: t.TempDir(), Rounds: 1, BenchTime: time.Millisecond, Progress: &progress}
			groups, err := e.Run(s)
			if err != nil {
				t.Fatal(err)
			}
			for _, g := range groups {
				for _, w := range s.Wants {
					if g.Find(w.Side) == nil || g.Find(w.Side).Find(w.Metric) == nil {
						t.Errorf("%s has no %s of %s", g.Name, w.Metric, w.Side)
					}
				}
			}
		}
	}
}
