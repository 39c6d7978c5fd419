package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/znode/znode/node/internal/archive"
	"github.com/znode/znode/sockets"
)

// A gate is a disk that can be blocked and made to fail, for some paths.
type gate struct {
	mu     sync.Mutex
	closed chan struct{} // not nil while writes block
	err    error         // of writes and syncs
	only   string        // the path concerned; "" for all
	waits  int           // writes that have blocked or failed
}

func (g *gate) hooks() *loggerHooks {
	return &loggerHooks{
		write: func(file string, _ int) error { return g.pass(file) },
		sync:  g.pass,
	}
}

func (g *gate) pass(file string) error {
	g.mu.Lock()
	closed, err := g.closed, g.err
	if g.only != "" && file != g.only {
		closed, err = nil, nil
	}
	if closed != nil || err != nil {
		g.waits++
	}
	g.mu.Unlock()
	if closed != nil {
		<-closed
	}
	return err
}

// block stops writes until the function that it returns is called.
func (g *gate) block() (open func()) {
	c := make(chan struct{})
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = c
	return sync.OnceFunc(func() {
		g.mu.Lock()
		g.closed = nil
		g.mu.Unlock()
		close(c)
	})
}

func (g *gate) fail(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.err = err
}

func (g *gate) hits() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.waits
}

// sendNumbers sends batches of numbers to a path until their sum is n, and
// returns when the logger has read all, if all is set.
func sendNumbers(t testing.TB, push *sockets.PUSH, path string, first, n, per int) (batches int) {
	t.Helper()
	for i := 0; i < n; i += per {
		sendBatch(t, push, numbers(t, path, first+i, min(per, n-i)))
		batches++
	}
	return batches
}

func durabilities(t *testing.T, test func(t *testing.T, opt LoggerOptions)) {
	for _, d := range []Durability{DurabilityMemory, DurabilityJournal} {
		t.Run(string(d), func(t *testing.T) {
			opt := testLoggerOptions(t)
			opt.Durability = d
			opt.MemoryLimit = minMemoryLimit
			opt.ArchiveCompression = CompressionNone
			test(t, opt)
		})
	}
}

// TestLoggerSpools: what there is no memory for waits on disk, in order, and the
// spool is empty when it is over.
func TestLoggerSpools(t *testing.T) {
	sockets.PoisonReleased(true)
	defer sockets.PoisonReleased(false)
	durabilities(t, func(t *testing.T, opt LoggerOptions) {
		var g gate
		opt.hooks = g.hooks()
		l := startLogger(t, opt)
		push := connectPUSH(t, l)
		open := g.block()
		defer open()
		records := cheaper(600_000, 200_000) // 10 MB
		batches := sendNumbers(t, push, "n", 0, records, 500)
		awaitMessages(t, l, batches)
		await(t, "the spool to have most of it", func() bool { return l.Stats().Spooled > uint64(batches)/2 })
		s := l.Stats()
		if s.Memory > opt.MemoryLimit || s.Lag <= 0 || s.Spool == 0 || s.Records > uint64(records/2) {
			t.Errorf("%+v", s)
		}
		open()
		await(t, "all records", func() bool { return l.Stats().Records == uint64(records) })
		await(t, "an empty spool", func() bool { return l.Stats().Spool < 1<<20 })
		closeLogger(t, l)
		c := takeCensus(t, opt.LogDir, "n")
		c.check(t, records)
		if !c.inOrder {
			t.Error("records are not in order")
		}
		checkNothingLeft(t, opt)
	})
}

// TestLoggerSpoolReadFails: a disk that cannot read for a while delays what is in
// the spool, and loses nothing of it.
func TestLoggerSpoolReadFails(t *testing.T) {
	durabilities(t, func(t *testing.T, opt LoggerOptions) {
		var g gate
		var failures atomic.Int32
		opt.hooks = g.hooks()
		opt.hooks.read = func() error {
			if failures.Add(1) <= 3 {
				return syscall.EIO
			}
			return nil
		}
		l := startLogger(t, opt)
		push := connectPUSH(t, l)
		open := g.block()
		defer open()
		records := cheaper(600_000, 200_000)
		batches := sendNumbers(t, push, "n", 0, records, 500)
		awaitMessages(t, l, batches)
		await(t, "the spool to have most of it", func() bool { return l.Stats().Spooled > uint64(batches)/2 })
		open()
		await(t, "all records", func() bool { return l.Stats().Records == uint64(records) })
		closeLogger(t, l)
		if failures.Load() <= 3 {
			t.Error("nothing was read from the spool")
		}
		c := takeCensus(t, opt.LogDir, "n")
		c.check(t, records)
		checkNothingLeft(t, opt)
	})
}

