package node

import (
	"errors"
	"fmt"
	"io/fs"
	"sync/atomic"
	"time"

	uatomic "go.uber.org/atomic"

	"github.com/znode/znode/node/internal/spool"
)

const (
	// entrySize is the size at which messages for one lane are not put into one
	// entry any more.
	entrySize = 64 << 10
	// quickMemory is what a lane may hold that does not wait for its file. More
	// would not make it faster, but slower: it would not fit the CPU's caches.
	quickMemory = 256 << 10
)

// store brings batches to their lanes: in memory while there is room, through
// the spool when there is none, and with a journal after they are on disk.
//
// A lane may hold half of the memory that no lane holds, of the half of the
// budget that is for lanes: one lane at most a third of it, and however many
// lanes are stuck, others have some. When a lane has as much, the question is
// what holds it up. If it is its file, and the spool is faster, its batches go there
// until it has taken all of them back. If it is the CPU, or a file as fast as the
// spool, that would make matters worse, and the router waits: the senders are held
// back.
type store struct {
	l     *Logger
	spool *spool.Spool
	sync  syncer
	seq   uint64 // of the last batch; the router's

	inLanes atomic.Int64 // memory of what is in the lanes' queues
	lag     complaint

	full      uatomic.Bool  // the spool has no room and the router waits for it
	fullSince atomic.Int64  // when that was said, in nanoseconds since 1970; 0 when it was said that it is over
	trouble   uatomic.Int32 // how many wait because it cannot be written
	spooled   atomic.Uint64
	broken    atomic.Uint64 // entries that could not be read back
	reclaimed chan struct{} // one slot: there is room in the spool again
}

// A delivery is what a lane gets at a time.
type delivery struct {
	ln    *lane
	at    int64       // when the first of it was received or became ready
	items []logItem   // in memory
	refs  []spool.Ref // in the spool only
}

func (s *store) init(l *Logger) {
	s.l = l
	s.seq = l.ledger.Seq()
	s.reclaimed = make(chan struct{}, 1)
	s.sync.init(l)
}

// deliver gives lanes what is staged for them.
func (s *store) deliver(lanes []*lane) {
	for i, ln := range lanes {
		for len(ln.staged) > 0 {
			switch n := s.fits(ln); {
			case n == 0:
				s.flush()
				for _, ln := range lanes[:i+1] {
					s.hand(ln)
				}
				if !s.awaitRoom(ln) {
					s.spoolStaged(ln, len(ln.staged), true, lanes[:i+1])
				}
			case s.l.opt.journal():
				s.spoolStaged(ln, n, false, lanes[:i+1])
			default:
				for j := range ln.staged[:n] {
					s.seq++
					ln.staged[j].seq = s.seq
				}
				ln.makeReady(n)
			}
		}
		if len(ln.readyRefs) == 0 && !s.l.opt.journal() {
			s.hand(ln) // needs no flush
		}
	}
	s.flush()
	for _, ln := range lanes {
		s.hand(ln)
	}
}

// hand gives a lane what is ready, which must have been flushed if it is in the
// spool.
func (s *store) hand(ln *lane) {
	d := ln.takeReady()
	switch {
	case len(d.items) == 0 && len(d.refs) == 0:
	case s.l.opt.journal():
		s.sync.add(d)
	default:
		ln.deliver(d)
	}
}

// fits returns how many of the staged batches a lane may hold in memory.
func (s *store) fits(ln *lane) int {
	if ln.onDisk() {
		return 0 // or they would overtake
	}
	room := s.room(ln)
	n := 0
	for ; n < len(ln.staged) && room > 0; n++ {
		room -= ln.staged[n].cost()
	}
	return n
}

// room returns how much more memory a lane may hold. One batch is always taken by a
// lane that has nothing, or the lanes that are stuck, each a little over its share,
// could keep all others waiting for them.
func (s *store) room(ln *lane) int64 {
	has := ln.memory.Load()
	if has == 0 {
		return max(1, s.roomFor(ln, has))
	}
	return s.roomFor(ln, has)
}

func (s *store) roomFor(ln *lane, has int64) int64 {
	free := s.l.opt.MemoryLimit/2 - s.inLanes.Load()
	if !ln.waits() {
		return min(free/2, quickMemory) - has
	}
	return free/2 - has
}

// awaitRoom waits until a lane may hold more memory. It is false when its batches
// are to go to the spool instead.
func (s *store) awaitRoom(ln *lane) bool {
	if ln.onDisk() {
		return false
	}
	ln.watched.Store(true)
	defer ln.watched.Store(false)
	look := time.NewTicker(usualWrite)
	defer look.Stop()
	for s.room(ln) <= 0 {
		if ln.shortage.forFile(ln.sinkTime(), ln.sink.bytes.Load()) {
			return false
		}
		select {
		case <-ln.freed:
		case <-look.C:
		case <-s.l.stop:
			return false
		}
	}
	return true
}

