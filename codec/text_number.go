package codec

import (
	"encoding/binary"
	"math/bits"
)

// The put functions write at buf[n:] and return the position behind what they
// wrote. They may write garbage after that, but never more than textRoom bytes
// in all, which the caller provides. Writing whole words without looking at
// lengths first is what makes them fast: a wrongly predicted branch costs more
// than the digits.
const textRoom = 64

// digits8 returns the eight decimal digits of v < 1e8, one in each byte, the
// first one lowest.
func digits8(v uint64) uint64 {
	// Split in halves, then quarters, then digits, all parts side by side.
	v = v/10000 | v%10000<<32
	q := v * 10486 >> 20 & (0x7f<<32 | 0x7f) // v/100 for v < 10000
	v = q | (v-q*100)<<16
	q = v * 103 >> 10 & 0x000f_000f_000f_000f // v/10 for v < 100
	return q | (v-q*10)<<8
}

const asciiZeros = 0x3030_3030_3030_3030

// putUint writes v in decimal.
func putUint(buf []byte, n int, v uint64) int {
	if v < 1e8 {
		d := digits8(v)
		// The first byte that is not zero is the first digit; 0 has one too.
		skip := bits.TrailingZeros64(d|1<<56) &^ 7
		binary.LittleEndian.PutUint64(buf[n:], (d|asciiZeros)>>skip)
		return n + 8 - skip>>3
	}
	hi := v / 1e8
	if hi >= 1e8 {
		n = putUint(buf, n, hi/1e8)
		binary.LittleEndian.PutUint64(buf[n:], digits8(hi%1e8)|asciiZeros)
		n += 8
	} else {
		n = putUint(buf, n, hi)
	}
	binary.LittleEndian.PutUint64(buf[n:], digits8(v%1e8)|asciiZeros)
	return n + 8
}

// putInt writes v in decimal.
func putInt(buf []byte, n int, v int64) int {
	if v < 0 {
		buf[n] = '-'
		return putUint(buf, n+1, -uint64(v))
	}
	return putUint(buf, n, uint64(v))
}

// putBool writes true or false.
func putBool(buf []byte, n int, b bool) int {
	if b {
		return n + copy(buf[n:], "true")
	}
	return n + copy(buf[n:], "false")
}
