package codec

import "encoding/binary"

// The layout of a value in broker-bin-v1 (Broker: format/bin.hh). Numbers are
// big-endian; a varbyte is a little-endian base 128 number of up to 32 bits,
// seven bits a byte, the high bit saying that more follow.
//
//	u8 tag, then by kind
//	  none:                            nothing
//	  boolean:                         u8, 0 is false
//	  count, integer, real:            8 bytes
//	  timestamp, timespan:             8 bytes, nanoseconds
//	  string, enum-value:              varbyte length · bytes
//	  address:                         16 bytes, IPv4 as ::ffff:a.b.c.d
//	  subnet:                          16 bytes · u8 length, of 128 bits
//	  port:                            u16 number · u8 protocol
//	  set, vector:                     varbyte count · values
//	  table:                           varbyte count · pairs of key and value
const (
	varSized  = 0xff // in fixedSizes: the size is in the data
	nestedIn  = 0xfe // in fixedSizes: a container
	v4Prefix  = 96   // bits in front of an IPv4 address in 16 bytes
	maxLength = 1<<32 - 1
)

// fixedSizes is the number of bytes behind the tag, by kind.
var fixedSizes = [...]uint8{
	KindNone: 0, KindBoolean: 1, KindCount: 8, KindInteger: 8, KindReal: 8, KindString: varSized,
	KindAddress: 16, KindSubnet: 17, KindPort: 3, KindTimestamp: 8, KindTimespan: 8, KindEnum: varSized,
	KindSet: nestedIn, KindTable: nestedIn, KindVector: nestedIn,
}

// brokerScan checks encoded values.
type brokerScan struct {
	b []byte
	// unordered is set when the elements of some set or table do not strictly
	// ascend. Broker reads those too, unless two elements are equal.
	unordered bool

	// The first failure.
	off    int
	field  string
	reason error
}

// fail notes a failure and returns -1, the position that stands for it.
func (s *brokerScan) fail(off int, field string, reason error) int {
	if s.reason == nil {
		s.off, s.field, s.reason = off, field, reason
	}
	return -1
}

// varbyte reads a length or count at i, and where it ends; the end is
// negative after a failure.
func (s *brokerScan) varbyte(i int, field string) (uint32, int) {
	var n uint64
	for k := range 5 {
		if i+k >= len(s.b) {
			return 0, s.fail(len(s.b), field, ErrTruncated)
		}
		c := s.b[i+k]
		n |= uint64(c&0x7f) << (7 * k)
		if c < 0x80 {
			if n > maxLength || c == 0 && k > 0 {
				return 0, s.fail(i, field, ErrVarbyte)
			}
			return uint32(n), i + k + 1
		}
	}
	return 0, s.fail(i, field, ErrVarbyte)
}

// value checks the value at i, which stands inside depth containers, and
// returns where it ends, or -1.
func (s *brokerScan) value(i, depth int) int {
	if i >= len(s.b) {
		return s.fail(i, "tag", ErrTruncated)
	}
	k := Kind(s.b[i])
	if k > KindVector {
		return s.fail(i, "tag", ErrType)
	}
	size := fixedSizes[k]
	switch size {
	case varSized:
		return s.text(i, k)
	case nestedIn:
		return s.container(i, k, depth)
	}
	end := i + 1 + int(size)
	if end > len(s.b) {
		return s.fail(i, kindNames[k], ErrTruncated)
	}
	switch k {
	case KindPort:
		if Proto(s.b[end-1]) > ProtoICMP {
			return s.fail(end-1, "port.protocol", ErrProto)
		}
	case KindSubnet:
		// Broker does not look, and such a length ends Zeek's process.
		bits := s.b[end-1]
		if bits > 128 || bits < v4Prefix && isMapped(s.b[i+1:]) {
			return s.fail(end-1, "subnet.length", ErrRange)
		}
	}
	return end
}

func (s *brokerScan) text(i int, k Kind) int {
	n, j := s.varbyte(i+1, kindNames[k])
	if j < 0 {
		return -1
	}
	if uint64(n) > uint64(len(s.b)-j) {
		return s.fail(i+1, kindNames[k], ErrTruncated)
	}
	return j + int(n)
}

// container checks a set, table or vector.
func (s *brokerScan) container(i int, k Kind, depth int) int {
	if depth >= MaxDepth {
		return s.fail(i, kindNames[k], ErrDepth)
	}
	n, j := s.varbyte(i+1, kindNames[k])
	if j < 0 {
		return -1
	}
	least := uint64(n)
	if k == KindTable {
		least *= 2
	}
	if least > uint64(len(s.b)-j) {
		return s.fail(i+1, kindNames[k], ErrCount)
	}
	prev := -1
	for range n {
		at := j
		if j = s.value(j, depth+1); j < 0 {
			return -1
		}
		if k == KindVector {
			continue
		}
		if prev >= 0 && !s.unordered {
			c, _, _ := brokerCompare(s.b, prev, s.b, at)
			s.unordered = c >= 0
		}
		prev = at
		if k == KindTable {
			if j = s.value(j, depth+1); j < 0 {
				return -1
			}
		}
	}
	return j
}

// isMapped reports whether 16 bytes of address hold an IPv4 address.
func isMapped(a []byte) bool {
	return binary.BigEndian.Uint64(a) == 0 && binary.BigEndian.Uint32(a[8:]) == 0xffff
}

// varbyteAt reads a varbyte that has been checked.
func varbyteAt(b []byte, i int) (n, next int) {
	c := b[i]
	if c < 0x80 {
		return int(c), i + 1
	}
	n = int(c & 0x7f)
	for shift := 7; ; shift += 7 {
		i++
		c = b[i]
		n |= int(c&0x7f) << shift
		if c < 0x80 {
			return n, i + 1
		}
	}
}

// brokerSkip returns where the checked value at i ends.
func brokerSkip(b []byte, i int) int {
	k := Kind(b[i])
	switch size := fixedSizes[k]; size {
	case varSized:
		n, j := varbyteAt(b, i+1)
		return j + n
	case nestedIn:
		n, j := varbyteAt(b, i+1)
		if k == KindTable {
			n *= 2
		}
		for range n {
			j = brokerSkip(b, j)
		}
		return j
	default:
		return i + 1 + int(size)
	}
}

// appendVarbyte appends n, which the caller knows to fit 32 bits.
func appendVarbyte(dst []byte, n int) []byte {
	x := uint32(n)
	for x > 0x7f {
		dst = append(dst, byte(x)|0x80)
		x >>= 7
	}
	return append(dst, byte(x))
}

// patchCount writes a container's count, for which one byte has been left at
// dst[at], and moves what follows if it takes more.
func patchCount(dst []byte, at, n int) []byte {
	if n < 0x80 {
		dst[at] = byte(n)
		return dst
	}
	var tmp [5]byte
	count := appendVarbyte(tmp[:0], n)
	end := len(dst)
	dst = append(dst, tmp[:len(count)-1]...)
	copy(dst[at+len(count):], dst[at+1:end])
	copy(dst[at:], count)
	return dst
}
