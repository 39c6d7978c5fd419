package codec

import (
	"encoding/binary"
	"math"
)

// jsonStyle writes batches as JSON, a line for each record.
type jsonStyle struct {
	unset  bool
	epoch  bool // times is TimestampEpoch
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
	s.epoch = s.times == TimestampEpoch
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
	s.p = b.payload
	defer s.release()
	buf, n, pos := dst[:cap(dst)], len(dst), b.records
	for range b.NumRecords {
		line := n
		if buf, n, pos = s.record(buf, n, pos); pos < 0 {
			return dst, false
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

// record writes the keys and values of a record, a comma in front of each. It
// does itself what value would do with the most frequent types, because calls
// would cost as much as the work: hence its length.
func (s *jsonStyle) record(buf []byte, n, pos int) ([]byte, int, int) {
	// Behind a value's head it needs at least twelve bytes, a port's, to look at
	// without checking further.
	const ahead = valueHead + 12
	p, need, keys := s.p, s.room, s.keys
	for i := range keys {
		if len(buf)-n < need {
			buf = room(buf, n, need)
		}
		if len(p)-pos < ahead {
			if buf, n, pos = s.item(buf, n, pos, &keys[i]); pos < 0 {
				return buf, n, -1
			}
			continue
		}
		h := p[pos : pos+ahead]
		typ := Type(binary.BigEndian.Uint32(h))
		if h[8] != 1 {
			pos += valueHead
			if s.unset {
				n = putKey(buf, n, &keys[i])
				n += copy(buf[n:], "null")
			}
			continue
		}
		n = putKey(buf, n, &keys[i])
		w := binary.BigEndian.Uint64(h[valueHead:])
		switch typ {
		case TypeCount:
			pos += valueHead + 8
			switch {
			case w < 1e3:
				n = putSmall(buf, n, w)
			case w < 1e6:
				n = putMedium(buf, n, w)
			default:
				n = putUint(buf, n, w)
			}
			continue
		case TypeTime:
			pos += valueHead + 8
			if s.epoch {
				n = putJSONDouble(buf, n, math.Float64frombits(w))
			} else {
				n = s.time(buf, n, math.Float64frombits(w))
			}
			continue
		case TypeInterval, TypeDouble:
			pos += valueHead + 8
			n = putJSONDouble(buf, n, math.Float64frombits(w))
			continue
		case TypeBool:
			pos += valueHead + 8
			n = putBool(buf, n, w != 0)
			continue
		case TypeString, TypeEnum:
			size := w >> 32
			text := binary.LittleEndian.Uint64(h[valueHead+4:])
			if size <= 8 && jsonPlain(spacesFrom(text, size)) {
				buf[n] = '"'
				binary.LittleEndian.PutUint64(buf[n+1:], text)
				n += int(size) + 2
				buf[n-1] = '"'
				pos += valueHead + 4 + int(size)
				continue
			}
		case TypePort:
			if w < 1<<16 && binary.BigEndian.Uint32(h[valueHead+8:]) <= uint32(ProtoICMP) {
				pos += valueHead + 12
				n = putMedium(buf, n, w)
				continue
			}
		case TypeAddr:
			if h[valueHead] == 4 {
				buf[n] = '"'
				n = putAddr4(buf, n+1, uint32(w>>24))
				buf[n] = '"'
				n++
				pos += valueHead + 5
				continue
			}
		}
		if buf, n, pos = s.value(buf, n, pos+valueHead, typ); pos < 0 {
			return buf, n, -1
		}
	}
	return buf, n, pos
}

// item writes one key and value, or nothing.
func (s *jsonStyle) item(buf []byte, n, pos int, k *jsonKey) ([]byte, int, int) {
	p := s.p
	if len(p)-pos < valueHead {
		return buf, n, -1
	}
	typ := Type(binary.BigEndian.Uint32(p[pos:]))
	switch {
	case p[pos+8] == 1:
		return s.value(buf, putKey(buf, n, k), pos+valueHead, typ)
	case s.unset:
		n = putKey(buf, n, k)
		n += copy(buf[n:], "null")
	}
	return buf, n, pos + valueHead
}

// putKey writes a key.
func putKey(buf []byte, n int, k *jsonKey) int {
	*(*[len(k.head)]byte)(buf[n:]) = k.head
	if k.len > len(k.head) {
		copy(buf[n:], k.text)
	}
	return n + k.len
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
