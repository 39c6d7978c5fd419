package node

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/znode/znode/codec"
	"github.com/znode/znode/sockets"
	"github.com/znode/znode/sockets/zmqtest"
)

// numbers makes a batch under a path with one column n, a record for each of
// the numbers from first on.
func numbers(t testing.TB, path string, first, count int, columns ...string) []byte {
	t.Helper()
	fields := []codec.Field{codec.NewField("n", codec.TypeCount)}
	for _, c := range columns {
		fields = append(fields, codec.NewField(c, codec.TypeString))
	}
	w, err := codec.NewBatchWriter(codec.BatchHeader{Stream: "Test::LOG", Path: path, Fields: fields})
	if err != nil {
		t.Fatal(err)
	}
	w.Start(nil)
	for i := range count {
		w.Count(uint64(first + i))
		for range columns {
			w.String("x")
		}
		if err := w.EndRecord(); err != nil {
			t.Fatal(err)
		}
	}
	return w.Finish()
}

func TestLoggerKeepsEarlierLog(t *testing.T) {
	opt := testLoggerOptions(t)
	const earlier = "somebody's work\n"
	file := filepath.Join(opt.LogDir, "n.log")
	if err := os.WriteFile(file, []byte(earlier), 0o600); err != nil {
		t.Fatal(err)
	}
	l := startLogger(t, opt)
	sendBatch(t, connectPUSH(t, l), numbers(t, "n", 1, 2))
	awaitMessages(t, l, 1)
	closeLogger(t, l)
	if got, err := os.ReadFile(file); err != nil || !bytes.Contains(got, []byte("#fields\tn\n#types\tcount\n1\n2\n#close\t")) {
		t.Errorf("n.log: %q, %v", got, err)
	}
	aside, _ := filepath.Glob(filepath.Join(opt.LogDir, "????-??-??", "n.??:??:??-??:??:??.log.gz"))
	if len(aside) != 1 {
		t.Fatalf("moved aside: %q", aside)
	}
	if got := readLog(t, aside[0]); string(got) != earlier {
		t.Errorf("%s: %q", aside[0], got)
	}
}

func TestLoggerFlushesWhenIdle(t *testing.T) {
	opt := testLoggerOptions(t)
	l := startLogger(t, opt)
	push := connectPUSH(t, l)
	for i := range 3 {
		sendBatch(t, push, numbers(t, "n", i, 1))
		await(t, "the record in the file", func() bool {
			got, _ := os.ReadFile(filepath.Join(opt.LogDir, "n.log"))
			return bytes.HasSuffix(got, fmt.Appendf(nil, "\n%d\n", i))
		})
	}
}

// TestLoggerStatsInOrder: what is counted as a record and not written is in memory,
// also when it comes while the figures are being read.
func TestLoggerStatsInOrder(t *testing.T) {
	opt := testLoggerOptions(t)
	var g gate
	opt.hooks = g.hooks()
	var meanwhile func()
	opt.hooks.step = func(name string) {
		if name == "stats" && meanwhile != nil {
			do := meanwhile
			meanwhile = nil
			do()
		}
	}
	l := startLogger(t, opt)
	push := connectPUSH(t, l)
	for i := range 3 {
		open := g.block()
		meanwhile = func() {
			sendBatch(t, push, numbers(t, "n", i, 1))
			await(t, "the record to be counted", func() bool { return l.Stats().Records > uint64(i) })
		}
		if s := l.Stats(); s.Records > uint64(i) && s.Memory == 0 {
			t.Errorf("record %d is neither in memory nor written", i)
		}
		open()
		await(t, "it to be written", func() bool { return l.Stats().Memory == 0 })
	}
}

func TestLoggerColumnsDiffer(t *testing.T) {
	opt := testLoggerOptions(t)
	l := startLogger(t, opt)
	push := connectPUSH(t, l)
	for i := range 10 {
		sendBatch(t, push, numbers(t, "n", i, 1))
		sendBatch(t, push, numbers(t, "n", i, 1, "more"))
	}
	await(t, "both files", func() bool { return l.Stats().Files == 2 })
	sendBatch(t, push, numbers(t, "n-2", 7, 1))
	awaitMessages(t, l, 21)
	closeLogger(t, l)
	for file, want := range map[string]string{
		"n.log":     "#path\tn\n#open\n#fields\tn\n#types\tcount\n0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n#close\n",
		"n-2.log":   "#path\tn-2\n#open\n#fields\tn\tmore\n#types\tcount\tstring\n0\tx\n1\tx\n2\tx\n3\tx\n4\tx\n5\tx\n6\tx\n7\tx\n8\tx\n9\tx\n#close\n",
		"n-2-2.log": "#path\tn-2-2\n#open\n#fields\tn\n#types\tcount\n7\n#close\n",
	} {
		got, err := os.ReadFile(filepath.Join(opt.LogDir, file))
		if err != nil || !bytes.HasSuffix(timeless(got), []byte(want)) {
			t.Errorf("%s: %v\n%s\nwant at the end:\n%s", file, err, got, want)
		}
	}
}

