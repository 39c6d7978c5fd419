package node

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestLoggerBurst: records that come as fast as the socket takes them, and go to
// a disk that takes 20 MB a second, wait in the spool and not in memory. The
// benchmarks show the same for millions, with -logger-throttle.
func TestLoggerBurst(t *testing.T) {
	const (
		records   = 150_000 // some 50 MB of text
		batch     = 1000
		perSecond = 20 << 20
		mostRSS   = 128 << 20
	)
	dir := filepath.Join(t.TempDir(), "logs")
	l := startChild(t, "logger", childLogger{Dir: dir, JSON: true, Throttle: perSecond, MemoryLimit: minMemoryLimit})
	defer l.kill()
	var now childReport
	l.hear(t, &now)
	s := startChild(t, "sender", childSender{Endpoint: now.Endpoint, Batches: records / batch, Records: batch, Paths: 1})
	defer s.kill()
	spool := int64(0)
	await(t, "all records", func() bool {
		l.tell(t, "report")
		l.hear(t, &now)
		spool = max(spool, now.Stats.Spool)
		return now.Stats.Records == records
	})
	if spool < minMemoryLimit {
		t.Errorf("at most %d bytes were in the spool", spool)
	}
	if now.Usage.PeakRSS > mostRSS && !raceEnabled {
		t.Errorf("%d bytes were resident, more than %d", now.Usage.PeakRSS, mostRSS)
	}
	l.stdin.Close()
	l.hear(t, &now)
	if err := l.wait(); err != nil {
		t.Error(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "conn.log"))
	if n := bytes.Count(text, []byte("\n")); err != nil || n != records {
		t.Errorf("%d lines, want %d: %v", n, records, err)
	}
}
