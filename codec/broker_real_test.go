package codec

import (
	"encoding/binary"
	"math"
	"testing"
)

// TestReal has what CAF packs a double into (detail/ieee_754.hpp) where that is
// not plain IEEE 754, on every way in and out.
func TestReal(t *testing.T) {
	var c Converter
	for _, r := range []struct {
		f    float64
		bits uint64
		json string
	}{
		{math.Inf(1), 0xfff0000000000000, `"inf"`},
		{math.Inf(-1), 0x7ff0000000000000, `"-inf"`},
		{math.NaN(), 0xffffffffffffffff, `"nan"`},
		{math.Float64frombits(0xfff8000000000001), 0xffffffffffffffff, `"nan"`},
		{math.Float64frombits(0x7ff0000000000001), 0xffffffffffffffff, `"nan"`},
		{0, 0, `0.000000`},
		{math.Copysign(0, -1), 1 << 63, `-0.000000`},
		{math.MaxFloat64, 0x7fefffffffffffff, ""},
		{-math.MaxFloat64, 0xffefffffffffffff, ""},
		{math.SmallestNonzeroFloat64, 1, ""},
		{0x1p-1022, 0x0010000000000000, ""},
	} {
		same := func(f float64) bool { return f == r.f && math.Signbit(f) == math.Signbit(r.f) || f != f && r.f != r.f }
		want := binary.BigEndian.AppendUint64([]byte{byte(KindReal)}, r.bits)
		d := RealData(r.f)
		got, err := d.Append(nil)
		if err != nil || string(got) != string(want) {
			t.Errorf("%v: Data.Append %x, %v", r.f, got, err)
		}
		if f, ok := d.AsReal(); !ok || !same(f) {
			t.Errorf("%v: Data.AsReal %v", r.f, f)
		}
		if f, ok := (DataView{want}).AsReal(); !ok || !same(f) {
			t.Errorf("%v: DataView.AsReal %v", r.f, f)
		}
		var b EventBuilder
		b.Start(nil, "x")
		b.Real(r.f)
		built, err := b.Finish()
		if err != nil || string(built[len(built)-9:]) != string(want) {
			t.Errorf("%v: EventBuilder.Real %x, %v", r.f, built, err)
		}
		event, err := AppendEventArgs(nil, "x", r.f)
		if err != nil || string(event) != string(built) {
			t.Errorf("%v: AppendEventArgs %x, %v", r.f, event, err)
		}
		var ev EventView
		var back float64
		if err := ev.Decode(event); err != nil {
			t.Fatal(err)
		} else if err := ev.Scan(&back); err != nil || !same(back) {
			t.Errorf("%v: Scan %v, %v", r.f, back, err)
		}
		if r.json == "" {
			continue
		}
		text, err := c.AppendJSON(nil, want)
		if err != nil || string(text) != jsonValue("real", r.json) {
			t.Errorf("%v: AppendJSON %s, %v", r.f, text, err)
		}
		if bin, err := c.AppendBin(nil, text); err != nil || string(bin) != string(want) {
			t.Errorf("%v: AppendBin %x, %v", r.f, bin, err)
		}
	}
}
