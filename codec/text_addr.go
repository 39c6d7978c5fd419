package codec

import (
	"encoding/binary"
	"math/bits"
)

// octets holds the text of each byte, a dot behind it, in the lower four bytes,
// first one lowest, and its length in the upper four.
var octets = func() (t [256]uint64) {
	for i := range t {
		var b [8]byte
		n := putSmall(b[:], 0, uint64(i))
		b[n] = '.'
		t[i] = uint64(binary.LittleEndian.Uint32(b[:])) | uint64(n+1)<<32
	}
	return t
}()

// putAddr4 writes an IPv4 address.
func putAddr4(buf []byte, n int, a uint32) int {
	for shift := 24; shift >= 0; shift -= 8 {
		o := octets[byte(a>>shift)]
		binary.LittleEndian.PutUint32(buf[n:], uint32(o))
		n += int(o >> 32)
	}
	return n - 1
}

// putAddr6 writes an IPv6 address with Zeek's rules: the longest run of two or
// more zero groups, the first of several, becomes "::", and what maps or
// translates an IPv4 address ends in dotted form.
func putAddr6(buf []byte, n int, a []byte) int {
	var g [8]uint16
	base, length := -1, 1 // of the run for "::"
	for i := range g {
		g[i] = binary.BigEndian.Uint16(a[2*i:])
	}
	for i := 0; i < 8; {
		run := i
		for run < 8 && g[run] == 0 {
			run++
		}
		if run-i > length {
			base, length = i, run-i
		}
		i = run + 1
	}
	for i := 0; i < 8; i++ {
		if i == base {
			buf[n] = ':'
			n++
			i += length - 1
			continue
		}
		if i > 0 {
			buf[n] = ':'
			n++
		}
		if i == 6 && base == 0 && endsIn4(&g, length) {
			return putAddr4(buf, n, binary.BigEndian.Uint32(a[12:]))
		}
		n = putHex(buf, n, g[i])
	}
	if base >= 0 && base+length == 8 {
		buf[n] = ':'
		n++
	}
	return n
}

// endsIn4 reports whether an address that starts with length zero groups holds
// an IPv4 address: ::a.b.c.d, ::ffff:a.b.c.d and ::ffff:0:a.b.c.d.
func endsIn4(g *[8]uint16, length int) bool {
	switch length {
	case 4:
		return g[4] == 0xffff && g[5] == 0
	case 5:
		return g[5] == 0xffff
	case 6:
		return true
	}
	return false
}

// putHex writes v in hexadecimal without leading zeros.
func putHex(buf []byte, n int, v uint16) int {
	digits := max(1, (bits.Len16(v)+3)/4)
	for i := digits - 1; i >= 0; i-- {
		buf[n+i] = hexDigits[v&15]
		v >>= 4
	}
	return n + digits
}

// putSubnetLen writes the length of a subnet. The batch counts in 128 bits for
// both families; a length too short for IPv4 comes out negative, as in Zeek.
func putSubnetLen(buf []byte, n int, length, family byte) int {
	buf[n] = '/'
	l := int64(length)
	if family == 4 {
		l -= 96
	}
	return putInt(buf, n+1, l)
}
