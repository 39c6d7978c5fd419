package codec

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"
)

// seededRand returns random numbers whose seed a failing test prints.
func seededRand(t testing.TB) *rand.Rand {
	seed := rand.Uint64()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	})
	return rand.New(rand.NewPCG(seed, 0))
}

// rounds is how often to try random input: fewer times with -short, which is for
// emulators.
func rounds(n int) int {
	if testing.Short() {
		return n / 20
	}
	return n
}

// interesting numbers, which random ones hardly ever are.
var interesting = []uint64{
	0, 1, 2, 127, 128, 255, 1000, 1e6, 1e9, 1e9 - 1, 1 << 53, math.MaxInt64, 1 << 63, math.MaxUint64, math.MaxUint64 - 1,
	math.Float64bits(1), math.Float64bits(0.1), math.Float64bits(-2.5), math.Float64bits(1e300), math.Float64bits(math.Inf(1)),
	math.Float64bits(math.Inf(-1)), math.Float64bits(math.NaN()), 0xfff8000000000001, math.Float64bits(123456789.123457),
}

func randomText(r *rand.Rand) string {
	b := make([]byte, r.IntN(8))
	for i := range b {
		switch r.IntN(3) {
		case 0:
			b[i] = byte(r.Uint32())
		case 1:
			const odd = "\\\"/\v\b\n\t\x00\x1f\x7f\xc3\xa9\xed\xf3\xb0\x82"
			b[i] = odd[r.IntN(len(odd))]
		default:
			b[i] = byte('a' + r.IntN(3))
		}
	}
	return string(b)
}

// randomData returns a value that can be written, with at most depth
// containers in each other.
func randomData(r *rand.Rand, depth int) Data {
	word := interesting[r.IntN(len(interesting))]
	if r.IntN(2) == 0 {
		word = r.Uint64() >> r.IntN(64)
	}
	var addr [16]byte
	for i := range addr {
		if r.IntN(3) == 0 {
			addr[i] = byte(r.Uint32())
		}
	}
	a := netip.AddrFrom16(addr)
	if r.IntN(2) == 0 {
		a = netip.AddrFrom4([4]byte(addr[12:]))
	}
	kinds := int(KindVector) + 1
	if depth == 0 {
		kinds = int(KindSet)
	}
	switch k := Kind(r.IntN(kinds)); k {
	case KindBoolean:
		return BoolData(word&1 != 0)
	case KindCount, KindInteger, KindTimestamp, KindTimespan:
		return Data{kind: k, num: word}
	case KindReal:
		return RealData(math.Float64frombits(word))
	case KindString:
		return StringData(randomText(r))
	case KindEnum:
		return EnumData(randomText(r))
	case KindAddress:
		return AddressData(a)
	case KindSubnet:
		return SubnetData(netip.PrefixFrom(a, r.IntN(a.BitLen()+1)))
	case KindPort:
		return PortData(Port{uint16(word), Proto(r.IntN(4))})
	case KindSet, KindTable, KindVector:
		return randomContainer(r, k, depth-1)
	}
	return Data{}
}

func randomContainer(r *rand.Rand, k Kind, depth int) Data {
	var list []Data
	for range r.IntN(5) {
		e := randomData(r, depth)
		if k != KindVector && slices.ContainsFunc(list, func(x Data) bool { return x.Compare(e) == 0 }) {
			continue
		}
		list = append(list, e)
	}
	switch k {
	case KindSet:
		return SetData(list...)
	case KindVector:
		return VectorData(list...)
	}
	pairs := make([]Pair, len(list))
	for i, key := range list {
		pairs[i] = Pair{key, randomData(r, depth)}
	}
	return TableData(pairs...)
}

// TestDataRoundTrip writes random values and reads them back: as bytes, as
// JSON as far as it keeps the value, and in place.
func TestDataRoundTrip(t *testing.T) {
	r := seededRand(t)
	var c Converter
	for range rounds(20000) {
		d := randomData(r, 4)
		b, err := d.Append(nil)
		if err != nil {
			t.Fatalf("%v: %v", d, err)
		}
		v, err := DecodeData(b)
		if err != nil {
			t.Fatalf("%x: %v", b, err)
		}
		if !v.Data().Equal(d) || v.String() != d.String() {
			t.Fatalf("%v became %v", d, v)
		}
		text, err := c.AppendJSON(nil, b)
		if err != nil {
			t.Fatal(err)
		}
		back, err := c.AppendBin(nil, text)
		if err != nil {
			if errors.Is(err, ErrDuplicate) {
				continue // elements that differ in what JSON leaves out
			}
			t.Fatalf("%s: %v", text, err)
		}
		again, err := c.AppendJSON(nil, back)
		if err != nil || !bytes.Equal(again, text) && !lossy(v) {
			t.Fatalf("%s\n%s: %v", text, again, err)
		}
		if !lossy(v) && !bytes.Equal(back, b) {
			t.Fatalf("%v\n%x\n%x", d, b, back)
		}
	}
}

