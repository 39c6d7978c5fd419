package codec_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/znode/znode/codec"
	"github.com/znode/znode/fuzz/mutate"
)

// seeded is a random source whose seed the test prints, so that a failure can
// be had again.
func seeded(tb testing.TB) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	tb.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// rounds is how often a random test tries: less with -short.
func rounds(n int) int {
	if testing.Short() {
		return n / 20
	}
	return n
}

// randomDouble draws from all kinds: any bits, timestamps, differences of them,
// short decimals, subnormals, the neighbours of powers of two.
func randomDouble(rng *rand.Rand) float64 {
	const now = 1_790_000_000_000_000
	micros := func() float64 { return float64(now+rng.Int64N(20_000_000)) / 1e6 }
	switch rng.IntN(11) {
	case 0, 1:
		return math.Float64frombits(rng.Uint64())
	case 2:
		return float64(rng.Int64N(5*now)) / 1e6
	case 3:
		return micros() - micros()
	case 4:
		return float64(rng.Int64N(1<<rng.IntN(62)+1)) / math.Pow10(rng.IntN(20))
	case 5:
		return math.Float64frombits(rng.Uint64() >> (12 + rng.IntN(50)))
	case 6:
		return math.Ldexp(float64(rng.Uint64()>>11), rng.IntN(100)-85)
	case 7:
		return math.Float64frombits(math.Float64bits(math.Ldexp(1, rng.IntN(2098)-1074)) + uint64(rng.IntN(5)) - 2)
	case 8:
		return float64(rng.Int64N(1<<rng.IntN(53)+1)) / 1e9
	case 9:
		// Next to the middle between two billionths.
		return math.Float64frombits(math.Float64bits((float64(rng.Int64N(1<<rng.IntN(52)+1))+0.5)/1e9) + uint64(rng.IntN(5)) - 2)
	}
	// Next to the middle between two millionths.
	return math.Float64frombits(math.Float64bits((float64(rng.Int64N(1<<rng.IntN(50)+1))+0.5)/1e6) + uint64(rng.IntN(5)) - 2)
}

// edgeDoubles are where layouts and roundings change.
func edgeDoubles() []float64 {
	out := []float64{0, 5e-324, math.MaxFloat64, math.SmallestNonzeroFloat64 * 3, 2.2250738585072014e-308, 1e21, 1e22,
		999999999999999900000, 1e20, 123456789012345680000, 1e-5, 1e-6, 1e-7, 0.9999995, 0.9999994999, 0.5e-6, 1.5e-6, 2.5e-6,
		1e-9, 1e-10, 9.99e-10, 1.000000001, 1.0000000009, 0.1, 0.2, 0.3, 1700000000.123456, 9007199254740993, 1 << 53, 1 << 63,
		8796093022207.999, 8796093022208, 8589934592.5, 8589934591.999999, 1048575.999999999, 1048576, 1048576.000001, 12.5, 3.000000001, 0.00048828125, 0.000244140625, 4.76837158203125e-07,
		1<<32 - 0.5, 1e15, 1e15 + 0.3, 4503599627370497.5, 2251799813685249.25, math.Inf(1), math.NaN()}
	for i := range len(out) {
		out = append(out, -out[i], math.Nextafter(out[i], 0), math.Nextafter(out[i], math.Inf(1)))
	}
	return append(out, math.Copysign(math.NaN(), -1))
}

func jsonDouble(d float64) string {
	var buf [codec.TextRoom]byte
	return string(buf[:codec.PutJSONDouble(buf[:], 0, d)])
}

func checkDouble(t *testing.T, d float64) {
	t.Helper()
	if got, want := jsonDouble(d), slowJSONDouble(d); got != want {
		t.Errorf("JSON of %x: got %s, want %s", math.Float64bits(d), got, want)
	}
	for _, typ := range []codec.Type{codec.TypeDouble, codec.TypeTime} {
		want := slowTSVDouble(d, typ)
		if got := codec.TSVDouble(d, typ); got != want {
			t.Errorf("TSV of %v %x: got %s, want %s", typ, math.Float64bits(d), got, want)
		}
		if got := codec.SlowTSVDouble(d, typ); got != want {
			t.Errorf("TSV of %v %x, declined: got %s, want %s", typ, math.Float64bits(d), got, want)
		}
	}
}

