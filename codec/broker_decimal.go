package codec

import (
	"math"
	"strconv"
	"unsafe"
)

// overflowDigits are the leading digits of the smallest number, 309 digits
// long, that rounds to infinity: halfway between the largest double and 2^1024.
const overflowDigits = "1797693134862315807937289714053034150799341327100378269361737789804449682927647509466490179775872070" +
	"9633028641669288791094655554785194040263065748867150582068190890200070838367627385484581771153176447" +
	"5730270069855571366959622842914819860834936475292719074168444365510704342711559699508093042880177904" +
	"174497792"

// parseDecimal reads a number that isDecimal or all digits, rounded correctly;
// too large a number is infinite. It asks before strconv could fail, since
// strconv's error costs an allocation.
func parseDecimal(w []byte) float64 {
	if overflows(w) {
		if w[0] == '-' {
			return math.Inf(-1)
		}
		return math.Inf(1)
	}
	// The string does not outlive the call, and w is not written meanwhile.
	f, _ := strconv.ParseFloat(unsafe.String(&w[0], len(w)), 64)
	return f
}

// overflows reports whether the number's magnitude rounds to infinity.
func overflows(w []byte) bool {
	if w[0] == '-' || w[0] == '+' {
		w = w[1:]
	}
	mantissa, exp := w, 0
	for i, c := range w {
		if c|0x20 == 'e' {
			mantissa, exp = w[:i], clampedInt(w[i+1:])
			break
		}
	}
	// Write it as 0.d1d2d3... * 10^point with d1 not 0.
	point, seenPoint, compared := 0, false, 0
	order := 0 // of the digits so far against overflowDigits
	for _, c := range mantissa {
		if c == '.' {
			seenPoint = true
			continue
		}
		if c == '0' && compared == 0 {
			if seenPoint {
				point--
			}
			continue
		}
		if !seenPoint {
			point++
		}
		limit := byte('0')
		if compared < len(overflowDigits) {
			limit = overflowDigits[compared]
		}
		if order == 0 {
			order = int(c) - int(limit)
		}
		compared++
	}
	if compared == 0 {
		return false
	}
	if order == 0 && compared < len(overflowDigits) {
		order = -1 // what is not written is zero, and the limit goes on
		if allZero(overflowDigits[compared:]) {
			order = 0
		}
	}
	point += exp
	return point > len(overflowDigits) || point == len(overflowDigits) && order >= 0
}

func allZero(s string) bool {
	for i := range len(s) {
		if s[i] != '0' {
			return false
		}
	}
	return true
}

// clampedInt reads an exponent. Beyond any that matters it keeps the sign only.
func clampedInt(w []byte) int {
	const beyond = 1 << 30
	neg := len(w) > 0 && w[0] == '-'
	if len(w) > 0 && (w[0] == '-' || w[0] == '+') {
		w = w[1:]
	}
	n := 0
	for _, c := range w {
		if n = n*10 + int(c-'0'); n > beyond/16 {
			n = beyond / 16
		}
	}
	if neg {
		return -n
	}
	return n
}
