package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"
)

// leakChecked is testing.M with goleak behind it, as testscript calls it.
type leakChecked struct{ m *testing.M }

func (c leakChecked) Run() int {
	status := c.m.Run()
	if status == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return status
}

func TestMain(m *testing.M) {
	os.Setenv(raceEnv, raceOptions)
	testscript.Main(leakChecked{m}, map[string]func(){"znode": main})
}

// Built for the race detector, a process sleeps a second at its end if it is not told
// otherwise.
const raceEnv, raceOptions = "GORACE", "atexit_sleep_ms=0"

func TestScripts(t *testing.T) {
	t.Parallel()
	const dir = "testdata/script"
	if files, err := filepath.Glob(dir + "/*.txtar"); err != nil || len(files) == 0 {
		t.Fatalf("no scripts in %s: %v", dir, err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv(raceEnv, raceOptions)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"mistake": mistake},
	})
}

// mistake STATUS LINE ARG... runs znode with the arguments and wants that exit
// status, exactly that line on stderr, and nothing on stdout.
func mistake(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: mistake STATUS LINE ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec("znode", args[2:]...)
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		ts.Fatalf("znode %q: %v, want exit status %d", args[2:], err, want)
	}
	if got := exit.ExitCode(); got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
	if got := ts.ReadFile("stderr"); got != args[1]+"\n" {
		ts.Fatalf("stderr is\n%s\nwant\n%s", got, args[1])
	}
	if got := ts.ReadFile("stdout"); got != "" {
		ts.Fatalf("stdout is not empty: %s", got)
	}
}
