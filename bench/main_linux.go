package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/znode/znode/bench/internal/load"
	"github.com/znode/znode/bench/internal/netns"
	"github.com/znode/znode/bench/internal/pump"
	"github.com/znode/znode/bench/internal/report"
)

func main() {
	if status, done := netns.Enter(); done {
		os.Exit(status)
	}
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the command. It starts itself again as load process and as byte pump;
// these are not for people.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) > 0 {
		switch args[0] {
		case "load":
			return load.Main(args[1:], stdin, stdout)
		case "pump":
			return pump.Main(args[1:], stderr)
		case "compare":
			return compare(args[1:], stdout, stderr)
		}
	}
	o, err := parse(args, stdout)
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 2
	}
	if o == nil {
		return 0
	}
	failed, err := bench(o, stdout, stderr)
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
	}
	if err != nil || failed > 0 {
		return 1
	}
	return 0
}

// options are what can be chosen.
type options struct {
	parts     []string
	rounds    int
	duration  time.Duration
	benchtime time.Duration
	margin    float64
	out       string
	quick     bool
	add       bool
}

// parse reads the flags; nil options mean that they asked only for text.
func parse(args []string, stdout io.Writer) (*options, error) {
	o := &options{}
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	all := make([]string, len(parts))
	for i, p := range parts {
		all[i] = p.name
	}
	chosen := fs.String("parts", strings.Join(all, ","), "what to run")
	fs.IntVar(&o.rounds, "rounds", 5, "runs of each side")
	fs.DurationVar(&o.duration, "duration", time.Second, "steady state measured in a run of a broker")
	fs.DurationVar(&o.benchtime, "benchtime", 300*time.Millisecond, "time of each run of a Go benchmark")
	fs.Float64Var(&o.margin, "margin", 0.25, "spread of the rounds, as a share of the median, above which figures are called noisy")
	fs.BoolVar(&o.quick, "quick", false, "leave out the scenarios that take long: stopped and slow subscribers, thousands of connections")
	fs.BoolVar(&o.add, "add", false, "keep what the report in -out has of other parts")
	fs.StringVar(&o.out, "out", lastReport, "directory for report.json, report.md and plots")
	err := fs.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fs.SetOutput(stdout)
		fs.PrintDefaults()
		return nil, nil
	}
	if err == nil && fs.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if err == nil && (o.rounds < 1 || o.duration < 100*time.Millisecond || o.benchtime <= 0 || o.margin <= 0) {
		err = errors.New("-rounds must be at least 1, -duration 100ms, -benchtime and -margin above 0")
	}
	if err != nil {
		return nil, err
	}
	for name := range strings.SplitSeq(*chosen, ",") {
		if !slices.Contains(all, name) {
			return nil, fmt.Errorf("-parts: no part %q, there are %s", name, strings.Join(all, ", "))
		}
		o.parts = append(o.parts, name)
	}
	return o, nil
}

// bench runs the parts and writes the report. failed counts sides that were there
// and did not get through.
func bench(o *options, stdout, stderr io.Writer) (failed int, err error) {
	load.RaiseFileLimit()
	dir, err := os.MkdirTemp("", "znode-bench-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	e := &env{options: o, dir: dir, progress: stderr}
	r, err := begin(o)
	if err != nil {
		return 0, err
	}
	for _, p := range parts {
		if !slices.Contains(o.parts, p.name) {
			continue
		}
		groups, err := p.run(e)
		if err != nil {
			return failed, fmt.Errorf("%s: %w", p.name, err)
		}
		one := report.Report{Margin: o.margin, Groups: groups}
		one.Judge()
		for i := range one.Groups {
			failed += one.Groups[i].Failed()
			if err := one.Groups[i].WriteText(stdout); err != nil {
				return failed, err
			}
		}
		r.Replace(one.Groups)
	}
	r.Machine = e.machine()
	if err := r.WriteHeader(stdout); err != nil {
		return failed, err
	}
	return failed, r.WriteFiles(o.out)
}

// begin returns the report that the parts are put into.
func begin(o *options) (*report.Report, error) {
	r := &report.Report{}
	if o.add {
		old, err := read(o.out)
		if err != nil {
			return nil, err
		}
		r.Groups = old.Groups
	}
	r.Title, r.Started, r.Rounds, r.Margin = "Benchmarks", time.Now().Truncate(time.Second), o.rounds, o.margin
	return r, nil
}
