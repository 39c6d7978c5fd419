package node

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
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
		text, err := os.ReadFile(filepath.Join(opt.LogDir, "fine.log"))
		return err == nil && bytes.HasSuffix(text, fmt.Appendf(nil, "\n%d\n", records-1))
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
	const records = 600_000 // 10 MB
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
