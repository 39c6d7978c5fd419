package codec_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/znode/znode/codec"
)

// raw builds batches by hand.
type raw []byte

func (r raw) u32(n ...uint32) raw {
	for _, v := range n {
		r = binary.BigEndian.AppendUint32(r, v)
	}
	return r
}

func (r raw) u64(n uint64) raw        { return binary.BigEndian.AppendUint64(r, n) }
func (r raw) bytes(b ...byte) raw     { return append(r, b...) }
func (r raw) str(s string) raw        { return append(r.u32(uint32(len(s))), s...) }
func (r raw) head(t uint32) raw       { return r.u32(t, 0).bytes(1) }
func (r raw) absent(t uint32) raw     { return r.u32(t, 0).bytes(0) }
func (r raw) column(n string) raw     { return r.bytes(0).str(n).u32(7, 0).bytes(1) }
func (r raw) repeat(n int, b raw) raw { return append(r, bytes.Repeat(b, n)...) }

// oneColumn is everything in front of the value of a batch with one record of
// one column, named "col".
func oneColumn() raw {
	return raw(nil).str("S::LOG").str("W").str("f").str("p").u32(1).column("col").u32(1)
}

// TestDefects has each kind of defect once, with the place it is reported at
// counted from the start of the value.
func TestDefects(t *testing.T) {
	base := len(oneColumn())
	for _, c := range []struct {
		name   string
		value  raw
		offset int
		reason error
		text   string
	}{
		{"no element", raw(nil).head(19).u64(2).head(7).str("123456789"), 9 + 8 + 22, codec.ErrTruncated, "value"},
		{"void", raw(nil).head(0).u64(0), 0, codec.ErrType, "type"},
		{"pattern", raw(nil).head(8).str("x"), 0, codec.ErrType, "type"},
		{"any", raw(nil).head(13).u64(0), 0, codec.ErrType, "type"},
		{"record", raw(nil).head(15).u64(0), 0, codec.ErrType, "type"},
		{"list", raw(nil).head(16).u64(0), 0, codec.ErrType, "type"},
		{"opaque", raw(nil).head(20).u64(0), 0, codec.ErrType, "type"},
		{"error", raw(nil).head(22).u64(0), 0, codec.ErrType, "type"},
		{"no such type", raw(nil).head(math.MaxUint32).u64(0), 0, codec.ErrType, "type"},
		{"short bool", raw(nil).head(1).u32(0), 9, codec.ErrTruncated, "bool"},
		{"short time", raw(nil).head(5).bytes(1, 2, 3, 4, 5, 6, 7), 9, codec.ErrTruncated, "time"},
		{"no string", raw(nil).head(7).bytes(0, 0, 0), 9, codec.ErrTruncated, "string"},
		{"short string", raw(nil).head(7).u32(4).bytes(1, 2, 3), 9, codec.ErrTruncated, "string"},
		{"huge enum", raw(nil).head(9).u32(math.MaxUint32).u64(1), 9, codec.ErrTruncated, "enum"},
		{"negative file", raw(nil).head(18).u32(1 << 31).u64(1), 9, codec.ErrTruncated, "file"},
		{"short port", raw(nil).head(10).u64(1).bytes(0, 0, 0), 9, codec.ErrTruncated, "port"},
		{"port 65536", raw(nil).head(10).u64(65536).u32(1), 9, codec.ErrRange, "port"},
		{"proto 4", raw(nil).head(10).u64(1).u32(4), 17, codec.ErrProto, "port"},
		{"no family", raw(nil).head(11), 9, codec.ErrTruncated, "addr"},
		{"family 5", raw(nil).head(11).bytes(5, 1, 2, 3, 4), 9, codec.ErrFamily, "addr"},
		{"short addr", raw(nil).head(11).bytes(4, 1, 2, 3), 9, codec.ErrTruncated, "addr"},
		{"short addr6", raw(nil).head(11).bytes(6).u64(1).u32(1).bytes(1, 2, 3), 9, codec.ErrTruncated, "addr"},
		{"subnet family", raw(nil).head(12).bytes(24, 0, 1, 2, 3, 4), 10, codec.ErrFamily, "subnet"},
		{"short subnet", raw(nil).head(12).bytes(120, 4, 1, 2, 3), 9, codec.ErrTruncated, "subnet"},
		{"no count", raw(nil).head(14).u32(0), 9, codec.ErrTruncated, "table"},
		{"negative count", raw(nil).head(19).u64(math.MaxUint64), 9, codec.ErrCount, "vector"},
		{"large count", raw(nil).head(14).u64(3).repeat(2, raw(nil).absent(7)).u64(0), 9, codec.ErrCount, "table"},
		{"element", raw(nil).head(19).u64(2).absent(7).head(15), 9 + 8 + 9, codec.ErrType, "type"},
		{"depth", raw(nil).repeat(65, raw(nil).head(19).u64(1)).absent(7), 64 * 17, codec.ErrDepth, "vector"},
	} {
		t.Run(c.name, func(t *testing.T) {
			payload := append(oneColumn(), c.value...)
			var b codec.Batch
			err := b.Decode(payload)
			var e *codec.Error
			if !errors.As(err, &e) || !errors.Is(err, c.reason) || e.Offset != base+c.offset || e.Record != 1 || e.FieldName() != "col" {
				t.Errorf("got %v, want %v at value offset %d", err, c.reason, c.offset)
			}
			if want := fmt.Sprintf(`codec: log batch: record 1: field "col": %s at offset %d: %v`, c.text, base+c.offset, c.reason); err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
			for _, format := range []codec.TextFormat{codec.FormatTSV, codec.FormatJSON} {
				f := newFormatter(t, func(o *codec.TextOptions) { o.Format = format })
				if err := b.DecodeHeader(payload); err != nil {
					t.Fatal(err)
				}
				// Bytes enough behind a short value must not make it whole.
				if got, err := f.AppendRecords(nil, &b); len(got) != 0 || !errors.Is(err, c.reason) {
					t.Errorf("%s: got %q, %v", format, got, err)
				}
			}
		})
	}
}