// checkNothingLeft checks that a logger was closed with nothing in its spool.
func checkNothingLeft(t *testing.T, opt LoggerOptions) {
	t.Helper()
	if left, _ := os.ReadDir(opt.spoolDir()); len(left) > 0 {
		t.Errorf("left in the spool: %v", left)
	}
}

// TestLoggerSpoolFull: senders are held back, and nothing is lost.
func TestLoggerSpoolFull(t *testing.T) {
	durabilities(t, func(t *testing.T, opt LoggerOptions) {
		var g gate
		var lines lockedBuffer
		opt.Log = slog.New(slog.NewTextHandler(&lines, nil))
		opt.hooks = g.hooks()
		opt.SpoolLimit = 1 << 20
		opt.PULL.MaxMessageSize = 256 << 10
		opt.PULL.RcvBuf = 64 << 10
		l := startLogger(t, opt)
		so := sockets.DefaultOptions()
		so.SndHWM, so.SndBuf = 10, 64<<10
		push, err := sockets.NewPUSH(so)
		if err != nil {
			t.Fatal(err)
		}
		defer push.Close()
		if err := push.Connect(l.Endpoint()); err != nil {
			t.Fatal(err)
		}
		open := g.block()
		defer open()
		// Payloads that S2 cannot make smaller, and more than spool, memory and kernel hold.
		const records = 40_000
		sent := make(chan error, 1)
		go func() {
			for i := 0; i < records; i += 100 {
				b := noisyNumbers(i, 100)
				if err := push.SendContext(context.Background(), []byte("log-write"), []byte("s"), []byte(logSerializer), b); err != nil {
					sent <- err
					return
				}
			}
			sent <- nil
		}()
		await(t, "a full spool", func() bool { return l.Stats().SpoolFull })
		var before uint64
		await(t, "the socket to stand still", func() bool {
			n := l.Stats().Messages
			still := n == before && l.budget.stats().waiting+l.inRing.stats().waiting > 0
			before = n
			return still
		})
		if s := l.Stats(); s.Spool > opt.SpoolLimit || s.Memory > opt.MemoryLimit+2<<20 {
			t.Errorf("%+v", s)
		}
		select {
		case err := <-sent:
			t.Fatalf("all was sent: %v", err)
		default:
		}
		await(t, "it to be said", func() bool { return strings.Contains(lines.String(), "spool is full") })
		if n := strings.Count(lines.String(), "spool is full"); n != 1 {
			t.Errorf("said %d times that it is full:\n%s", n, &lines)
		}
		open()
		if err := <-sent; err != nil {
			t.Fatal(err)
		}
		await(t, "all records", func() bool { return l.Stats().Records == records && l.store.fullSince.Load() == 0 })
		closeLogger(t, l)
		seen := make(map[string]bool)
		for line := range bytes.Lines(readLog(t, filepath.Join(opt.LogDir, "noise.log"))) {
			if line[0] == '#' {
				continue
			}
			n, _, _ := strings.Cut(string(line), "\t")
			if seen[n] {
				t.Fatalf("record %s twice", n)
			}
			seen[n] = true
		}
		if len(seen) != records {
			t.Errorf("%d records, want %d", len(seen), records)
		}
		checkNothingLeft(t, opt)
		if !strings.Contains(lines.String(), "spool has room again") {
			t.Errorf("nothing is said when it is over:\n%s", &lines)
		}
	})
}

// TestLoggerOthersGoOn: one log that cannot be written does not hold up others.
func TestLoggerOthersGoOn(t *testing.T) {
	durabilities(t, func(t *testing.T, opt LoggerOptions) {
		var lines lockedBuffer
		opt.Log = slog.New(slog.NewTextHandler(&lines, nil))
		g := gate{only: "stuck"}
		opt.hooks = g.hooks()
		l := startLogger(t, opt)
		push := connectPUSH(t, l)
		g.fail(syscall.EIO)
		records := cheaper(300_000, 100_000)
		for i := 0; i < records; i += 1000 {
			sendNumbers(t, push, "stuck", i, 1000, 500)
			sendNumbers(t, push, "fine", i, 1000, 500)
		}
		await(t, "the records of the other log", func() bool {
			return endsWith(filepath.Join(opt.LogDir, "fine.log"), fmt.Sprintf("\n%d\n", records-1))
		})
		if s := l.Stats(); s.Stuck != 1 || s.Lag <= 0 || s.Records < uint64(records) || s.Records > uint64(2*records-1000) {
			t.Errorf("%+v", s)
		}
		g.fail(nil)
		await(t, "all records", func() bool { return l.Stats().Records == uint64(2*records) && l.Stats().Stuck == 0 })
		closeLogger(t, l)
		for _, path := range []string{"stuck", "fine"} {
			c := takeCensus(t, opt.LogDir, path)
			c.check(t, records)
		}
		checkNothingLeft(t, opt)
		for _, text := range []string{"log cannot be written", "log is written again"} {
			if n := strings.Count(lines.String(), text); n != 1 {
				t.Errorf("%d lines %q:\n%s", n, text, &lines)
			}
		}
	})
}

