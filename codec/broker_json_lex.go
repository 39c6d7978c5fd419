package codec

import (
	"math"
	"slices"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonLexer reads JSON as Broker's parser takes it (CAF: detail/json.cpp),
// which is more than RFC 8259 allows: raw control bytes and invalid UTF-8 in
// strings, the escape \v, form feed and vertical tab as white space, numbers
// in other bases and the number nan.
type jsonLexer struct {
	s []byte
	i int

	// Where members that may be read later begin and end, ascending, of what pass
	// has moved over.
	passed  []jsonSpan
	passing bool

	// The first failure.
	off    int
	field  string
	reason error
}

type jsonSpan struct{ start, end uint32 }

// maxJSONDepth bounds members that are skipped: a level of a table takes three
// levels of JSON.
const maxJSONDepth = 3*MaxDepth + 8

func (l *jsonLexer) fail(off int, field string, reason error) bool {
	if l.reason == nil {
		l.off, l.field, l.reason = off, field, reason
	}
	return false
}

// unexpected fails at the current byte, or at the end.
func (l *jsonLexer) unexpected(field string) bool {
	if l.i >= len(l.s) {
		return l.fail(len(l.s), field, ErrTruncated)
	}
	return l.fail(l.i, field, ErrSyntax)
}

// peek skips white space and returns the next byte, 0 at the end.
func (l *jsonLexer) peek() byte {
	for l.i < len(l.s) {
		switch c := l.s[l.i]; c {
		case ' ', '\n', '\t', '\r', '\f', '\v':
			l.i++
		default:
			return c
		}
	}
	return 0
}

// take consumes c, white space in front included.
func (l *jsonLexer) take(c byte, field string) bool {
	if l.peek() != c || l.i >= len(l.s) {
		return l.unexpected(field)
	}
	l.i++
	return true
}

// next is called behind an item of an object or array that ends with end. It
// reports whether another item follows.
func (l *jsonLexer) next(end byte, field string) bool {
	switch l.peek() {
	case ',':
		l.i++
		return true
	case end:
		l.i++
		return false
	}
	return l.unexpected(field)
}

// str consumes a string and returns what is between the quotes, and whether
// that has escapes.
func (l *jsonLexer) str(field string) (raw []byte, escaped bool) {
	if !l.take('"', field) {
		return nil, false
	}
	start := l.i
	for l.i < len(l.s) {
		switch l.s[l.i] {
		case '"':
			l.i++
			return l.s[start : l.i-1], escaped
		case '\\':
			escaped = true
			if !l.escape(field) {
				return nil, false
			}
		default:
			l.i++
		}
	}
	l.unexpected(field)
	return nil, false
}

// escape consumes an escape sequence, a surrogate pair as one.
func (l *jsonLexer) escape(field string) bool {
	l.i++
	if l.i >= len(l.s) {
		return l.unexpected(field)
	}
	switch l.s[l.i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't', 'v':
		l.i++
		return true
	case 'u':
	default:
		return l.unexpected(field)
	}
	high, ok := l.hex4(field)
	if !ok || high < 0xd800 || high >= 0xdc00 {
		return ok
	}
	if l.i+1 >= len(l.s) || l.s[l.i] != '\\' || l.s[l.i+1] != 'u' {
		return l.unexpected(field)
	}
	l.i++
	at := l.i
	if low, ok := l.hex4(field); !ok || low < 0xdc00 || low >= 0xe000 {
		return l.fail(at, field, ErrSyntax)
	}
	return true
}

// hex4 consumes the u at the current position and four digits.
func (l *jsonLexer) hex4(field string) (r rune, ok bool) {
	l.i++
	for range 4 {
		if l.i >= len(l.s) {
			return 0, l.unexpected(field)
		}
		d := hexValue(l.s[l.i])
		if d < 0 {
			return 0, l.unexpected(field)
		}
		r = r<<4 | rune(d)
		l.i++
	}
	return r, true
}

// hexValue is the value of a hexadecimal digit, or -1.
func hexValue(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	default:
		return -1
	}
}

// word consumes a literal or number: everything up to a byte that cannot be
// part of one.
func (l *jsonLexer) word() []byte {
	l.peek()
	start := l.i
	for l.i < len(l.s) {
		c := l.s[l.i]
		if c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '.' || c == '-' || c == '+' {
			l.i++
			continue
		}
		break
	}
	return l.s[start:l.i]
}