// TestDeepest nests as deep as may be.
func TestDeepest(t *testing.T) {
	payload := oneColumn().repeat(64, raw(nil).head(14).u64(1)).head(2).u64(1)
	var b codec.Batch
	if err := b.Decode(payload); err != nil {
		t.Fatal(err)
	}
	for format, want := range map[codec.TextFormat]string{
		codec.FormatTSV: "1\n", codec.FormatJSON: `{"col":` + strings.Repeat("[", 64) + "1" + strings.Repeat("]", 64) + "}\n",
	} {
		f := newFormatter(t, func(o *codec.TextOptions) { o.Format = format })
		if got, err := f.AppendRecords(nil, &b); string(got) != want || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
	}
}

func TestHeaderDefects(t *testing.T) {
	start := slices.Clip(raw(nil).str("S").str("W").str("f").str("p"))
	at := len(start)
	for _, c := range []struct {
		name    string
		payload raw
		offset  int
		reason  error
		text    string
	}{
		{"empty", nil, 0, codec.ErrTruncated, "stream"},
		{"writer", raw(nil).str("S").u32(9), 5, codec.ErrTruncated, "writer"},
		{"path", raw(nil).str("S").str("W").str("f").u32(math.MaxUint32), 15, codec.ErrTruncated, "path"},
		{"fields", start.u32(2).column("x").bytes(0, 0, 0, 0), at, codec.ErrCount, "num_fields"},
		{"many fields", start.u32(math.MaxUint32), at, codec.ErrCount, "num_fields"},
		{"secondary", start.u32(1).bytes(1).u32(200).u64(0).u64(0), at + 5, codec.ErrTruncated, "field.secondary_name"},
		{"field type", start.u32(1).bytes(0).str("x").u32(15, 0).bytes(0).u32(0), at + 10, codec.ErrType, "field.type"},
		{"subtype", start.u32(1).bytes(0).str("xyz").u32(7).bytes(0, 0), at + 16, codec.ErrTruncated, "field.subtype"},
		{"no records", start.u32(1).column("x"), at + 4 + 15, codec.ErrTruncated, "num_records"},
		{"records", start.u32(1).column("x").u32(2).absent(7), at + 4 + 15, codec.ErrCount, "num_records"},
		{"records of nothing", start.u32(0).u32(1).u64(0), at + 4, codec.ErrCount, "num_records"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b codec.Batch
			err := b.DecodeHeader(c.payload)
			want := fmt.Sprintf("codec: log batch: %s at offset %d: %v", c.text, c.offset, c.reason)
			if !errors.Is(err, c.reason) || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
			if b.Path != nil || len(b.Fields) != 0 || b.NumRecords != 0 || b.Schema() != nil {
				t.Errorf("batch not empty after an error: %+v", b)
			}
		})
	}
}

// TestCutEverywhere cuts real batches at every offset: an error each time,
// until only what Zeek ignores is missing.
func TestCutEverywhere(t *testing.T) {
	var b codec.Batch
	for _, payload := range [][]byte{goldenBatches(t, "vec")[0][:20000], goldenBatches(t, "own")[3]} {
		whole := b.Decode(payload) == nil
		for end := range payload {
			if b.Decode(payload[:end:end]) == nil {
				t.Fatalf("cut at %d of %d and not noticed", end, len(payload))
			}
		}
		if whole {
			if err := b.Decode(append(bytes.Clone(payload), "more"...)); err != nil {
				t.Errorf("bytes behind the batch: %v", err)
			}
		}
	}
}

