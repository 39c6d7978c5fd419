package codec

import "encoding/binary"

// The put functions write at buf[n:] and return the position behind what they
// wrote. They may write garbage after that, but never more than textRoom bytes
// in all, which the caller provides: writing whole words without looking at
// lengths first is much of what makes them fast.
const textRoom = 64

// group is up to three digits of a number, lowest byte first, and in the
// highest byte how many there are.
type group = uint32

// groups holds the numbers below 1000 in two forms.
var groups = func() (t struct {
	short [1000]group // without leading zeros
	full  [1000]group // three digits; the count leaves out trailing zeros
}) {
	for v := range uint32(1000) {
		digits := ('0' + v/100) | ('0'+v/10%10)<<8 | ('0'+v%10)<<16
		n := uint32(3)
		for x := v; x%10 == 0 && n > 0; x /= 10 {
			n--
		}
		t.full[v] = digits | n<<24
		switch {
		case v < 10:
			t.short[v] = digits>>16 | 1<<24
		case v < 100:
			t.short[v] = digits>>8 | 2<<24
		default:
			t.short[v] = digits | 3<<24
		}
	}
	return t
}()

// putSmall writes v < 1000 in decimal.
func putSmall(buf []byte, n int, v uint64) int {
	g := groups.short[v]
	binary.LittleEndian.PutUint32(buf[n:], g)
	return n + int(g>>24)
}

// putMedium writes v from 1000 to 1e6 - 1 in decimal.
func putMedium(buf []byte, n int, v uint64) int {
	q := v / 1000
	n = putSmall(buf, n, q)
	binary.LittleEndian.PutUint32(buf[n:], groups.full[v-q*1000])
	return n + 3
}

// putUint writes v in decimal.
func putUint(buf []byte, n int, v uint64) int {
	if v < 1000 {
		return putSmall(buf, n, v)
	}
	if v < 1e6 {
		return putMedium(buf, n, v)
	}
	if v < 1e8 {
		q := v / 1e6
		n = putSmall(buf, n, q)
		putSix(buf, n, v-q*1e6)
		return n + 6
	}
	q := v / 1e8
	n = putUint(buf, n, q)
	binary.LittleEndian.PutUint64(buf[n:], digits8(v-q*1e8)|asciiZeros)
	return n + 8
}

// asciiZeros turns the digits of digits8 into text.
const asciiZeros = 0x3030_3030_3030_3030

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

// putSix writes v < 1e6 in six digits. It returns how many are left without
// trailing zeros.
func putSix(buf []byte, n int, v uint64) int {
	q := v / 1000
	hi, lo := groups.full[q], groups.full[v-q*1000]
	binary.LittleEndian.PutUint32(buf[n:], hi)
	binary.LittleEndian.PutUint32(buf[n+3:], lo)
	if lo>>24 != 0 {
		return 3 + int(lo>>24)
	}
	return int(hi >> 24)
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
		binary.LittleEndian.PutUint32(buf[n:], 't'|'r'<<8|'u'<<16|'e'<<24)
		return n + 4
	}
	binary.LittleEndian.PutUint64(buf[n:], 'f'|'a'<<8|'l'<<16|'s'<<24|'e'<<32)
	return n + 5
}
