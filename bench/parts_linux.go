package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/znode/znode/bench/internal/gobench"
	"github.com/znode/znode/bench/internal/report"
	"github.com/znode/znode/bench/internal/scenario"
	"github.com/znode/znode/bench/internal/side"
)

// module is the module that the commands are built from.
const module = "github.com/znode/znode"

// parts are what there is to run, in the order of the report.
var parts = []struct {
	name string
	run  func(*env) ([]report.Group, error)
}{
	{"broker", func(e *env) ([]report.Group, error) { return e.brokers(false) }},
	{"curve", func(e *env) ([]report.Group, error) {
		groups, err := e.brokers(true)
		if err != nil {
			return nil, err
		}
		more, err := e.suites(gobench.Curve())
		return append(groups, more...), err
	}},
	{"logger", (*env).logger},
	{"node", func(e *env) ([]report.Group, error) { return e.suites(gobench.Node()) }},
	{"ring", func(e *env) ([]report.Group, error) { return e.suites(gobench.Ring()) }},
	{"codec", func(e *env) ([]report.Group, error) { return e.suites(gobench.Codec()) }},
}

// env is what parts run with.
type env struct {
	*options
	dir      string // for programs
	progress io.Writer
	set      *side.Set // the brokers; nil until they are needed
}

// sides finds the brokers, once.
func (e *env) sides() (*side.Set, error) {
	if e.set != nil {
		return e.set, nil
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	e.set, err = side.Find(e.dir, side.Options{
		Names: []string{side.Znode, side.Libzmq, side.Pump}, Pump: []string{self, "pump"}, ZmqPeers: true,
	})
	return e.set, err
}

// brokers runs the scenarios with or without CURVE.
func (e *env) brokers(curve bool) (groups []report.Group, err error) {
	set, err := e.sides()
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	run := &scenario.Env{
		Set: set, Load: []string{self, "load"}, Duration: e.duration, Warmup: e.duration / 2, Rounds: e.rounds, Progress: e.progress,
	}
	for _, s := range scenario.Presets() {
		if s.Curve != curve || e.quick && s.Most > 0 {
			continue
		}
		peers := scenario.RawPeers
		if !s.DrivenBy(peers) {
			peers = scenario.ZmqPeers
		}
		groups = append(groups, run.Run(s, peers))
	}
	return groups, nil
}

// logger runs bench/logger, a command of its own, and takes its report.
func (e *env) logger() ([]report.Group, error) {
	program, out := filepath.Join(e.dir, "bench-logger"), filepath.Join(e.dir, "logger")
	build := exec.Command("go", "build", "-o", program, module+"/bench/logger")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, text)
	}
	args := []string{"-rounds", strconv.Itoa(e.rounds), "-margin", fmt.Sprint(e.margin), "-out", out}
	if e.quick {
		args = append(args, "-records", "500000")
	}
	cmd := exec.Command(program, args...)
	cmd.Stderr = e.progress
	if err := cmd.Run(); err != nil {
		return nil, err
	}
	r, err := read(out)
	if err != nil {
		return nil, err
	}
	for i := range r.Groups {
		// They are judged again with the others.
		r.Groups[i].Warnings = slices.DeleteFunc(r.Groups[i].Warnings, report.IsSpread)
	}
	return r.Groups, nil
}

// suites runs benchmarks of the module's packages.
func (e *env) suites(suites []gobench.Suite) (groups []report.Group, err error) {
	run := &gobench.Env{Dir: e.dir, Rounds: e.rounds, BenchTime: e.benchtime, Progress: e.progress}
	for _, s := range suites {
		more, err := run.Run(s)
		if err != nil {
			return nil, err
		}
		groups = append(groups, more...)
	}
	return groups, nil
}

// machine describes this machine and the versions of what was compared.
func (e *env) machine() report.Machine {
	if e.set == nil {
		return report.ThisMachine("znode " + side.Commit())
	}
	return report.ThisMachine(e.set.Versions...)
}
