package codec

import (
	"encoding/binary"
	"math"
)

// value writes the data at s.p[pos:] at buf[n:], where textRoom bytes are free,
// and returns the position behind both. A defect makes pos negative.
func (s *jsonStyle) value(buf []byte, n, pos int, typ Type) ([]byte, int, int) {
	p := s.p
	switch typ {
	case TypeBool, TypeInt, TypeCount, TypeDouble, TypeTime, TypeInterval:
		if len(p)-pos < 8 {
			return buf, n, -1
		}
		return buf, s.word(buf, n, binary.BigEndian.Uint64(p[pos:]), typ), pos + 8
	case TypeString, TypeEnum, TypeFunc, TypeFile:
		return s.text(buf, n, pos, typ)
	case TypePort:
		if len(p)-pos < 12 {
			return buf, n, -1
		}
		port, proto := binary.BigEndian.Uint64(p[pos:]), binary.BigEndian.Uint32(p[pos+8:])
		if port > 65535 || proto > uint32(ProtoICMP) {
			return buf, n, -1
		}
		return buf, putUint(buf, n, port), pos + 12
	case TypeAddr:
		buf[n] = '"'
		if n, pos = putAddr(buf, n+1, p, pos); pos < 0 {
			return buf, n, -1
		}
		buf[n] = '"'
		return buf, n + 1, pos
	case TypeSubnet:
		buf[n] = '"'
		if n, pos = putSubnet(buf, n+1, p, pos); pos < 0 {
			return buf, n, -1
		}
		buf[n] = '"'
		return buf, n + 1, pos
	case TypeTable, TypeVector:
		return s.container(buf, n, pos, 1)
	}
	return buf, n, -1
}

// word writes a value of eight bytes.
func (s *jsonStyle) word(buf []byte, n int, w uint64, typ Type) int {
	switch typ {
	case TypeBool:
		return putBool(buf, n, w != 0)
	case TypeInt:
		return putInt(buf, n, int64(w))
	case TypeCount:
		return putUint(buf, n, w)
	case TypeTime:
		return s.time(buf, n, math.Float64frombits(w))
	}
	return putJSONDouble(buf, n, math.Float64frombits(w))
}

// container writes a set or vector as an array. depth counts containers, this
// one included.
func (s *jsonStyle) container(buf []byte, n, pos, depth int) ([]byte, int, int) {
	p := s.p
	count, pos := containerLen(p, pos)
	if pos < 0 || depth > MaxDepth {
		return buf, n, -1
	}
	buf[n] = '['
	n++
	for i := range count {
		if len(p)-pos < valueHead {
			return buf, n, -1
		}
		buf = room(buf, n, textRoom+1)
		if i > 0 {
			buf[n] = ','
			n++
		}
		typ := Type(binary.BigEndian.Uint32(p[pos:]))
		present := p[pos+8] == 1
		pos += valueHead
		switch {
		case !present:
			n += copy(buf[n:], "null")
			continue
		case typ.IsContainer():
			buf, n, pos = s.container(buf, n, pos, depth+1)
		default:
			buf, n, pos = s.value(buf, n, pos, typ)
		}
		if pos < 0 {
			return buf, n, -1
		}
	}
	buf = room(buf, n, textRoom)
	buf[n] = ']'
	return buf, n + 1, pos
}
