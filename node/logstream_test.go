package node

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/znode/znode/codec"
	"github.com/znode/znode/sockets/zmqtest"
)

// logLine is the record of the tests' logs.
type logLine struct {
	N    uint64 `zeek:"n"`
	Text string `zeek:"text"`
}

var testLog = codec.MustLogStream[logLine](codec.BatchHeader{Stream: "Test::LOG", Path: "test"})

// logSink is a node that takes batches and counts their records.
type logSink struct {
	*Node
	mu      sync.Mutex
	batches []int
	numbers []uint64
	senders []string
}

func newLogSink(t testing.TB) *logSink {
	t.Helper()
	opt := testNodeOptions(t)
	opt.ListenLogEndpoint = zmqtest.Loopback
	s := &logSink{Node: newNode(t, opt)}
	reader := testLog.NewReader()
	s.HandleLogs(func(w *LogWrite) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.batches = append(s.batches, w.NumRecords)
		s.senders = append(s.senders, string(w.Sender()))
		if err := reader.Bind(&w.Batch); err != nil {
			t.Error(err)
			return
		}
		records := w.Records()
		for records.Next() {
			var l logLine
			if err := reader.Scan(&records, &l); err != nil {
				t.Error(err)
			}
			s.numbers = append(s.numbers, l.N)
		}
	})
	startNode(t, s.Node)
	return s
}

func (s *logSink) sizes() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.batches)
}

func (s *logSink) records() []uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.numbers)
}

// logTo makes a started node that logs to these endpoints.
func logTo(t testing.TB, change func(*Options), endpoints ...string) (*Node, *LogStream[logLine]) {
	t.Helper()
	opt := testNodeOptions(t)
	opt.ConnectLogEndpoints = endpoints
	opt.Linger = zmqtest.Patience
	if change != nil {
		change(&opt)
	}
	n := newNode(t, opt)
	startNode(t, n)
	l, err := OpenLog(n, testLog)
	if err != nil {
		t.Fatal(err)
	}
	return n, l
}

func writeLines(t testing.TB, l *LogStream[logLine], from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		if err := l.Write(&logLine{N: uint64(i), Text: "line"}); err != nil {
			t.Fatal(err)
		}
	}
}

// A batch leaves when its time is up, without another record.
func TestLogFlushInterval(t *testing.T) {
	t.Parallel()
	s := newLogSink(t)
	_, l := logTo(t, func(o *Options) { o.FlushInterval = 50 * time.Millisecond }, s.LogEndpoint())
	for i := range 3 {
		writeLines(t, l, i, i+1)
		await(t, "the record", func() bool { return len(s.records()) == i+1 })
	}
}

// A batch leaves when it is full, when it is flushed, and when the node closes.
func TestLogBatching(t *testing.T) {
	t.Parallel()
	s := newLogSink(t)
	n, l := logTo(t, func(o *Options) { o.WriteBufferSize, o.FlushInterval = 10, 0 }, s.LogEndpoint())
	writeLines(t, l, 0, 28)
	await(t, "two full batches", func() bool { return slices.Equal(s.sizes(), []int{10, 10}) })
	writeLines(t, l, 28, 29)
	if err := l.Flush(); err != nil {
		t.Fatal(err)
	}
	await(t, "what was flushed", func() bool { return len(s.records()) == 29 })
	writeLines(t, l, 29, 31)
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	await(t, "what was there at Close", func() bool { return len(s.records()) == 31 })
	for i, got := range s.records() {
		if got != uint64(i) {
			t.Fatalf("record %d is %d", i, got)
		}
	}
	if err := l.Write(&logLine{}); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if st := n.Stats(); st.LogWrites != 31 || st.LogSent != 31 || st.LogDrops != 0 {
		t.Errorf("%+v", st)
	}
	if s.senders[0] != n.ID() {
		t.Errorf("sent as %s", s.senders[0])
	}
}

