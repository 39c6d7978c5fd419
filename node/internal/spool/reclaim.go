package spool

import (
	"errors"
	"os"
)

// Done says that an entry is not needed any more. Any goroutine may call it,
// once for each entry.
func (s *Spool) Done(ref Ref) { s.release(ref.seg) }

// release counts down what keeps a segment.
func (s *Spool) release(seg *segment) {
	switch n := seg.left.Add(-1); {
	case n == 0:
		select {
		case s.reclaimable <- struct{}{}:
		default:
		}
	case n < 0:
		panic("spool: internal error: entry done twice")
	}
}

// Reclaimable has a value when a segment has become fit to be reclaimed.
func (s *Spool) Reclaimable() <-chan struct{} { return s.reclaimable }

// Reclaim deletes the segments that nobody needs. before, if not nil, is called
// first if there are any, and keeps them all if it fails.
func (s *Spool) Reclaim(before func() error) error {
	var list []*segment
	s.mu.Lock()
	for seg := range s.segments {
		if seg.sealed && seg.left.Load() == 0 {
			list = append(list, seg)
		}
	}
	s.mu.Unlock()
	if len(list) == 0 {
		return nil
	}
	if before != nil {
		if err := before(); err != nil {
			return err
		}
	}
	var errs []error
	for _, seg := range list {
		if err := seg.remove(); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
		s.mu.Lock()
		delete(s.segments, seg)
		s.size -= seg.size
		s.mu.Unlock()
	}
	return errors.Join(errs...)
}

// Sync brings what was flushed to disk. Only one goroutine at a time may call
// it; it may be another one than that which appends.
func (s *Spool) Sync() error {
	s.mu.Lock()
	list := append([]*segment(nil), s.unsynced...)
	sizes := make([]int64, len(list))
	for i, seg := range list {
		sizes[i] = seg.size
	}
	names := s.newNames
	s.newNames = false
	s.mu.Unlock()
	err := syncSegments(list, sizes)
	if err == nil && names {
		err = syncDir(s.dir)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.newNames = s.newNames || names
		return err
	}
	kept := s.unsynced[:0]
	for _, seg := range s.unsynced {
		if !seg.sealed || seg.synced != seg.size {
			kept = append(kept, seg)
		}
	}
	clear(s.unsynced[len(kept):])
	s.unsynced = kept
	return nil
}

func syncSegments(list []*segment, sizes []int64) error {
	for i, seg := range list {
		if seg.synced == sizes[i] {
			continue
		}
		// A segment that was deleted meanwhile needs no sync.
		if err := seg.sync(sizes[i]); err != nil && !errors.Is(err, os.ErrClosed) {
			return err
		}
		seg.synced = sizes[i]
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// Stats is the state of a spool.
type Stats struct {
	Bytes    int64 // of all segments on disk
	Segments int
}

// Stats returns the state of the spool.
func (s *Spool) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{Bytes: s.size, Segments: len(s.segments)}
}

// Close closes the files; nobody may use the spool any more. Segments that are
// not needed are deleted, after before as in Reclaim; the others stay for the
// next Open.
func (s *Spool) Close(before func() error) error {
	s.sealActive()
	err := s.Reclaim(before)
	for seg := range s.segments {
		if cerr := seg.file.Close(); err == nil {
			err = cerr
		}
	}
	return err
}