// TestValues reads one value of each type through all accessors.
func TestValues(t *testing.T) {
	m := "2001:db8::1"
	values := []struct {
		data raw
		want string
	}{
		{raw(nil).head(1).u64(1), "true 0 0 0 0001-01-01T00:00:00Z 0s <nil> 0/unknown invalid invalid 0"},
		{raw(nil).head(2).u64(math.MaxUint64), "false -1 0 0 0001-01-01T00:00:00Z 0s <nil> 0/unknown invalid invalid 0"},
		{raw(nil).head(3).u64(math.MaxUint64), "false 0 18446744073709551615 0 0001-01-01T00:00:00Z 0s <nil> 0/unknown invalid invalid 0"},
		{raw(nil).head(4).u64(math.Float64bits(-1.5)), "false 0 0 -1.5 0001-01-01T00:00:00Z 0s <nil> 0/unknown invalid invalid 0"},
		{raw(nil).head(5).u64(math.Float64bits(-0.25)), "false 0 0 -0.25 1969-12-31T23:59:59.75Z 0s <nil> 0/unknown invalid invalid 0"},
		{raw(nil).head(6).u64(math.Float64bits(1e-9)), "false 0 0 1e-09 0001-01-01T00:00:00Z 1ns <nil> 0/unknown invalid invalid 0"},
		{raw(nil).head(7).str("a\x00b"), "false 0 0 0 0001-01-01T00:00:00Z 0s a\x00b 0/unknown invalid invalid 0"},
		{raw(nil).head(9).str(""), "false 0 0 0 0001-01-01T00:00:00Z 0s  0/unknown invalid invalid 0"},
		{raw(nil).head(10).u64(65535).u32(2), "false 0 0 0 0001-01-01T00:00:00Z 0s <nil> 65535/udp invalid invalid 0"},
		{raw(nil).head(11).bytes(4, 192, 0, 2, 1), "false 0 0 0 0001-01-01T00:00:00Z 0s <nil> 0/unknown 192.0.2.1 invalid 0"},
		{append(raw(nil).head(11).bytes(6), netip.MustParseAddr(m).AsSlice()...), "false 0 0 0 0001-01-01T00:00:00Z 0s <nil> 0/unknown " + m + " invalid 0"},
		{raw(nil).head(12).bytes(120, 4, 192, 0, 2, 0), "false 0 0 0 0001-01-01T00:00:00Z 0s <nil> 0/unknown invalid 192.0.2.0/24 0"},
		{raw(nil).head(12).bytes(24, 4, 192, 0, 2, 0), "false 0 0 0 0001-01-01T00:00:00Z 0s <nil> 0/unknown invalid invalid 0"},
		{raw(nil).head(19).u64(2).absent(3).head(3).u64(9), "false 0 0 0 0001-01-01T00:00:00Z 0s <nil> 0/unknown invalid invalid 2"},
		{raw(nil).absent(77), "false 0 0 0 0001-01-01T00:00:00Z 0s <nil> 0/unknown invalid invalid 0"},
	}
	for _, c := range values {
		var b codec.Batch
		if err := b.Decode(append(oneColumn(), c.data...)); err != nil {
			t.Fatal(err)
		}
		r := b.Records()
		r.Next()
		v := r.Value(0)
		addr, subnet := "invalid", "invalid"
		if v.Addr().IsValid() {
			addr = v.Addr().String()
		}
		if v.Subnet().IsValid() {
			subnet = v.Subnet().String()
		}
		text := "<nil>"
		if v.Bytes() != nil {
			text = string(v.Bytes())
		}
		got := fmt.Sprint(v.Bool(), " ", v.Int(), " ", v.Count(), " ", v.Double(), " ", v.Time().Format(time.RFC3339Nano), " ",
			v.Interval(), " ", text, " ", v.Port(), " ", addr, " ", subnet, " ", v.Len())
		if got != c.want {
			t.Errorf("%v\n got %q\nwant %q", v.Type, got, c.want)
		}
		n := 0
		for e := v.Elements(); e.Next(); n++ {
			if got := e.Value().Count(); got != []uint64{0, 9}[n] {
				t.Errorf("element %d is %d", n, got)
			}
		}
		if n != v.Len() {
			t.Errorf("%d elements of %d", n, v.Len())
		}
	}
}

// TestValueLimits converts times and intervals that Go cannot hold.
func TestValueLimits(t *testing.T) {
	for _, c := range []struct {
		seconds  float64
		time     string
		interval time.Duration
	}{
		{math.NaN(), "0001-01-01 00:00:00 +0000 UTC", 0},
		{math.Inf(1), "0001-01-01 00:00:00 +0000 UTC", math.MaxInt64},
		{-1e300, "0001-01-01 00:00:00 +0000 UTC", math.MinInt64},
		{0.9999999, "1970-01-01 00:00:01 +0000 UTC", 999999900},
		{1 << 33, "2242-03-16 12:56:32 +0000 UTC", 1 << 33 * time.Second},
		{1 << 34, "2514-05-30 01:53:04 +0000 UTC", math.MaxInt64},
	} {
		payload := raw(nil).str("S").str("W").str("f").str("p").u32(2).column("a").column("b").u32(1)
		payload = payload.head(5).u64(math.Float64bits(c.seconds)).head(6).u64(math.Float64bits(c.seconds))
		var b codec.Batch
		if err := b.Decode(payload); err != nil {
			t.Fatal(err)
		}
		r := b.Records()
		r.Next()
		if got := r.Value(0).Time().String(); got != c.time {
			t.Errorf("time %v: got %s, want %s", c.seconds, got, c.time)
		}
		if got := r.Value(1).Interval(); got != c.interval {
			t.Errorf("interval %v: got %d, want %d", c.seconds, got, c.interval)
		}
	}
}
