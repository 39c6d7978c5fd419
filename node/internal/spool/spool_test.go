package spool

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/znode/znode/fuzz/mutate"
)

// put appends an entry of messages and returns its ref.
func put(t testing.TB, s *Spool, seq uint64, compress bool, payloads ...string) Ref {
	t.Helper()
	for i, p := range payloads {
		s.Add(fmt.Appendf(nil, "sender-%d", i), []byte(p))
	}
	ref, err := s.End(seq, time.Unix(int64(seq), 5), compress)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func open1(t testing.TB, dir string, opt Options) *Spool {
	t.Helper()
	if opt.Limit == 0 {
		opt.Limit = 1 << 30
	}
	s, err := Open(dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// text shows an entry.
func text(e Entry) string {
	s := fmt.Sprintf("%d@%d", e.Seq, e.Time.Unix())
	n := 0
	for sender, payload := range e.Messages {
		s += fmt.Sprintf(" %s:%.20s(%d)", sender, payload, len(payload))
		n++
	}
	if n != e.Count {
		s += fmt.Sprintf(" but count %d", e.Count)
	}
	return s
}

// scan returns all entries that a spool in dir holds, and closes it.
func scan(t testing.TB, dir string) (entries []string, skipped int64) {
	t.Helper()
	s := open1(t, dir, Options{})
	skipped, err := s.Scan(func(e Entry, _ Ref) { entries = append(entries, text(e)) })
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(nil); err != nil {
		t.Fatal(err)
	}
	return entries, skipped
}

func TestRoundTrip(t *testing.T) {
	dir := t.TempDir()
	s := open1(t, dir, Options{SegmentSize: 1000})
	var refs Refs
	var want []string
	long := string(bytes.Repeat([]byte("abc"), 500))
	for i := range 50 {
		payloads := []string{fmt.Sprint("payload ", i), "", long}[:1+i%3]
		refs.Push(put(t, s, uint64(10*i), i%2 == 0, payloads...))
		e := fmt.Sprintf("%d@%d", 10*i, 10*i)
		for j, p := range payloads {
			e += fmt.Sprintf(" sender-%d:%.20s(%d)", j, p, len(p))
		}
		want = append(want, e)
	}
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := s.Sync(); err != nil {
		t.Fatal(err)
	}
	if n := s.Stats().Segments; n < 3 {
		t.Fatalf("%d segments, want several", n)
	}
	var r Reader
	for i := range want {
		ref, ok := refs.Pop()
		if !ok {
			t.Fatalf("no ref %d", i)
		}
		e, err := r.Read(ref)
		if err != nil || text(e) != want[i] {
			t.Fatalf("entry %d: %s, %v; want %s", i, text(e), err, want[i])
		}
	}
	if err := s.Close(nil); err != nil {
		t.Fatal(err)
	}
	got, skipped := scan(t, dir)
	if fmt.Sprint(got) != fmt.Sprint(want) || skipped != 0 {
		t.Errorf("scan: %q, skipped %d; want %q", got, skipped, want)
	}
}

// TestTorn cuts a segment at every byte, as a kill does, and changes every byte,
// as a disk does: what comes before is read, what comes after is not made up.
func TestTorn(t *testing.T) {
	dir := t.TempDir()
	s := open1(t, dir, Options{})
	var ends []int
	for i := range 4 {
		ref := put(t, s, uint64(i), i == 2, "some payload", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")
		ends = append(ends, int(ref.off+ref.n))
	}
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(nil); err != nil {
		t.Fatal(err)
	}
	want, _ := scan(t, dir)
	file := filepath.Join(dir, segmentName(1))
	whole, err := os.ReadFile(file)
	if err != nil || len(want) != 4 || len(whole) != ends[3] {
		t.Fatalf("%v, entries %q, %d bytes, ends %v", err, want, len(whole), ends)
	}
	entriesBefore := func(at int) int {
		n := 0
		for _, end := range ends {
			if end <= at {
				n++
			}
		}
		return n
	}
	check := func(what string, at int, data []byte) {
		t.Helper()
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		got, _ := scan(t, dir)
		if n := entriesBefore(at); fmt.Sprint(got) != fmt.Sprint(want[:n]) {
			t.Fatalf("%s at %d: %q, want %q", what, at, got, want[:n])
		}
	}
	for at := range whole {
		check("cut", at, whole[:at])
		changed := bytes.Clone(whole)
		changed[at] ^= 0x41
		check("change", at, changed)
	}
	check("zeros", len(whole), append(bytes.Clone(whole), make([]byte, 100)...))
}

func TestLimitAndReclaim(t *testing.T) {
	dir := t.TempDir()
	s := open1(t, dir, Options{Limit: 10_000, SegmentSize: 1000})
	var refs []Ref
	seq := uint64(0)
	for {
		s.Add([]byte("s"), make([]byte, 300))
		ref, err := s.End(seq, time.Now(), false)
		if errors.Is(err, ErrFull) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		refs = append(refs, ref)
		seq++
	}
	if got := s.Stats().Bytes; got > 10_000 || got < 9_000 {
		t.Errorf("full at %d bytes", got)
	}
	// The entry that did not fit goes in once there is room.
	for _, ref := range refs[:10] {
		s.Done(ref)
	}
	<-s.Reclaimable()
	fail := errors.New("not now")
	before := s.Stats().Segments
	if err := s.Reclaim(func() error { return fail }); err != fail || s.Stats().Segments != before {
		t.Errorf("Reclaim: %v, %d of %d segments left", err, s.Stats().Segments, before)
	}
	if err := s.Reclaim(nil); err != nil || s.Stats().Segments >= before {
		t.Errorf("Reclaim: %v, %d of %d segments left", err, s.Stats().Segments, before)
	}
	ref, err := s.End(seq, time.Now(), false)
	if err != nil {
		t.Fatal(err)
	}
	for _, ref := range append(refs[10:], ref) {
		s.Done(ref)
	}
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	s.Rest()
	if err := s.Close(nil); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestFlushAgain(t *testing.T) {
	dir := t.TempDir()
	s := open1(t, dir, Options{})
	put(t, s, 1, false, "one")
	good := s.active.file
	closed, err := os.Create(filepath.Join(t.TempDir(), "x"))
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	s.active.file = closed
	if err := s.Flush(); err == nil {
		t.Fatal("no error from a closed file")
	}
	put(t, s, 2, false, "two")
	s.active.file = good
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(nil); err != nil {
		t.Fatal(err)
	}
	if got, skipped := scan(t, dir); len(got) != 2 || skipped != 0 {
		t.Errorf("%q, skipped %d", got, skipped)
	}
}

// TestSyncAfterFailure: what a failed sync may have lost is written again.
func TestSyncAfterFailure(t *testing.T) {
	dir := t.TempDir()
	s := open1(t, dir, Options{})
	put(t, s, 1, false, "one")
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	s.active.doubtful = true
	if err := s.Sync(); err != nil || s.active.doubtful || s.active.synced != s.active.size {
		t.Errorf("Sync: %v, doubtful %v", err, s.active.doubtful)
	}
	if err := s.Close(nil); err != nil {
		t.Fatal(err)
	}
	if got, skipped := scan(t, dir); len(got) != 1 || skipped != 0 {
		t.Errorf("%q, skipped %d", got, skipped)
	}
}

func TestRefs(t *testing.T) {
	const seed = 7
	t.Log("seed", seed)
	rng := rand.New(rand.NewPCG(seed, seed))
	segs := []*segment{{number: 1}, {number: 2}, {number: 3}}
	var r Refs
	var want []Ref
	off := uint32(8)
	for range 10_000 {
		if rng.IntN(3) > 0 {
			if rng.IntN(50) == 0 {
				off = rng.Uint32N(1 << 20)
			}
			ref := Ref{seg: segs[rng.IntN(30)/14], off: off, n: 33 + rng.Uint32N(1<<rng.IntN(20))}
			off += ref.n + rng.Uint32N(5000)
			r.Push(ref)
			want = append(want, ref)
		} else if got, ok := r.Pop(); ok != (len(want) > 0) {
			t.Fatalf("Pop = %v, with %d refs", ok, len(want))
		} else if ok {
			if got != want[0] {
				t.Fatalf("Pop = %v, want %v", got, want[0])
			}
			want = want[1:]
		}
		if r.Len() != len(want) {
			t.Fatalf("Len = %d, want %d", r.Len(), len(want))
		}
	}
	var all []Ref
	for ref := range r.All {
		all = append(all, ref)
	}
	if !slices.Equal(all, want) {
		t.Errorf("All yields other refs than were pushed")
	}
	for range want {
		r.Pop()
	}
	if r.Len() != 0 || r.Bytes() != 0 {
		t.Errorf("empty, but Len = %d, Bytes = %d", r.Len(), r.Bytes())
	}
}

// FuzzScan: no segment makes the scan fail or go beyond its end, and what it
// finds can be read again. All inputs are written over each other in one file, for
// making and deleting one each time would take longer than the scan by far.
func FuzzScan(tf *testing.F) {
	f := mutate.From(tf)
	dir := f.TempDir()
	s := open1(f, dir, Options{})
	put(f, s, 1, false, "one", "two")
	put(f, s, 3, true, string(make([]byte, 200)))
	if err := s.Flush(); err != nil {
		f.Fatal(err)
	}
	s.Close(nil)
	data, err := os.ReadFile(filepath.Join(dir, segmentName(1)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data, false)
	f.Add(data, true)
	f.Add(data[:5], false)
	f.Add([]byte("no spool"), false)
	f.Add(data[:len(data)-3], false)
	f.Add(append(bytes.Clone(data), 0, 0, 0, 1, 0, 0, 0, 0), false)
	f.Add(append(bytes.Clone(data), data[len(magic):len(magic)+minEntry-1]...), false)
	for _, h := range []head{
		{count: 1, raw: 9}, {count: 1, raw: 8}, {flags: flagS2, count: 1, raw: 9}, {flags: flagS2, count: 1, raw: 1 << 31}, {flags: flagS2, raw: 3},
	} {
		for _, body := range []string{"\x01a\x00\x00\x00\x03abc", "\x09a\x00\x00\x00\x03abc", "\x01a\x00\x00\x00\x04abc", "\x03\x08abc", "\x03\x08ab", "\xff\xff\xff\xff\xff"} {
			entry := append(make([]byte, minEntry), body...)
			seal(entry, h)
			f.Add(append([]byte(magic), entry...), false)
			entry[4]++
			f.Add(append([]byte(magic), entry...), false)
		}
	}
	scanned := f.TempDir()
	for _, name := range []string{"1.seg", "notes"} { // which are no segments
		if err := os.WriteFile(filepath.Join(scanned, name), data, 0o600); err != nil {
			f.Fatal(err)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, mended bool) {
		if mended {
			data = mend(data)
		}
		if err := os.WriteFile(filepath.Join(scanned, segmentName(7)), data, 0o600); err != nil {
			t.Fatal(err)
		}
		s := open1(t, scanned, Options{})
		defer s.Close(nil)
		var refs []Ref
		var entries []string
		skipped, err := s.Scan(func(e Entry, ref Ref) {
			refs = append(refs, ref)
			entries = append(entries, text(e))
		})
		end := 0
		if bytes.HasPrefix(data, []byte(magic)) {
			end = len(magic)
		}
		for _, ref := range refs {
			if int(ref.off) != end {
				t.Fatalf("an entry at %d, want %d", ref.off, end)
			}
			end += int(ref.n)
		}
		if err != nil || int(skipped) != len(data)-end || s.Stats().Segments != 1 {
			t.Fatalf("of %d bytes %d are entries, %d are skipped, %v", len(data), end, skipped, err)
		}
		var r Reader
		for i, ref := range refs {
			if e, err := r.Read(ref); err != nil || text(e) != entries[i] {
				t.Fatalf("entry %d: %s, %v; want %s", i, text(e), err, entries[i])
			}
		}
		if len(refs) == 0 {
			return
		}
		if left := int(refs[0].seg.left.Load()); left != len(refs) {
			t.Errorf("%d entries are pending, found %d", left, len(refs))
		}
		if mended {
			checkDamaged(t, refs[0], data)
		}
	})
}

// checkDamaged: an entry that was changed or cut off since the scan is broken.
func checkDamaged(t *testing.T, ref Ref, data []byte) {
	last := int64(ref.off) + int64(ref.n) - 1
	if _, err := ref.seg.file.WriteAt([]byte{data[last] ^ 1}, last); err != nil {
		t.Fatal(err)
	}
	if e, err := new(Reader).Read(ref); !errors.Is(err, ErrBroken) {
		t.Fatalf("changed, and read as %s, %v", text(e), err)
	}
	if err := ref.seg.file.Truncate(last); err != nil {
		t.Fatal(err)
	}
	if e, err := new(Reader).Read(ref); !errors.Is(err, ErrBroken) {
		t.Fatalf("cut off, and read as %s, %v", text(e), err)
	}
}

// mend makes lengths and checksums right, so that what is wrong is seen by what comes
// behind them: each entry goes to where its length says, or to the end.
func mend(data []byte) []byte {
	data = append([]byte(magic), data[min(len(data), len(magic)):]...)
	for at := len(magic); len(data)-at >= minEntry; {
		n := frameSize + int64(binary.BigEndian.Uint32(data[at:]))
		entry := data[at:min(int64(at)+max(n, minEntry), int64(len(data)))]
		binary.BigEndian.PutUint32(entry, uint32(len(entry)-frameSize))
		binary.BigEndian.PutUint32(entry[4:], crc32.Checksum(entry[frameSize:], castagnoli))
		at += len(entry)
	}
	return data
}

func BenchmarkSpool(b *testing.B) {
	payload := bytes.Repeat([]byte("0123456789abcdefghijklmnopqrstuvwxyz"), 300_000/36)
	rng := rand.New(rand.NewPCG(1, 1))
	for i := 0; i < len(payload); i += 3 {
		payload[i] = byte(rng.Uint32())
	}
	for _, compress := range []bool{false, true} {
		b.Run(fmt.Sprintf("compress=%v", compress), func(b *testing.B) {
			s := open1(b, b.TempDir(), Options{})
			defer s.Close(nil)
			var r Reader
			b.SetBytes(int64(len(payload)))
			b.ReportAllocs()
			for b.Loop() {
				ref := put(b, s, 1, compress, string(payload[:1]), string(payload[1:2]))
				s.Done(ref)
				s.Add(nil, payload)
				ref, err := s.End(3, time.Time{}, compress)
				if err == nil {
					err = s.Flush()
				}
				if err == nil {
					_, err = r.Read(ref)
				}
				if err != nil {
					b.Fatal(err)
				}
				s.Done(ref)
				s.Reclaim(nil)
			}
		})
	}
}
