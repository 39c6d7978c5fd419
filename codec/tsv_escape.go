package codec

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// tsvEscapes knows what to escape in one place: between columns, or inside a
// set or vector.
type tsvEscapes struct {
	utf8 bool
	seqs [][]byte // separators, in the order in which Zeek tries them
	// The first bytes of the separators, in all eight bytes of a word.
	first, second uint64
}

func (e *tsvEscapes) init(utf8 bool, seqs ...[]byte) {
	const ones = 0x0101_0101_0101_0101
	e.utf8 = utf8
	e.seqs = slices.Clone(seqs)
	slices.SortFunc(e.seqs, bytes.Compare)
	e.first = ones * uint64(e.seqs[0][0])
	e.second = ones * uint64(e.seqs[len(e.seqs)-1][0])
}

// plain reports whether all eight bytes of w stay as they are: printable ASCII
// except backslash and what may start a separator.
func (e *tsvEscapes) plain(w uint64) bool {
	const ones, highs = 0x0101_0101_0101_0101, 0x8080_8080_8080_8080
	slash, first, second := w^ones*'\\', w^e.first, w^e.second
	// A borrow or carry into a byte comes only from one that is not plain
	// itself, so that the answer is right for the whole word.
	bad := (w - ones*' ') | (w + ones) | w | (slash - ones) | (first - ones) | (second - ones)
	return bad&highs == 0
}

// lettersFrom replaces all but the first n bytes of w, n from 1 to 8, by the
// first one, which is as plain as the rest.
func lettersFrom(w, n uint64) uint64 {
	tail := ^uint64(0) << (8 * n) // 0 if n is 8
	return w&^tail | 0x0101_0101_0101_0101*(w&0xff)&tail
}

// text writes the string at s.p[pos:].
func (s *tsvStyle) text(buf []byte, n, pos int) ([]byte, int, int) {
	p := s.p
	size, pos := textLen(p, pos)
	if pos < 0 {
		return buf, n, -1
	}
	end := pos + size
	text := p[pos:end]
	if size == 0 {
		return buf, n + copy(buf[n:], s.emptyText[s.inSet]), end
	}
	if len(p)-end < 8 || s.reserved(text) {
		dst := s.appendText(buf[:n], text)
		return dst[:cap(dst)], len(dst), end
	}
	if len(buf)-n < size+textRoom {
		buf = room(buf, n, size+textRoom)
	}
	e := &s.escapes[s.inSet]
	from, to := p[pos:end+8], buf[n:]
	i := 0
	for ; i+8 <= size; i += 8 {
		w := binary.LittleEndian.Uint64(from[i:])
		if !e.plain(w) {
			dst := e.append(buf[:n], text)
			return dst[:cap(dst)], len(dst), end
		}
		binary.LittleEndian.PutUint64(to[i:], w)
	}
	if i == size {
		return buf, n + size, end
	}
	// The last word reaches behind the string.
	w := binary.LittleEndian.Uint64(from[i:])
	if !e.plain(lettersFrom(w, uint64(size-i))) {
		dst := e.append(buf[:n], text)
		return dst[:cap(dst)], len(dst), end
	}
	binary.LittleEndian.PutUint64(to[i:], w)
	return buf, n + size, end
}

// appendText appends a string that is not empty. One that would read as an
// unset or empty value gets its first byte escaped.
func (s *tsvStyle) appendText(dst, text []byte) []byte {
	if s.reserved(text) {
		dst = appendHexByte(dst, text[0])
		text = text[1:]
	}
	return s.escapes[s.inSet].append(dst, text)
}

// append appends text with Zeek's escapes. Text is cut at backslashes,
// separators and, without UTF-8, at bytes that are not printable; these are
// escaped, and the pieces between them judged each by itself.
func (e *tsvEscapes) append(dst, text []byte) []byte {
	from := 0
	for i := 0; i < len(text); {
		cut := e.cut(text[i:])
		if cut == 0 {
			i++
			continue
		}
		dst = e.appendPiece(dst, text[from:i])
		for _, c := range text[i : i+cut] {
			if c == '\\' {
				dst = append(dst, '\\', '\\')
			} else {
				dst = appendHexByte(dst, c)
			}
		}
		i += cut
		from = i
	}
	return e.appendPiece(dst, text[from:])
}

// cut returns how many bytes at the start of text are to be escaped for
// themselves.
func (e *tsvEscapes) cut(text []byte) int {
	if text[0] == '\\' || !e.utf8 && !isPrintable(text[0]) {
		return 1
	}
	for _, s := range e.seqs {
		if bytes.HasPrefix(text, s) {
			return len(s)
		}
	}
	return 0
}

// appendPiece appends text that holds nothing to be cut out.
func (e *tsvEscapes) appendPiece(dst, text []byte) []byte {
	if !e.utf8 || acceptable(text, false) {
		return append(dst, text...)
	}
	for _, c := range text {
		if isPrintable(c) {
			dst = append(dst, c)
		} else {
			dst = appendHexByte(dst, c)
		}
	}
	return dst
}

// appendName appends a column's name. Zeek's names are identifiers and go out
// as they are; one that would break the line is escaped here.
func (s *tsvStyle) appendName(dst, name []byte) []byte {
	for _, c := range name {
		if c < ' ' || c == 0x7f {
			return s.escapes[0].append(dst, name)
		}
	}
	if bytes.Contains(name, s.separator) {
		return s.escapes[0].append(dst, name)
	}
	return append(dst, name...)
}