// spoolStaged puts the first n of the batches staged for a lane into the spool and
// makes them ready. With only they are not kept in memory. lanes are those that may
// have something ready.
func (s *store) spoolStaged(ln *lane, n int, only bool, lanes []*lane) {
	for n > 0 {
		k, first := 0, s.seq+1
		for k < n && s.spool.Building() < entrySize {
			it := &ln.staged[k]
			s.seq++
			it.seq = s.seq
			s.spool.Add(it.sender, it.payload)
			k++
		}
		n -= k
		last := &ln.staged[k-1]
		ref, err := s.endEntry(first, last.at, only, lanes)
		switch {
		case err != nil:
			// Close has given up. What is not in the spool may still be written.
			s.spool.Abort()
			for i := range ln.staged[:k] {
				ln.staged[i].loose = true
			}
		case only:
			ln.readyRefs = append(ln.readyRefs, ref)
			for i := range ln.staged[:k] {
				s.l.done(ln.staged[i].parcel, 1)
			}
			ln.dropStaged(k)
			s.spooled.Add(uint64(k))
			continue
		default:
			last.ref, last.entry = ref, true
			s.spooled.Add(uint64(k))
		}
		ln.makeReady(k)
	}
}

// endEntry ends an entry of the spool, however long that takes: until there is
// room, and until the disk takes it. It fails when Close has given up.
func (s *store) endEntry(seq uint64, at int64, compress bool, lanes []*lane) (ref spool.Ref, err error) {
	err = s.retry("batch cannot be put into the spool, trying again", "batches are put into the spool again", func() error {
		var err error
		if ref, err = s.spool.End(seq, time.Unix(0, at), compress); !errors.Is(err, spool.ErrFull) {
			return err
		}
		// What was appended before must reach its lanes, or nothing is ever
		// done with and reclaimed.
		if ferr := s.spool.Flush(); ferr != nil {
			return ferr
		}
		for _, ln := range lanes {
			s.hand(ln)
		}
		return err
	})
	return ref, err
}

// flush writes what was appended to the spool, however long that takes.
func (s *store) flush() {
	_ = s.retry("spool cannot be written, trying again", "spool is written again", s.spool.Flush)
}

// retry does something with the spool until it succeeds or Close gives up. The
// spool being full is no trouble, it is what holds senders back.
func (s *store) retry(trouble, over string, do func() error) error {
	err := do()
	if err == nil {
		return nil
	}
	began, pause, told := time.Now(), minBackoff, false
	for {
		full := errors.Is(err, spool.ErrFull)
		switch {
		case full:
			s.tellFull()
		case !told:
			told = true
			s.trouble.Inc()
			defer s.trouble.Dec()
			s.l.log.Error(trouble, "directory", s.l.opt.spoolDir(), "error", err)
		}
		if errors.Is(err, fs.ErrNotExist) { // somebody removed the directory
			_ = s.l.remakeDirs()
		}
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-s.reclaimed:
		case <-s.l.stop:
			t.Stop()
			return fmt.Errorf("spool: %w", err)
		}
		t.Stop()
		s.full.Store(false)
		if err = do(); err == nil {
			break
		}
		if !full {
			pause = min(2*pause, maxBackoff)
		}
	}
	if told {
		s.l.log.Info(over, "directory", s.l.opt.spoolDir(), "after", time.Since(began).Round(time.Millisecond).String())
	}
	return nil
}

// tellFull notes that the spool is full. That is said once, until much of it has
// been taken back: at its limit it is full and not full many times a second.
func (s *store) tellFull() {
	s.full.Store(true)
	for _, ln := range s.l.router.list() {
		ln.rouse() // to commit what can be reclaimed then
	}
	if s.fullSince.CompareAndSwap(0, time.Now().UnixNano()) {
		s.l.log.Warn("spool is full, senders are held back", "directory", s.l.opt.spoolDir(), "limit", s.l.opt.SpoolLimit)
	}
}

// tellRoom says that the spool is not full any more, if it was said that it is.
func (s *store) tellRoom() {
	since := s.fullSince.Load()
	if since == 0 || s.full.Load() || s.spool.Stats().Bytes > s.l.opt.SpoolLimit/2 {
		return
	}
	if s.fullSince.CompareAndSwap(since, 0) {
		took := time.Duration(time.Now().UnixNano() - since)
		s.l.log.Info("spool has room again", "directory", s.l.opt.spoolDir(), "after", took.Round(time.Millisecond).String())
	}
}

// keep puts a batch into the spool at the end, from memory.
func (s *store) keep(it *logItem) error {
	s.spool.Add(it.sender, it.payload)
	if _, err := s.spool.End(it.seq, time.Unix(0, it.at), true); err != nil {
		s.spool.Abort()
		return err
	}
	return nil
}

// end waits until everything that was delivered has reached its lane.
func (s *store) end() { s.sync.end() }

// runJanitor is a goroutine that deletes what is not needed any more.
func (s *store) runJanitor() {
	var again <-chan time.Time
	for {
		select {
		case <-s.spool.Reclaimable():
		case <-again:
		case <-s.l.quit:
			return
		}
		again = nil
		s.l.hooks().at("reclaim")
		// The ledger must say on disk what the segments are not needed for.
		if err := s.spool.Reclaim(s.l.ledger.Sync); err != nil {
			if log, ok := s.lag.allow(s.l.log); ok {
				log.Error("spool cannot be cleared, trying again", "directory", s.l.opt.spoolDir(), "error", err)
			}
			again = time.After(maxBackoff)
		}
		s.l.hooks().at("reclaimed")
		s.tellRoom()
		select {
		case s.reclaimed <- struct{}{}:
		default:
		}
	}
}

// retrySync brings the spool to disk, however long that takes.
func (s *store) retrySync() error {
	return s.retry("spool cannot be brought to disk, trying again", "spool is brought to disk again", s.spool.Sync)
}

func (l *Logger) hooks() *loggerHooks { return l.opt.hooks }