func TestLogClosedStream(t *testing.T) {
	t.Parallel()
	s := newLogSink(t)
	_, l := logTo(t, func(o *Options) { o.FlushInterval = 0 }, s.LogEndpoint())
	writeLines(t, l, 0, 3)
	for range 2 {
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	await(t, "the records", func() bool { return len(s.records()) == 3 })
	if err := l.Write(&logLine{}); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// Batches go to several loggers in turn; all arrive.
func TestLogSeveralLoggers(t *testing.T) {
	t.Parallel()
	a, b := newLogSink(t), newLogSink(t)
	_, l := logTo(t, func(o *Options) { o.WriteBufferSize, o.FlushInterval = 10, 0 }, a.LogEndpoint(), b.LogEndpoint())
	writeLines(t, l, 0, 1000)
	await(t, "all records", func() bool { return len(a.records())+len(b.records()) == 1000 })
	if len(a.sizes()) != 50 || len(b.sizes()) != 50 {
		t.Errorf("%d and %d batches", len(a.sizes()), len(b.sizes()))
	}
	all := append(a.records(), b.records()...)
	slices.Sort(all)
	for i, got := range all {
		if got != uint64(i) {
			t.Fatalf("record %d is %d", i, got)
		}
	}
}

// Without a logger, batches wait for one up to log_sndhwm; then they are dropped
// and counted, record by record, and the writer is told.
func TestLogDrops(t *testing.T) {
	t.Parallel()
	log := new(lockedBuffer)
	at := testEndpoints(t).xsub // nobody there
	n, l := logTo(t, func(o *Options) {
		o.WriteBufferSize, o.FlushInterval, o.LogSndHWM, o.Linger = 10, 0, 5, 0
		o.Log = slog.New(slog.NewTextHandler(log, nil))
	}, at)
	dropped := 0
	for i := range 100 {
		switch err := l.Write(&logLine{N: uint64(i)}); {
		case errors.Is(err, ErrDropped):
			dropped++
		case err != nil:
			t.Fatal(err)
		}
	}
	if s := n.Stats(); dropped != 5 || s.LogDrops != 50 || s.LogSent != 50 || s.LogWrites != 100 {
		t.Errorf("%d batches dropped, %+v", dropped, s)
	}
	if got := strings.Count(log.String(), "level=WARN"); got != 1 {
		t.Errorf("%d warnings:\n%s", got, log)
	}
	// A logger comes: those that wait arrive.
	sink := testNodeOptions(t)
	sink.ListenLogEndpoint = at
	s := newNode(t, sink)
	startNode(t, s)
	await(t, "the batches that waited", func() bool { return s.Stats().LogBatches == 5 })
}

// Batches written while the logger is restarted arrive at the new one.
func TestLogLoggerRestarted(t *testing.T) {
	t.Parallel()
	at := testEndpoints(t).xsub
	sink := func() *Node {
		opt := testNodeOptions(t)
		opt.ListenLogEndpoint = at
		s := newNode(t, opt)
		startNode(t, s)
		return s
	}
	n, l := logTo(t, func(o *Options) { o.WriteBufferSize, o.FlushInterval = 10, 0 }, at)
	old := sink()
	writeLines(t, l, 0, 100)
	await(t, "the first batches", func() bool { return old.Stats().LogBatches == 10 })
	old.Close()
	await(t, "the connection to end", func() bool { return n.PUSH().Stats().Connections == 0 })
	writeLines(t, l, 100, 200)
	next := sink()
	await(t, "the batches that waited", func() bool { return next.Stats().LogBatches == 10 })
	if s := n.Stats(); s.LogDrops != 0 {
		t.Errorf("%+v", s)
	}
}

// With BlockLogs the writer waits for room, and Close ends the waiting.
func TestLogBlocks(t *testing.T) {
	t.Parallel()
	at := testEndpoints(t).xsub
	n, l := logTo(t, func(o *Options) {
		o.WriteBufferSize, o.LogSndHWM, o.LogOverflow, o.FlushInterval = 1, 2, BlockLogs, 0
	}, at)
	writeLines(t, l, 0, 2)
	done := make(chan error)
	go func() {
		for i := range 10 {
			if err := l.Write(&logLine{N: uint64(2 + i)}); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	await(t, "the writer to wait", n.logs.episode.under)
	s := testNodeOptions(t)
	s.ListenLogEndpoint = at
	sink := newNode(t, s)
	startNode(t, sink)
	if err := <-done; err != nil {
		t.Error(err)
	}
	await(t, "all batches", func() bool { return sink.Stats().LogBatches == 12 })
	if st := n.Stats(); st.LogDrops != 0 {
		t.Errorf("%+v", st)
	}
}

func TestLogBlockedAtClose(t *testing.T) {
	t.Parallel()
	n, l := logTo(t, func(o *Options) {
		o.WriteBufferSize, o.LogSndHWM, o.LogOverflow, o.Linger = 1, 1, BlockLogs, time.Millisecond
	}, testEndpoints(t).xsub)
	writeLines(t, l, 0, 1)
	done := make(chan error)
	go func() { done <- l.Write(&logLine{N: 1}) }()
	await(t, "the writer to wait", n.logs.episode.under)
	n.Close()
	if err := <-done; !errors.Is(err, ErrDropped) {
		t.Errorf("got %v", err)
	}
	if s := n.Stats(); s.LogDrops != 1 {
		t.Errorf("%+v", s)
	}
}

func TestLogErrors(t *testing.T) {
	t.Parallel()
	n := newNode(t, testNodeOptions(t))
	if _, err := OpenLog(n, testLog); !errors.Is(err, ErrNoLogger) {
		t.Errorf("nobody to log to: %v", err)
	}
	s := newLogSink(t)
	n2, _ := logTo(t, nil, s.LogEndpoint())
	if _, err := n2.OpenColumnLog(codec.BatchHeader{Stream: "X::LOG"}); err == nil {
		t.Error("a log without path")
	}
	type port struct {
		P codec.Port `zeek:"p"`
	}
	l, err := OpenLog(n2, codec.MustLogStream[port](codec.BatchHeader{Stream: "P::LOG", Path: "p"}))
	if err != nil {
		t.Fatal(err)
	}
	var value *codec.ValueError
	if err := l.Write(&port{codec.Port{Proto: 99}}); !errors.As(err, &value) {
		t.Errorf("a port of no protocol: %v", err)
	}
	n2.Close()
	if _, err := OpenLog(n2, testLog); !errors.Is(err, ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

func TestColumnLog(t *testing.T) {
	t.Parallel()
	s := newLogSink(t)
	n, _ := logTo(t, nil, s.LogEndpoint())
	h := testLog.Header()
	l, err := n.OpenColumnLog(h)
	if err != nil {
		t.Fatal(err)
	}
	for i := range uint64(5) {
		if err := l.Write(func(w *codec.BatchWriter) { w.Count(i); w.String(fmt.Sprint(i)) }); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Write(func(w *codec.BatchWriter) { w.Count(99) }); !errors.Is(err, codec.ErrRecord) {
		t.Errorf("one value for two columns: %v", err)
	}
	if err := l.Flush(); err != nil {
		t.Fatal(err)
	}
	await(t, "the records", func() bool { return slices.Equal(s.records(), []uint64{0, 1, 2, 3, 4}) })
}

// Several goroutines may write one log.
func TestLogConcurrently(t *testing.T) {
	t.Parallel()
	s := newLogSink(t)
	_, l := logTo(t, func(o *Options) { o.WriteBufferSize, o.FlushInterval = 7, time.Millisecond }, s.LogEndpoint())
	var wg sync.WaitGroup
	const writers, each = 4, 500
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				if err := l.Write(&logLine{N: uint64(w*each + i)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	await(t, "all records", func() bool { return len(s.records()) == writers*each })
	all := s.records()
	slices.Sort(all)
	for i, got := range all {
		if got != uint64(i) {
			t.Fatalf("record %d is %d", i, got)
		}
	}
}