// skip consumes any value. Only its shape is checked.
func (l *jsonLexer) skip(field string, depth int) bool {
	c := l.peek()
	switch c {
	case '"':
		l.str(field)
		return l.reason == nil
	case '{', '[':
	default:
		at := l.i
		if len(l.word()) == 0 {
			return l.unexpected(field)
		}
		return l.knownWord(at, field)
	}
	if depth >= maxJSONDepth {
		return l.fail(l.i, field, ErrDepth)
	}
	l.i++
	end := c + 2 // ] and } in ASCII
	if l.peek() == end {
		l.i++
		return true
	}
	for {
		member := -1
		if c == '{' {
			key, escaped := l.str(field)
			if l.reason != nil || !l.take(':', field) {
				return false
			}
			if escaped || string(key) == "data" || string(key) == "value" {
				member = l.begin()
			}
		}
		if !l.skip(field, depth+1) {
			return false
		}
		l.end(member)
		if !l.next(end, field) {
			return l.reason == nil
		}
	}
}

// pass is skip for a member that is read later, when what stands behind it has told
// how. It keeps the ends of those inside that this may happen to, too: else such a
// member in such a member, and so on, would be skipped once for each level.
func (l *jsonLexer) pass(field string) {
	l.peek()
	at, known := slices.BinarySearchFunc(l.passed, l.i, func(s jsonSpan, i int) int { return int(s.start) - i })
	if known {
		l.i = int(l.passed[at].end)
		return
	}
	l.passing = true
	member := l.begin()
	if l.skip(field, 0) {
		l.end(member)
	}
	l.passing = false
}

// begin and end stand around a member of what is passed. Strings and numbers have no
// members and need not be kept; texts of 2 GiB are too long to be.
func (l *jsonLexer) begin() int {
	if !l.passing || len(l.s) > math.MaxInt32 || l.peek() != '{' && l.peek() != '[' {
		return -1
	}
	l.passed = append(l.passed, jsonSpan{start: uint32(l.i)})
	return len(l.passed) - 1
}

func (l *jsonLexer) end(member int) {
	if member >= 0 {
		l.passed[member].end = uint32(l.i)
	}
}

// knownWord checks the word that has just been consumed.
func (l *jsonLexer) knownWord(at int, field string) bool {
	switch w := l.s[at:l.i]; string(w) {
	case "true", "false", "null", "nan", "-nan", "inf", "-inf":
		return true
	default:
		if _, _, reason := parseJSONInt(w); reason == nil || reason == ErrRange || isDecimal(w) {
			return true
		}
		return l.fail(at, field, ErrSyntax)
	}
}

// appendUnescaped appends the string that raw, which str has checked, stands
// for.
func appendUnescaped(dst, raw []byte) []byte {
	for i := 0; i < len(raw); {
		c := raw[i]
		if c != '\\' {
			dst = append(dst, c)
			i++
			continue
		}
		c = raw[i+1]
		i += 2
		switch c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'v':
			c = '\v'
		case 'u':
			r := hexRune(raw[i:])
			i += 4
			if r >= 0xd800 && r < 0xdc00 {
				dst = appendSurrogates(dst, r, hexRune(raw[i+2:]))
				i += 6
				continue
			}
			dst = appendCodePoint(dst, r)
			continue
		}
		dst = append(dst, c)
	}
	return dst
}

func hexRune(h []byte) rune {
	return rune(hexValue(h[0])<<12 | hexValue(h[1])<<8 | hexValue(h[2])<<4 | hexValue(h[3]))
}

// appendSurrogates appends the character of a pair, or the byte that the
// writer has hidden in it.
func appendSurrogates(dst []byte, high, low rune) []byte {
	if high == 0xdb80 && low >= 0xdc80 && low <= 0xdcff {
		return append(dst, byte(low))
	}
	return utf8.AppendRune(dst, utf16.DecodeRune(high, low))
}

// appendCodePoint appends r in UTF-8. A lone low surrogate is written like any
// other character of three bytes, as Broker does.
func appendCodePoint(dst []byte, r rune) []byte {
	if r >= 0xdc00 && r < 0xe000 {
		return append(dst, 0xe0|byte(r>>12), 0x80|byte(r>>6)&0xbf, 0x80|byte(r)&0x3f)
	}
	return utf8.AppendRune(dst, r)
}
