package spool

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// Scan finds what an earlier process left: it calls found for every entry, in the
// order of their places, and makes it pending. The entry is valid until found
// returns. It returns how many bytes it could not make sense of; they are the end
// of a segment that was being written when the process died.
//
// It must come before the first Add. An error means that the directory or a
// segment could not be read; what could be was given to found.
func (s *Spool) Scan(found func(Entry, Ref)) (skipped int64, err error) {
	list, err := os.ReadDir(s.dir)
	if err != nil {
		return 0, err
	}
	var numbers []uint64
	for _, e := range list {
		if n, ok := segmentNumber(e.Name()); ok {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	var errs []error
	for _, n := range numbers {
		s.next = n + 1
		lost, err := s.scanSegment(n, found)
		skipped += lost
		if err != nil {
			errs = append(errs, err)
		}
	}
	return skipped, errors.Join(errs...)
}

func (s *Spool) scanSegment(number uint64, found func(Entry, Ref)) (skipped int64, err error) {
	f, err := os.OpenFile(filepath.Join(s.dir, segmentName(number)), os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return 0, err
	}
	seg := &segment{number: number, file: f, size: info.Size(), sealed: true, synced: info.Size()}
	seg.left.Store(1)
	s.mu.Lock()
	s.segments[seg] = struct{}{}
	s.size += seg.size
	s.mu.Unlock()
	defer s.release(seg)
	end, err := seg.scan(found)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", f.Name(), err)
	}
	return seg.size - end, nil
}

// scan finds the entries of a segment and returns where they end.
func (s *segment) scan(found func(Entry, Ref)) (end int64, err error) {
	in := bufio.NewReaderSize(io.NewSectionReader(s.file, 0, s.size), int(min(s.size, 1<<20)))
	start := make([]byte, len(magic))
	if _, err := io.ReadFull(in, start); err != nil || string(start) != magic {
		return 0, notEnd(err)
	}
	end = int64(len(magic))
	var u unpacker
	var buf []byte
	for {
		buf = grow(buf, frameSize)
		if _, err := io.ReadFull(in, buf); err != nil {
			return end, notEnd(err)
		}
		n := frameSize + int64(binary.BigEndian.Uint32(buf))
		if n < minEntry || n > s.size-end || n > maxEntry {
			return end, nil
		}
		buf = grow(buf, int(n))
		if _, err := io.ReadFull(in, buf[frameSize:]); err != nil {
			return end, notEnd(err)
		}
		e, err := u.unpack(buf)
		if err != nil {
			return end, nil
		}
		s.left.Add(1)
		found(e, Ref{seg: s, off: uint32(end), n: uint32(n)})
		end += n
	}
}

// grow returns a slice of n bytes that begins with what b begins with.
func grow(b []byte, n int) []byte {
	if cap(b) < n {
		b = append(make([]byte, 0, n+n/4), b...)
	}
	return b[:n]
}

// notEnd is nil for the errors that say no more than that the file ends.
func notEnd(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}
