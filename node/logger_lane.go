package node

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	uatomic "go.uber.org/atomic"

	"github.com/znode/znode/codec"
	"github.com/znode/znode/node/internal/spool"
)

const (
	// writeSize is how many bytes are written at a time when there are so many:
	// enough that the cost of the call is lost, and still in the cache.
	writeSize = 256 << 10
	// maxVariants bounds the files of one path that differ in their columns.
	maxVariants = 16
	// maxIdleItems bounds the queue memory that an idle lane keeps.
	maxIdleItems = 64
	// minBackoff and maxBackoff are the pauses between tries when a file or the
	// spool cannot be written.
	minBackoff = 50 * time.Millisecond
	maxBackoff = 5 * time.Second
	// commitEvery is how long written batches stay in the journal before the
	// file they are in is brought to disk.
	commitEvery = time.Second
)

// A lane writes what is logged under one path. Its run method is the only one to
// touch the files. The router gives it batches: first those in memory, and when
// they become too many, references to the spool, until it has taken all of them.
type lane struct {
	l    *Logger
	path string // as it came
	name string // as a file name

	// Of the router.
	staged    []logItem   // routed
	ready     []logItem   // to be handed over, in memory
	readyRefs []spool.Ref // and in the spool only
	sent      uint64      // entries handed over that are in the spool only
	shortage  shortage    // of memory for it

	taken   atomic.Uint64 // of these, how many have been read
	memory  atomic.Int64  // kept alive by what is ready or further
	freed   chan struct{} // one slot: there is less, if the router watches
	watched uatomic.Bool
	oldest  atomic.Int64 // when the first batch not yet written was received; 0 if there is none
	files0  atomic.Int32 // files that are open
	slow    uatomic.Bool // it was said that the file is slow
	tries   uatomic.Bool // its file could not be written and is tried again
	sink    sinkClock

	mu         sync.Mutex
	queue      []logItem
	disk       spool.Refs
	rotateAsap bool
	ending     bool
	resting    bool          // waits for wake with nothing to do
	wake       chan struct{} // one slot

	// Of the goroutine.
	batch       codec.Batch
	reader      spool.Reader
	files       []*logFile // by columns
	formatted   []logItem  // their lines are in the files' buffers
	uncommitted spool.Refs // of batches that are written, but maybe not on disk; journal only
	since       time.Time  // when the first line not yet written was made
	dirtySince  time.Time  // when the first batch not yet committed was written; zero if there is none
	accounted   int64      // of the buffers, in the memory budget
	whole       bool       // what is formatted ends with the end of an entry of the journal
	recovering  bool       // the files are to be rotated when the spool is read
	warned      bool       // of a writer other than ASCII
	err         error      // why it has given up; read by others after its end

	tallies tallies
}

func newLane(l *Logger, path, name string) *lane {
	return &lane{l: l, path: path, name: name, wake: make(chan struct{}, 1), freed: make(chan struct{}, 1)}
}

// onDisk reports whether something handed over is in the spool only and not yet
// read. It is the router's.
func (ln *lane) onDisk() bool { return ln.sent != ln.taken.Load() }

// makeReady makes the first n staged items ready. It is the router's.
func (ln *lane) makeReady(n int) {
	var cost int64
	waits := ln.waits()
	for i := range ln.staged[:n] {
		if waits {
			ln.l.copyOut(&ln.staged[i])
		}
		cost += ln.staged[i].cost()
	}
	ln.memory.Add(cost)
	ln.l.store.inLanes.Add(cost)
	if n == len(ln.staged) && len(ln.ready) == 0 {
		ln.staged, ln.ready = ln.ready, ln.staged
		return
	}
	ln.ready = append(ln.ready, ln.staged[:n]...)
	ln.dropStaged(n)
}

// dropStaged drops the first n staged items. It is the router's.
func (ln *lane) dropStaged(n int) {
	left := copy(ln.staged, ln.staged[n:])
	clear(ln.staged[left:])
	ln.staged = ln.staged[:left]
}

// takeReady returns what is ready. With a journal the slices are the caller's,
// else they are used again. It is the router's.
func (ln *lane) takeReady() delivery {
	d := delivery{ln: ln, items: ln.ready, refs: ln.readyRefs}
	ln.sent += uint64(len(d.refs))
	if ln.l.opt.journal() {
		if len(d.items) > 0 {
			d.at = d.items[0].at
		} else if len(d.refs) > 0 {
			d.at = time.Now().UnixNano()
		}
		ln.ready, ln.readyRefs = nil, nil
	} else {
		ln.ready, ln.readyRefs = ln.ready[:0], ln.readyRefs[:0]
	}
	return d
}

// deliver moves what was ready to the queue and rouses the lane.
func (ln *lane) deliver(d delivery) {
	ln.mu.Lock()
	ln.queue = append(ln.queue, d.items...)
	before := ln.disk.Bytes()
	for _, ref := range d.refs {
		ln.disk.Push(ref)
	}
	grown := ln.disk.Bytes() - before
	ln.mu.Unlock()
	clear(d.items)
	if grown > 0 {
		ln.l.budget.force(int64(grown))
	}
	ln.rouse()
}

// askToRotate has the lane rotate its files soon.
func (ln *lane) askToRotate() {
	ln.mu.Lock()
	ln.rotateAsap = true
	ln.mu.Unlock()
	ln.rouse()
}

