package codec

import (
	"encoding/binary"
	"unicode/utf8"
)

// jsonPlain reports whether all eight bytes of w may stand in a JSON string as
// they are, under every policy: printable ASCII except quote and backslash.
func jsonPlain(w uint64) bool {
	const ones, highs = 0x0101_0101_0101_0101, 0x8080_8080_8080_8080
	quote, slash := w^ones*'"', w^ones*'\\'
	// A borrow or carry into a byte comes only from one that is not plain
	// itself, so that the answer is right for the whole word.
	bad := (w - ones*' ') | (w + ones) | w | (quote - ones) | (slash - ones)
	return bad&highs == 0
}

// spacesFrom replaces all but the first n bytes of w by spaces.
func spacesFrom(w, n uint64) uint64 {
	tail := ^uint64(0) << (8 * n) // 0 if n is 8
	return w&^tail | 0x2020_2020_2020_2020&tail
}

// text writes the string at s.p[pos:], in quotes.
func (s *jsonStyle) text(buf []byte, n, pos int, typ Type) ([]byte, int, int) {
	p := s.p
	size, pos := textLen(p, pos)
	if pos < 0 {
		return buf, n, -1
	}
	end := pos + size
	if len(p)-end < 8 {
		// Too close to the payload's end to read whole words.
		dst := s.appendText(buf[:n], p[pos:end], typ)
		return dst[:cap(dst)], len(dst), end
	}
	if len(buf)-n < size+textRoom {
		buf = room(buf, n, size+textRoom)
	}
	if !copyPlain(buf[n+1:n+9+size], p[pos:end+8]) {
		dst := s.appendText(buf[:n], p[pos:end], typ)
		return dst[:cap(dst)], len(dst), end
	}
	buf[n], buf[n+size+1] = '"', '"'
	return buf, n + size + 2, end
}

// copyPlain copies a string and the eight bytes behind it, and reports whether
// the string is plain. If not, what it has copied is of no use.
func copyPlain(to, from []byte) bool {
	for len(from) >= 16 && len(to) >= 16 {
		w := binary.LittleEndian.Uint64(from)
		if !jsonPlain(w) {
			return false
		}
		binary.LittleEndian.PutUint64(to, w)
		from, to = from[8:], to[8:]
	}
	// The last word reaches behind the string.
	w := binary.LittleEndian.Uint64(from)
	binary.LittleEndian.PutUint64(to, w)
	return jsonPlain(spacesFrom(w, uint64(len(from)-8)))
}

// appendText appends a string of any content, in quotes.
func (s *jsonStyle) appendText(dst, text []byte, typ Type) []byte {
	policy := EscapeHex
	if typ == TypeString {
		policy = s.policy
	}
	dst = append(dst, '"')
	switch policy {
	case EscapePUA:
		dst = appendJSONPUA(dst, text)
	case EscapeTSV:
		dst = appendJSONTSV(dst, text)
	default:
		dst = appendJSONHex(dst, text)
	}
	return append(dst, '"')
}

// appendJSONHex follows EscapeHex.
func appendJSONHex(dst, text []byte) []byte {
	if acceptable(text, true) {
		return appendJSONEscaped(dst, text)
	}
	for _, c := range text {
		switch {
		case isPrintable(c) || isJSONControl(c):
			dst = appendJSONByte(dst, c)
		default:
			dst = appendJSONHexByte(dst, c)
		}
	}
	return dst
}

// appendJSONPUA follows EscapePUA: U+F0000 and the byte, as a surrogate pair.
func appendJSONPUA(dst, text []byte) []byte {
	for i := 0; i < len(text); {
		c := text[i]
		size := 1
		switch {
		case isPrintable(c) || isJSONControl(c):
			dst = appendJSONByte(dst, c)
		default:
			if size = acceptedRune(text[i:]); size > 0 {
				dst = append(dst, text[i:i+size]...)
				break
			}
			dst = append(dst, `\udb80\udc`...)
			dst = append(dst, hexDigits[c>>4], hexDigits[c&15])
			size = 1
		}
		i += size
	}
	return dst
}

// appendJSONTSV follows EscapeTSV: each piece between backslashes is judged
// alone.
func appendJSONTSV(dst, text []byte) []byte {
	for {
		i := 0
		for i < len(text) && text[i] != '\\' {
			i++
		}
		piece := text[:i]
		if acceptable(piece, false) {
			dst = appendJSONEscaped(dst, piece)
		} else {
			for _, c := range piece {
				if isPrintable(c) {
					dst = appendJSONByte(dst, c)
				} else {
					dst = appendJSONHexByte(dst, c)
				}
			}
		}
		if i == len(text) {
			return dst
		}
		dst = append(dst, `\\\\`...)
		text = text[i+1:]
	}
}

// appendJSONEscaped appends text that needs no more than JSON's own escapes.
func appendJSONEscaped(dst, text []byte) []byte {
	from := 0
	for i, c := range text {
		if c < ' ' || c == '"' || c == '\\' {
			dst = append(dst, text[from:i]...)
			dst = appendJSONByte(dst, c)
			from = i + 1
		}
	}
	return append(dst, text[from:]...)
}

// appendJSONByte appends an ASCII character the way RapidJSON does.
func appendJSONByte(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	if c < ' ' {
		return append(dst, '\\', 'u', '0', '0', '0'+c>>4, "0123456789ABCDEF"[c&15])
	}
	return append(dst, c)
}

// appendJSONHexByte appends \xnn, its backslash escaped.
func appendJSONHexByte(dst []byte, c byte) []byte {
	return append(dst, '\\', '\\', 'x', hexDigits[c>>4], hexDigits[c&15])
}

// appendJSONKey appends a field's name. Zeek's names are identifiers; here one
// that is not UTF-8 is treated as a string under EscapeHex, so that the line
// stays JSON.
func appendJSONKey(dst, name []byte) []byte {
	if utf8.Valid(name) {
		return appendJSONEscaped(dst, name)
	}
	return appendJSONHex(dst, name)
}