// TestLoggerDirectoryRemoved: when somebody removes the directory with all that is
// in it, the logger makes it again and goes on.
func TestLoggerDirectoryRemoved(t *testing.T) {
	durabilities(t, func(t *testing.T, opt LoggerOptions) {
		opt.LogDir = filepath.Join(opt.LogDir, "logs")
		l := startLogger(t, opt)
		push := connectPUSH(t, l)
		sendNumbers(t, push, "n", 0, 1000, 500)
		// The spool has no file open then: it will have to make one.
		await(t, "records, and an empty spool", func() bool {
			s := l.Stats()
			return s.Records == 1000 && s.Spool == 0 && s.Memory == 0
		})
		if err := os.RemoveAll(opt.LogDir); err != nil {
			t.Fatal(err)
		}
		sendNumbers(t, push, "n", 1000, 1000, 500)
		await(t, "records", func() bool { return l.Stats().Records == 2000 })
		closeLogger(t, l)
		c := takeCensus(t, opt.LogDir, "n")
		for n := 1000; n < 2000; n++ {
			if c.count[n] != 1 {
				t.Fatalf("record %d is there %d times", n, c.count[n])
			}
		}
	})
}

// TestLoggerCloseInTrouble: what cannot be written when Close gives up is written
// by the next logger, exactly once and in order.
func TestLoggerCloseInTrouble(t *testing.T) {
	durabilities(t, func(t *testing.T, opt LoggerOptions) {
		var g gate
		opt.hooks = g.hooks()
		records := cheaper(300_000, 100_000)
		sent := 0
		for round := range 3 {
			g.fail(nil)
			l, err := NewLogger(opt)
			if err != nil {
				t.Fatal(err)
			}
			push := connectPUSH(t, l)
			batches := sendNumbers(t, push, "n", sent, records/10, 500)
			if round == 0 {
				await(t, "some records", func() bool { return l.Stats().Records >= 5000 })
			}
			awaitMessages(t, l, batches)
			hits := g.hits()
			g.fail(syscall.ENOSPC)
			batches += sendNumbers(t, push, "n", sent+records/10, records-records/10, 500)
			sent += records
			awaitMessages(t, l, batches)
			await(t, "a failure", func() bool { return g.hits() > hits })
			ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
			err = l.Close(ctx)
			cancel()
			if err == nil || !strings.Contains(err.Error(), "no space left") {
				t.Errorf("round %d: %v", round, err)
			}
			if s := l.Stats(); s.Lost > 0 {
				t.Errorf("round %d: %d lost", round, s.Lost)
			}
		}
		g.fail(nil)
		l := startLogger(t, opt)
		await(t, "an empty spool", func() bool { return l.Stats().Spool == 0 && l.Stats().Files == 0 })
		closeLogger(t, l)
		c := takeCensus(t, opt.LogDir, "n")
		c.check(t, 3*records)
		if !c.inOrder {
			t.Error("records are not in order")
		}
		checkNothingLeft(t, opt)
	})
}

// TestLoggerSyncFails: after a failed fsync nobody knows what is on disk, so what
// is not committed is written again.
func TestLoggerSyncFails(t *testing.T) {
	opt := testLoggerOptions(t)
	opt.Durability = DurabilityJournal
	opt.RotationSize = 100_000
	opt.ArchiveCompression = archive.None
	var g gate
	opt.hooks = &loggerHooks{sync: g.pass}
	l := startLogger(t, opt)
	push := connectPUSH(t, l)
	const records = 200_000
	failing := errors.New("injected")
	for i := range 10 {
		hits := g.hits()
		if i%2 == 1 {
			g.fail(failing)
		}
		sendNumbers(t, push, "n", i*records/10, records/10, 500)
		if i%2 == 1 {
			await(t, "a failure", func() bool { return g.hits() > hits+1 })
			g.fail(nil)
			await(t, "success", func() bool { return l.Stats().Stuck == 0 })
		}
	}
	await(t, "all records", func() bool { return l.Stats().Records == records })
	closeLogger(t, l)
	c := takeCensus(t, opt.LogDir, "n")
	c.check(t, records)
	if !c.inOrder || c.files < 3 {
		t.Errorf("%d files, in order: %v", c.files, c.inOrder)
	}
	checkNothingLeft(t, opt)
}
