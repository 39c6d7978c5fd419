package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// printed is what a znode process prints on stdout, line by line.
type printed struct {
	cmd   *exec.Cmd
	lines chan string // closed at its end
}

// startPrinting runs znode as a process of its own.
func startPrinting(t *testing.T, args ...string) *printed {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &printed{cmd: &exec.Cmd{Path: self, Args: append([]string{"znode"}, args...), Stderr: os.Stderr}, lines: make(chan string, 100)}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.lines)
		for s := bufio.NewScanner(stdout); s.Scan(); {
			p.lines <- s.Text()
		}
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		for range p.lines {
		}
		_ = p.cmd.Wait()
	})
	return p
}

// next returns the next count lines, without the node ids, in order.
func (p *printed) next(t *testing.T, count int) []string {
	t.Helper()
	var list []string
	deadline := time.After(patience)
	for range count {
		select {
		case l, ok := <-p.lines:
			words := strings.Fields(l)
			if !ok || len(words) != 3 || !strings.HasPrefix(words[2], "zeromq_"+words[1]+"_") {
				t.Fatalf("printed %q", l)
			}
			list = append(list, words[0]+" "+words[1])
		case <-deadline:
			t.Fatalf("printed %q only, %d lines expected", list, count)
		}
	}
	slices.Sort(list)
	return list
}

// Members print who comes and goes; broker and logger are nodes too when the
// layout names them.
func TestRunMember(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	layout := filepath.Join(dir, "cluster-layout.zeek")
	text := `redef Cluster::manager_is_logger = F;
redef Cluster::nodes = {
	["manager"] = [$node_type=Cluster::MANAGER, $ip=127.0.0.1],
	["logger-1"] = [$node_type=Cluster::LOGGER, $ip=127.0.0.1, $p=27761/tcp],
	["worker-1"] = [$node_type=Cluster::WORKER, $ip=127.0.0.1],
	["worker-2"] = [$node_type=Cluster::WORKER, $ip=127.0.0.1],
};
`
	if err := os.WriteFile(layout, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	xsub, xpub := "ipc://"+filepath.Join(dir, "s"), "ipc://"+filepath.Join(dir, "p")
	connect := []string{"--connect-xpub-endpoint=" + xsub, "--connect-xsub-endpoint=" + xpub, "--log-level=warn", "--layout=" + layout}
	member := func(name string) *printed {
		return startPrinting(t, append([]string{"run", "member", "--node=" + name}, connect...)...)
	}
	expect := func(p *printed, want ...string) {
		t.Helper()
		if got := p.next(t, len(want)); !slices.Equal(got, want) {
			t.Errorf("printed %q, want %q", got, want)
		}
	}
	one := member("worker-1")
	start(t, "run", "broker", "--node=manager", "--layout="+layout, "--metrics-address=",
		"--listen-xsub-endpoint="+xsub, "--listen-xpub-endpoint="+xpub)
	start(t, append([]string{"run", "logger", "--node=logger-1", "--metrics-address=",
		"--listen-log-endpoint=ipc://" + filepath.Join(dir, "l"), "--log-dir=" + filepath.Join(dir, "logs")}, connect...)...)
	expect(one, "node_up logger-1", "node_up manager")
	two := member("worker-2")
	expect(one, "node_up worker-2")
	expect(two, "node_up logger-1", "node_up manager", "node_up worker-1")
	if err := two.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	expect(one, "node_down worker-2")
	if err := one.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for l := range one.lines {
		t.Errorf("printed %q at its end", l)
	}
	if err := one.cmd.Wait(); err != nil {
		t.Errorf("a member told to end: %v", err)
	}
}
