package codec_test

import (
	"bytes"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/znode/znode/codec"
)

// reencode writes a checked batch anew, value by value through the methods for
// their types.
func reencode(tb testing.TB, b *codec.Batch, dst []byte) []byte {
	tb.Helper()
	w, err := codec.NewBatchWriter(codec.BatchHeader{
		Stream: string(b.Stream), Writer: string(b.Writer), Filter: string(b.Filter), Path: string(b.Path), Fields: b.Fields,
	})
	if err != nil {
		tb.Fatal(err)
	}
	w.Start(dst)
	writeRecords(tb, w, b)
	return w.Finish()
}

func writeRecords(tb testing.TB, w *codec.BatchWriter, b *codec.Batch) {
	r := b.Records()
	for r.Next() {
		for i := range b.Fields {
			writeValue(w, r.Value(i))
		}
		if err := w.EndRecord(); err != nil {
			tb.Fatal(err)
		}
	}
	if r.Err() != nil {
		tb.Fatal(r.Err())
	}
}

func writeValue(w *codec.BatchWriter, v codec.Value) {
	if !v.Present {
		w.Unset()
		return
	}
	switch v.Type {
	case codec.TypeBool:
		w.Value(v) // a real Zeek writes 255 for some that are true
	case codec.TypeInt:
		w.Int(v.Int())
	case codec.TypeCount:
		w.Count(v.Count())
	case codec.TypeDouble:
		w.Double(v.Double())
	case codec.TypeTime:
		w.Timestamp(v.Double())
	case codec.TypeInterval:
		w.Seconds(v.Double())
	case codec.TypeString:
		w.Bytes(v.Bytes())
	case codec.TypeEnum, codec.TypeFunc, codec.TypeFile:
		w.Text(v.Type, v.Bytes())
	case codec.TypePort:
		w.Port(v.Port())
	case codec.TypeAddr:
		w.Addr(v.Addr())
	case codec.TypeSubnet:
		w.Subnet(v.Subnet())
	case codec.TypeTable, codec.TypeVector:
		if v.Type == codec.TypeTable {
			w.Set(v.Len())
		} else {
			w.Vector(v.Len())
		}
		for e := v.Elements(); e.Next(); {
			writeValue(w, e.Value())
		}
	}
}

// TestReencodeGolden writes what a real Zeek wrote.
func TestReencodeGolden(t *testing.T) {
	for i, payload := range allGolden(t) {
		var b codec.Batch
		if err := b.Decode(payload); err != nil {
			t.Fatal(err)
		}
		if got := reencode(t, &b, []byte("before")); string(got) != "before"+string(payload) {
			t.Errorf("batch %d differs", i)
		}
	}
}

// TestReencodeRandom does so with nesting, secondary names and all values.
func TestReencodeRandom(t *testing.T) {
	m := batchMaker{rng: seeded(t), tame: true}
	var b codec.Batch
	for range rounds(4000) {
		payload := m.batch(8, 5)
		if err := b.Decode(payload); err != nil {
			t.Fatal(err)
		}
		if got := reencode(t, &b, nil); !bytes.Equal(got, payload) {
			t.Fatalf("got  %x\nwant %x", got, payload)
		}
	}
}

// TestRelay copies values as they are, containers whole.
func TestRelay(t *testing.T) {
	m := batchMaker{rng: seeded(t), tame: true}
	payloads := allGolden(t)
	for range rounds(1000) {
		payloads = append(payloads, m.batch(8, 5))
	}
	var b codec.Batch
	for _, payload := range payloads {
		if err := b.Decode(payload); err != nil {
			t.Fatal(err)
		}
		w, err := codec.NewBatchWriter(codec.BatchHeader{Stream: string(b.Stream), Path: string(b.Path), Fields: b.Fields})
		if err != nil {
			t.Fatal(err)
		}
		w.Start(nil)
		r := b.Records()
		for r.Next() {
			for i := range b.Fields {
				w.Value(r.Value(i))
			}
			if err := w.EndRecord(); err != nil {
				t.Fatal(err)
			}
		}
		if got := w.Finish(); !bytes.Equal(got, payload) {
			t.Fatalf("got  %x\nwant %x", got, payload)
		}
	}
}

