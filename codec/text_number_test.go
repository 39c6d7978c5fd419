package codec_test

import (
	"math"
	"net/netip"
	"strconv"
	"testing"

	"github.com/znode/znode/codec"
)

// TestPutNumbers compares with strconv: all lengths, and random numbers of
// each.
func TestPutNumbers(t *testing.T) {
	var buf [codec.TextRoom]byte
	check := func(v uint64) {
		if got, want := string(buf[:codec.PutUint(buf[:], 0, v)]), strconv.FormatUint(v, 10); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
		i := int64(v)
		if got, want := string(buf[:codec.PutInt(buf[:], 0, i)]), strconv.FormatInt(i, 10); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	}
	for v := range uint64(1_100_000) {
		check(v)
	}
	for p := uint64(1e6); p <= 1e19 && p != 0; p *= 10 {
		check(p - 1)
		check(p)
		check(-p)
	}
	check(math.MaxUint64)
	check(1 << 63)
	rng := seeded(t)
	for range rounds(300_000) {
		check(rng.Uint64() >> rng.IntN(64))
	}
}

// TestPutAddrs compares with netip, except where Zeek differs from it.
func TestPutAddrs(t *testing.T) {
	var buf [codec.TextRoom]byte
	check6 := func(a [16]byte) {
		if got, want := string(buf[:codec.PutAddr6(buf[:], 0, a[:])]), slowAddr(netip.AddrFrom16(a)); got != want {
			t.Fatalf("%x: got %s, want %s", a, got, want)
		}
	}
	for b := range uint32(256) {
		a := netip.AddrFrom4([4]byte{byte(b), byte(b + 77), byte(b + 154), byte(b + 231)})
		bytes := a.As4()
		n := codec.PutAddr4(buf[:], 0, uint32(bytes[0])<<24|uint32(bytes[1])<<16|uint32(bytes[2])<<8|uint32(bytes[3]))
		if got := string(buf[:n]); got != a.String() {
			t.Fatalf("got %s, want %s", got, a)
		}
	}
	// Every pattern of zero groups, with the others small, large and ffff.
	for zeros := range 256 {
		for _, fill := range [][2]byte{{0, 1}, {0xff, 0xff}, {0x20, 0}, {0, 0x10}} {
			var a [16]byte
			for g := range 8 {
				if zeros>>g&1 == 0 {
					a[2*g], a[2*g+1] = fill[0], fill[1]
				}
			}
			check6(a)
			a[15]++
			check6(a)
		}
	}
	rng := seeded(t)
	for range rounds(100_000) {
		var a [16]byte
		for i := range a {
			a[i] = byte(rng.Uint32()) * byte(rng.IntN(3)&1)
		}
		check6(a)
		copy(a[:], "\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\x00\x00"[rng.IntN(3):])
		check6(a)
	}
}

// The addresses for which RFC 5952 leaves a choice, with Zeek's.
func TestPutAddr6Known(t *testing.T) {
	for in, want := range map[string]string{
		"::":                           "::",
		"::1":                          "::1",
		"::1:0":                        "::0.1.0.0",
		"::102:304":                    "::1.2.3.4",
		"::ffff:1.2.3.4":               "::ffff:1.2.3.4",
		"::ffff:0:102:304":             "::ffff:0:1.2.3.4",
		"1::":                          "1::",
		"1:0:0:2:0:0:0:3":              "1:0:0:2::3",
		"1:0:0:2:3:0:0:4":              "1::2:3:0:0:4",
		"0:1:0:1:0:1:0:1":              "0:1:0:1:0:1:0:1",
		"2001:DB8:0:0:8:800:200C:417A": "2001:db8::8:800:200c:417a",
	} {
		a := netip.MustParseAddr(in).As16()
		var buf [codec.TextRoom]byte
		if got := string(buf[:codec.PutAddr6(buf[:], 0, a[:])]); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

// TestISO8601 has the borders of C's calendar and of the microseconds, as
// printed by a C library, and compares others with package time.
func TestISO8601(t *testing.T) {
	var buf [codec.TextRoom]byte
	iso := func(s float64) string { return string(buf[:codec.PutISO8601(buf[:], 0, s)]) }
	for _, c := range []struct {
		seconds float64
		want    string
	}{
		{0, `"1970-01-01T00:00:00.000000Z"`},
		{-1e-20, `"1969-12-31T23:59:59.1000000Z"`},
		{math.Nextafter(1700000001, 0), `"2023-11-14T22:13:20.1000000Z"`},
		{-62135596801, `"0-12-31T23:59:59.000000Z"`},
		{-62167219201, `"-1-12-31T23:59:59.000000Z"`},
		{-99999999999, `"-1199-02-15T14:13:21.000000Z"`},
		{-59011459200, `"100-01-01T00:00:00.000000Z"`},
		{253402300800, `"10000-01-01T00:00:00.000000Z"`},
		{67767976233532799, `"-2147483648-01-01T00:00:00.000000Z"`},
		{67768036191676792, `"-2147481749-12-31T23:59:52.000000Z"`},
		{67768036191676800, `"2000-01-01T00:00:00.000000"`},
		{-67768040609740800, `"-2147481748-01-01T00:00:00.000000Z"`},
		{-67768040609740808, `"2000-01-01T00:00:00.000000"`},
		{math.NaN(), `"2000-01-01T00:00:00.000000"`},
		{math.Inf(1), `"2000-01-01T00:00:00.000000"`},
		{-1e300, `"2000-01-01T00:00:00.000000"`},
	} {
		if got := iso(c.seconds); got != c.want {
			t.Errorf("%v: got %s, want %s", c.seconds, got, c.want)
		}
	}
	rng := seeded(t)
	for range rounds(100_000) {
		s := math.Ldexp(rng.Float64()-0.5, rng.IntN(58))
		if got, want := iso(s), slowISO8601(s); got != want {
			t.Fatalf("%v: got %s, want %s", s, got, want)
		}
	}
}
