package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// listenAsManager listens as systemd does.
func listenAsManager(t *testing.T) (path string, states func() string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "n") // t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path = filepath.Join(dir, "s")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return path, func() string {
		t.Helper()
		if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 1000)
		n, err := conn.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(b[:n])
	}
}

// TestNotify: ready once everything listens, alive, reloading, stopping.
func TestNotify(t *testing.T) {
	t.Parallel()
	path, next := listenAsManager(t)
	z := startWith(t, func(cmd *exec.Cmd) {
		cmd.Env = append(cmd.Env, "NOTIFY_SOCKET="+path, "WATCHDOG_USEC=500000")
	}, "run", "--listen-xsub-endpoint=tcp://127.0.0.1:0", "--listen-xpub-endpoint=tcp://127.0.0.1:0",
		"--listen-log-endpoint=tcp://127.0.0.1:0", "--metrics-address=")
	until := func(want string) {
		t.Helper()
		for got := next(); got != want; got = next() {
			if got != stateAlive {
				t.Fatalf("got %s, want %s", got, want)
			}
		}
	}
	if got := next(); got != stateReady {
		t.Fatalf("first came %s", got)
	}
	for range 3 {
		if got := next(); got != stateAlive {
			t.Fatalf("then came %s", got)
		}
	}
	if err := z.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	until(stateReloading)
	until(stateReady)
	if err := z.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	until(stateStopping)
	if status := z.wait(t); status != 0 {
		t.Errorf("exit status %d", status)
	}
}

// TestServiceManagerThatDoesNotRead: states are lost, and nothing waits for it.
func TestServiceManagerThatDoesNotRead(t *testing.T) {
	t.Parallel()
	path, _ := listenAsManager(t)
	m, err := newServiceManager([]string{"NOTIFY_SOCKET=" + path})
	if err != nil {
		t.Fatal(err)
	}
	defer m.close()
	m.patience = time.Millisecond
	for range 1000 { // more than a socket's queue takes
		m.tell(stateAlive)
	}
}

func TestServiceManager(t *testing.T) {
	t.Parallel()
	path, next := listenAsManager(t)
	for _, c := range []struct {
		environ []string
		every   time.Duration
		err     string
	}{
		{[]string{"NOTIFY_SOCKET=" + path}, 0, ""},
		{[]string{"NOTIFY_SOCKET=" + path, "WATCHDOG_USEC=30000000"}, 15 * time.Second, ""},
		{[]string{"NOTIFY_SOCKET=" + path, "WATCHDOG_USEC=30000000", "WATCHDOG_PID=1"}, 0, ""},
		{[]string{"NOTIFY_SOCKET=" + path, "WATCHDOG_USEC=soon"}, 0, "WATCHDOG_USEC: \"soon\" is no number of microseconds above 0"},
		{[]string{"NOTIFY_SOCKET=" + path + "x"}, 0, "NOTIFY_SOCKET: dial unixgram " + path + "x: connect: no such file or directory"},
	} {
		m, err := newServiceManager(c.environ)
		if c.err != "" {
			if err == nil || err.Error() != c.err {
				t.Errorf("%q: %v", c.environ, err)
			}
			continue
		}
		if err != nil || m.every != c.every {
			t.Errorf("%q: every %v, %v", c.environ, m.every, err)
			continue
		}
		m.tell(stateReady)
		if got := next(); got != stateReady {
			t.Errorf("%q: told %s", c.environ, got)
		}
		m.close()
	}
	none, err := newServiceManager([]string{"NOTIFY_SOCKET=", "WATCHDOG_USEC=1"})
	if none != nil || err != nil {
		t.Errorf("without a socket: %v, %v", none, err)
	}
	none.tell(stateReady)
	none.close()
	if ticks, stop := none.ticks(); ticks != nil {
		t.Error("ticks for nobody")
		stop()
	}
}

var execStart = regexp.MustCompile(`(?m)^ExecStart=/usr/local/bin/znode (.*)$`)

// TestUnits: systemd takes the units, and znode what they start it with.
func TestUnits(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("systemd/*.service")
	if err != nil || len(files) != 2 {
		t.Fatalf("%d units, %v", len(files), err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "znode.toml")
	if err := os.WriteFile(config, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	analyze, lookErr := exec.LookPath("systemd-analyze")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		start := execStart.FindSubmatch(data)
		if start == nil {
			t.Fatalf("%s starts nothing of ours", file)
		}
		args := strings.Fields(string(start[1]))
		for i, arg := range args {
			if strings.HasPrefix(arg, "/etc/znode/") {
				args[i] = config
			}
		}
		if out, people, status := outcome(t, append(args, "--check")...); status != 0 || people != "" {
			t.Errorf("%s: status %d %s%s", file, status, out, people)
		}
		if lookErr != nil {
			t.Logf("%s is not verified: %v", file, lookErr)
			continue
		}
		unit := filepath.Join(dir, filepath.Base(file))
		if err := os.WriteFile(unit, execStart.ReplaceAll(data, []byte("ExecStart="+self+" $1")), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(analyze, "verify", "--man=no", unit).CombinedOutput(); err != nil || strings.Contains(string(out), filepath.Base(file)) {
			t.Errorf("%s: %v\n%s", file, err, out)
		}
	}
}
