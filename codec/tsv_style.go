package codec

import (
	"encoding/binary"
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
