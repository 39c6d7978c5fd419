package codec

import (
	"math"
	"math/bits"
	"strconv"
)

// appendFixed6 is C's %.6f of any double, with the infinities and NaNs of
// C++'s to_chars.
func appendFixed6(dst []byte, d float64) []byte {
	switch {
	case d != d && math.Signbit(d):
		return append(dst, "-nan"...)
	case d != d:
		return append(dst, "nan"...)
	case math.IsInf(d, 1):
		return append(dst, "inf"...)
	case math.IsInf(d, -1):
		return append(dst, "-inf"...)
	}
	return strconv.AppendFloat(dst, d, 'f', 6, 64)
}

// roundMicros returns |d| in millionths, rounded to even from the exact value.
// It declines what is not below 2^43.
func roundMicros(d float64) (q uint64, ok bool) {
	b := math.Float64bits(d) &^ (1 << 63)
	e := int(b>>mantissaBits) - exponentBias
	if e < -21 {
		return 0, true // below half a millionth
	}
	if e > 42 {
		return 0, false
	}
	// |d| in millionths is hi:lo / 2^s.
	s := uint(mantissaBits - e)
	hi, lo := bits.Mul64(b&(hiddenBit-1)|hiddenBit, 1e6)
	if s >= 64 {
		// Move down by 10, keeping note of what falls off.
		sticky := uint64(0)
		if lo&(1<<10-1) != 0 {
			sticky = 1
		}
		hi, lo, s = hi>>10, hi<<54|lo>>10|sticky, s-10
	}
	s &= 63
	q = hi<<((64-s)&63) | lo>>s
	rest, half := lo&(1<<s-1), uint64(1)<<(s-1)
	if rest > half || rest == half && q&1 == 1 {
		q++
	}
	return q, true
}

// putFixed6 writes q millionths with six decimals.
func putFixed6(buf []byte, n int, q uint64) int {
	if q-1e15 < 9e15 {
		putSixteen(buf, n, q)
		return n + 17
	}
	whole := q / 1e6
	n = putUint(buf, n, whole)
	buf[n] = '.'
	putSix(buf, n+1, q-whole*1e6)
	return n + 7
}
