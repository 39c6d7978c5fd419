package node

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestLoggerManyStuck: when lanes that are stuck have, each a little over its share,
// all that lanes may hold, what comes for others is still taken in: a log that can be
// written is, and one that cannot has its batches in the spool.
func TestLoggerManyStuck(t *testing.T) {
	opt := testLoggerOptions(t)
	g := gate{only: "stuck"}
	opt.hooks = g.hooks()
	l := startLogger(t, opt)
	l.store.inLanes.Add(opt.MemoryLimit / 2) // theirs
	defer l.store.inLanes.Add(-opt.MemoryLimit / 2)
	push := connectPUSH(t, l)
	open := g.block()
	defer open()
	const records, per = 10_000, 500
	for i := 0; i < records; i += per {
		sendNumbers(t, push, "stuck", i, per, per)
		sendNumbers(t, push, "fine", i, per, per)
	}
	await(t, "the log that can be written", func() bool {
		return endsWith(filepath.Join(opt.LogDir, "fine.log"), fmt.Sprintf("\n%d\n", records-1))
	})
	await(t, "the other's batches to be in the spool", func() bool { return l.Stats().Spooled > 0 })
	open()
	await(t, "all records", func() bool { return l.Stats().Records == 2*records })
	closeLogger(t, l)
	for _, path := range []string{"stuck", "fine"} {
		c := takeCensus(t, opt.LogDir, path)
		c.check(t, records)
	}
	checkNothingLeft(t, opt)
}

// TestLoggerCloseLeaves: when Close gives up while the spool is read back, it says
// that something is left, and the next logger writes it.
func TestLoggerCloseLeaves(t *testing.T) {
	opt := testLoggerOptions(t)
	opt.MemoryLimit = minMemoryLimit
	var g gate
	opt.hooks = g.hooks()
	l, err := NewLogger(opt)
	if err != nil {
		t.Fatal(err)
	}
	open := g.block()
	defer open()
	records := cheaper(600_000, 200_000) // 10 MB
	push := connectPUSH(t, l)
	batches := sendNumbers(t, push, "n", 0, records, 500)
	awaitMessages(t, l, batches)
	await(t, "the spool to have some of it", func() bool { return l.Stats().Spooled > uint64(batches)/4 })
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	closed := make(chan error, 1)
	go func() { closed <- l.Close(ctx) }()
	<-l.stop
	open()
	if err := <-closed; err == nil || !strings.Contains(err.Error(), "spool") {
		t.Errorf("closed with %v", err)
	}
	opt.hooks = nil
	l = startLogger(t, opt)
	await(t, "an empty spool", func() bool { return l.Stats().Spool == 0 && l.Stats().Files == 0 })
	closeLogger(t, l)
	c := takeCensus(t, opt.LogDir, "n")
	c.check(t, records)
	if !c.inOrder {
		t.Error("records are not in order")
	}
	checkNothingLeft(t, opt)
	if left, _ := filepath.Glob(filepath.Join(opt.LogDir, ".rotated", "*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// TestLoggerCloseFull: what is in memory when Close gives up is kept although the
// spool is full.
func TestLoggerCloseFull(t *testing.T) {
	durabilities(t, func(t *testing.T, opt LoggerOptions) {
		var g gate
		opt.hooks = g.hooks()
		opt.SpoolLimit, opt.PULL.MaxMessageSize = 256<<10, 64<<10
		l, err := NewLogger(opt)
		if err != nil {
			t.Fatal(err)
		}
		g.fail(syscall.ENOSPC)
		push := connectPUSH(t, l)
		batches, per := 0, 100
		// No more at a time than memory has room for, so that all is read.
		for ; !l.Stats().SpoolFull; batches++ {
			sendBatch(t, push, noisyNumbers(batches*per, per))
			awaitMessages(t, l, batches+1)
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if err := l.Close(ctx); err == nil {
			t.Error("closed without an error")
		}
		if n := l.Stats().Lost; n > 0 {
			t.Errorf("%d batches are lost", n)
		}
		g.fail(nil)
		l = startLogger(t, opt)
		await(t, "an empty spool", func() bool { return l.Stats().Spool == 0 && l.Stats().Files == 0 })
		closeLogger(t, l)
		seen := make(map[string]int)
		for _, file := range allLogs(t, opt.LogDir, "noise") {
			for line := range bytes.Lines(readLog(t, file)) {
				if line[0] != '#' {
					n, _, _ := strings.Cut(string(line), "\t")
					seen[n]++
				}
			}
		}
		for i := range batches * per {
			if n := seen[fmt.Sprint(i)]; n != 1 {
				t.Fatalf("record %d of %d is there %d times", i, batches*per, n)
			}
		}
	})
}
