package scenario

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/znode/znode/bench/internal/load"
	"github.com/znode/znode/bench/internal/pump"
	"github.com/znode/znode/bench/internal/report"
	"github.com/znode/znode/bench/internal/side"
)

func TestMain(m *testing.M) {
	// The tests start this binary again as load process and as byte pump.
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "load":
			os.Exit(load.Main(os.Args[2:], os.Stdin, os.Stdout))
		case "pump":
			os.Exit(pump.Main(os.Args[2:], os.Stderr))
		}
	}
	goleak.VerifyTestMain(m)
}

// pumpEnv has only the byte pump: in Go, which needs nothing but this binary, or,
// where there is a compiler and it may be used, in C.
func pumpEnv(t *testing.T, compiler bool) *Env {
	t.Helper()
	if !compiler {
		t.Setenv("PATH", "")
	}
	set, err := side.Find(t.TempDir(), side.Options{Names: []string{side.Pump}, Pump: []string{os.Args[0], "pump"}})
	if err != nil {
		t.Fatal(err)
	}
	return &Env{
		Set: set, Load: []string{os.Args[0], "load"}, Duration: 100 * time.Millisecond, Rounds: 2, Progress: io.Discard,
	}
}

func TestStreamsThroughThePump(t *testing.T) {
	for _, compiler := range []bool{false, true} {
		t.Run(fmt.Sprintf("compiler=%v", compiler), func(t *testing.T) { testStreams(t, pumpEnv(t, compiler)) })
	}
}

func testStreams(t *testing.T, e *Env) {
	for _, s := range []Scenario{
		{Name: "one", Title: "one", measure: stream(traffic(1, 1, 200))},
		{Name: "many", Title: "many", measure: stream(traffic(3, 4, 70_000))},
		{Name: "paced", Title: "paced", measure: stream(paced(1000))},
	} {
		g := e.Run(s, RawPeers)
		series := g.Find(side.Pump)
		if series.Missing != "" {
			t.Fatalf("%s: %s", s.Name, series.Missing)
		}
		for _, m := range []report.Metric{metricDeliveries, metricMessages, metricCPU, metricRSS} {
			if v := series.Find(m.Name); v == nil || len(v.Samples) != 2 || v.Median() <= 0 {
				t.Errorf("%s: %s is %+v", s.Name, m.Name, v)
			}
		}
		for _, m := range []report.Metric{metricLost, metricMisordered} {
			if v := series.Find(m.Name); v == nil || v.Median() != 0 {
				t.Errorf("%s: %s is %+v", s.Name, m.Name, v)
			}
		}
		if v := series.Find(metricP99.Name); (v != nil) != (s.Name == "paced") {
			t.Errorf("%s: latency %+v", s.Name, v)
		}
	}
}

func TestAFailedSideIsReportedAndNotMeasuredAgain(t *testing.T) {
	e := pumpEnv(t, false)
	turns := 0
	g := e.Run(Scenario{Name: "bad", measure: func(*trial) error { turns++; return io.ErrUnexpectedEOF }}, RawPeers)
	series := g.Find(side.Pump)
	if turns != 1 || !series.Failed || !strings.Contains(series.Missing, "round 1: unexpected EOF") {
		t.Errorf("%d turns, %+v", turns, series)
	}
	if g.Failed() != 1 {
		t.Errorf("%d failed", g.Failed())
	}
}

func TestMissingLibzmqPeersAreReported(t *testing.T) {
	e := pumpEnv(t, false)
	g := e.Run(Scenario{Name: "zmq", measure: func(*trial) error { return nil }}, ZmqPeers)
	if s := g.Find(side.Pump); s.Missing != "not asked for" || s.Failed {
		t.Errorf("%+v", s)
	}
}

func TestPresetsAreComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range Presets() {
		if s.Name == "" || s.Title == "" || s.measure == nil || seen[s.Name] {
			t.Errorf("scenario %+v", s)
		}
		seen[s.Name] = true
		for _, w := range s.Wants {
			if w.Side == "" || w.Metric == "" || w.Bound == "" {
				t.Errorf("%s: want %+v", s.Name, w)
			}
		}
	}
	for _, name := range []string{
		"1to1", "4to8", "topics8-all", "topics8-one", "size2000", "size65536", "latency", "join400", "join2000",
		"stopped-subscriber", "slow-subscriber", "silent10k", "curve-1to1", "curve-4to8",
	} {
		if found, err := Named([]string{name}); err != nil || len(found) != 1 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Named([]string{"nonsense"}); err == nil {
		t.Error("an unknown scenario was accepted")
	}
	if all, err := Named([]string{"all"}); err != nil || len(all) != len(seen) {
		t.Errorf("%d of %d, %v", len(all), len(seen), err)
	}
}

func TestGridIsEveryCombination(t *testing.T) {
	cells, err := Grid([]int{1, 16}, []int{1, 64}, []int{50, 65536}, []int{1, 8}, []string{load.SelectAny, load.SelectOne}, 0)
	if err != nil || len(cells) != 32 {
		t.Fatalf("%d cells, %v", len(cells), err)
	}
	for _, s := range cells {
		if one := strings.Contains(s.Name, "topics=8/select=one"); (s.Sides != nil) != one {
			t.Errorf("%s is for %v", s.Name, s.Sides)
		}
	}
	if _, err := Grid([]int{1}, []int{1}, []int{5}, []int{1}, []string{load.SelectAny}, 0); err == nil {
		t.Error("a payload of 5 bytes was accepted")
	}
}
