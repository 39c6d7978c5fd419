package codec

import (
	"bytes"
	"encoding/binary"
	"math"
)

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

// record writes the columns of a record.
func (s *tsvStyle) record(buf []byte, n, pos, fields int) ([]byte, int, int) {
	p, need := s.p, s.room
	for i := range fields {
		if len(buf)-n < need {
			buf = room(buf, n, need)
		}
		if i > 0 {
			n = s.between.put(buf, n)
		}
		if len(p)-pos < shortValue {
			if buf, n, pos = s.item(buf, n, pos); pos < 0 {
				return buf, n, -1
			}
			continue
		}
		h := p[pos : pos+shortValue]
		if h[8] != 1 {
			n = s.absent.put(buf, n)
			pos += valueHead
			continue
		}
		end, size := s.short(buf, n, h)
		if size > 0 {
			n = end
			pos += size
			continue
		}
		if buf, n, pos = s.value(buf, n, pos+valueHead, Type(binary.BigEndian.Uint32(h))); pos < 0 {
			return buf, n, -1
		}
	}
	return buf, n, pos
}

// short writes a present value of one of the most frequent kinds and returns
// its size in the payload, 0 if it is of another kind. h holds its head and
// what follows.
func (s *tsvStyle) short(buf []byte, n int, h []byte) (end, size int) {
	h = h[:shortValue]
	typ := Type(binary.BigEndian.Uint32(h))
	w := binary.BigEndian.Uint64(h[valueHead:])
	if typ == TypeString || typ == TypeEnum {
		size := w >> 32
		text := binary.LittleEndian.Uint64(h[valueHead+4:])
		if size-1 >= 8 || !s.escapes[0].plain(lettersFrom(text, size)) || s.reserved(h[valueHead+4:valueHead+4+size]) {
			return n, 0
		}
		binary.LittleEndian.PutUint64(buf[n:], text)
		return n + int(size), valueHead + 4 + int(size)
	}
	if !s.plainNumbers {
		return n, 0
	}
	switch typ {
	case TypeCount:
		if w < 1000 {
			return putSmall(buf, n, w), valueHead + 8
		}
		if w < 1e6 {
			return putMedium(buf, n, w), valueHead + 8
		}
		return putUint(buf, n, w), valueHead + 8
	case TypeTime, TypeInterval:
		d := math.Float64frombits(w)
		if q, ok := roundMicros(d); ok {
			return putTSVDouble(buf, n, d, q, typ), valueHead + 8
		}
	case TypeBool:
		return putTF(buf, n, w != 0), valueHead + 8
	case TypePort:
		if w < 1<<16 && binary.BigEndian.Uint32(h[valueHead+8:]) <= uint32(ProtoICMP) {
			if w < 1000 {
				return putSmall(buf, n, w), valueHead + 12
			}
			return putMedium(buf, n, w), valueHead + 12
		}
	case TypeAddr:
		if h[valueHead] == 4 {
			return putAddr4(buf, n, uint32(w>>24)), valueHead + 5
		}
	}
	return n, 0
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
