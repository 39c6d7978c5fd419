package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/znode/znode/sockets/zmqtest"
)

// patience bounds every wait for a process; only a failing test spends it.
const patience = zmqtest.Patience

// started is a znode process of a test.
type started struct {
	cmd   *exec.Cmd
	lines chan map[string]any // what it logs; closed at its end
}

// start runs znode as a process of its own: the test binary under that name.
func start(t *testing.T, args ...string) *started {
	t.Helper()
	return startWith(t, func(*exec.Cmd) {}, args...)
}

// startWith is start with something more done to the command before it runs.
func startWith(t *testing.T, prepare func(*exec.Cmd), args ...string) *started {
	t.Helper()
	s := &started{cmd: znode(t, args...), lines: make(chan map[string]any, 100)}
	prepare(s.cmd)
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go s.read(stderr)
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill()
		for range s.lines {
		}
		_ = s.cmd.Wait()
	})
	return s
}

func (s *started) read(stderr io.Reader) {
	defer close(s.lines)
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		var line map[string]any
		if json.Unmarshal(lines.Bytes(), &line) != nil {
			line = map[string]any{"msg": lines.Text()}
		}
		s.lines <- line
	}
}

// await returns the next log line with this message.
func (s *started) await(t *testing.T, msg string) map[string]any {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case line, ok := <-s.lines:
			if !ok {
				t.Fatalf("znode ended before it logged %q", msg)
			}
			if line["msg"] == msg {
				return line
			}
		case <-deadline:
			t.Fatalf("znode did not log %q", msg)
		}
	}
}

// signal sends a signal and returns the exit status.
func (s *started) signal(t *testing.T, sig os.Signal) int {
	t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	return s.wait(t)
}

func (s *started) wait(t *testing.T) int {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case _, ok := <-s.lines:
			if ok {
				continue
			}
		case <-deadline:
			t.Fatal("znode does not end")
		}
		break
	}
	err := s.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return s.cmd.ProcessState.ExitCode()
}

// metric returns the sum of all series of a metric.
func metric(t *testing.T, address, name string) float64 {
	t.Helper()
	resp, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, line := range strings.Split(string(body), "\n") {
		series, value, ok := strings.Cut(line, "} ")
		if !ok || !strings.HasPrefix(series, name+"{") {
			continue
		}
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += v
	}
	return sum
}

// awaitMetric waits until a metric has a value, or a larger one.
func awaitMetric(t *testing.T, address, name string, want float64) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond) // what is asked has to work, too
	defer tick.Stop()
	for deadline := time.Now().Add(patience); metric(t, address, name) < want; <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("%s has not become %v", name, want)
		}
	}
}

const golden = "../../codec/testdata/logs"

// variants are the flags of the golden files.
var variants = map[string][]string{
	"tsv":                  nil,
	"tsv-noutf8":           {"--enable-utf-8=F"},
	"json":                 {"--log-format=json"},
	"json-iso8601":         {"--log-format=json", "--json-timestamps=iso8601"},
	"json-millis":          {"--log-format=json", "--json-timestamps=millis"},
	"json-millis-unsigned": {"--log-format=json", "--json-timestamps=millis_unsigned"},
	"json-unset":           {"--log-format=json", "--json-include-unset-fields"},
	"json-escape-pua":      {"--log-format=json", "--json-string-escape-policy=pua"},
	"json-escape-tsv":      {"--log-format=json", "--json-string-escape-policy=tsv"},
}

// TestGoldenOverTheWire sends what a real Zeek logged through libzmq to a znode
// process. Its files must be those that Zeek's own logger wrote.
func TestGoldenOverTheWire(t *testing.T) {
	t.Parallel()
	dirs, err := filepath.Glob(golden + "/*/*/conn.log")
	more, err2 := filepath.Glob(golden + "/*/*/vec.log")
	dirs, err = append(dirs, more...), errors.Join(err, err2)
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	sender := zmqtest.Start(t)
	for _, dir := range dirs {
		dir = filepath.Dir(dir)
		variant := filepath.Base(dir)
		flags, ok := variants[variant]
		if !ok {
			t.Fatalf("%s: no flags for this variant", dir)
		}
		t.Run(filepath.Base(filepath.Dir(dir))+"/"+variant, func(t *testing.T) {
			overTheWire(t, sender, dir, flags)
		})
	}
}

