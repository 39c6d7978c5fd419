package spool

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/klauspost/compress/s2"
)

// unpacker turns the bytes of an entry into an Entry. It owns the memory of a
// decompressed body.
type unpacker struct{ body []byte }

// maxRaw bounds the decompressed body, so that a broken length cannot take all
// memory.
const maxRaw = 1<<31 - 1

func (u *unpacker) unpack(entry []byte) (Entry, error) {
	h, body, err := open(entry)
	if err != nil {
		return Entry{}, err
	}
	if h.flags&flagS2 != 0 {
		if n, err := s2.DecodedLen(body); err != nil || uint64(n) != uint64(h.raw) || n > maxRaw {
			return Entry{}, ErrBroken
		}
		if u.body, err = s2.Decode(u.body[:cap(u.body)], body); err != nil {
			return Entry{}, ErrBroken
		}
		body = u.body
	}
	if uint64(len(body)) != uint64(h.raw) {
		return Entry{}, ErrBroken
	}
	return Entry{Seq: h.seq, Count: int(h.count), Time: time.Unix(0, h.time), body: body}, nil
}

// Reader reads entries. It reads somewhat ahead, so entries that lie close to each
// other cost one call. Its zero value is ready. It is for one goroutine.
type Reader struct {
	unpacker
	seg *segment
	off int64 // of buf in the segment
	buf []byte
}

// readAhead is how much is read at least.
const readAhead = 64 << 10

// Read returns an entry. It is valid until the next call. Other errors than
// [ErrBroken] are the disk's, and may pass.
func (r *Reader) Read(ref Ref) (Entry, error) {
	from, to := int64(ref.off), int64(ref.off)+int64(ref.n)
	if r.seg != ref.seg || from < r.off || to > r.off+int64(len(r.buf)) {
		if err := r.fetch(ref.seg, from, max(int(ref.n), readAhead)); err != nil {
			return Entry{}, err
		}
		if to > r.off+int64(len(r.buf)) {
			r.seg = nil
			return Entry{}, fmt.Errorf("%s: offset %d: %w: the file ends in it", ref.seg.file.Name(), from, ErrBroken)
		}
	}
	e, err := r.unpack(r.buf[from-r.off : to-r.off])
	if err != nil {
		r.seg = nil // read it again next time
		return Entry{}, fmt.Errorf("%s: offset %d: %w", ref.seg.file.Name(), from, err)
	}
	return e, nil
}

func (r *Reader) fetch(seg *segment, from int64, n int) error {
	r.seg = nil
	r.buf = grow(r.buf[:0], n)
	got, err := seg.file.ReadAt(r.buf, from)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	r.seg, r.off, r.buf = seg, from, r.buf[:got]
	return nil
}

// Held returns the memory that the reader keeps.
func (r *Reader) Held() int { return cap(r.buf) + cap(r.body) }

// Rest gives the memory back.
func (r *Reader) Rest() { *r = Reader{} }
