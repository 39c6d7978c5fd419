package main

import (
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
	"github.com/znode/znode/bench/internal/scenario"
	"github.com/znode/znode/bench/internal/side"
)

func main() {
	if status, done := netns.Enter(); done {
		os.Exit(status)
	}
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the command. The harness starts itself again as load process and as
// byte pump; these are not for people.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) > 0 {
		switch args[0] {
		case "load":
			return load.Main(args[1:], stdin, stdout)
		case "pump":
			return pump.Main(args[1:], stderr)
		}
	}
	opts, err := parse(args, stdout)
	if err != nil {
		fmt.Fprintln(stderr, "bench/broker:", err)
		return 2
	}
	if opts == nil {
		return 0
	}
	missed, failed, err := bench(opts, stdout, stderr)
	if err != nil {
		fmt.Fprintln(stderr, "bench/broker:", err)
		return 1
	}
	if failed > 0 || (opts.strict && missed > 0) {
		return 1
	}
	return 0
}

// bench runs the scenarios and writes the report. failed counts sides that were
// there and did not get through.
func bench(o *options, stdout, stderr io.Writer) (missed, failed int, err error) {
	load.RaiseFileLimit()
	self, err := os.Executable()
	if err != nil {
		return 0, 0, err
	}
	dir, err := os.MkdirTemp("", "znode-bench-")
	if err != nil {
		return 0, 0, err
	}
	defer os.RemoveAll(dir)
	set, err := side.Find(dir, side.Options{
		Names: o.sides, Znode: o.znode, ZnodeArgs: strings.Fields(o.znodeArgs), Pump: []string{self, "pump"},
		ZmqPeers: slices.Contains(o.peers, scenario.ZmqPeers),
	})
	if err != nil {
		return 0, 0, err
	}
	env := &scenario.Env{
		Set: set, Load: []string{self, "load"}, Duration: o.duration, Warmup: o.warmup, Rounds: o.rounds, Progress: stderr,
	}
	if o.znodeArgs != "" {
		set.Versions = append(set.Versions, "znode with "+o.znodeArgs)
	}
	r := &report.Report{
		Title: "Broker benchmark", Started: time.Now().Truncate(time.Second), Machine: report.ThisMachine(set.Versions...),
		Rounds: o.rounds, Margin: o.margin,
	}
	if err := r.WriteHeader(stdout); err != nil {
		return 0, 0, err
	}
	for _, s := range o.scenarios {
		for _, peers := range o.peers {
			if !s.DrivenBy(peers) {
				continue
			}
			one := report.Report{Margin: o.margin, Groups: []report.Group{env.Run(s, peers)}}
			missed += one.Judge()
			failed += one.Groups[0].Failed()
			if err := one.Groups[0].WriteText(stdout); err != nil {
				return 0, 0, err
			}
			r.Groups = append(r.Groups, one.Groups[0])
		}
	}
	if len(r.Groups) == 0 {
		return 0, 0, fmt.Errorf("none of these scenarios can be driven by %s peers", strings.Join(o.peers, " or "))
	}
	if o.out == "" {
		return missed, failed, nil
	}
	return missed, failed, r.WriteFiles(o.out)
}