func overTheWire(t *testing.T, sender *zmqtest.Process, dir string, flags []string) {
	logs := filepath.Join(t.TempDir(), "logs")
	z := start(t, append([]string{"run", "logger", "--listen-log-endpoint=tcp://127.0.0.1:0",
		"--metrics-address=127.0.0.1:0", "--rotation-interval=0", "--log-dir=" + logs}, flags...)...)
	endpoint := z.await(t, "logger listens")["endpoint"].(string)
	metrics := z.await(t, "metrics served")["address"].(string)
	push := sender.Socket(t, "PUSH")
	push.Connect(t, endpoint)
	records := 0
	for _, batch := range batches(t, filepath.Join(dir, "..", "batches")) {
		push.Send(t, []byte("log-write"), []byte("zeromq_worker-1_host_1_N1"), []byte("zeek-bin-serializer"), batch)
		records += recordsOf(t, batch)
	}
	awaitMetric(t, metrics, "zeek_log_writer_writes_total", float64(records))
	push.Close(t, 0)
	if status := z.signal(t, syscall.SIGTERM); status != 0 {
		t.Errorf("exit status %d after SIGTERM", status)
	}
	want, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil || len(want) == 0 {
		t.Fatalf("%s: no files: %v", dir, err)
	}
	for _, file := range want {
		compare(t, filepath.Join(logs, filepath.Base(file)), file)
	}
	if got, _ := filepath.Glob(filepath.Join(logs, "*.log")); len(got) != len(want) {
		t.Errorf("%d files, want %d: %q", len(got), len(want), got)
	}
}

// batches reads payloads with 4-byte lengths in front.
func batches(t *testing.T, file string) (list [][]byte) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for len(data) > 0 {
		n := 4 + int(binary.BigEndian.Uint32(data))
		list = append(list, data[4:n])
		data = data[n:]
	}
	return list
}

// recordsOf reads the number of records from a batch's header, field by field.
func recordsOf(t *testing.T, b []byte) int {
	t.Helper()
	u32 := func() int {
		n := binary.BigEndian.Uint32(b)
		b = b[4:]
		return int(n)
	}
	skip := func() { n := u32(); b = b[n:] }
	for range 4 {
		skip()
	}
	for range u32() {
		second := b[0]
		b = b[1:]
		if second == 1 {
			skip()
		}
		skip()
		b = b[4+4+1:]
	}
	return u32()
}

var openClose = regexp.MustCompile(`(?m)^#(open|close)\t\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d$`)

func compare(t *testing.T, gotFile, wantFile string) {
	t.Helper()
	read := func(name string) []byte {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return openClose.ReplaceAll(data, []byte("#$1"))
	}
	got, want := read(gotFile), read(wantFile)
	if bytes.Equal(got, want) {
		return
	}
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	t.Errorf("%s differs from byte %d on:\n%.200q\nwant\n%.200q", filepath.Base(gotFile), at, got[at:], want[at:])
}

