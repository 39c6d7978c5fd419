package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/znode/znode/bench/internal/report"
)

func TestMain(m *testing.M) {
	// The command starts itself again as sender and as the bare side.
	if len(os.Args) > 1 && (os.Args[1] == "send" || os.Args[1] == "bare") {
		os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	goleak.VerifyTestMain(m)
}

func TestTheWholeCommand(t *testing.T) {
	dir := t.TempDir()
	var stdout, stderr bytes.Buffer
	args := []string{"-scenario", "json-paths,tsv", "-rounds", "1", "-records", "7001", "-dir", dir, "-out", filepath.Join(dir, "out")}
	if code := run(args, nil, &stdout, &stderr); code != 0 {
		t.Fatalf("status %d: %s", code, stderr.String())
	}
	for _, want := range []string{"scenario=json-paths", "scenario=tsv", "met: lost of znode <= 0: 0"} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("the output lacks %q:\n%s", want, stdout.String())
		}
	}
	f, err := os.Open(filepath.Join(dir, "out", "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := report.ReadJSON(f)
	if err != nil || len(r.Groups) != 2 || r.Groups[0].Find(sideBare).Find(metricCPU.Name) == nil {
		t.Fatalf("%+v, %v", r, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "znode-bench-*")); len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
}

// TestSlowDisk: a disk is made, is as slow as it should be, and leaves nothing.
func TestSlowDisk(t *testing.T) {
	dir := t.TempDir()
	if d, err := newSlowDisk(dir, 1<<20, 1<<20); errors.Is(err, errNoDisk) {
		t.Skip(err)
	} else if err := errors.Join(err, d.remove()); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	args := []string{"-scenario", "throttled", "-rounds", "2", "-records", "20000", "-dir", dir, "-out", ""}
	if code := run(args, nil, &stdout, &stderr); code != 0 {
		t.Fatalf("status %d: %s", code, stderr.String())
	}
	for _, want := range []string{"met: rss-after of znode", "met: lost of znode <= 0: 0"} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("the output lacks %q:\n%s", want, stdout.String())
		}
	}
	// Some 7 MB at 20 MB a second; it never takes less.
	_, rate, _ := strings.Cut(stderr.String(), "throttled round 1 znode: records ")
	if text, _, ok := strings.Cut(rate, " k/s"); !ok {
		t.Errorf("records a second: %q", rate)
	} else if n, err := strconv.ParseFloat(text, 64); err != nil || n > 100 {
		t.Errorf("%s thousand records a second on a slow disk: %v", text, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
}

func TestFlags(t *testing.T) {
	var stdout, stderr bytes.Buffer
	for _, bad := range [][]string{
		{"-nope"}, {"-scenario", "nonsense"}, {"-sides", "anvil"}, {"-rounds", "0"}, {"-records", "0"}, {"extra"},
	} {
		stderr.Reset()
		if code := run(bad, nil, &stdout, &stderr); code != 2 || strings.Count(stderr.String(), "\n") != 1 {
			t.Errorf("%v: status %d, %q", bad, code, stderr.String())
		}
	}
	stdout.Reset()
	if code := run([]string{"-list"}, nil, &stdout, &stderr); code != 0 || !strings.Contains(stdout.String(), "cpu-per-record of znode <= 500 ns") {
		t.Errorf("-list: status %d, %q", code, stdout.String())
	}
	stdout.Reset()
	if code := run([]string{"-h"}, nil, &stdout, &stderr); code != 0 || !strings.Contains(stdout.String(), "-scenario") {
		t.Errorf("-h: status %d, %q", code, stdout.String())
	}
	if code := run([]string{"-dir", "/nonexistent", "-out", ""}, nil, &stdout, &stderr); code != 1 {
		t.Errorf("a directory that is missing: status %d", code)
	}
}
