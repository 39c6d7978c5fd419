package main

import (
	"bytes"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A short run with everything in it: each of the actions between rounds once.
func TestShortSoak(t *testing.T) {
	if testing.Short() {
		t.Skip("builds znode and runs a cluster for several seconds")
	}
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"-duration", "8s", "-round", "1s", "-members", "3", "-events", "500", "-records", "300"}, &stdout, &stderr)
	if code != 0 || !strings.Contains(stdout.String(), "conservation: exact") {
		t.Fatalf("status %d\n%s%s", code, stdout.String(), stderr.String())
	}
}

func TestFlags(t *testing.T) {
	var stdout, stderr bytes.Buffer
	for _, bad := range [][]string{{"-nope"}, {"extra"}, {"-members", "1"}, {"-round", "0"}, {"-duration", "1s"}} {
		stderr.Reset()
		if code := run(t.Context(), bad, &stdout, &stderr); code != 2 || strings.Count(stderr.String(), "\n") != 1 {
			t.Errorf("%v: status %d, %q", bad, code, stderr.String())
		}
	}
	if code := run(t.Context(), []string{"-h"}, &stdout, &stderr); code != 0 || !strings.Contains(stdout.String(), "-duration") {
		t.Errorf("-h: status %d, %q", code, stdout.String())
	}
	stderr.Reset()
	if code := run(t.Context(), []string{"-znode", "/nonexistent", "-duration", "1s", "-round", "1s"}, &stdout, &stderr); code != 1 {
		t.Errorf("without a binary: status %d, %q", code, stderr.String())
	}
}
