package codec

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
)

// tsvStyle writes batches as columns between separators.
type tsvStyle struct {
	separator    []byte
	setSeparator []byte
	unset        []byte
	empty        []byte
	prefix       []byte // a line must not start with it
	utf8         bool

	// What stands for unset and empty values, escaped; the second one is for
	// use inside a set or vector.
	unsetText, emptyText [2][]byte
	escapes              [2]tsvEscapes
	between, absent      tsvWord // separator and unsetText[0]
	// plainNumbers says that no number, address or T and F needs escaping.
	plainNumbers bool
	room         int // for a separator and a value without content of its own

	p       []byte // the payload while its records are being written
	inSet   int    // 1 inside a set or vector: an index for the above
	scratch []byte
}

// tsvWord is a short text that is written often.
type tsvWord struct {
	text string
	word uint64 // its first eight bytes
}

func (t *tsvWord) init(text []byte) {
	var b [8]byte
	copy(b[:], text)
	t.text, t.word = string(text), binary.LittleEndian.Uint64(b[:])
}

func (t *tsvWord) put(buf []byte, n int) int {
	binary.LittleEndian.PutUint64(buf[n:], t.word)
	if len(t.text) > 8 {
		copy(buf[n:], t.text)
	}
	return n + len(t.text)
}

// putTF writes a bool.
func putTF(buf []byte, n int, b bool) int {
	buf[n] = 'F'
	if b {
		buf[n] = 'T'
	}
	return n + 1
}

func (s *tsvStyle) init(o *TextOptions) {
	s.separator, s.setSeparator = []byte(o.Separator), []byte(o.SetSeparator)
	s.unset, s.empty, s.prefix = []byte(o.UnsetField), []byte(o.EmptyField), []byte(o.MetaPrefix)
	s.utf8 = o.EnableUTF8
	s.escapes[0].init(s.utf8, s.separator)
	s.escapes[1].init(s.utf8, s.separator, s.setSeparator)
	for i := range s.escapes {
		s.unsetText[i] = s.escapes[i].append(nil, s.unset)
		s.emptyText[i] = s.escapes[i].append(nil, s.empty)
	}
	s.between.init(s.separator)
	s.absent.init(s.unsetText[0])
	const ofNumbers = "0123456789abcdef.:/-TFin"
	s.plainNumbers = strings.IndexByte(ofNumbers, o.Separator[0]) < 0 && strings.IndexByte(ofNumbers, o.SetSeparator[0]) < 0
	s.room = 2*textRoom + max(len(s.separator), len(s.setSeparator)) +
		max(len(s.unsetText[0]), len(s.unsetText[1]), len(s.emptyText[0]), len(s.emptyText[1]))
}

// appendRecords appends all records of a batch. It reports false at the first
// one that has a defect.
func (s *tsvStyle) appendRecords(dst []byte, b *Batch) ([]byte, bool) {
	s.p = b.payload
	defer s.release()
	buf, n, pos := dst[:cap(dst)], len(dst), b.records
	for range b.NumRecords {
		line := n
		if buf, n, pos = s.record(buf, n, pos, len(b.Fields)); pos < 0 {
			return dst, false
		}
		buf = room(buf, n, textRoom)
		buf[n] = '\n'
		n++
		if bytes.HasPrefix(buf[line:n], s.prefix) {
			// Not a line of the header: its first byte is escaped.
			copy(buf[line+4:], buf[line+1:n])
			appendHexByte(buf[:line], buf[line])
			n += 3
		}
	}
	return buf[:n], true
}

// record writes the columns of a record. It does itself what value would do
// with the most frequent types, because calls would cost as much as the work:
// hence its length.
func (s *tsvStyle) record(buf []byte, n, pos, fields int) ([]byte, int, int) {
	// Behind a value's head it needs at least twelve bytes, a port's, to look at
	// without checking further.
	const ahead = valueHead + 12
	p, need, plain := s.p, s.room, s.plainNumbers
	for i := range fields {
		if len(buf)-n < need {
			buf = room(buf, n, need)
		}
		if i > 0 {
			n = s.between.put(buf, n)
		}
		if len(p)-pos < ahead {
			if buf, n, pos = s.item(buf, n, pos); pos < 0 {
				return buf, n, -1
			}
			continue
		}
		h := p[pos : pos+ahead]
		if h[8] != 1 {
			n = s.absent.put(buf, n)
			pos += valueHead
			continue
		}
		typ := Type(binary.BigEndian.Uint32(h))
		w := binary.BigEndian.Uint64(h[valueHead:])
		switch typ {
		case TypeCount:
			if plain {
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
			}
		case TypeTime, TypeInterval:
			d := math.Float64frombits(w)
			if q, ok := roundMicros(d); ok && plain {
				pos += valueHead + 8
				n = putTSVDouble(buf, n, d, q, typ)
				continue
			}
		case TypeBool:
			if plain {
				pos += valueHead + 8
				n = putTF(buf, n, w != 0)
				continue
			}
		case TypeString, TypeEnum:
			size := w >> 32
			text := binary.LittleEndian.Uint64(h[valueHead+4:])
			if size-1 < 8 && s.escapes[0].plain(lettersFrom(text, size)) && !s.reserved(h[valueHead+4:valueHead+4+size]) {
				binary.LittleEndian.PutUint64(buf[n:], text)
				n += int(size)
				pos += valueHead + 4 + int(size)
				continue
			}
		case TypePort:
			if plain && w < 1<<16 && binary.BigEndian.Uint32(h[valueHead+8:]) <= uint32(ProtoICMP) {
				pos += valueHead + 12
				n = putMedium(buf, n, w)
				continue
			}
		case TypeAddr:
			if plain && h[valueHead] == 4 {
				n = putAddr4(buf, n, uint32(w>>24))
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

// item writes one column.
func (s *tsvStyle) item(buf []byte, n, pos int) ([]byte, int, int) {
	p := s.p
	if len(p)-pos < valueHead {
		return buf, n, -1
	}
	if p[pos+8] != 1 {
		return buf, s.absent.put(buf, n), pos + valueHead
	}
	return s.value(buf, n, pos+valueHead, Type(binary.BigEndian.Uint32(p[pos:])))
}

// reserved reports whether text would read as an unset or empty value.
func (s *tsvStyle) reserved(text []byte) bool {
	return string(text) == string(s.unset) || string(text) == string(s.empty)
}

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
