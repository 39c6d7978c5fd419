package codec

import (
	"encoding/binary"
	"math"
	"math/bits"
)

const (
	mantissaBits = 52
	hiddenBit    = 1 << mantissaBits
	exponentBias = 1023
	exponentMask = 0x7ff
)

var pow10 = [...]uint64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
}

// putJSONDouble writes d as RapidJSON does: the digits of Grisu2, null for what
// is not a number.
func putJSONDouble(buf []byte, n int, d float64) int {
	b := math.Float64bits(d)
	if b>>mantissaBits&exponentMask == exponentMask {
		return n + copy(buf[n:], "null")
	}
	if b>>63 != 0 {
		buf[n] = '-'
		n++
		b &^= 1 << 63
	}
	if b == 0 {
		return n + copy(buf[n:], "0.0")
	}
	if end := putMicros(buf, n, b); end > 0 {
		return end
	}
	digits, k := grisu2(b)
	return putDigits(buf, n, digits, k)
}

// shortMicros finds what Grisu2 finds if that is a whole number q of
// millionths, as it is for timestamps. b are the bits of any double; one that is
// not positive is declined.
//
// A double below 2^33 is more than a unit in the last place from its neighbours
// in millionths: at most one of them reads back as this double. If it lies well
// inside the interval of what does, Grisu2 comes upon it before any longer
// number. Near the interval's ends Grisu2 may miss it and must be asked.
func shortMicros(b uint64) (q uint64, ok bool) {
	e := int(b>>mantissaBits) - exponentBias
	if e < -11 || e > 32 {
		return 0, false
	}
	// The value in millionths is hi:lo / 2^s, exactly.
	s := uint(mantissaBits-e) & 63
	half := uint64(1) << (s - 1)
	hi, lo := bits.Mul64(b&(hiddenBit-1)|hiddenBit, 1e6)
	lo, carry := bits.Add64(lo, half, 0)
	hi += carry
	q = hi<<((64-s)&63) | lo>>s
	off := lo&(2*half-1) - half // how far the value is above q, with its sign
	// The interval reaches half a unit in the last place, 500000 here, to both
	// sides. A power of two has only half of that below.
	const near = 490000
	return q, off == 0 || off+near <= 2*near && b&(hiddenBit-1) != 0
}

// putMicros writes the double with the bits b if shortMicros knows it, with at
// least one decimal and no more than needed. Otherwise it returns 0.
func putMicros(buf []byte, n int, b uint64) int {
	q, ok := shortMicros(b)
	if !ok {
		return 0
	}
	if q-1e15 < 9e15 {
		// Ten digits in front of the point: a timestamp of our days.
		hi := q / 1e8
		lo := digits8(q - hi*1e8)
		binary.LittleEndian.PutUint64(buf[n:], digits8(hi)|asciiZeros)
		binary.LittleEndian.PutUint16(buf[n+8:], uint16(lo|asciiZeros))
		lo >>= 16
		buf[n+10] = '.'
		binary.LittleEndian.PutUint64(buf[n+11:], lo|asciiZeros)
		return n + 11 + (bits.Len64(lo|1)+7)>>3
	}
	whole := q / 1e6
	n = putUint(buf, n, whole)
	buf[n] = '.'
	return n + 1 + max(1, putSix(buf, n+1, q-whole*1e6))
}

// grisu2 returns the digits and exponent of a positive double, digits * 10^k,
// as F. Loitsch's algorithm finds them when it keeps one unit of its 64-bit
// significands away from the borders: digits that read back as the same double,
// nearly always the shortest ones. b are the bits of the double.
func grisu2(b uint64) (digits uint64, k int) {
	f, e := b&(hiddenBit-1), int(b>>mantissaBits)
	below := uint64(1) // distance to the lower border, in quarter units
	if e != 0 {
		f |= hiddenBit
		if f != hiddenBit {
			below = 2
		}
	} else {
		e, below = 1, 2
	}
	// w is the value, wp and wm the borders, all with the same exponent.
	norm := bits.LeadingZeros64(f)
	w := f << norm
	wp := w + 1<<(norm-1)
	wm := w - below<<(norm-2)
	e -= exponentBias + mantissaBits + norm

	p := &grisuPowers[grisuIndex(e)]
	k = -(grisuMinPower + grisuPowerStep*grisuIndex(e))
	w = mulRound(w, p.f)
	wp = mulRound(wp, p.f) - 1
	wm = mulRound(wm, p.f) + 1
	shift := -(e + int(p.e) + 64)
	if f < hiddenBit {
		return grisuDigitsWide(w, wp, wp-wm, uint(shift), k)
	}
	return grisuDigits(w, wp, wp-wm, uint(shift), k)
}

