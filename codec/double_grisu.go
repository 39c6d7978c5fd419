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
	if b < nanosBelow {
		if end := putNanos(buf, n, b); end > 0 {
			return end
		}
	} else if end := putMicros(buf, n, b); end > 0 {
		return end
	}
	digits, k := grisu2(b)
	return putDigits(buf, n, digits, k)
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
// 1e21, always with a decimal, otherwise with an exponent. There are at most 17
// digits.
func putDigits(buf []byte, n int, digits uint64, k int) int {
	length := decimals(digits)
	point := length + k // digits in front of the point
	switch {
	case point > -6 && point <= 0:
		binary.LittleEndian.PutUint64(buf[n:], 0x3030303030302e30) // 0.000000
		put17(buf, n+2-point, digits*pow10[17-length])
		return n + 2 - k
	case point > 0 && point < 8 && k < 0:
		// All digits one further, then those in front of the point back.
		put17(buf, n+1, digits*pow10[17-length])
		first := binary.LittleEndian.Uint64(buf[n+1:])
		front := uint64(1)<<(8*point) - 1
		first = first&front | '.'<<(8*point) | first&^front<<8
		binary.LittleEndian.PutUint64(buf[n:], first)
		return n + 1 + length
	case point > 0 && k < 0:
		end := putUint(buf, n+1, digits)
		copy(buf[n:], buf[n+1:n+1+point])
		buf[n+point] = '.'
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

// put17 writes v < 1e17 in 17 digits.
func put17(buf []byte, n int, v uint64) {
	hi := v / 1e8
	first := hi / 1e8
	buf[n] = byte('0' + first)
	binary.LittleEndian.PutUint64(buf[n+1:], digits8(hi-first*1e8)|asciiZeros)
	binary.LittleEndian.PutUint64(buf[n+9:], digits8(v-hi*1e8)|asciiZeros)
}

// decimals is the number of digits of v, which is not 0.
func decimals(v uint64) int {
	n := bits.Len64(v) * 1233 >> 12 // log10 of 2 is 1233/4096, a little less
	if v >= pow10[n] {
		n++
	}
	return n
}
