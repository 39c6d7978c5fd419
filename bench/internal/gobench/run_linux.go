package gobench

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/znode/znode/bench/internal/proc"
	"github.com/znode/znode/bench/internal/report"
)

// module is the module whose benchmarks these are.
const module = "github.com/znode/znode"

// Env is what suites run with.
type Env struct {
	Dir       string // for the test binaries
	Rounds    int
	BenchTime time.Duration // of each benchmark
	Progress  io.Writer     // gets a line per round
}

// maxForeign is the share of the machine that others may use before figures are
// called noisy.
const maxForeign = 0.1

// limit bounds one round of one suite.
const limit = 10 * time.Minute

// Run runs a suite and returns a group for each of its tasks.
func (e *Env) Run(s Suite) ([]report.Group, error) {
	program, dir, err := e.build(s.Package)
	if err != nil {
		return nil, err
	}
	var groups []report.Group
	var foreign []float64
	for round := range e.Rounds {
		start := time.Now()
		all, others, err := e.round(program, dir, s.Bench)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", s.Package, s.Bench, err)
		}
		foreign = append(foreign, others)
		for _, one := range all {
			groups = s.add(groups, one)
		}
		fmt.Fprintf(e.Progress, "%s %s round %d: %d benchmarks in %.1fs\n", s.Package, s.Bench, round+1, len(all), time.Since(start).Seconds())
	}
	slices.Sort(foreign)
	if others := foreign[len(foreign)/2]; others > maxForeign {
		for i := range groups {
			groups[i].Warnings = append(groups[i].Warnings,
				fmt.Sprintf("too noisy: other processes used %s of the machine", report.FormatValue(others, report.Share)))
		}
	}
	return groups, nil
}

// add puts one result where it belongs.
func (s *Suite) add(groups []report.Group, one result) []report.Group {
	task, side := split(one.name, s.Side)
	name := "pkg=" + s.Package + "/" + task
	i := slices.IndexFunc(groups, func(g report.Group) bool { return g.Name == name })
	if i < 0 {
		groups = append(groups, report.Group{Name: name, Title: s.Title + ": " + strings.TrimPrefix(task, "bench="), Wants: s.Wants})
		i = len(groups) - 1
	}
	g := &groups[i]
	series := g.Find(side)
	if series == nil {
		g.Series = append(g.Series, report.Series{Side: side})
		series = &g.Series[len(g.Series)-1]
	}
	for _, v := range one.samples {
		series.Add(v.metric, v.value)
	}
	return groups
}

// build compiles a package's tests; they run in its directory, as with go test.
func (e *Env) build(pkg string) (program, dir string, err error) {
	program = filepath.Join(e.Dir, strings.ReplaceAll(pkg, "/", "-")+".test")
	out, err := exec.Command("go", "list", "-f", "{{.Dir}}", module+"/"+pkg).Output()
	if err != nil {
		return "", "", fmt.Errorf("go list %s: %w", pkg, err)
	}
	dir = strings.TrimSpace(string(out))
	if _, err := os.Stat(program); err == nil {
		return program, dir, nil
	}
	cmd := exec.Command("go", "test", "-c", "-o", program, module+"/"+pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", "", fmt.Errorf("go test -c %s: %w: %s", pkg, err, out)
	}
	return program, dir, nil
}

// round runs the benchmarks once, and returns the share of the machine that
// others used meanwhile.
func (e *Env) round(program, dir, bench string) (all []result, foreign float64, err error) {
	before, err := proc.Busy()
	if err != nil {
		return nil, 0, err
	}
	start := time.Now()
	cmd := exec.Command(program, "-test.run", "^$", "-test.bench", bench, "-test.benchmem",
		"-test.benchtime", e.BenchTime.String(), "-test.timeout", limit.String())
	cmd.Dir = dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return nil, 0, fmt.Errorf("%w: %s", err, out.String())
	}
	after, err := proc.Busy()
	if err != nil {
		return nil, 0, err
	}
	own := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	foreign = max((after-before-own).Seconds()/(time.Since(start).Seconds()*float64(runtime.NumCPU())), 0)
	if all, err = parse(&out); err == nil && len(all) == 0 {
		err = errors.New("no benchmark has that name")
	}
	return all, foreign, err
}
