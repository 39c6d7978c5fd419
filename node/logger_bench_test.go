package node

import (
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/znode/znode/codec"
	"github.com/znode/znode/sockets/zmqtest"
)

var benchDir = flag.String("logger-dir", "/dev/shm", "where the benchmarks of the logger write; a tmpfs shows the CPU alone")

var benchProfile = flag.String("logger-profile", "", "write a CPU profile of the last logger to this file")

var benchThrottle = flag.Int64("logger-throttle", 0, "bytes a second that the disk under the benchmarks of the logger takes; 0 is no bound")

// benchRecords is how many records a run of a logger benchmark moves.
const benchRecords = 2_000_000

// BenchmarkLogger moves conn records from a PUSH in one process to a JSON file
// written by another, and shows what the second one uses.
func BenchmarkLogger(b *testing.B) {
	for _, c := range []struct {
		name           string
		records, paths int
		json           bool
	}{
		{"format=json/batch=1000/paths=1", 1000, 1, true},
		{"format=json/batch=1000/paths=4", 1000, 4, true},
		{"format=json/batch=100/paths=1", 100, 1, true},
		{"format=tsv/batch=1000/paths=1", 1000, 1, false},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				benchLogger(b, c.records, c.paths, c.json)
			}
		})
	}
}

func benchLogger(b *testing.B, records, paths int, json bool) {
	dir, err := os.MkdirTemp(*benchDir, "logger-bench-*")
	if err != nil {
		b.Skip(err)
	}
	defer os.RemoveAll(dir)
	l := startChild(b, "logger", childLogger{Dir: filepath.Join(dir, "logs"), JSON: json, Profile: *benchProfile, Throttle: *benchThrottle})
	defer l.kill()
	var begin, end childReport
	l.hear(b, &begin)
	start := time.Now()
	s := startChild(b, "sender", childSender{Endpoint: begin.Endpoint, Batches: benchRecords / records, Records: records, Paths: paths})
	defer s.kill()
	var sent time.Duration
	s.hear(b, &sent)
	var spool int64
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for ; end.Stats.Records < benchRecords; <-tick.C { // the disk may be slow
		l.tell(b, "report")
		l.hear(b, &end)
		spool = max(spool, end.Stats.Spool)
	}
	l.tell(b, "report")
	l.hear(b, &end)
	wall := time.Since(start)
	peak := end.Usage.PeakRSS
	l.tell(b, "gc")
	l.hear(b, &end)
	l.stdin.Close()
	var closed childReport
	l.hear(b, &closed)
	if err := l.wait(); err != nil {
		b.Fatal(err)
	}
	ns := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / benchRecords }
	b.ReportMetric(ns(end.Usage.User+end.Usage.System), "cpu-ns/record")
	b.ReportMetric(ns(end.Usage.User), "user-ns/record")
	b.ReportMetric(ns(end.Usage.System), "sys-ns/record")
	b.ReportMetric(benchRecords/wall.Seconds()/1e6, "Mrecords/s")
	b.ReportMetric(float64(peak)/(1<<20), "peak-MiB")
	b.ReportMetric(float64(end.Usage.RSS)/(1<<20), "rss-MiB")
	b.ReportMetric(float64(spool)/(1<<20), "spool-MiB")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkLoggerBare is the least that a logger must do with the same bytes:
// read them from a socket, and write as many as JSON as it would.
func BenchmarkLoggerBare(b *testing.B) {
	payload, err := connBatch("conn", 1000)
	if err != nil {
		b.Fatal(err)
	}
	var text []byte
	opt := codec.DefaultTextOptions()
	opt.Format = codec.FormatJSON
	format, err := codec.NewFormatter(opt)
	if err != nil {
		b.Fatal(err)
	}
	var batch codec.Batch
	if err := batch.DecodeHeader(payload); err != nil {
		b.Fatal(err)
	}
	if text, err = format.AppendRecords(nil, &batch); err != nil {
		b.Fatal(err)
	}
	b.Run("step=read", func(b *testing.B) { bareRead(b, len(payload)) })
	b.Run("step=format", func(b *testing.B) {
		before := ownUsage()
		n := 0
		for b.Loop() {
			if text, err = format.AppendRecords(text[:0], &batch); err != nil {
				b.Fatal(err)
			}
			n += 1000
		}
		reportBare(b, before, n)
	})
	b.Run("step=write", func(b *testing.B) {
		f, err := os.CreateTemp(*benchDir, "logger-bench-*")
		if err != nil {
			b.Skip(err)
		}
		defer os.Remove(f.Name())
		defer f.Close()
		before := ownUsage()
		n := 0
		for b.Loop() {
			if _, err := f.Write(text); err != nil {
				b.Fatal(err)
			}
			if n += 1000; n%benchRecords == 0 {
				f.Truncate(0)
				f.Seek(0, 0)
			}
		}
		reportBare(b, before, n)
	})
}

func reportBare(b *testing.B, before usage, n int) {
	u := ownUsage()
	b.ReportMetric(float64((u.User-before.User).Nanoseconds())/float64(n), "user-ns/record")
	b.ReportMetric(float64((u.System-before.System).Nanoseconds())/float64(n), "sys-ns/record")
	b.ReportMetric(0, "ns/op")
}

// bareRead reads batches of a size that another process sends.
func bareRead(b *testing.B, size int) {
	nl, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer nl.Close()
	s := startChild(b, "bytes", childBytes{Addr: nl.Addr().String(), Size: size})
	defer s.kill()
	nc, err := nl.Accept()
	if err != nil {
		b.Fatal(err)
	}
	defer nc.Close()
	buf := make([]byte, 256<<10)
	before := ownUsage()
	total := 0
	for b.Loop() {
		n, err := nc.Read(buf)
		if err != nil {
			b.Fatal(err)
		}
		total += n
	}
	reportBare(b, before, total/size*1000)
}

func init() { childRoles["bytes"] = runChildBytes }

// childBytes configures a process that sends zeros as fast as they are taken.
type childBytes struct {
	Addr string
	Size int
}

func runChildBytes() error {
	var c childBytes
	if _, err := childInput(&c); err != nil {
		return err
	}
	nc, err := net.DialTimeout("tcp", c.Addr, zmqtest.Patience)
	if err != nil {
		return err
	}
	buf := make([]byte, c.Size)
	for {
		if _, err := nc.Write(buf); err != nil {
			return fmt.Errorf("write: %w", err)
		}
	}
}
