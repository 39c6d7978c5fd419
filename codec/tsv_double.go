package codec

import (
	"bytes"
	"math"
)

// A time or interval has six decimals. A double has its trailing zeros cut
// off, the point as well, and ".0" put behind it only if it is within a
// billionth of an integer: 0.9999995 is "1" and 1e-10 is "0.0".

// putTSVDouble writes d, which rounds to q millionths.
func putTSVDouble(buf []byte, n int, d float64, q uint64, typ Type) int {
	// Doubles lose the sign of zero, times keep it.
	if d < 0 || typ != TypeDouble && math.Signbit(d) {
		buf[n] = '-'
		n++
	}
	if typ != TypeDouble {
		return putFixed6(buf, n, q)
	}
	whole := q / 1e6
	n = putUint(buf, n, whole)
	if decimals := putSix(buf, n+1, q-whole*1e6); decimals > 0 {
		buf[n] = '.'
		n += 1 + decimals
	}
	if math.Abs(d-math.RoundToEven(d)) < 1e-9 {
		n += copy(buf[n:], ".0")
	}
	return n
}

// appendTSVDouble does the same for any double.
func appendTSVDouble(dst []byte, d float64, typ Type) []byte {
	if typ != TypeDouble {
		return appendFixed6(dst, d)
	}
	if d != d {
		d = math.NaN() // without a sign
	}
	if d == 0 {
		d = 0
	}
	start := len(dst)
	dst = appendFixed6(dst, d)
	if bytes.IndexByte(dst[start:], '.') < 0 {
		return dst // not finite
	}
	dst = bytes.TrimRight(dst, "0")
	if dst[len(dst)-1] == '.' {
		dst = dst[:len(dst)-1]
	}
	if math.Abs(d-math.RoundToEven(d)) < 1e-9 {
		dst = append(dst, ".0"...)
	}
	return dst
}
