package codec

import "math"

// A real travels as IEEE 754 has it, but for what is not finite: CAF, with which
// Broker packs reals, gives the infinities each other's bits and has one NaN
// (CAF: detail/ieee_754.hpp). Subnormal numbers, which CAF mangles, are plain
// IEEE 754 here.
const (
	realPosInf = 0xfff0_0000_0000_0000
	realNegInf = 0x7ff0_0000_0000_0000
	realNaN    = 0xffff_ffff_ffff_ffff
)

// realOf is the number that the bits of a real on the wire stand for. Bits that
// are some other NaN of IEEE 754, which no Zeek sends, are NaN.
func realOf(bits uint64) float64 {
	switch bits {
	case realPosInf:
		return math.Inf(1)
	case realNegInf:
		return math.Inf(-1)
	}
	return math.Float64frombits(bits)
}

// realBits is how f travels. All NaNs become the one that Zeek knows: it would
// read others as infinities.
func realBits(f float64) uint64 {
	switch {
	case f != f:
		return realNaN
	case f > math.MaxFloat64:
		return realPosInf
	case f < -math.MaxFloat64:
		return realNegInf
	}
	return math.Float64bits(f)
}
