package node

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestLoggerBurst: records that come as fast as the socket takes them, and go to
// a disk that is slow but steady, wait in the spool and not in memory. The
// benchmarks show the same for millions, with -logger-throttle.
func TestLoggerBurst(t *testing.T) {
	records := cheaper(60_000, 12_000) // some 24 MB of text, and almost as much before
	const (
		batch     = 1000
		perSecond = 5 << 20
		spooled   = 1 << 20 // at least; they become a third
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
		return now.Stats.Records == uint64(records)
	})
	// With the race detector formatting is slower than the disk.
	if spool < spooled && !raceEnabled {
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
