package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
)

type options struct {
	scenarios []scenario
	sides     []string
	rounds    int
	records   int
	margin    float64
	dir       string
	znode     string
	znodeArgs string
	out       string
	strict    bool
}

// parse reads the flags; nil options mean that the flags asked only for text,
// which has been written.
func parse(args []string, stdout io.Writer) (*options, error) {
	o := &options{}
	fs := flag.NewFlagSet("bench/logger", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	names := fs.String("scenario", "all", "scenarios, separated by commas")
	sides := fs.String("sides", sideZnode+","+sideBare, "sides to compare")
	list := fs.Bool("list", false, "print the scenarios and end")
	fs.IntVar(&o.rounds, "rounds", 5, "runs of each side")
	fs.IntVar(&o.records, "records", 2_000_000, "records sent in a run, rounded up to whole batches")
	fs.Float64Var(&o.margin, "margin", 0.25, "spread of the rounds, as a share of the median, above which figures are called noisy")
	fs.StringVar(&o.dir, "dir", "/dev/shm", "where the logs are written; a tmpfs shows the processor alone")
	fs.StringVar(&o.znode, "znode", "", "znode binary; default: built from this module")
	fs.StringVar(&o.znodeArgs, "znode-args", "", `further flags for "znode run logger", separated by spaces`)
	fs.StringVar(&o.out, "out", "dist/bench-logger", "directory for report.json, report.md and plots; empty for none")
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
	if o.rounds < 1 || o.records < 1 || o.margin <= 0 {
		return nil, errors.New("-rounds and -records must be at least 1, -margin above 0")
	}
	for _, side := range split(*sides) {
		if side != sideZnode && side != sideBare {
			return nil, fmt.Errorf("-sides %q, want %s or %s", side, sideZnode, sideBare)
		}
		o.sides = append(o.sides, side)
	}
	return o, o.choose(split(*names))
}

// choose fills in the scenarios.
func (o *options) choose(names []string) error {
	all := presets()
	for _, name := range names {
		i := slices.IndexFunc(all, func(s scenario) bool { return s.name == name })
		switch {
		case name == "all":
			o.scenarios = append(o.scenarios, all...)
		case i < 0:
			return fmt.Errorf("unknown scenario %q; -list names them", name)
		default:
			o.scenarios = append(o.scenarios, all[i])
		}
	}
	return nil
}

func listScenarios(w io.Writer) error {
	for _, s := range presets() {
		if _, err := fmt.Fprintf(w, "%-14s %s\n", s.name, s.title); err != nil {
			return err
		}
		for _, want := range s.wants {
			if _, err := fmt.Fprintf(w, "%-14s   wanted: %s\n", "", want); err != nil {
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
