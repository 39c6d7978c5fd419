package node

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// TestLoggerManyStuck: however many logs are stuck, each with a little more memory
// than its share, another one's batches are still taken in.
func TestLoggerManyStuck(t *testing.T) {
	opt := testLoggerOptions(t)
	opt.MemoryLimit = minMemoryLimit
	var g gate
	opt.hooks = g.hooks()
	l := startLogger(t, opt)
	push := connectPUSH(t, l)
	open := g.block()
	defer open()
	const paths, records = 14, 50_000 // 1 MB for each path
	batches := 0
	for i := range paths {
		batches += sendNumbers(t, push, fmt.Sprint("n", i), 0, records, 500)
	}
	awaitMessages(t, l, batches)
	if s := l.Stats(); s.Memory > opt.MemoryLimit {
		t.Errorf("%+v", s)
	}
	open()
	await(t, "all records", func() bool { return l.Stats().Records == paths*records })
	closeLogger(t, l)
	for i := range paths {
		c := takeCensus(t, opt.LogDir, fmt.Sprint("n", i))
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
