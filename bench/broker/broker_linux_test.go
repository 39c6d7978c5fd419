package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/znode/znode/bench/internal/report"
)

func TestMain(m *testing.M) {
	// The command starts itself again as load process and as byte pump.
	if len(os.Args) > 1 && (os.Args[1] == "load" || os.Args[1] == "pump") {
		os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	goleak.VerifyTestMain(m)
}

func TestTheWholeCommandOnThePump(t *testing.T) {
	dir := t.TempDir()
	var stdout, stderr bytes.Buffer
	args := []string{"-sides", "pump", "-scenario", "grid", "-pubs", "1,2", "-subs", "2", "-sizes", "50", "-rounds", "1", "-duration", "100ms", "-warmup", "0", "-out", dir}
	if code := run(args, nil, &stdout, &stderr); code != 0 {
		t.Fatalf("status %d: %s", code, stderr.String())
	}
	for _, want := range []string{"scenario=grid/pubs=1/subs=2", "scenario=grid/pubs=2/subs=2", "unknown: lost of znode"} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("the output lacks %q:\n%s", want, stdout.String())
		}
	}
	f, err := os.Open(filepath.Join(dir, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := report.ReadJSON(f)
	if err != nil || len(r.Groups) != 2 {
		t.Fatalf("%+v, %v", r, err)
	}
	for _, name := range []string{"report.md", "deliveries-light.svg", "deliveries-dark.svg", "cpu-per-delivery-light.svg"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFlags(t *testing.T) {
	var stdout, stderr bytes.Buffer
	for _, bad := range [][]string{
		{"-nope"}, {"-scenario", "nonsense"}, {"-peers", "tin"}, {"-rounds", "0"}, {"extra"},
		{"-scenario", "grid", "-sizes", "big"}, {"-scenario", "grid", "-sizes", "1"}, {"-duration", "1ms"},
	} {
		stderr.Reset()
		if code := run(bad, nil, &stdout, &stderr); code != 2 || strings.Count(stderr.String(), "\n") != 1 {
			t.Errorf("%v: status %d, %q", bad, code, stderr.String())
		}
	}
	stdout.Reset()
	if code := run([]string{"-list"}, nil, &stdout, &stderr); code != 0 || !strings.Contains(stdout.String(), "slow-subscriber") {
		t.Errorf("-list: status %d, %q", code, stdout.String())
	}
	stdout.Reset()
	if code := run([]string{"-h"}, nil, &stdout, &stderr); code != 0 || !strings.Contains(stdout.String(), "-scenario") {
		t.Errorf("-h: status %d, %q", code, stdout.String())
	}
	if code := run([]string{"-sides", "anvil", "-out", ""}, nil, &stdout, &stderr); code != 1 {
		t.Errorf("an unknown side: status %d", code)
	}
}
