package codec_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/znode/znode/codec"
	"github.com/znode/znode/fuzz/mutate"
)

// seedBatches gives a fuzz target real batches and random ones, small enough to
// be mutated usefully.
func seedBatches(f *mutate.F, add func(payload []byte)) {
	n := 0
	for _, p := range allGolden(f) {
		if len(p) < 1500 {
			add(p)
			n++
		}
	}
	if n == 0 {
		f.Fatal("no golden batch is small enough")
	}
	add(nested(70))
	w, err := codec.NewBatchWriter(codec.BatchHeader{Stream: "T::LOG", Path: "t", Fields: []codec.Field{codec.NewField("i", codec.TypeInterval)}})
	if err != nil {
		f.Fatal(err)
	}
	w.Start(nil)
	for _, seconds := range []float64{1e300, -1e300, math.NaN()} { // no Duration
		w.Seconds(seconds)
		if err := w.EndRecord(); err != nil {
			f.Fatal(err)
		}
	}
	add(w.Finish())
	m := batchMaker{rng: rand.New(rand.NewPCG(1, 1))}
	for range 30 {
		add(m.batch(5, 3))
	}
}

// nested is a batch of one vector in so many others.
func nested(depth int) []byte {
	u32 := binary.BigEndian.AppendUint32
	b := bytes.Repeat([]byte{0, 0, 0, 1, 'x'}, 4) // stream, writer, filter, path
	b = append(u32(b, 1), 0)
	b = append(u32(b, 1), 'f')
	b = append(u32(u32(b, uint32(codec.TypeVector)), uint32(codec.TypeVector)), 0)
	b = u32(b, 1)
	for i := range depth {
		b = append(u32(u32(b, uint32(codec.TypeVector)), 0), 1)
		n := uint64(1)
		if i == depth-1 {
			n = 0
		}
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return b
}

// FuzzBatch decodes anything. What is refused is refused by the formatter too,
// with the same error; what is accepted is encoded again and stays the same.
func FuzzBatch(tf *testing.F) {
	f := mutate.From(tf)
	seedBatches(f, func(p []byte) { f.Add(p) })
	tsv := newFormatter(f, func(*codec.TextOptions) {})
	json := newFormatter(f, func(o *codec.TextOptions) { o.Format = codec.FormatJSON })
	f.Fuzz(func(t *testing.T, payload []byte) {
		var b, header codec.Batch
		err := b.Decode(payload)
		if header.DecodeHeader(payload) != nil {
			if err == nil {
				t.Fatal("header refused, batch accepted")
			}
			return
		}
		for _, fm := range []*codec.Formatter{tsv, json} {
			out, textErr := fm.AppendRecords(nil, &header)
			if (err == nil) != (textErr == nil) || err != nil && (err.Error() != textErr.Error() || len(out) != 0) {
				t.Fatalf("decoder: %v, formatter: %v with %d bytes", err, textErr, len(out))
			}
		}
		if !bytes.Equal(b.Schema(), header.Schema()) {
			t.Fatalf("schemas %x and %x", b.Schema(), header.Schema())
		}
		if err == nil {
			for r := b.Records(); r.Next(); {
				for i := range b.Fields {
					checkValue(t, r.Value(i))
				}
			}
			checkRelay(t, json, &b)
		}
	})
}

// checkValue reads a value as each type there is: as others than its own it is zero.
func checkValue(t *testing.T, v codec.Value) {
	for _, as := range []struct {
		types string
		given bool
	}{
		{"bool", v.Bool()}, {"int", v.Int() != 0}, {"count", v.Count() != 0}, {"double time interval", v.Double() != 0},
		{"time", !v.Time().IsZero()}, {"interval", v.Interval() != 0}, {"string enum file func", v.Bytes() != nil},
		{"port", v.Port() != codec.Port{}}, {"addr", v.Addr().IsValid()}, {"subnet", v.Subnet() != netip.Prefix{}},
		{"table vector", v.Len() != 0},
	} {
		if as.given && (!v.Present || !slices.Contains(strings.Fields(as.types), v.Type.String())) {
			t.Fatalf("a %v is read as %s", v.Type, as.types)
		}
	}
	n := 0
	for e := v.Elements(); e.Next(); n++ {
		checkValue(t, e.Value())
	}
	if n != v.Len() {
		t.Fatalf("%d of %d elements", n, v.Len())
	}
}

// checkRelay encodes a batch anew. Flags, subtypes and the tags of absent
// values may come out in their canonical form; doing it again changes nothing.
func checkRelay(t *testing.T, fm *codec.Formatter, b *codec.Batch) {
	once, ok := relay(t, b)
	if !ok {
		return
	}
	var b2 codec.Batch
	if err := b2.Decode(once); err != nil {
		t.Fatalf("refused what we wrote: %v", err)
	}
	if len(b2.Fields) != len(b.Fields) || b2.NumRecords != b.NumRecords {
		t.Fatalf("%d fields and %d records became %d and %d", len(b.Fields), b.NumRecords, len(b2.Fields), b2.NumRecords)
	}
	if twice, ok := relay(t, &b2); !ok || !bytes.Equal(once, twice) {
		t.Fatalf("second time differs\n%x\n%x", once, twice)
	}
	text, err := fm.AppendRecords(nil, b)
	if err != nil {
		t.Fatal(err)
	}
	if text2, err := fm.AppendRecords(nil, &b2); err != nil || !bytes.Equal(text, text2) {
		t.Fatalf("text differs\n%q\n%q", text, text2)
	}
}

// relay is false if the batch holds what a BatchWriter rightly refuses.
func relay(t *testing.T, b *codec.Batch) ([]byte, bool) {
	w, err := codec.NewBatchWriter(codec.BatchHeader{
		Stream: string(b.Stream), Writer: string(b.Writer), Filter: string(b.Filter), Path: string(b.Path), Fields: b.Fields,
	})
	if err != nil {
		return nil, false
	}
	w.Start(nil)
	r := b.Records()
	for r.Next() {
		for i := range b.Fields {
			w.Value(r.Value(i))
		}
		if err := w.EndRecord(); err != nil {
			if !errors.Is(err, codec.ErrMismatch) {
				t.Fatal(err)
			}
			return nil, false
		}
	}
	return w.Finish(), true
}

// FuzzText formats batches with all kinds of options and compares with the
// oracle: JSON lines are UTF-8 and JSON, TSV lines have all columns and no
// control bytes.
func FuzzText(tf *testing.F) {
	f := mutate.From(tf)
	seedBatches(f, func(p []byte) {
		f.Add(p, uint64(0))
		f.Add(p, uint64(1))
	})
	var all formatters
	f.Fuzz(func(t *testing.T, payload []byte, options uint64) {
		var b codec.Batch
		f, o := all.of(t, options)
		if b.Decode(payload) != nil {
			if b.DecodeHeader(payload) == nil {
				if out, err := f.AppendRecords([]byte("x"), &b); err == nil || string(out) != "x" {
					t.Fatalf("a bad batch becomes %q", out)
				}
			}
			return
		}
		checkHeader(t, f, o, &b)
		if oddSubnet(&b) {
			return
		}
		checkTextOf(t, payload, f, o)
	})
}

// checkHeader looks at the lines around those of the records: no name or path breaks
// out of its line.
func checkHeader(t *testing.T, f *codec.Formatter, o codec.TextOptions, b *codec.Batch) {
	text := string(f.AppendClose(f.AppendHeader(nil, b, time.Time{}), time.Time{}))
	if o.Format == codec.FormatJSON || !o.IncludeMeta {
		if text != "" {
			t.Fatalf("header %q", text)
		}
		return
	}
	lines := strings.Split(text, "\n")
	if len(lines) != 10 || lines[9] != "" {
		t.Fatalf("%d lines: %q", len(lines)-1, text)
	}
	for _, l := range lines[:9] {
		if !strings.HasPrefix(l, o.MetaPrefix) {
			t.Fatalf("line %q", l)
		}
	}
}

// formatters are of random options, made once each.
type formatters [512]struct {
	f *codec.Formatter
	o codec.TextOptions
}

func (all *formatters) of(t *testing.T, number uint64) (*codec.Formatter, codec.TextOptions) {
	one := &all[number%uint64(len(all))]
	if one.f == nil {
		one.o = randomOptions(rand.New(rand.NewPCG(number%uint64(len(all)), 0)))
		one.f = newFormatter(t, func(o *codec.TextOptions) { *o = one.o })
	}
	return one.f, one.o
}

// oddSubnet reports whether a batch holds a subnet with a length that its
// family does not have, which Zeek prints and the oracle cannot.
func oddSubnet(b *codec.Batch) bool {
	var odd func(v codec.Value) bool
	odd = func(v codec.Value) bool {
		for e := v.Elements(); e.Next(); {
			if odd(e.Value()) {
				return true
			}
		}
		return v.Present && v.Type == codec.TypeSubnet && !v.Subnet().IsValid()
	}
	r := b.Records()
	for r.Next() {
		for i := range b.Fields {
			if odd(r.Value(i)) {
				return true
			}
		}
	}
	return false
}

// FuzzString is FuzzText with strings alone: in a column, in a set, and as an
// enum.
func FuzzString(tf *testing.F) {
	f := mutate.From(tf)
	for i, s := range hostilePieces {
		f.Add([]byte(s+"more text"+s), uint64(i))
		f.Add([]byte(s), uint64(i))
	}
	w, err := codec.NewBatchWriter(codec.BatchHeader{Stream: "T::LOG", Path: "t", Fields: []codec.Field{
		codec.NewField("s", codec.TypeString),
		codec.NewContainerField("set", codec.TypeTable, codec.TypeString),
		codec.NewField("e", codec.TypeEnum),
	}})
	if err != nil {
		f.Fatal(err)
	}
	var all formatters
	f.Fuzz(func(t *testing.T, s []byte, options uint64) {
		w.Start(nil)
		w.Bytes(s)
		w.Set(2)
		w.Bytes(s)
		w.Bytes(append([]byte("x"), s...))
		w.Enum(string(s))
		if err := w.EndRecord(); err != nil {
			t.Fatal(err)
		}
		f, o := all.of(t, options)
		checkTextOf(t, w.Finish(), f, o)
	})
}
