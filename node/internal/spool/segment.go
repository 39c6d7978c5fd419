package spool

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
)

// A segment is one file of a spool.
type segment struct {
	number uint64
	file   *os.File
	size   int64        // written by the appender under Spool.mu
	sealed bool         // nothing is appended any more; under Spool.mu
	left   atomic.Int64 // pending entries, and one while not sealed

	// Of the goroutine that syncs.
	synced   int64 // bytes known to be on disk
	doubtful bool  // the last sync failed
}

const suffix = ".seg"

func segmentName(number uint64) string { return fmt.Sprintf("%012d%s", number, suffix) }

// segmentNumber reads a segment's number from its name.
func segmentNumber(name string) (uint64, bool) {
	digits, ok := strings.CutSuffix(name, suffix)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	return n, err == nil && segmentName(n) == name
}

// createSegment makes an empty segment.
func createSegment(dir string, number uint64) (*segment, error) {
	f, err := os.OpenFile(filepath.Join(dir, segmentName(number)), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o640)
	if err != nil {
		return nil, err
	}
	if _, err := f.WriteAt([]byte(magic), 0); err != nil {
		f.Close()
		os.Remove(f.Name())
		return nil, err
	}
	s := &segment{number: number, file: f, size: int64(len(magic))}
	s.left.Store(1)
	return s, nil
}

// remove deletes the segment.
func (s *segment) remove() error {
	s.file.Close()
	return os.Remove(s.file.Name())
}

// sync brings the first size bytes to disk. A sync that failed may have left
// pages that the system takes for written, so the next one writes what is not
// known to be on disk once more.
func (s *segment) sync(size int64) error {
	if s.doubtful {
		if err := s.rewrite(s.synced, size); err != nil {
			return err
		}
	}
	err := s.file.Sync()
	s.doubtful = err != nil
	return err
}

func (s *segment) rewrite(from, to int64) error {
	buf := make([]byte, 256<<10)
	for from < to {
		n, err := s.file.ReadAt(buf[:min(int64(len(buf)), to-from)], from)
		if n == 0 {
			return err
		}
		if _, err := s.file.WriteAt(buf[:n], from); err != nil {
			return err
		}
		from += int64(n)
	}
	return nil
}
