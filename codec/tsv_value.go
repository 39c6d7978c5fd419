package codec

import (
	"encoding/binary"
	"math"
)

// release lets go of the caller's payload.
func (s *tsvStyle) release() { s.p, s.inSet = nil, 0 }

// value writes the data at s.p[pos:] at buf[n:], where s.room bytes are free,
// and returns the position behind both. A defect makes pos negative.
func (s *tsvStyle) value(buf []byte, n, pos int, typ Type) ([]byte, int, int) {
	switch typ {
	case TypeString, TypeEnum, TypeFunc, TypeFile:
		return s.text(buf, n, pos)
	case TypeTable, TypeVector:
		return s.container(buf, n, pos, 1)
	}
	start := n
	buf, n, pos = s.number(buf, n, pos, typ)
	if pos < 0 || s.plainNumbers {
		return buf, n, pos
	}
	s.scratch = append(s.scratch[:0], buf[start:n]...)
	dst := s.escapes[s.inSet].append(buf[:start], s.scratch)
	return dst[:cap(dst)], len(dst), pos
}

// number writes a value that is neither text nor a container.
func (s *tsvStyle) number(buf []byte, n, pos int, typ Type) ([]byte, int, int) {
	p := s.p
	switch typ {
	case TypeAddr:
		n, pos = putAddr(buf, n, p, pos)
		return buf, n, pos
	case TypeSubnet:
		n, pos = putSubnet(buf, n, p, pos)
		return buf, n, pos
	case TypePort:
		if len(p)-pos < 12 || binary.BigEndian.Uint32(p[pos+8:]) > uint32(ProtoICMP) ||
			binary.BigEndian.Uint64(p[pos:]) > 65535 {
			return buf, n, -1
		}
		return buf, putUint(buf, n, binary.BigEndian.Uint64(p[pos:])), pos + 12
	case TypeBool, TypeInt, TypeCount, TypeDouble, TypeTime, TypeInterval:
	default:
		return buf, n, -1
	}
	if len(p)-pos < 8 {
		return buf, n, -1
	}
	w := binary.BigEndian.Uint64(p[pos:])
	pos += 8
	switch typ {
	case TypeInt:
		n = putInt(buf, n, int64(w))
	case TypeCount:
		n = putUint(buf, n, w)
	case TypeBool:
		n = putTF(buf, n, w != 0)
	default:
		d := math.Float64frombits(w)
		if q, ok := roundMicros(d); ok {
			n = putTSVDouble(buf, n, d, q, typ)
			break
		}
		dst := appendTSVDouble(buf[:n], d, typ)
		return dst[:cap(dst)], len(dst), pos
	}
	return buf, n, pos
}

// container writes the elements of a set or vector. depth counts containers,
// this one included.
func (s *tsvStyle) container(buf []byte, n, pos, depth int) ([]byte, int, int) {
	p := s.p
	count, pos := containerLen(p, pos)
	if pos < 0 || depth > MaxDepth {
		return buf, n, -1
	}
	if count == 0 {
		buf = room(buf, n, s.room)
		return buf, n + copy(buf[n:], s.emptyText[s.inSet]), pos
	}
	s.inSet = 1
	for i := range count {
		if len(p)-pos < valueHead {
			return buf, n, -1
		}
		buf = room(buf, n, s.room)
		if i > 0 {
			n += copy(buf[n:], s.setSeparator)
		}
		typ := Type(binary.BigEndian.Uint32(p[pos:]))
		present := p[pos+8] == 1
		pos += valueHead
		switch {
		case !present:
			n += copy(buf[n:], s.unsetText[s.inSet])
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
	// Zeek forgets here that an outer container may still be open, and stops
	// escaping its separator.
	s.inSet = 0
	return buf, n, pos
}
