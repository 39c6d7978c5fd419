package node

import (
	"bytes"
	"context"
	"encoding/binary"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/znode/znode/sockets"
	"github.com/znode/znode/sockets/zmqtest"
)

// testLoggerOptions are the defaults, with a port and a directory of the test's
// own.
func testLoggerOptions(t testing.TB) LoggerOptions {
	t.Helper()
	opt := DefaultLoggerOptions()
	opt.ListenLogEndpoint = "tcp://127.0.0.1:*"
	opt.LogDir = t.TempDir()
	opt.RotationInterval = 0
	opt.eager = true
	opt.Log = slog.New(slog.NewTextHandler(testWriter{t}, nil))
	return opt
}

// testWriter writes log lines to the test's log.
type testWriter struct{ t testing.TB }

func (w testWriter) Write(b []byte) (int, error) {
	w.t.Log(string(bytes.TrimSpace(b)))
	return len(b), nil
}

// lockedBuffer keeps what is written by any goroutine.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (w *lockedBuffer) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(b)
}

func (w *lockedBuffer) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.String()
}

// startLogger starts a logger that the test closes at its end, if not before.
func startLogger(t testing.TB, opt LoggerOptions) *Logger {
	t.Helper()
	l, err := NewLogger(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeLogger(t, l) })
	return l
}

func closeLogger(t testing.TB, l *Logger) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), zmqtest.Patience)
	defer cancel()
	if err := l.Close(ctx); err != nil {
		t.Error(err)
	}
}

// await waits until something has come true.
func await(t testing.TB, what string, done func() bool) {
	t.Helper()
	deadline := time.NewTimer(zmqtest.Patience)
	defer deadline.Stop()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-deadline.C:
			t.Fatalf("waited %v for %s", zmqtest.Patience, what)
		case <-tick.C:
		}
	}
}

// awaitMessages waits until the logger has read n messages.
func awaitMessages(t testing.TB, l *Logger, n int) {
	t.Helper()
	await(t, "messages to be read", func() bool { return l.Stats().Messages >= uint64(n) })
}

// connectPUSH returns a PUSH that is connected to the logger.
func connectPUSH(t testing.TB, l *Logger) *sockets.PUSH {
	t.Helper()
	opt := sockets.DefaultOptions()
	opt.Linger = 0 // what a test wants to arrive it waits for
	push, err := sockets.NewPUSH(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { push.Close() })
	if err := push.Connect(l.Endpoint()); err != nil {
		t.Fatal(err)
	}
	return push
}

// sendBatch sends a batch as Zeek does.
func sendBatch(t testing.TB, push *sockets.PUSH, payload []byte) {
	t.Helper()
	sendFrames(t, push, []byte("log-write"), []byte("zeek_worker-1_test_1_N1"), []byte(logSerializer), payload)
}

func sendFrames(t testing.TB, push *sockets.PUSH, frames ...[]byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), zmqtest.Patience)
	defer cancel()
	if err := push.SendContext(ctx, frames...); err != nil {
		t.Fatal(err)
	}
}

// goldenDir holds batches that a real Zeek sent and the files that its logger
// wrote from them.
const goldenDir = "../codec/testdata/logs"

// goldenBatches returns the batches of a set.
func goldenBatches(t testing.TB, set string) [][]byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(goldenDir, set, "batches"))
	if err != nil {
		t.Fatal(err)
	}
	var list [][]byte
	for len(data) > 0 {
		n := 4 + binary.BigEndian.Uint32(data)
		list = append(list, data[4:n])
		data = data[n:]
	}
	if len(list) == 0 {
		t.Fatalf("no batches in set %s", set)
	}
	return list
}

var openClose = regexp.MustCompile(`(?m)^(#open|#close)\t\d{4}(-\d\d){5}$`)

// timeless blanks the only lines of a log that depend on when it was written.
func timeless(log []byte) []byte { return openClose.ReplaceAll(log, []byte("$1")) }