func TestLoggerRefusals(t *testing.T) {
	opt := testLoggerOptions(t)
	var lines lockedBuffer
	opt.Log = slog.New(slog.NewTextHandler(&lines, nil))
	opt.MaxStreams = 2
	l := startLogger(t, opt)
	push := connectPUSH(t, l)
	text := func(frames ...string) { sendFrames(t, push, zmqtest.Frames(frames...)...) }
	good := string(numbers(t, "n", 1, 1))
	text("log-write", "sender", logSerializer, good) // a log without a file would make room for others
	text("log-write")
	text("log-write", "sender", logSerializer, good, "more")
	text("log-write", "sender", "broker-bin-v1", good)
	text("log-write", "sender", logSerializer, "")
	text("log-write", "sender", logSerializer, good[:30])
	text("log-write", "sender", logSerializer, good[:len(good)-1])
	text("log-write", "sender", logSerializer, strings.Replace(good, "\x00\x00\x00\x01n", "\x00\x00\x00\x00", 1))
	text("log-write", "sender", logSerializer, string(numbers(t, strings.Repeat("x", 300), 1, 1)))
	text("log-write", "sender", logSerializer, string(numbers(t, "../n", 1, 1)))
	text("log-write", "sender", logSerializer, string(numbers(t, "beyond", 1, 1)))
	text("anything", "sender", logSerializer, good)
	awaitMessages(t, l, 12)
	closeLogger(t, l)
	for reason, want := range map[refusal]uint64{
		refusedFrames: 2, refusedSerializer: 1, refusedBatch: 3, refusedPath: 2, refusedStreams: 1,
	} {
		if got := l.refused[reason].n.Load(); got != want {
			t.Errorf("%v: %d refused, want %d", reason, got, want)
		}
		line := fmt.Sprintf("reason=%s peer=127.0.0.1:", reason)
		if got := strings.Count(lines.String(), line); uint64(got) != want {
			t.Errorf("%v: %d lines with %q, want %d:\n%s", reason, got, line, want, &lines)
		}
	}
	files, _ := filepath.Glob(filepath.Join(opt.LogDir, "[^.]*"))
	want := []string{filepath.Join(opt.LogDir, "%2E.%2Fn.log"), filepath.Join(opt.LogDir, "n.log")}
	if strings.Join(files, " ") != strings.Join(want, " ") {
		t.Errorf("files %q, want %q", files, want)
	}
}

func TestLoggerComplaintsAreLimited(t *testing.T) {
	opt := testLoggerOptions(t)
	var lines lockedBuffer
	opt.Log = slog.New(slog.NewTextHandler(&lines, nil))
	l := startLogger(t, opt)
	push := connectPUSH(t, l)
	for range 5000 {
		sendFrames(t, push, []byte("x"))
	}
	awaitMessages(t, l, 5000)
	closeLogger(t, l)
	if got := l.refused[refusedFrames].n.Load(); got != 5000 {
		t.Errorf("%d refused, want 5000", got)
	}
	if n := strings.Count(lines.String(), "log message refused"); n < 1 || n > 500 {
		t.Errorf("%d lines for 5000 refusals", n)
	}
}