// TestDataOrder has a list in Broker's order, from the kinds' ranks and the
// comparisons in variant_data.cc, and compares all with all in three ways.
func TestDataOrder(t *testing.T) {
	addr, prefix := netip.MustParseAddr, netip.MustParsePrefix
	ordered := []Data{
		{},
		BoolData(false), BoolData(true),
		CountData(0), CountData(1 << 63),
		IntegerData(math.MinInt64), IntegerData(-1), IntegerData(0), IntegerData(5),
		RealData(math.NaN()), RealData(math.Inf(-1)), RealData(-1), RealData(0), RealData(0.5), RealData(math.Inf(1)),
		StringData(""), StringData("a"), StringData("aa"), StringData("b"), StringData("\xff"),
		AddressData(addr("::")), AddressData(addr("::1")), AddressData(addr("1.2.3.4")), AddressData(addr("1:0::")), AddressData(addr("2001:db8::")),
		SubnetData(prefix("::/0")), SubnetData(prefix("10.0.0.0/8")), SubnetData(prefix("10.0.0.0/9")), SubnetData(prefix("2001:db8::/32")),
		PortData(Port{1, ProtoICMP}), PortData(Port{2, ProtoUnknown}), PortData(Port{2, ProtoTCP}), PortData(Port{2, ProtoUDP}), PortData(Port{256, ProtoUnknown}),
		TimestampData(time.Unix(-1, 0)), TimestampData(time.Unix(1, 0)),
		TimespanData(-1), TimespanData(0), TimespanData(1),
		EnumData("A"), EnumData("B"),
		SetData(), SetData(CountData(1)), SetData(CountData(2), CountData(1)), SetData(CountData(2)),
		TableData(), TableData(Pair{CountData(1), CountData(1)}), TableData(Pair{CountData(1), CountData(2)}), TableData(Pair{CountData(2), CountData(0)}),
		VectorData(), VectorData(CountData(1)), VectorData(CountData(1), Data{}), VectorData(CountData(2)), VectorData(StringData("")),
	}
	sign := func(n int) int { return compareOrdered(int64(n), 0) }
	for i, x := range ordered {
		for j, y := range ordered {
			want := sign(i - j)
			a, errA := x.Append(nil)
			b, errB := y.Append(nil)
			if errA != nil || errB != nil {
				t.Fatal(errA, errB)
			}
			c, ni, nj := brokerCompare(a, 0, b, 0)
			if sign(c) != want || sign(x.Compare(y)) != want || x.Equal(y) != (want == 0) {
				t.Errorf("%v against %v: %d, %d, want %d", x, y, c, x.Compare(y), want)
			}
			if want == 0 && (ni != len(a) || nj != len(b)) {
				t.Errorf("%v: ends at %d, %d", x, ni, nj)
			}
		}
	}
	shuffled := slices.Clone(ordered)
	seededRand(t).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	want, err := SetData(ordered...).Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := SetData(shuffled...).Append(nil); err != nil || !bytes.Equal(got, want) {
		t.Errorf("set in another order is written differently: %v", err)
	}
	inVector := appendVarbyte([]byte{byte(KindSet)}, len(shuffled))
	for _, d := range shuffled {
		inVector, _ = d.Append(inVector)
	}
	v, err := DecodeData(inVector)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := v.Data().Append(nil); err != nil || !bytes.Equal(got, want) {
		t.Errorf("read out of order: %v", err)
	}
}

func TestDataRefused(t *testing.T) {
	for _, d := range []Data{
		SetData(CountData(1), CountData(1)),
		SetData(RealData(0), CountData(1), RealData(math.Copysign(0, -1))),
		TableData(Pair{CountData(1), CountData(1)}, Pair{CountData(1), CountData(2)}),
		VectorData(SetData(VectorData(), VectorData())),
	} {
		dst := []byte("kept")
		got, err := d.Append(dst)
		var e *Error
		if !errors.Is(err, ErrDuplicate) || !errors.As(err, &e) || string(got) != "kept" {
			t.Errorf("%v: %q, %v", d, got, err)
		}
		if got, err := d.AppendJSON(dst); !errors.Is(err, ErrDuplicate) || string(got) != "kept" {
			t.Errorf("%v: %q, %v", d, got, err)
		}
	}
}

func TestDataLimits(t *testing.T) {
	for _, c := range []struct {
		at   time.Time
		want int64
	}{
		{time.Time{}, math.MinInt64},
		{time.Unix(0, math.MinInt64), math.MinInt64},
		{time.Unix(0, math.MinInt64).Add(-1), math.MinInt64},
		{time.Unix(0, math.MinInt64).Add(1), math.MinInt64 + 1},
		{time.Unix(0, -1), -1},
		{time.Unix(0, math.MaxInt64), math.MaxInt64},
		{time.Unix(0, math.MaxInt64).Add(1), math.MaxInt64},
		{time.Unix(0, math.MaxInt64).Add(-1), math.MaxInt64 - 1},
		{time.Unix(9223372036, 0), 9223372036e9},
		{time.Unix(1<<40, 0), math.MaxInt64},
	} {
		if got := unixNano(c.at); got != c.want {
			t.Errorf("%v: %d, want %d", c.at, got, c.want)
		}
	}
	if AddressData(netip.Addr{}).Kind() != KindNone || SubnetData(netip.Prefix{}).Kind() != KindNone {
		t.Error("invalid address has a value")
	}
	a, _ := AddressData(netip.MustParseAddr("::ffff:1.2.3.4")).AsAddress()
	p, _ := SubnetData(netip.MustParsePrefix("10.1.2.3/8")).AsSubnet()
	zoned, _ := AddressData(netip.MustParseAddr("fe80::1%eth0")).AsAddress()
	if a.String() != "1.2.3.4" || p.String() != "10.0.0.0/8" || zoned.String() != "fe80::1" {
		t.Error(a, p, zoned)
	}
	if p, _ := PortData(Port{1, 9}).AsPort(); p.Proto != ProtoUnknown {
		t.Error(p)
	}
}