// TestDoubles compares with the oracles, and what JSON shows with the double it
// is read as.
func TestDoubles(t *testing.T) {
	for _, d := range edgeDoubles() {
		checkDouble(t, d)
	}
	rng := seeded(t)
	for range rounds(12_000) {
		d := randomDouble(rng)
		checkDouble(t, d)
		if math.IsNaN(d) || math.IsInf(d, 0) {
			continue
		}
		text := jsonDouble(d)
		if back, err := strconv.ParseFloat(text, 64); err != nil || back != d {
			t.Errorf("%x became %s, which reads as %v, %v", math.Float64bits(d), text, back, err)
		}
		if t.Failed() {
			return
		}
	}
}

// TestShortUnits aims at the paths for timestamps and measured durations: more of
// them, and that most take them.
func TestShortUnits(t *testing.T) {
	for _, c := range []struct {
		scale      uint64
		bits, more int // of the number of units
	}{{1e6, 30, 24}, {1e9, 24, 26}} {
		t.Run(fmt.Sprint(c.scale), func(t *testing.T) {
			rng := seeded(t)
			taken, n := 0, rounds(15_000)
			for range n {
				d := float64(rng.Int64N(1<<(c.bits+rng.IntN(c.more)))) / float64(c.scale)
				if rng.IntN(4) == 0 {
					d = math.Nextafter(d, rng.Float64()*1e10)
				} else if _, ok := codec.ShortUnits(math.Float64bits(d), c.scale); ok {
					taken++
				}
				if got, want := jsonDouble(d), slowJSONDouble(d); got != want {
					t.Fatalf("JSON of %x: got %s, want %s", math.Float64bits(d), got, want)
				}
			}
			if taken < n/2 {
				t.Errorf("only %d of %d took the short path", taken, n)
			}
		})
	}
}

// TestGrisuTables checks the powers and the choice among them for every
// exponent that a double can have.
func TestGrisuTables(t *testing.T) {
	for i := range codec.GrisuPowers {
		f, e, power := codec.GrisuPower(i)
		if wantF, wantE := bigPower(power); f != wantF || e != wantE {
			t.Errorf("10^%d: got %x * 2^%d, want %x * 2^%d", power, f, e, wantF, wantE)
		}
	}
	for e := -1074 - 63; e <= 971-11; e++ {
		_, _, power := codec.GrisuPower(codec.GrisuIndex(e))
		if want := powerFor(e); power != want {
			t.Errorf("exponent %d: got 10^%d, want 10^%d", e, power, want)
		}
	}
}

// TestRoundMicros compares with exact arithmetic.
func TestRoundMicros(t *testing.T) {
	rng := seeded(t)
	for range rounds(12_000) {
		d := math.Abs(randomDouble(rng))
		q, ok := codec.RoundMicros(d)
		if !ok {
			if d < 1<<43 {
				t.Fatalf("%v declined", d)
			}
			continue
		}
		// A big.Float holds the product exactly; Text rounds to even.
		x := new(big.Float).SetPrec(120).SetFloat64(d)
		x.Mul(x, big.NewFloat(1e6))
		if want := x.Text('f', 0); fmt.Sprint(q) != want {
			t.Fatalf("%v: got %d, want %s", d, q, want)
		}
	}
}

func FuzzDouble(tf *testing.F) {
	f := mutate.From(tf)
	for _, d := range edgeDoubles() {
		f.Add(binary.BigEndian.AppendUint64(nil, math.Float64bits(d)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 8 {
			checkDouble(t, math.Float64frombits(binary.BigEndian.Uint64(b)))
		}
	})
}
