package codec

import (
	"encoding/binary"
	"math/bits"
)

// Most doubles in logs are whole numbers of millionths, as timestamps are, or of
// billionths, as durations are that a clock has measured. Their digits are had
// for less than those of any double.

// nanosBelow are the bits of 2^20, below which billionths are looked for.
const nanosBelow = (exponentBias + 20) << mantissaBits

// shortUnits finds what Grisu2 finds if that is a whole number q of units, of
// which scale, 1e6 or 1e9, make one. b are the bits of a double that is positive;
// others, and those out of range for millionths, are declined; who asks for
// billionths stays below nanosBelow.
//
// A double below 2^33, or 2^23 for billionths, is more than a unit in the last
// place from its neighbours in units: at most one of them reads back as this
// double. If it lies well inside the interval of what does, Grisu2 comes upon it
// before any longer number, and upon no shorter one but the same without its
// zeros. Near the interval's ends Grisu2 may miss it and must be asked.
func shortUnits(b, scale uint64) (q uint64, ok bool) {
	e := int(b>>mantissaBits) - exponentBias
	if e < -11 || e > 32 {
		return 0, false
	}
	// The value in units is hi:lo / 2^s, exactly.
	s := uint(mantissaBits-e) & 63
	half := uint64(1) << (s - 1)
	hi, lo := bits.Mul64(b&(hiddenBit-1)|hiddenBit, scale)
	lo, carry := bits.Add64(lo, half, 0)
	hi += carry
	q = hi<<((64-s)&63) | lo>>s
	off := lo&(2*half-1) - half // how far the value is above q, with its sign
	// The interval reaches half a unit in the last place, scale/2 here, to both
	// sides. A power of two has only half of that below.
	near := scale/2 - scale/100
	return q, off == 0 || off+near <= 2*near && b&(hiddenBit-1) != 0
}

// putMicros writes the double with the bits b if it is a whole number of
// millionths, with at least one decimal and no more than needed. Otherwise it
// returns 0.
func putMicros(buf []byte, n int, b uint64) int {
	q, ok := shortUnits(b, 1e6)
	if !ok {
		return 0
	}
	if q-1e15 < 9e15 {
		decimals := putSixteen(buf, n, q)
		return n + 11 + (bits.Len64(decimals|1)+7)>>3
	}
	whole := q / 1e6
	n = putUint(buf, n, whole)
	buf[n] = '.'
	return n + 1 + max(1, putSix(buf, n+1, q-whole*1e6))
}

// putSixteen writes q millionths that have ten digits in front of the point, as
// timestamps of our days have, with six decimals. These are also returned, a byte
// for each.
func putSixteen(buf []byte, n int, q uint64) (decimals uint64) {
	hi := q / 1e8
	lo := digits8(q - hi*1e8)
	binary.LittleEndian.PutUint64(buf[n:], digits8(hi)|asciiZeros)
	binary.LittleEndian.PutUint16(buf[n+8:], uint16(lo|asciiZeros))
	buf[n+10] = '.'
	binary.LittleEndian.PutUint64(buf[n+11:], lo>>16|asciiZeros)
	return lo >> 16
}

// putNanos is putMicros for billionths, for bits below nanosBelow.
func putNanos(buf []byte, n int, b uint64) int {
	q, ok := shortUnits(b, 1e9)
	if !ok {
		return 0
	}
	whole := q / 1e9
	n = putUint(buf, n, whole)
	q -= whole * 1e9
	first := q / 1e8
	rest := digits8(q - first*1e8)
	binary.LittleEndian.PutUint16(buf[n:], '.'|uint16('0'+first)<<8)
	binary.LittleEndian.PutUint64(buf[n+2:], rest|asciiZeros)
	return n + 2 + (bits.Len64(rest)+7)>>3
}