func TestLoggerStartErrors(t *testing.T) {
	taken := startLogger(t, testLoggerOptions(t))
	for name, c := range map[string]struct {
		change func(*LoggerOptions)
		want   string
	}{
		"endpoint in use":  {func(o *LoggerOptions) { o.ListenLogEndpoint = taken.Endpoint() }, taken.Endpoint()},
		"bad endpoint":     {func(o *LoggerOptions) { o.ListenLogEndpoint = "udp://x" }, "udp://x"},
		"file in the way":  {func(o *LoggerOptions) { o.LogDir = "logger_test.go" }, "logger_test.go"},
		"below a file":     {func(o *LoggerOptions) { o.LogDir = "logger_test.go/logs" }, "logger_test.go"},
		"unwritable":       {func(o *LoggerOptions) { o.LogDir = "/proc/self/fdinfo" }, "/proc/self/fdinfo"},
		"directory in use": {func(o *LoggerOptions) { o.LogDir = taken.opt.LogDir }, taken.opt.LogDir},
		"no directory":     {func(o *LoggerOptions) { o.LogDir = "" }, "log directory"},
		"text options":     {func(o *LoggerOptions) { o.Text.Separator = "" }, "separator"},
		"large messages":   {func(o *LoggerOptions) { o.PULL.MaxMessageSize = 20_000_000 }, "max message size: 20000000 bytes is more than a quarter of the memory limit of 67108864"},
		"little memory":    {func(o *LoggerOptions) { o.MemoryLimit = 1000 }, "memory limit: 1000"},
	} {
		t.Run(name, func(t *testing.T) {
			opt := testLoggerOptions(t)
			parent := opt.LogDir
			opt.LogDir = filepath.Join(parent, "a", "b")
			opt.SpoolDir = filepath.Join(parent, "c", "d")
			c.change(&opt)
			l, err := NewLogger(opt)
			if err == nil {
				closeLogger(t, l)
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %q does not name %q", err, c.want)
			}
			if left, _ := os.ReadDir(parent); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestLoggerMetrics(t *testing.T) {
	opt := testLoggerOptions(t)
	opt.Node = "logger-1"
	l := startLogger(t, opt)
	push := connectPUSH(t, l)
	sendBatch(t, push, numbers(t, "n", 1, 5))
	sendBatch(t, push, numbers(t, "n", 6, 2))
	sendFrames(t, push, []byte("one frame"))
	awaitMessages(t, l, 3)
	closeLogger(t, l)
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(l); err != nil {
		t.Fatal(err)
	}
	want := `
# HELP zeek_cluster_zeromq_msg_errors_total Number of events with the wrong number of message parts.
# TYPE zeek_cluster_zeromq_msg_errors_total counter
zeek_cluster_zeromq_msg_errors_total{node="logger-1"} 1
# HELP zeek_log_stream_writes_total Total number of log writes for the given stream.
# TYPE zeek_log_stream_writes_total counter
zeek_log_stream_writes_total{module="Test",node="logger-1",stream="Test::LOG"} 7
# HELP zeek_log_writer_writes_total Total number of log writes passed to a concrete log writer not vetoed by stream or filter policies.
# TYPE zeek_log_writer_writes_total counter
zeek_log_writer_writes_total{filter_name="default",module="Test",node="logger-1",path="n",stream="Test::LOG",writer="Log::WRITER_ASCII"} 7
`
	err := testutil.GatherAndCompare(registry, strings.NewReader(want),
		"zeek_log_writer_writes_total", "zeek_log_stream_writes_total", "zeek_cluster_zeromq_msg_errors_total")
	if err != nil {
		t.Error(err)
	}
}

// TestLoggerMetricsHostile: labels from the wire that are equal when cut, or no
// text, do not break a scrape.
func TestLoggerMetricsHostile(t *testing.T) {
	l := startLogger(t, testLoggerOptions(t))
	push := connectPUSH(t, l)
	const variants = 40
	for i := range variants {
		w, err := codec.NewBatchWriter(codec.BatchHeader{
			Stream: strings.Repeat("s", 200) + fmt.Sprint(i), Path: "n", Filter: fmt.Sprintf("\xff%d", i%3),
			Fields: []codec.Field{codec.NewField("n", codec.TypeCount)},
		})
		if err != nil {
			t.Fatal(err)
		}
		w.Start(nil)
		w.Count(1)
		if err := w.EndRecord(); err != nil {
			t.Fatal(err)
		}
		sendBatch(t, push, w.Finish())
	}
	await(t, "records", func() bool { return l.Stats().Records == variants })
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(l); err != nil {
		t.Fatal(err)
	}
	if _, err := registry.Gather(); err != nil {
		t.Error(err)
	}
}

func TestLoggerSeveralSenders(t *testing.T) {
	sockets.PoisonReleased(true)
	defer sockets.PoisonReleased(false)
	opt := testLoggerOptions(t)
	opt.Text.Format = codec.FormatJSON
	opt.MemoryLimit = minMemoryLimit
	l := startLogger(t, opt)
	const senders, batches, per = 4, 500, 20
	done := make(chan struct{})
	for s := range senders {
		push := connectPUSH(t, l)
		go func() {
			defer func() { done <- struct{}{} }()
			for i := range batches {
				sendBatch(t, push, numbers(t, fmt.Sprintf("p%d", i%3), s*batches*per+i*per, per))
			}
		}()
	}
	for range senders {
		<-done
	}
	awaitMessages(t, l, senders*batches)
	closeLogger(t, l)
	last := map[[2]int]int{}
	total := 0
	for p := range 3 {
		data, err := os.ReadFile(filepath.Join(opt.LogDir, fmt.Sprintf("p%d.log", p)))
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(data) {
			var n int
			if _, err := fmt.Sscanf(string(line), "{\"n\":%d}\n", &n); err != nil {
				t.Fatalf("line %q: %v", line, err)
			}
			key := [2]int{p, n / (batches * per)}
			if before, ok := last[key]; ok && n <= before {
				t.Fatalf("p%d.log: %d after %d", p, n, before)
			}
			last[key] = n
			total++
		}
	}
	if total != senders*batches*per {
		t.Errorf("%d records, want %d", total, senders*batches*per)
	}
}
