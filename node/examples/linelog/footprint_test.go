//go:build linux && amd64

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/znode/znode/node"
)

// The sensor fits: its stripped binary and, while idle and connected, its memory.
func TestFootprint(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program")
	}
	const most = 12 << 20
	program := filepath.Join(t.TempDir(), "linelog")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	info, err := os.Stat(program)
	if err != nil {
		t.Fatal(err)
	}

	opt := node.DefaultOptions()
	opt.ConnectXPUBEndpoint, opt.ConnectXSUBEndpoint = "", ""
	opt.ListenLogEndpoint = "tcp://127.0.0.1:*"
	sink, err := node.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	if err := sink.Start(); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(program, "-loggers", sink.LogEndpoint())
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	received := make(chan struct{})
	sink.HandleLogs(func(*node.LogWrite) {
		if sink.Stats().LogBatches == 9 { // this is the tenth
			close(received)
		}
	})
	for i := range 10_000 {
		fmt.Fprintf(in, "line %d of some length, as logs have it\n", i)
	}
	select {
	case <-received:
	case <-time.After(time.Minute):
		t.Fatal("no log batches")
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	in.Close()
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
	var kib int64
	for l := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(l, "VmRSS:"); ok {
			fmt.Sscan(rest, &kib)
		}
	}
	t.Logf("stripped binary %.1f MB, resident memory %.1f MB after 10,000 lines", float64(info.Size())/(1<<20), float64(kib)/1024)
	if info.Size() > most || kib == 0 || kib<<10 > most {
		t.Errorf("binary of %d bytes, %d KiB in memory, want at most %d bytes each", info.Size(), kib, most)
	}
}
