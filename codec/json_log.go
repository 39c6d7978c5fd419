package codec

import (
	"encoding/binary"
	"math"
)

// jsonStyle writes batches as JSON, a line for each record.
type jsonStyle struct {
	unset  bool
	times  TimestampFormat
	policy EscapePolicy
	keys   []jsonKey
	room   int // for the longest key and textRoom behind it

	p []byte // the payload while its records are being written
}

// jsonKey is `,"name":`, ready to be copied. The comma of an object's first
// key is turned into its opening brace.
type jsonKey struct {
	head [32]byte // the key's start; copied whole, whatever the length
	len  int
	text []byte // the whole key if it is longer
}

func (s *jsonStyle) init(o *TextOptions) {
	s.unset, s.times, s.policy = o.JSONIncludeUnsetFields, o.JSONTimestamps, o.JSONStringEscapePolicy
}

// prepare makes the keys of a new list of columns.
func (s *jsonStyle) prepare(fields []Field) {
	s.keys = s.keys[:0]
	longest := 0
	for i := range fields {
		text := append([]byte{','}, '"')
		text = appendJSONKey(text, fields[i].Name)
		text = append(text, '"', ':')
		k := jsonKey{len: len(text)}
		copy(k.head[:], text)
		if len(text) > len(k.head) {
			k.text = text
		}
		longest = max(longest, len(text), len(k.head))
		s.keys = append(s.keys, k)
	}
	s.room = longest + textRoom
}

// appendRecords appends all records of a batch. It reports false at the first
// one that has a defect.
func (s *jsonStyle) appendRecords(dst []byte, b *Batch) ([]byte, bool) {
	p, pos := b.payload, b.records
	s.p = p
	defer s.release()
	buf, n := dst[:cap(dst)], len(dst)
	for range b.NumRecords {
		line := n
		for i := range s.keys {
			if len(p)-pos < valueHead {
				return dst, false
			}
			typ := Type(binary.BigEndian.Uint32(p[pos:]))
			present := p[pos+8] == 1
			pos += valueHead
			if !present && !s.unset {
				continue
			}
			if len(buf)-n < s.room {
				buf = room(buf, n, s.room)
			}
			k := &s.keys[i]
			*(*[len(k.head)]byte)(buf[n:]) = k.head
			if k.len > len(k.head) {
				copy(buf[n:], k.text)
			}
			n += k.len
			if !present {
				n += copy(buf[n:], "null")
				continue
			}
			buf, n, pos = s.value(buf, n, pos, typ)
			if pos < 0 {
				return dst, false
			}
		}
		buf = room(buf, n, textRoom)
		if n == line {
			buf[n] = '{'
			n++
		}
		buf[line] = '{'
		buf[n], buf[n+1] = '}', '\n'
		n += 2
	}
	return buf[:n], true
}

// release lets go of the caller's payload.
func (s *jsonStyle) release() { s.p = nil }

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
	case TypeString:
		return s.text(buf, n, pos, s.policy)
	case TypeEnum, TypeFunc, TypeFile:
		return s.text(buf, n, pos, EscapeHex)
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
