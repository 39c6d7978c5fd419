package codec

import "encoding/binary"

// What both kinds of text read from a batch: the position returned is that
// behind the item, or -1 if the item has a defect.

// shortValue is the size of a value's head and of the largest data, a port's,
// that is written without looking at lengths.
const shortValue = valueHead + 12

// textLen reads a string's length. The string starts at the position returned
// and is complete.
func textLen(p []byte, pos int) (length, start int) {
	rest := len(p) - pos - 4
	if rest < 0 {
		return 0, -1
	}
	n := binary.BigEndian.Uint32(p[pos:])
	if uint64(n) > uint64(rest) {
		return 0, -1
	}
	return int(n), pos + 4
}

// containerLen reads the number of elements of a set or vector.
func containerLen(p []byte, pos int) (count, start int) {
	rest := len(p) - pos - 8
	if rest < 0 {
		return 0, -1
	}
	n := binary.BigEndian.Uint64(p[pos:])
	if n > uint64(rest/valueHead) {
		return 0, -1
	}
	return int(n), pos + 8
}

// putAddr writes the address at p[pos:].
func putAddr(buf []byte, n int, p []byte, pos int) (int, int) {
	if rest := len(p) - pos; rest >= 5 && p[pos] == 4 {
		return putAddr4(buf, n, binary.BigEndian.Uint32(p[pos+1:])), pos + 5
	} else if rest >= 17 && p[pos] == 6 {
		return putAddr6(buf, n, p[pos+1:pos+17]), pos + 17
	}
	return n, -1
}

// putSubnet writes the subnet at p[pos:].
func putSubnet(buf []byte, n int, p []byte, pos int) (int, int) {
	if len(p)-pos < 2 {
		return n, -1
	}
	length, family := p[pos], p[pos+1]
	if n, pos = putAddr(buf, n, p, pos+1); pos < 0 {
		return n, -1
	}
	return putSubnetLen(buf, n, length, family), pos
}
