package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/znode/znode/bench/internal/load"
	"github.com/znode/znode/bench/internal/scenario"
	"github.com/znode/znode/bench/internal/side"
)

type options struct {
	scenarios []scenario.Scenario
	sides     []string
	peers     []string
	rounds    int
	duration  time.Duration
	warmup    time.Duration
	margin    float64
	znode     string
	znodeArgs string
	out       string
	strict    bool
}

// grid is the scenario that the lists of sizes and counts are for.
const grid = "grid"

// parse reads the flags; nil options mean that the flags asked only for text,
// which has been written.
func parse(args []string, stdout io.Writer) (*options, error) {
	o := &options{}
	fs := flag.NewFlagSet("bench/broker", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	names := fs.String("scenario", "all", "scenarios, separated by commas; grid is all combinations of the lists below")
	sides := fs.String("sides", strings.Join([]string{side.Znode, side.Libzmq, side.Pump}, ","), "brokers to compare")
	peers := fs.String("peers", scenario.RawPeers, "raw, zmq or raw,zmq")
	pubs := fs.String("pubs", "1,4,16", "grid: publishers")
	subs := fs.String("subs", "1,8,64", "grid: subscribers")
	sizes := fs.String("sizes", "50,200,2000,65536", "grid: payload bytes")
	topics := fs.String("topics", "1", "grid: topics")
	selects := fs.String("select", load.SelectAny, "grid: any, all or one topic per subscriber")
	rate := fs.Int("rate", 0, "grid: messages per second; 0 is as fast as possible")
	list := fs.Bool("list", false, "print the scenarios and end")
	fs.IntVar(&o.rounds, "rounds", 5, "runs of each side")
	fs.DurationVar(&o.duration, "duration", time.Second, "steady state measured in a run")
	fs.DurationVar(&o.warmup, "warmup", 500*time.Millisecond, "traffic before that")
	fs.Float64Var(&o.margin, "margin", 0.25, "spread of the rounds, as a share of the median, above which figures are called noisy")
	fs.StringVar(&o.znode, "znode", "", "znode binary; default: built from this module")
	fs.StringVar(&o.znodeArgs, "znode-args", "", `further flags for "znode run broker", separated by spaces`)
	fs.StringVar(&o.out, "out", "dist/bench", "directory for report.json, report.md and plots; empty for none")
	fs.BoolVar(&o.strict, "strict", false, "exit status 1 when a want is missed")
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fs.SetOutput(stdout)
		fs.PrintDefaults()
		return nil, nil
	case err != nil:
		return nil, err
	case fs.NArg() > 0:
		return nil, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	case *list:
		return nil, listScenarios(stdout)
	}
	o.sides, o.peers = split(*sides), split(*peers)
	for _, p := range o.peers {
		if p != scenario.RawPeers && p != scenario.ZmqPeers {
			return nil, fmt.Errorf("-peers %q, want %s or %s", p, scenario.RawPeers, scenario.ZmqPeers)
		}
	}
	if o.rounds < 1 || o.duration < 100*time.Millisecond || o.warmup < 0 || o.margin <= 0 {
		return nil, errors.New("-rounds must be at least 1, -duration 100ms, -warmup 0, -margin above 0")
	}
	return o, o.choose(split(*names), *pubs, *subs, *sizes, *topics, *selects, *rate)
}

// choose fills in the scenarios.
func (o *options) choose(names []string, pubs, subs, sizes, topics, selects string, rate int) error {
	if at := slices.Index(names, grid); at >= 0 {
		var lists [4][]int
		for i, text := range []string{pubs, subs, sizes, topics} {
			var err error
			if lists[i], err = numbers(text); err != nil {
				return err
			}
		}
		cells, err := scenario.Grid(lists[0], lists[1], lists[2], lists[3], split(selects), rate)
		if err != nil {
			return err
		}
		o.scenarios = cells
		names = slices.Delete(names, at, at+1)
	}
	named, err := scenario.Named(names)
	o.scenarios = append(named, o.scenarios...)
	return err
}

func listScenarios(w io.Writer) error {
	for _, s := range scenario.Presets() {
		if _, err := fmt.Fprintf(w, "%-20s %s\n", s.Name, s.Title); err != nil {
			return err
		}
		for _, want := range s.Wants {
			if _, err := fmt.Fprintf(w, "%-20s   wanted: %s\n", "", want); err != nil {
				return err
			}
		}
	}
	return nil
}

func split(list string) (items []string) {
	for item := range strings.SplitSeq(list, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

func numbers(list string) (all []int, err error) {
	for _, item := range split(list) {
		n, err := strconv.Atoi(item)
		if err != nil {
			return nil, fmt.Errorf("%q is not a number", item)
		}
		all = append(all, n)
	}
	return all, nil
}
