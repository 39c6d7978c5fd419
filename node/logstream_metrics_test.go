package node

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/znode/znode/codec"
	"github.com/znode/znode/sockets/zmqtest"
)

// What a node shows of its logs is what a Zeek node shows, and what it counts of
// batches besides.
func TestLogMetricsAreZeeks(t *testing.T) {
	t.Parallel()
	golden := readFile(t, "testdata/worker_metrics.txt")
	s := newLogSink(t)
	n, l := logTo(t, func(o *Options) { o.Node, o.FlushInterval = "worker-1", 0 }, s.LogEndpoint())
	columns, err := n.OpenColumnLog(testLog.Header()) // another stream of the same log
	if err != nil {
		t.Fatal(err)
	}
	for i := range uint64(3) {
		if err := l.Write(&logLine{N: i}); err != nil {
			t.Fatal(err)
		}
	}
	if err := columns.Write(func(w *codec.BatchWriter) { w.Count(99) }); err == nil {
		t.Fatal("one value for two columns is no error")
	}
	if err := l.Flush(); err != nil {
		t.Fatal(err)
	}
	text := gather(t, n)
	for _, list := range []func(string, string) []string{metricNames, metricHeads} {
		want := list(golden, "zeek_log_")
		if len(want) < 5 {
			t.Fatalf("only %d golden metrics", len(want))
		}
		if got := list(text, "zeek_log_"); !slices.Equal(got, want) {
			t.Errorf("shows\n%s\nZeek shows\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	h := testLog.Header()
	labels := `{filter_name="default",module="` + module(h.Stream) + `",node="worker-1",path="` + h.Path +
		`",stream="` + h.Stream + `",writer="Log::WRITER_ASCII"}`
	for _, line := range []string{
		"zeek_log_writer_writes_total" + labels + " 3",
		"zeek_log_writer_discarded_writes_total" + labels + " 1",
		`zeek_log_stream_writes_total{module="` + module(h.Stream) + `",node="worker-1",stream="` + h.Stream + `"} 3`,
		`znode_log_writes_total{node="worker-1"} 3`,
		`znode_log_discards_total{node="worker-1"} 1`,
		`znode_log_sent_total{node="worker-1"} 3`,
		`znode_log_batches_sent_total{node="worker-1"} 1`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no line %s in\n%s", line, text)
		}
	}
}

// What a closing node has accepted and no logger takes is told, not just lost.
func TestLogsLostAtClose(t *testing.T) {
	t.Parallel()
	silent := zmqtest.Listen(t, "tcp://127.0.0.1:0") // takes connections and says nothing
	log := new(lockedBuffer)
	n, l := logTo(t, func(o *Options) {
		o.Linger, o.FlushInterval = time.Millisecond, 0
		o.Log = slog.New(slog.NewTextHandler(log, nil))
	}, silent.Endpoint)
	for range 3 {
		writeLines(t, l, 0, 2)
		if err := l.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.Close(); !errors.Is(err, ErrDropped) || !strings.Contains(err.Error(), "3 log batches") {
		t.Errorf("Close: %v", err)
	}
	if s := n.Stats(); s.LogBatchesLost != 3 || s.LogBatchesTo != 3 || s.LogDrops != 0 {
		t.Errorf("%+v", s)
	}
	if got := strings.Count(log.String(), "level=WARN"); got != 1 {
		t.Errorf("%d warnings, want 1:\n%s", got, log)
	}
	if err := n.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}
