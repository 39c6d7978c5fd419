package codec_test

import (
	"fmt"
	"math"
	"math/big"
	"strings"

	"github.com/znode/znode/codec"
)

// The oracles for doubles: what the fast code must print, computed with big
// integers and no tricks.

// slowJSONDouble is Grisu2 with RapidJSON's layout.
func slowJSONDouble(d float64) string {
	if math.IsNaN(d) || math.IsInf(d, 0) {
		return "null"
	}
	sign := ""
	if math.Signbit(d) {
		sign = "-"
	}
	d = math.Abs(d)
	if d == 0 {
		return sign + "0.0"
	}
	digits, k := slowGrisu2(d)
	return sign + slowLayout(digits, k)
}

// slowGrisu2 follows the paper: scale the double and its neighbours' borders by
// a power of ten rounded to 64 bits, keep one unit away from the borders, and
// cut digits off the upper one while the rest stays inside.
func slowGrisu2(d float64) (digits string, k int) {
	frac, exp := math.Frexp(d)
	f, e := uint64(math.Ldexp(frac, 53)), exp-53
	if e < -1074 { // subnormal
		f, e = math.Float64bits(d), -1074
	}
	// Quarter units, so that all borders are integers.
	w, up, down := f*4, f*4+2, f*4-2
	if f == 1<<52 {
		down = f*4 - 1
	}
	e -= 2
	for w < 1<<63 {
		w, up, down, e = w*2, up*2, down*2, e-1
		if w > math.MaxUint64-(up-w) {
			panic("border does not fit 64 bits")
		}
	}
	k = -powerFor(e)
	c, ce := bigPower(-k)
	shift := uint(-(e + ce + 64))
	W, wp, wm := scale(w, c), scale(up, c), scale(down, c)
	wp.Sub(wp, big.NewInt(1))
	wm.Add(wm, big.NewInt(1))
	delta := new(big.Int).Sub(wp, wm)
	gap := new(big.Int).Sub(wp, W)

	// With kappa < 0 everything is multiplied by ten instead of the unit.
	for kappa := 20; ; kappa-- {
		unit := new(big.Int).Lsh(big.NewInt(1), shift)
		if kappa > 0 {
			unit.Mul(unit, pow10(kappa))
		}
		more := pow10(max(0, -kappa))
		upper, limit, aim := mul(wp, more), mul(delta, more), mul(gap, more)
		q, rest := new(big.Int).QuoRem(upper, unit, new(big.Int))
		if q.Sign() == 0 || rest.Cmp(limit) > 0 || kappa < 0 && rest.Cmp(limit) == 0 {
			continue
		}
		for rest.Cmp(aim) < 0 {
			next := new(big.Int).Add(rest, unit)
			if next.Cmp(limit) > 0 || distance(next, aim).Cmp(distance(rest, aim)) >= 0 && next.Cmp(aim) >= 0 {
				break
			}
			rest = next
			q.Sub(q, big.NewInt(1))
		}
		return q.String(), k + kappa
	}
}

// powerFor is the power of ten that brings a 64-bit significand with exponent e
// into range; RapidJSON has every eighth.
func powerFor(e int) int {
	x := new(big.Float).SetPrec(200).SetFloat64(0.30102999566398114)
	x.Mul(x, big.NewFloat(float64(-61-e)))
	up := int(math.Ceil(func() float64 { f, _ := x.Float64(); return f }()))
	return (up+347)/8*8 + 8 - 348
}

// bigPower is 10^k as f * 2^e with f rounded to 64 bits.
func bigPower(k int) (f uint64, e int) {
	x := new(big.Float).SetPrec(2000).SetInt(pow10(max(k, -k)))
	if k < 0 {
		x.Quo(new(big.Float).SetPrec(2000).SetInt64(1), x)
	}
	x.SetPrec(64)
	e = x.MantExp(x) - 64
	f, _ = x.SetMantExp(x, 64).Uint64()
	return f, e
}

func pow10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

func mul(x, y *big.Int) *big.Int { return new(big.Int).Mul(x, y) }

func distance(x, y *big.Int) *big.Int {
	d := new(big.Int).Sub(x, y)
	return d.Abs(d)
}

// scale is x * y / 2^64, rounded half up.
func scale(x, y uint64) *big.Int {
	p := mul(new(big.Int).SetUint64(x), new(big.Int).SetUint64(y))
	p.Add(p, new(big.Int).Lsh(big.NewInt(1), 63))
	return p.Rsh(p, 64)
}

// slowLayout writes digits * 10^k as RapidJSON does.
func slowLayout(digits string, k int) string {
	point := len(digits) + k
	switch {
	case k >= 0 && point <= 21:
		return digits + strings.Repeat("0", k) + ".0"
	case point > 0 && point <= 21:
		return digits[:point] + "." + digits[point:]
	case point > -6 && point <= 0:
		return "0." + strings.Repeat("0", -point) + digits
	case len(digits) == 1:
		return fmt.Sprintf("%se%d", digits, point-1)
	}
	return fmt.Sprintf("%s.%se%d", digits[:1], digits[1:], point-1)
}

// slowTSVDouble is Zeek's text of a double, time or interval.
func slowTSVDouble(d float64, typ codec.Type) string {
	text := fmt.Sprintf("%.6f", d)
	switch {
	case math.IsNaN(d) && typ != codec.TypeDouble && math.Signbit(d):
		return "-nan"
	case math.IsNaN(d):
		return "nan"
	case math.IsInf(d, 0):
		return map[bool]string{true: "inf", false: "-inf"}[d > 0]
	case typ != codec.TypeDouble:
		return text
	}
	text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	if d == 0 {
		text = "0"
	}
	if math.Abs(d-math.RoundToEven(d)) < 1e-9 {
		text += ".0"
	}
	return text
}
