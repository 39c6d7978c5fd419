package layout

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A token is a word (names, numbers, addresses, ports), a string, a character of
// punctuation, or the end of the file.
type token struct {
	kind kind
	text string // of a string without quotes and escapes
	at   int    // offset in the file
}

type kind byte

const (
	end kind = iota
	word
	text
	mark
)

// scanner cuts a script into tokens, one ahead.
type scanner struct {
	file string
	src  string
	pos  int
	next token
}

// fail ends the parsing with a problem at an offset.
func (s *scanner) fail(at int, format string, args ...any) {
	before := s.src[:at]
	line := strings.Count(before, "\n") + 1
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
	panic(failure{&Error{s.file, line, column, fmt.Sprintf(format, args...)}})
}

// take returns the token that stands next and scans the one behind it.
func (s *scanner) take() token {
	t := s.next
	s.next = s.scan()
	return t
}

func (s *scanner) scan() token {
	s.blank()
	if s.pos == len(s.src) {
		return token{kind: end, at: s.pos}
	}
	at := s.pos
	switch c := s.src[at]; {
	case c == '"':
		return s.quoted()
	case isWordByte(c):
		for s.pos < len(s.src) && isWordByte(s.src[s.pos]) {
			s.pos++
		}
		return token{word, s.src[at:s.pos], at}
	}
	_, size := utf8.DecodeRuneInString(s.src[at:])
	s.pos += size
	return token{mark, s.src[at:s.pos], at}
}

// blank skips white space and comments.
func (s *scanner) blank() {
	for s.pos < len(s.src) {
		switch s.src[s.pos] {
		case ' ', '\t', '\r', '\n':
			s.pos++
		case '#':
			s.line()
		default:
			return
		}
	}
}

// line skips to the end of the line.
func (s *scanner) line() {
	if n := strings.IndexByte(s.src[s.pos:], '\n'); n >= 0 {
		s.pos += n
	} else {
		s.pos = len(s.src)
	}
}

// isWordByte takes what names, addresses (IPv6 between brackets) and ports are
// made of.
func isWordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		c == '_' || c == ':' || c == '.' || c == '/'
}

func (s *scanner) quoted() token {
	at := s.pos
	for i := at + 1; i < len(s.src) && s.src[i] != '\n'; i++ {
		switch s.src[i] {
		case '\\':
			i++
		case '"':
			value, err := strconv.Unquote(s.src[at : i+1])
			if err != nil || i-at > maxString {
				s.fail(at, "string is too long or has an escape that is not known")
			}
			s.pos = i + 1
			return token{text, value, at}
		}
	}
	s.fail(at, "string without an end")
	return token{}
}

// String is how a token is called in errors.
func (t token) String() string {
	switch t.kind {
	case end:
		return "the end of the file"
	case text:
		return strconv.QuoteToGraphic(cut(t.text))
	}
	return strings.Trim(strconv.QuoteToGraphic(cut(t.text)), `"`)
}

// maxShown bounds what an error repeats of the file, in bytes.
const maxShown = 60

func cut(s string) string {
	if len(s) > maxShown {
		return strings.ToValidUTF8(s[:maxShown], "") + "..."
	}
	return s
}
