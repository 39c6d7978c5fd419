package node

import (
	"bytes"
	"fmt"
	"sync"
	"time"

	"github.com/znode/znode/codec"
)

const (
	// writeSize is how many bytes are written at a time when there are so many:
	// enough that the cost of the call is lost, and still in the cache.
	writeSize = 256 << 10
	// maxVariants bounds the files of one path that differ in their columns.
	maxVariants = 16
	// maxIdleItems bounds the queue memory that an idle lane keeps.
	maxIdleItems = 64
	// minBackoff and maxBackoff are the pauses between tries when a file
	// cannot be written.
	minBackoff = 50 * time.Millisecond
	maxBackoff = 5 * time.Second
)

// An item is one batch of log writes on its way to a lane.
type item struct {
	payload []byte // in the parcel's memory
	parcel  *parcel
}

// A lane writes what is logged under one path. Its run method is the only one
// to touch the files; the router puts items into its queue.
type lane struct {
	l    *Logger
	name string // as a file name

	staged []item // the router's; not in the queue yet

	mu     sync.Mutex
	queue  []item
	ending bool
	wake   chan struct{} // one slot

	// The goroutine's own.
	batch     codec.Batch
	files     []*logFile // by columns; the first is <name>.log unless another path has that
	formatted []item     // whose lines are in the files' buffers
	since     time.Time  // when the first of these lines was
	err       error      // what could not be written; read after the end

	tallies tallies
}

func newLane(l *Logger, name string) *lane {
	return &lane{l: l, name: name, wake: make(chan struct{}, 1)}
}

// deliver moves what is staged to the queue and rouses the lane. It is the
// router's.
func (ln *lane) deliver() {
	ln.mu.Lock()
	ln.queue = append(ln.queue, ln.staged...)
	ln.mu.Unlock()
	clear(ln.staged)
	ln.staged = ln.staged[:0]
	ln.rouse()
}

// end lets the goroutine end when it has written everything.
func (ln *lane) end() {
	ln.mu.Lock()
	ln.ending = true
	ln.mu.Unlock()
	ln.rouse()
}

func (ln *lane) rouse() {
	select {
	case ln.wake <- struct{}{}:
	default:
	}
}

// run is the lane's goroutine.
func (ln *lane) run() {
	var items []item
	for {
		ln.mu.Lock()
		items, ln.queue = ln.queue, items[:0]
		ending := ln.ending
		ln.mu.Unlock()
		switch {
		case len(items) > 0:
			for i := range items {
				ln.add(items[i])
			}
			clear(items)
		case ending:
			ln.close()
			return
		default:
			ln.flush()
			ln.rest()
			<-ln.wake
		}
	}
}

// add formats a batch, and writes when enough has come together.
func (ln *lane) add(it item) {
	ln.format(&it)
	ln.formatted = append(ln.formatted, it)
	if ln.pending() >= writeSize || time.Since(ln.since) >= ln.l.opt.FlushInterval {
		ln.flush()
	}
}

// format adds the lines of a batch to the buffer of its file.
func (ln *lane) format(it *item) {
	b := &ln.batch
	if err := b.DecodeHeader(it.payload); err != nil {
		ln.l.refuseBatch(it.parcel, b, err)
		return
	}
	if b.NumRecords == 0 {
		return
	}
	f := ln.fileFor(it, b)
	if f == nil {
		return
	}
	if ln.pending() == 0 {
		ln.since = time.Now()
	}
	if err := f.append(b); err != nil {
		ln.l.refuseBatch(it.parcel, b, err)
		return
	}
	ln.tallies.of(b).Add(uint64(b.NumRecords))
}

// fileFor returns the file with the batch's columns, nil if there can be none.
func (ln *lane) fileFor(it *item, b *codec.Batch) *logFile {
	for _, f := range ln.files {
		if bytes.Equal(f.schema, b.Schema()) {
			return f
		}
	}
	name := ""
	if len(ln.files) < maxVariants {
		name = ln.l.names.claim(ln.name, ln.l.opt.MaxStreams)
	}
	if name == "" {
		if log, ok := ln.l.refuse(refusedStreams); ok {
			log.Warn("log batch refused", "peer", it.parcel.addr(), "path", quoted(b.Path), "max_streams", ln.l.opt.MaxStreams)
		}
		return nil
	}
	f, err := newLogFile(ln.l, name, b)
	if err != nil { // the options were checked at the start
		panic(fmt.Sprintf("node: internal error: %v", err))
	}
	ln.files = append(ln.files, f)
	return f
}

// pending is how many bytes are formatted and not written.
func (ln *lane) pending() int {
	n := 0
	for _, f := range ln.files {
		n += len(f.buf)
	}
	return n
}

// flush writes what is formatted and lets go of the batches.
func (ln *lane) flush() {
	for _, f := range ln.files {
		if len(f.buf) > 0 {
			ln.persist(f, f.write)
		}
	}
	for start := 0; start < len(ln.formatted); {
		p, end := ln.formatted[start].parcel, start+1
		for end < len(ln.formatted) && ln.formatted[end].parcel == p {
			end++
		}
		ln.l.done(p, int32(end-start))
		start = end
	}
	clear(ln.formatted)
	ln.formatted = ln.formatted[:0]
}

// rest gives buffers back while there is nothing to do.
func (ln *lane) rest() {
	for _, f := range ln.files {
		f.dropBuffer()
	}
	if cap(ln.formatted) > maxIdleItems {
		ln.formatted = nil
	}
}

// close writes everything and closes the files.
func (ln *lane) close() {
	ln.flush()
	for _, f := range ln.files {
		ln.persist(f, f.close)
	}
}

// persist does something with a file until it succeeds, or until the logger is
// to stop, and says when trouble begins and ends.
func (ln *lane) persist(f *logFile, do func() error) {
	if ln.err != nil {
		f.abandon()
		return
	}
	err := do()
	if err == nil {
		return
	}
	began, pause := time.Now(), minBackoff
	ln.l.log.Error("log cannot be written, trying again", "file", f.path(), "error", err)
	ln.l.stuck.Inc()
	defer ln.l.stuck.Dec()
	for {
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-ln.l.stop:
			t.Stop()
			ln.err = fmt.Errorf("%s: %w", f.path(), err)
			f.abandon()
			return
		}
		if err = do(); err == nil {
			ln.l.log.Info("log is written again", "file", f.path(), "after", time.Since(began).Round(time.Millisecond))
			return
		}
		pause = min(2*pause, maxBackoff)
	}
}
