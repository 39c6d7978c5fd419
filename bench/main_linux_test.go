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
	if len(os.Args) > 1 && (os.Args[1] == "load" || os.Args[1] == "pump") {
		os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	goleak.VerifyTestMain(m)
}

// A run of one part, its report, and what compare says of it.
func TestOnePartAndItsComparison(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles another package's tests")
	}
	dir := t.TempDir()
	var stdout, stderr bytes.Buffer
	if code := run([]string{"-parts", "ring", "-rounds", "1", "-benchtime", "1ms", "-out", dir}, nil, &stdout, &stderr); code != 0 {
		t.Fatalf("status %d: %s", code, stderr.String())
	}
	for _, name := range []string{"report.md", "time-per-op-light.svg", "time-per-op-dark.svg"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if code := run([]string{"-parts", "codec", "-rounds", "1", "-benchtime", "1ms", "-add", "-out", dir}, nil, &stdout, &stderr); code != 0 {
		t.Fatalf("status %d: %s", code, stderr.String())
	}
	stdout.Reset()
	if code := run([]string{"compare", dir, dir}, nil, &stdout, &stderr); code != 0 || !strings.Contains(stdout.String(), " 0 worse") {
		t.Fatalf("status %d: %s%s", code, stdout.String(), stderr.String())
	}
	r, err := read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if first, last := r.Groups[0].Name, r.Groups[len(r.Groups)-1].Name; !strings.HasPrefix(first, "pkg=ring/") || !strings.HasPrefix(last, "pkg=codec/") {
		t.Errorf("from %s to %s, want those of ring and those that were added", first, last)
	}
	allocs := r.Groups[0].Find("ring").Find("allocs-per-op")
	allocs.Samples[0]++
	var b bytes.Buffer
	if err := r.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	worse := filepath.Join(dir, "worse.json")
	if err := os.WriteFile(worse, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	stdout.Reset()
	if code := run([]string{"compare", dir, worse}, nil, &stdout, &stderr); code != 1 || !strings.Contains(stdout.String(), "WORSE") {
		t.Errorf("an allocation more: status %d\n%s", code, stdout.String())
	}
}

func TestFlags(t *testing.T) {
	var stdout, stderr bytes.Buffer
	for _, bad := range [][]string{
		{"-nope"}, {"extra"}, {"-rounds", "0"}, {"-parts", "ring,nonsense"}, {"-margin", "0"},
		{"compare", "-margin", "2"}, {"compare", "a", "b", "c"}, {"compare", "-nope"},
	} {
		stderr.Reset()
		if code := run(bad, nil, &stdout, &stderr); code != 2 || strings.Count(stderr.String(), "\n") != 1 {
			t.Errorf("%v: status %d, %q", bad, code, stderr.String())
		}
	}
	for _, help := range [][]string{{"-h"}, {"compare", "-h"}} {
		stdout.Reset()
		if code := run(help, nil, &stdout, &stderr); code != 0 || !strings.Contains(stdout.String(), "-margin") {
			t.Errorf("%v: status %d, %q", help, code, stdout.String())
		}
	}
	if code := run([]string{"compare", "/nonexistent", "/nonexistent"}, nil, &stdout, &stderr); code != 1 {
		t.Errorf("reports that are not there: status %d", code)
	}
}

// The baseline is a report that everything can be compared with.
func TestBaseline(t *testing.T) {
	r, err := read("baseline")
	if err != nil {
		t.Fatal(err)
	}
	ratios := 0
	for _, l := range report.Compare(r, r, 0.25).Lines {
		if l.Note == "" && strings.Contains(l.Figure, " : ") {
			ratios++
		}
	}
	if len(r.Groups) < 20 || ratios < 20 {
		t.Errorf("%d groups with %d ratios", len(r.Groups), ratios)
	}
}
