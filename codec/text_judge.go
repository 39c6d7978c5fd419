package codec

import "unicode/utf8"

// What Zeek lets into a log as it is, and what makes it escape a string.

// isPrintable is C's isprint for ASCII.
func isPrintable(c byte) bool { return c >= ' ' && c < 0x7f }

// isJSONControl reports whether c is one of the control characters that JSON
// has a short escape for.
func isJSONControl(c byte) bool {
	return c == '\b' || c == '\f' || c == '\n' || c == '\r' || c == '\t'
}

// acceptable reports whether no byte of text needs to be escaped in hex:
// it is UTF-8 and holds no character that Zeek refuses. The short control
// characters count as acceptable if controls is set.
func acceptable(text []byte, controls bool) bool {
	for i := 0; i < len(text); {
		if c := text[i]; isPrintable(c) || controls && isJSONControl(c) {
			i++
			continue
		}
		size := acceptedRune(text[i:])
		if size == 0 {
			return false
		}
		i += size
	}
	return true
}

// acceptedRune returns the length of the character beyond ASCII that text
// starts with, 0 if it is malformed or one that Zeek escapes: a C1 control, one
// of the basic plane's private use area, or one of U+FFF0 to U+FFFF.
func acceptedRune(text []byte) int {
	r, size := utf8.DecodeRune(text)
	switch {
	case r < 0xa0: // ASCII controls and C1
	case r >= 0xe000 && r <= 0xf8ff:
	case r >= 0xfff0 && r <= 0xffff: // utf8.RuneError is among them
	default:
		return size
	}
	return 0
}