func testWriter(t *testing.T) *codec.BatchWriter {
	t.Helper()
	w, err := codec.NewBatchWriter(codec.BatchHeader{Stream: "T::LOG", Path: "t", Fields: []codec.Field{
		codec.NewField("n", codec.TypeCount),
		codec.NewContainerField("set", codec.TypeTable, codec.TypeAddr),
		codec.NewContainerField("deep", codec.TypeVector, codec.TypeVector),
	}})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestWriterMistakes makes one mistake per record. The record is dropped, the
// ones around it stay.
func TestWriterMistakes(t *testing.T) {
	addr := netip.MustParseAddr("192.0.2.1")
	for _, c := range []struct {
		name   string
		write  func(w *codec.BatchWriter)
		reason error
		text   string
	}{
		{"nothing", func(w *codec.BatchWriter) {}, codec.ErrRecord, `field "n": missing values`},
		{"too few", func(w *codec.BatchWriter) { w.Count(1) }, codec.ErrRecord, `field "set"`},
		{"too many", func(w *codec.BatchWriter) { w.Count(1); w.Unset(); w.Unset(); w.Unset() }, codec.ErrRecord, "too many values"},
		{"type", func(w *codec.BatchWriter) { w.Int(1) }, codec.ErrMismatch, `record 2: field "n": int`},
		{"element", func(w *codec.BatchWriter) { w.Count(1); w.Set(2); w.Addr(addr); w.Port(codec.Port{}) }, codec.ErrMismatch, "port"},
		{"short set", func(w *codec.BatchWriter) { w.Count(1); w.Set(2); w.Addr(addr) }, codec.ErrRecord, `field "set"`},
		{"negative", func(w *codec.BatchWriter) { w.Count(1); w.Set(-1) }, codec.ErrRange, `field "set"`},
		{"no address", func(w *codec.BatchWriter) { w.Count(1); w.Set(1); w.Addr(netip.Addr{}) }, codec.ErrFamily, "addr"},
		{"no subnet", func(w *codec.BatchWriter) { w.Subnet(netip.Prefix{}) }, codec.ErrRange, "subnet"},
		{"protocol", func(w *codec.BatchWriter) { w.Port(codec.Port{Proto: 4}) }, codec.ErrProto, "port"},
		{"not text", func(w *codec.BatchWriter) { w.Text(codec.TypeCount, nil) }, codec.ErrMismatch, "count"},
		{"deep", func(w *codec.BatchWriter) {
			w.Count(1)
			w.Unset()
			for range codec.MaxDepth + 1 {
				w.Vector(1)
			}
		}, codec.ErrDepth, `field "deep"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := testWriter(t)
			good := func() {
				t.Helper()
				w.Count(7)
				w.Set(1)
				w.Addr(addr)
				w.Unset()
				if err := w.EndRecord(); err != nil {
					t.Fatal(err)
				}
			}
			w.Start(nil)
			good()
			c.write(w)
			err := w.EndRecord()
			if !errors.Is(err, c.reason) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("got %v, want %v with %q", err, c.reason, c.text)
			}
			good()
			if w.Records() != 2 {
				t.Errorf("%d records", w.Records())
			}
			size := w.Size()
			payload := w.Finish()
			var b codec.Batch
			if err := b.Decode(payload); err != nil || b.NumRecords != 2 || len(payload) != size {
				t.Errorf("batch of %d bytes, announced %d: %d records, %v", len(payload), size, b.NumRecords, err)
			}
		})
	}
}

func TestWriterOutsideBatch(t *testing.T) {
	w := testWriter(t)
	w.Count(1)
	if err := w.EndRecord(); !errors.Is(err, codec.ErrRecord) || !strings.Contains(err.Error(), "not started") {
		t.Errorf("got %v", err)
	}
	if got := w.Finish(); len(got) != 0 {
		t.Errorf("batch out of nothing: %x", got)
	}
}

func TestWriterHeader(t *testing.T) {
	for _, c := range []struct {
		name string
		h    codec.BatchHeader
	}{
		{"no path", codec.BatchHeader{Stream: "T::LOG"}},
		{"type", codec.BatchHeader{Path: "t", Fields: []codec.Field{codec.NewField("r", codec.TypeRecord)}}},
		{"element", codec.BatchHeader{Path: "t", Fields: []codec.Field{codec.NewField("s", codec.TypeTable)}}},
	} {
		if _, err := codec.NewBatchWriter(c.h); err == nil {
			t.Errorf("%s: accepted", c.name)
		}
	}
}

// TestWriterTimes checks the conversions from Go's times, there and back.
func TestWriterTimes(t *testing.T) {
	w, err := codec.NewBatchWriter(codec.BatchHeader{Stream: "T::LOG", Path: "t", Fields: []codec.Field{
		codec.NewField("ts", codec.TypeTime), codec.NewField("d", codec.TypeInterval),
	}})
	if err != nil {
		t.Fatal(err)
	}
	rng := seeded(t)
	for range rounds(20_000) {
		at := time.UnixMicro(rng.Int64N(1<<52) - 1<<50).UTC()
		d := time.Duration(rng.Int64() >> (12 + rng.IntN(50)))
		w.Start(nil)
		w.Time(at)
		w.Interval(d)
		if err := w.EndRecord(); err != nil {
			t.Fatal(err)
		}
		var b codec.Batch
		if err := b.Decode(w.Finish()); err != nil {
			t.Fatal(err)
		}
		r := b.Records()
		r.Next()
		if got := r.Value(0).Time(); !got.Equal(at) {
			t.Fatalf("%v became %v", at, got)
		}
		if got := r.Value(1).Interval(); got != d {
			t.Fatalf("%v became %v", d, got)
		}
	}
}
