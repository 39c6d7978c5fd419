package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/znode/znode/bench/internal/netns"
	"github.com/znode/znode/bench/internal/report"
)

func main() {
	if status, done := netns.Enter(); done {
		os.Exit(status)
	}
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the command. The harness starts itself again as sender and as the bare
// side; these are not for people.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) > 0 {
		switch args[0] {
		case "send":
			return sendMain(args[1:], stdin, stdout, stderr)
		case "bare":
			return bareMain(args[1:], stdin, stderr)
		}
	}
	opts, err := parse(args, stdout)
	if err != nil {
		fmt.Fprintln(stderr, "bench/logger:", err)
		return 2
	}
	if opts == nil {
		return 0
	}
	missed, failed, err := bench(opts, stdout, stderr)
	if err != nil {
		fmt.Fprintln(stderr, "bench/logger:", err)
		return 1
	}
	if failed > 0 || (opts.strict && missed > 0) {
		return 1
	}
	return 0
}

// bench runs the scenarios and writes the report. failed counts sides that did
// not get through.
func bench(o *options, stdout, stderr io.Writer) (missed, failed int, err error) {
	e := &env{options: o, progress: stderr}
	if e.self, err = os.Executable(); err != nil {
		return 0, 0, err
	}
	if e.dir, err = os.MkdirTemp(o.dir, "znode-bench-"); err != nil {
		return 0, 0, err
	}
	defer os.RemoveAll(e.dir)
	if e.znode = o.znode; e.znode == "" {
		if e.znode, err = buildZnode(e.dir); err != nil {
			return 0, 0, err
		}
	}
	r := &report.Report{
		Title: "Logger benchmark", Started: time.Now().Truncate(time.Second),
		Machine: report.ThisMachine(fmt.Sprintf("%d records a run", o.records), "logs in "+o.dir), Rounds: o.rounds, Margin: o.margin,
	}
	if err := r.WriteHeader(stdout); err != nil {
		return 0, 0, err
	}
	for _, s := range o.scenarios {
		one := report.Report{Margin: o.margin, Groups: []report.Group{e.run(s)}}
		missed += one.Judge()
		failed += one.Groups[0].Failed()
		if err := one.Groups[0].WriteText(stdout); err != nil {
			return 0, 0, err
		}
		r.Groups = append(r.Groups, one.Groups[0])
	}
	if o.out == "" {
		return missed, failed, nil
	}
	return missed, failed, r.WriteFiles(o.out)
}

// buildZnode builds the command from the module's source.
func buildZnode(dir string) (string, error) {
	binary := filepath.Join(dir, "znode")
	cmd := exec.Command("go", "build", "-o", binary, "github.com/znode/znode/cmd/znode")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build znode: %w: %s", err, out)
	}
	return binary, nil
}