// grisuIndex chooses the power that brings a significand with exponent e into
// the range that grisuDigits wants.
func grisuIndex(e int) int {
	// ceil((-61-e) * log10(2)) + 347; the numerator is exact enough for all
	// exponents of doubles.
	const log2, one = 1292913986, 1 << 32
	x := int64(-61-e)*log2 + 347*one + one - 1
	return int(x>>32>>3) + 1
}

// mulRound is the upper half of x * y, rounded by the highest lower bit.
func mulRound(x, y uint64) uint64 {
	hi, lo := bits.Mul64(x, y)
	return hi + lo>>63
}

// grisuDigits cuts digits off wp until what remains is less than delta, then
// goes back toward w as far as delta allows. All are in units of 2^-shift, and
// delta is less than 2^12, which holds unless the double is subnormal.
//
// The paper takes digits one by one. Here as many are taken at once as may be
// needed, and then as many left out again as could have been: with j decimals,
// delta is at least one last digit, and less than ten.
func grisuDigits(w, wp, delta uint64, shift uint, k int) (uint64, int) {
	shift &= 63
	one := uint64(1) << shift
	digits, rest := wp>>shift, wp&(one-1)
	if rest <= delta {
		for digits%10 == 0 {
			digits /= 10
			k++
		}
		return digits, k
	}
	j := decimalsFor(int(shift) - bits.Len64(delta))
	if delta*pow10[j] < one {
		j++
	}
	scale := pow10[j]
	hi, lo := bits.Mul64(rest, scale)
	digits = digits*scale + (hi<<((64-shift)&63) | lo>>shift)
	rest, delta = lo&(one-1), delta*scale
	fewer := digits / 10
	if last := digits - fewer*10; last*one+rest < delta {
		for k++; fewer%10 == 0; k++ {
			fewer /= 10
		}
		return fewer, k - j
	}
	// Step back while that comes closer to w, by more than half a digit each
	// time, and stays inside.
	if gap := (wp - w) * scale; gap > rest {
		digits -= min((gap-rest+one/2-1)>>shift, (delta-rest)>>shift)
	}
	return digits, k - j
}

// decimalsFor is the smallest j, perhaps one less, for which 10^j is more than
// 2^n.
func decimalsFor(n int) int { return n*1233>>12 + 1 }

// grisuDigitsWide is grisuDigits for any delta, one digit at a time.
func grisuDigitsWide(w, wp, delta uint64, shift uint, k int) (uint64, int) {
	mask := uint64(1)<<shift - 1
	whole, rest := wp>>shift, wp&mask
	digits, gap := uint64(0), wp-w
	for i := len(pow10) - 1; i >= 0; i-- {
		digits = digits*10 + whole/pow10[i]
		whole %= pow10[i]
		if left := whole<<shift + rest; left <= delta && digits > 0 {
			return digits - grisuBack(left, delta, pow10[i]<<shift, gap), k + i
		}
	}
	for i := 1; ; i++ {
		rest *= 10
		delta *= 10
		digits = digits*10 + rest>>shift
		rest &= mask
		if rest < delta {
			return digits - grisuBack(rest, delta, mask+1, gap*pow10[i]), k - i
		}
	}
}

// grisuBack is how many steps of one to go back so that rest, the distance to
// the upper border, comes as close to gap as it can without passing delta.
func grisuBack(rest, delta, one, gap uint64) (steps uint64) {
	for rest < gap && delta-rest >= one && (rest+one < gap || gap-rest > rest+one-gap) {
		steps++
		rest += one
	}
	return steps
}

// putDigits writes digits * 10^k in RapidJSON's layout: plain from 1e-6 up to
// 1e21, always with a decimal, otherwise with an exponent.
func putDigits(buf []byte, n int, digits uint64, k int) int {
	length := decimals(digits)
	point := length + k // digits in front of the point
	switch {
	case point > -6 && point <= 0:
		binary.LittleEndian.PutUint64(buf[n:], 0x3030303030302e30) // 0.000000
		return putUint(buf, n+2-point, digits)
	case point > 0 && k < 0:
		// All digits one further, then those in front of the point back.
		end := putUint(buf, n+1, digits)
		for ; point > 0; point-- {
			buf[n] = buf[n+1]
			n++
		}
		buf[n] = '.'
		return end
	case k >= 0 && point <= 21:
		for n = putUint(buf, n, digits); k > 0; k-- {
			buf[n] = '0'
			n++
		}
		return n + copy(buf[n:], ".0")
	}
	end := putUint(buf, n+1, digits)
	buf[n] = buf[n+1]
	n++
	if length > 1 {
		buf[n] = '.'
		n = end
	}
	buf[n] = 'e'
	return putInt(buf, n+1, int64(point-1))
}

// decimals is the number of digits of v, which is not 0.
func decimals(v uint64) int {
	n := bits.Len64(v) * 1233 >> 12 // log10 of 2 is 1233/4096, a little less
	if v >= pow10[n] {
		n++
	}
	return n
}
