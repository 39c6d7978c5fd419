package spool

import (
	"errors"
	"math"
	"sync"
	"time"

	"github.com/klauspost/compress/s2"
)

// ErrFull: the entry would bring the spool beyond its limit. Try again when
// something has been reclaimed.
var ErrFull = errors.New("spool: full")

// Options configures a spool.
type Options struct {
	// Limit bounds the bytes on disk. One entry is always taken by an empty
	// spool.
	Limit int64
	// SegmentSize is the size at which a new segment is begun; 0 is a sixteenth
	// of the limit, between 64 KiB and 64 MiB.
	SegmentSize int64
}

// Spool is a queue of entries on disk; see the package comment.
type Spool struct {
	dir string
	opt Options

	// Of the goroutine that appends.
	active  *segment // nil before the first entry
	next    uint64   // number of the next segment
	pending []byte   // entries not yet written, from active.size on
	start   int      // of the entry being built, in pending; -1 when there is none
	count   uint32   // its messages
	scratch []byte   // for compression

	mu       sync.Mutex
	segments map[*segment]struct{} // all, the active one included
	unsynced []*segment            // may have bytes that are not on disk, in order
	size     int64                 // bytes of all segments
	newNames bool                  // the directory has names that are not on disk

	reclaimable chan struct{}
}

// Open opens the spool in a directory, which must exist. Call Scan next.
func Open(dir string, opt Options) (*Spool, error) {
	if opt.SegmentSize == 0 {
		opt.SegmentSize = min(max(opt.Limit/16, 64<<10), 64<<20)
	}
	s := &Spool{
		dir: dir, opt: opt, next: 1, start: -1,
		segments:    make(map[*segment]struct{}),
		reclaimable: make(chan struct{}, 1),
	}
	return s, nil
}

// Add adds a message to the entry being built. Both slices are copied.
func (s *Spool) Add(sender, payload []byte) {
	if s.start < 0 {
		if len(s.pending) >= flushSize {
			_ = s.Flush() // End fails if this does, and what is there stays
		}
		s.start = len(s.pending)
		s.count = 0
		s.pending = append(s.pending, make([]byte, minEntry)...)
	}
	s.pending = appendMessage(s.pending, sender, payload)
	s.count++
}

// Building returns the size of the entry being built, 0 if there is none.
func (s *Spool) Building() int {
	if s.start < 0 {
		return 0
	}
	return len(s.pending) - s.start
}

// End finishes the entry: its messages get the numbers from seq on. After an
// error the entry is still being built and End can be called again.
func (s *Spool) End(seq uint64, at time.Time, compress bool) (Ref, error) {
	if s.start >= flushSize {
		if err := s.Flush(); err != nil {
			return Ref{}, err
		}
	}
	if s.active == nil || s.active.size+int64(s.start) >= s.opt.SegmentSize {
		if err := s.roll(); err != nil {
			return Ref{}, err
		}
	}
	h := head{seq: seq, time: at.UnixNano(), count: s.count, raw: uint32(s.Building() - minEntry)}
	body := s.pending[s.start+minEntry:]
	packed := body
	if compress {
		s.scratch = s2.Encode(s.scratch[:cap(s.scratch)], body)
		if len(s.scratch) < len(body) {
			packed = s.scratch
			h.flags |= flagS2
		}
	}
	n := minEntry + len(packed)
	s.mu.Lock()
	if s.size+int64(n) > s.opt.Limit && s.size > int64(len(magic)) {
		s.mu.Unlock()
		return Ref{}, ErrFull
	}
	s.size += int64(n)
	s.mu.Unlock()
	if h.flags&flagS2 != 0 {
		copy(body, packed)
		s.pending = s.pending[:s.start+n]
	}
	seal(s.pending[s.start:], h)
	ref := Ref{seg: s.active, off: uint32(s.active.size + int64(s.start)), n: uint32(n)}
	ref.seg.left.Add(1)
	s.start = -1
	s.trim()
	return ref, nil
}

// Unbound lifts the limit: for the end, when what has no room would be lost.
func (s *Spool) Unbound() { s.opt.Limit = math.MaxInt64 }

// Abort drops the entry that is being built.
func (s *Spool) Abort() {
	if s.start >= 0 {
		s.pending = s.pending[:s.start]
		s.start = -1
	}
}

// trim gives back scratch memory that a single large entry left.
func (s *Spool) trim() {
	if cap(s.scratch) > maxKept {
		s.scratch = nil
	}
}

const (
	// maxKept bounds the buffers kept between entries.
	maxKept = 1 << 20
	// flushSize is how much is written at a time, if there is as much.
	flushSize = 256 << 10
)

// Flush writes what was appended. After an error it can be called again.
func (s *Spool) Flush() error {
	n := len(s.pending)
	if s.start >= 0 {
		n = s.start
	}
	if n == 0 {
		return nil
	}
	// The place is fixed, so a second try overwrites what a first one left.
	if _, err := s.active.file.WriteAt(s.pending[:n], s.active.size); err != nil {
		return err
	}
	s.mu.Lock()
	s.active.size += int64(n)
	s.mu.Unlock()
	s.pending = append(s.pending[:0], s.pending[n:]...)
	if s.start >= 0 {
		s.start = 0
	}
	if cap(s.pending) > maxKept && len(s.pending) == 0 {
		s.pending = nil
	}
	return nil
}

// roll begins a new segment.
func (s *Spool) roll() error {
	if err := s.Flush(); err != nil {
		return err
	}
	seg, err := createSegment(s.dir, s.next)
	if err != nil {
		return err
	}
	s.next++
	s.mu.Lock()
	s.segments[seg] = struct{}{}
	s.unsynced = append(s.unsynced, seg)
	s.size += seg.size
	s.newNames = true
	s.mu.Unlock()
	s.sealActive()
	s.active = seg
	return nil
}

// sealActive ends the active segment.
func (s *Spool) sealActive() {
	if s.active == nil {
		return
	}
	s.mu.Lock()
	s.active.sealed = true
	s.mu.Unlock()
	s.release(s.active)
	s.active = nil
}

// Rest ends the active segment when all that it holds is done, so that it can be
// reclaimed. It is the appender's, for when there is nothing to append.
func (s *Spool) Rest() {
	if s.active != nil && len(s.pending) == 0 && s.active.left.Load() == 1 {
		s.sealActive()
	}
}