// TestRunRotates: SIGUSR1 archives the log, and so does the end, when there is an
// interval of rotation, which there is by default.
func TestRunRotates(t *testing.T) {
	t.Parallel()
	if len(rotateSignals) == 0 {
		t.Skip("the system has no signal for it")
	}
	logs := filepath.Join(t.TempDir(), "logs")
	z := start(t, "run", "logger", "--listen-log-endpoint=tcp://127.0.0.1:0", "--metrics-address=127.0.0.1:0",
		"--archive-compression=none", "--log-dir="+logs)
	endpoint := z.await(t, "logger listens")["endpoint"].(string)
	metrics := z.await(t, "metrics served")["address"].(string)
	push := zmqtest.Start(t).Socket(t, "PUSH")
	push.Connect(t, endpoint)
	batch := batches(t, filepath.Join(golden, "own", "batches"))[0]
	records := float64(recordsOf(t, batch))
	for i := 1.0; i <= 2; i++ {
		push.Send(t, []byte("log-write"), []byte("zeromq_worker-1_host_1_N1"), []byte("zeek-bin-serializer"), batch)
		awaitMetric(t, metrics, "zeek_log_writer_writes_total", i*records)
		if i == 1 {
			if err := z.cmd.Process.Signal(rotateSignals[0]); err != nil {
				t.Fatal(err)
			}
			awaitMetric(t, metrics, "znode_logger_archived_total", 1)
		}
	}
	if status := z.signal(t, syscall.SIGTERM); status != 0 {
		t.Errorf("exit status %d after SIGTERM", status)
	}
	archived, _ := filepath.Glob(filepath.Join(logs, "????-??-??", "*.??:??:??-??:??:??*.log"))
	left, _ := filepath.Glob(filepath.Join(logs, "*.log"))
	if len(archived) != 2 || len(left) != 0 {
		t.Errorf("archived %q, left %q; want 2 and none", archived, left)
	}
}

// TestRunEnds: a signal drains and gives status 0.
func TestRunEnds(t *testing.T) {
	t.Parallel()
	for _, sig := range []os.Signal{syscall.SIGTERM, syscall.SIGINT} {
		z := start(t, "run", "--listen-xsub-endpoint=tcp://127.0.0.1:0", "--listen-xpub-endpoint=tcp://localhost:0",
			"--listen-log-endpoint=tcp://*:0", "--metrics-address=", "--log-dir=logs")
		z.await(t, "logger listens")
		if status := z.signal(t, sig); status != 0 {
			t.Errorf("%v: exit status %d", sig, status)
		}
	}
}

// TestRunCannotStart: one line on stderr that names what is wrong, and nothing
// is left of what started before it.
func TestRunCannotStart(t *testing.T) {
	t.Parallel()
	l := zmqtest.Listen(t, zmqtest.Loopback)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	base := map[string]string{
		"listen-xsub-endpoint": "tcp://127.0.0.1:0",
		"listen-xpub-endpoint": "tcp://127.0.0.1:0",
		"listen-log-endpoint":  "tcp://127.0.0.1:0",
		"metrics-address":      "127.0.0.1:0",
		"log-dir":              filepath.Join(t.TempDir(), "logs"),
	}
	busy := strings.TrimPrefix(l.Endpoint, "tcp://")
	for flag, tc := range map[string]struct{ value, line string }{
		"listen-xsub-endpoint": {l.Endpoint, "broker: bind " + l.Endpoint + ": bind: address already in use"},
		"listen-xpub-endpoint": {l.Endpoint, "broker: bind " + l.Endpoint + ": bind: address already in use"},
		"listen-log-endpoint":  {l.Endpoint, "logger: bind " + l.Endpoint + ": bind: address already in use"},
		"metrics-address":      {busy, "metrics: listen at " + busy + ": bind: address already in use"},
		"log-dir":              {filepath.Join(file, "logs"), "logger: log directory: mkdir " + file + ": not a directory"},
	} {
		args := []string{"run"}
		for f, v := range base {
			if f == flag {
				v = tc.value
			}
			args = append(args, fmt.Sprintf("--%s=%s", f, v))
		}
		z := start(t, args...)
		var last string
		said := 0
		for line := range z.lines {
			last = fmt.Sprint(line["msg"])
			said++
		}
		if said != 1 {
			t.Errorf("%s=%s: %d lines on stderr, want 1", flag, tc.value, said)
		}
		if status := z.wait(t); status != 1 {
			t.Errorf("%s=%s: exit status %d, want 1", flag, tc.value, status)
		}
		if last != "znode: "+tc.line {
			t.Errorf("%s=%s: the line is %q, want %q", flag, tc.value, last, tc.line)
		}
	}
	if left, err := os.ReadDir(base["log-dir"]); err == nil {
		t.Errorf("the directory of a run that did not start: %q", left)
	}
}
