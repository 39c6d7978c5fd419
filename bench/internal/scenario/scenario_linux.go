package scenario

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/znode/znode/bench/internal/report"
	"github.com/znode/znode/bench/internal/side"
)

// Kinds of peers.
const (
	RawPeers = "raw"
	ZmqPeers = "zmq"
)

// Scenario is one task for a broker.
type Scenario struct {
	Name  string
	Title string
	Sides []string      // that can do it; nil: all
	Peers []string      // that can drive it; nil: raw ones only
	Most  int           // rounds at most, for long ones; 0: as many as asked for
	Wants []report.Want // with raw peers, or else with libzmq's
	Curve bool          // encrypted

	// Lossless has znode hold publishers back for ever, as libzmq and the pump
	// do: under full load every subscriber is a slow one.
	Lossless bool

	measure func(*trial) error
}

// DrivenBy reports whether peers of this kind can drive the scenario.
func (s *Scenario) DrivenBy(peers string) bool {
	return peers == RawPeers || slices.Contains(s.Peers, peers)
}

// Env is what scenarios run with.
type Env struct {
	Set      *side.Set
	Load     []string      // the command of a raw load process, without its flags
	Duration time.Duration // of the steady state that is measured, at least
	Warmup   time.Duration // before it
	Rounds   int
	Progress io.Writer // gets a line per run
}

// maxForeign is the share of the machine that others may use before figures are
// called noisy.
const maxForeign = 0.1

// Run runs a scenario with one kind of peers.
func (e *Env) Run(s Scenario, peers string) report.Group {
	g := report.Group{Name: "scenario=" + s.Name + "/peers=" + peers, Title: s.Title}
	if peers == RawPeers {
		g.Title += ", raw peers"
		if s.Curve {
			g.Title += " with znode's CURVE"
		}
	} else {
		g.Title += ", libzmq peers"
	}
	if peers == RawPeers || s.Curve {
		g.Wants = s.Wants
	}
	for _, sd := range e.Set.Sides {
		series := report.Series{Side: sd.Name, Missing: sd.Missing}
		switch {
		case s.Sides != nil && !slices.Contains(s.Sides, sd.Name):
			continue
		case peers == ZmqPeers && e.Set.Peer == "":
			series.Missing = e.Set.NoPeer
		}
		g.Series = append(g.Series, series)
	}
	rounds := e.Rounds
	if s.Most > 0 {
		rounds = min(rounds, s.Most)
	}
	for round := range rounds {
		for i := range g.Series {
			e.turn(s, peers, &g.Series[(i+round)%len(g.Series)], round)
		}
	}
	g.Warnings = append(g.Warnings, foreign(&g)...)
	return g
}

// turn is one run of one side.
func (e *Env) turn(s Scenario, peers string, series *report.Series, round int) {
	if series.Missing != "" {
		return
	}
	at := slices.IndexFunc(e.Set.Sides, func(sd side.Side) bool { return sd.Name == series.Side })
	t := &trial{env: e, side: &e.Set.Sides[at], program: e.Load}
	if s.Lossless {
		t.args = []string{"--slow-subscriber-grace=-1"}
	}
	if peers == ZmqPeers {
		t.program = []string{e.Set.Peer}
	}
	start := time.Now()
	var err error
	if s.Curve {
		t.environ, err = curveEnviron()
	}
	if err == nil {
		err = t.run(s.measure)
	}
	if err != nil {
		// Without this side's samples of the round its ratios would pair wrongly.
		series.Failed = true
		series.Missing = fmt.Sprintf("failed in round %d: %v", round+1, err)
	} else {
		for _, v := range t.samples {
			series.Add(v.metric, v.value)
		}
	}
	fmt.Fprintf(e.Progress, "%s/%s round %d %s: %s in %.1fs\n", s.Name, peers, round+1, series.Side, t.outcome(err), time.Since(start).Seconds())
}

// foreign warns when others used too much of the machine.
func foreign(g *report.Group) []string {
	var used []string
	for _, s := range g.Series {
		if v := s.Find(metricForeign.Name); v != nil && v.Median() > maxForeign {
			used = append(used, fmt.Sprintf("%s (%s)", s.Side, report.FormatValue(v.Median(), report.Share)))
		}
	}
	if used == nil {
		return nil
	}
	return []string{"too noisy: share of the machine that other processes used beside " + strings.Join(used, ", ")}
}