// end lets the goroutine end when it has written everything.
func (ln *lane) end() {
	ln.mu.Lock()
	ln.ending = true
	ln.mu.Unlock()
	ln.rouse()
}

// endIfIdle ends the lane if it has nothing to do and no file. It is the
// router's.
func (ln *lane) endIfIdle() bool {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	if !ln.resting || len(ln.queue) > 0 || ln.onDisk() || len(ln.ready) > 0 || ln.files0.Load() > 0 {
		return false
	}
	ln.ending = true
	ln.rouse()
	return true
}

func (ln *lane) rouse() {
	select {
	case ln.wake <- struct{}{}:
	default:
	}
}

// turn is what there is to do next.
type turn struct {
	items  []logItem
	ref    spool.Ref
	read   bool // there is a ref
	rotate bool
	ending bool
}

// next takes what there is to do. items is memory for the next queue.
func (ln *lane) next(items []logItem) (t turn) {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	t.ending = ln.ending
	if ln.err != nil {
		return t
	}
	if t.rotate = ln.rotateAsap; t.rotate {
		ln.rotateAsap = false
		return t
	}
	t.items, ln.queue = ln.queue, items[:0]
	if len(t.items) == 0 && !ln.stopped() {
		before := ln.disk.Bytes()
		t.ref, t.read = ln.disk.Pop()
		ln.l.budget.give(int64(before - ln.disk.Bytes()))
	}
	ln.resting = len(t.items) == 0 && !t.read && !t.ending
	return t
}

// stopped reports whether Close has given up.
func (ln *lane) stopped() bool {
	select {
	case <-ln.l.stop:
		return true
	default:
		return false
	}
}

// run is the lane's goroutine.
func (ln *lane) run() {
	var items []logItem
	for {
		t := ln.next(items)
		items = nil
		switch {
		case t.rotate:
			ln.rotate()
		case len(t.items) > 0:
			for i := range t.items {
				if ln.err != nil {
					ln.putBack(t.items[i:])
					break
				}
				ln.add(t.items[i])
			}
			clear(t.items)
			items = t.items
		case t.read:
			ln.read(t.ref)
		case ln.err != nil && !t.ending:
			<-ln.wake
		case ln.err != nil:
			return
		case t.ending:
			ln.close()
			return
		default:
			ln.flush()
			if ln.recovering && ln.err == nil {
				ln.recovering = false
				ln.rotate()
			}
			ln.rest()
			ln.wait()
		}
		if ln.whole && ln.err == nil {
			ln.rotateIfLarge()
			ln.commitIfDue()
		}
	}
}

// putBack returns items to the front of the queue, for rescue.
func (ln *lane) putBack(items []logItem) {
	ln.mu.Lock()
	ln.queue = append(append([]logItem(nil), items...), ln.queue...)
	ln.mu.Unlock()
}

// wait waits until there is something to do.
func (ln *lane) wait() {
	if ln.dirtySince.IsZero() {
		<-ln.wake
		return
	}
	t := time.NewTimer(time.Until(ln.dirtySince.Add(commitEvery)))
	defer t.Stop()
	select {
	case <-ln.wake:
	case <-t.C:
	}
}

// rest gives buffers back while there is nothing to do.
func (ln *lane) rest() {
	for _, f := range ln.files {
		f.dropBuffer()
	}
	if len(ln.formatted) == 0 && cap(ln.formatted) > maxIdleItems {
		ln.formatted = nil
	}
	ln.reader.Rest()
	ln.account()
}

// account tells the memory budget what the lane's buffers hold.
func (ln *lane) account() {
	held := int64(ln.reader.Held())
	for _, f := range ln.files {
		held += int64(cap(f.buf))
	}
	if held != ln.accounted {
		ln.l.budget.force(held - ln.accounted)
		ln.accounted = held
	}
}

// read takes an entry from the spool and adds its batches.
func (ln *lane) read(ref spool.Ref) {
	var e spool.Entry
	do := func() error {
		err := ln.l.hooks().beforeRead()
		if err == nil {
			e, err = ln.reader.Read(ref)
		}
		return err
	}
	err := do()
	if err != nil && !errors.Is(err, spool.ErrBroken) {
		err = ln.insist(trouble{
			began: "spool cannot be read, trying again", over: "spool is read again",
			file: ln.l.opt.spoolDir(), final: spool.ErrBroken,
		}, err, do)
		if ln.err != nil {
			return // the entry stays in the spool, for the next logger
		}
	}
	if err != nil {
		ln.l.store.broken.Add(1)
		ln.l.log.Error("batches are lost: the spool cannot be read", "path", ln.name, "error", err)
		ln.l.store.spool.Done(ref)
		ln.taken.Add(1)
		return
	}
	n := 0
	for sender, payload := range e.Messages {
		it := logItem{sender: sender, payload: payload, at: e.Time.UnixNano(), seq: e.Seq + uint64(n)}
		if n++; n == e.Count {
			it.ref, it.entry = ref, true
		}
		ln.add(it)
	}
	ln.taken.Add(1)
}

// errGaveUp is for a lane that was stuck when Close gave up.
func errGaveUp(file string, err error) error {
	return fmt.Errorf("%s: not all could be written: %w", file, err)
}
