package codec

import (
	"encoding/binary"
	"math"
)

// record writes the keys and values of a record, a comma in front of each. It
// does itself what value would do with the most frequent types, because calls
// would cost as much as the work: hence its length.
func (s *jsonStyle) record(buf []byte, n, pos int) ([]byte, int, int) {
	// There is always room for all keys to come and textRoom behind each; a
	// value that takes more makes room anew.
	p, need, keys := s.p, s.room, s.keys
	buf = room(buf, n, need)
	for i := range keys {
		if len(p)-pos < shortValue {
			if buf, n, pos = s.item(buf, n, pos, &keys[i]); pos < 0 {
				return buf, n, -1
			}
			buf = room(buf, n, need)
			continue
		}
		h := p[pos : pos+shortValue]
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
			if w < 1000 {
				n = putSmall(buf, n, w)
			} else if w < 1e6 {
				n = putMedium(buf, n, w)
			} else {
				n = putUint(buf, n, w)
			}
			continue
		case TypeTime:
			pos += valueHead + 8
			if !s.epoch {
				n = s.time(buf, n, math.Float64frombits(w))
			} else if end := putMicros(buf, n, w); end > 0 {
				n = end
			} else {
				n = putJSONDouble(buf, n, math.Float64frombits(w))
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
			if buf, n, pos = s.text(buf, n, pos+valueHead, typ); pos < 0 {
				return buf, n, -1
			}
			buf = room(buf, n, need)
			continue
		case TypePort:
			if w < 1<<16 && binary.BigEndian.Uint32(h[valueHead+8:]) <= uint32(ProtoICMP) {
				pos += valueHead + 12
				if w < 1000 {
					n = putSmall(buf, n, w)
				} else {
					n = putMedium(buf, n, w)
				}
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
		buf = room(buf, n, need)
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
