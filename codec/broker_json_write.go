package codec

import (
	"encoding/binary"
	"math"
	"strconv"
	"unicode/utf8"
)

// How broker-json-v1 text is written (Broker: format/json.hh), and where ours
// differs because Broker's is not JSON:
//
//	in a string            Broker writes         this package writes
//	\v                     \v                    \u000b
//	other control bytes    the byte              \u00nn
//	bytes that are not     the byte              \udb80\udcnn: U+F00nn, the character
//	  UTF-8                                      for byte nn in Zeek's own JSON logs
//	                                             under JSON_STRING_ESCAPE_PUA
//	NaN and infinities     nan inf -inf          the same in quotes
//
// The reader takes both forms and restores the bytes, so converting to JSON
// and back keeps every string. A Zeek node reads the first two as intended and
// the third as that character, and refuses the event with the last, as it
// refuses Broker's own inf.

// jsonHeads is what stands in front of a value's data, by kind.
var jsonHeads = func() (heads [KindVector + 1]string) {
	for k := range heads {
		heads[k] = `{"@data-type":"` + kindNames[k] + `","data":`
	}
	return heads
}()

// appendBrokerJSON appends the checked value at b[i], whose sets and tables
// must be in canonical order, and returns where it ends.
func appendBrokerJSON(dst, b []byte, i int) ([]byte, int) {
	dst = append(dst, jsonHeads[b[i]]...)
	dst, i = appendJSONContent(dst, b, i)
	return append(dst, '}'), i
}

func appendJSONContent(dst, b []byte, i int) ([]byte, int) {
	k := Kind(b[i])
	i++
	switch k {
	case KindBoolean:
		return strconv.AppendBool(dst, b[i] != 0), i + 1
	case KindCount:
		return strconv.AppendUint(dst, binary.BigEndian.Uint64(b[i:]), 10), i + 8
	case KindInteger:
		return strconv.AppendInt(dst, int64(binary.BigEndian.Uint64(b[i:])), 10), i + 8
	case KindReal:
		return appendJSONReal(dst, realOf(binary.BigEndian.Uint64(b[i:]))), i + 8
	case KindString, KindEnum:
		n, j := varbyteAt(b, i)
		return appendBrokerString(dst, b[j:j+n]), j + n
	case KindTimestamp:
		dst = append(dst, '"')
		dst = appendBrokerTime(dst, int64(binary.BigEndian.Uint64(b[i:])))
		return append(dst, '"'), i + 8
	case KindTimespan:
		dst = append(dst, '"')
		dst = appendBrokerTimespan(dst, int64(binary.BigEndian.Uint64(b[i:])))
		return append(dst, '"'), i + 8
	case KindSet, KindTable, KindVector:
		return appendJSONContainer(dst, b, i, k)
	case KindNone:
		return append(dst, '{', '}'), i
	}
	// The rest needs no escaping.
	dst = append(dst, '"')
	dst = appendBrokerScalar(dst, b[i-1:])
	return append(dst, '"'), i + int(fixedSizes[k])
}

func appendJSONContainer(dst, b []byte, i int, k Kind) ([]byte, int) {
	n, i := varbyteAt(b, i)
	dst = append(dst, '[')
	for e := range n {
		if e > 0 {
			dst = append(dst, ',')
		}
		if k != KindTable {
			dst, i = appendBrokerJSON(dst, b, i)
			continue
		}
		dst = append(dst, `{"key":`...)
		dst, i = appendBrokerJSON(dst, b, i)
		dst = append(dst, `,"value":`...)
		dst, i = appendBrokerJSON(dst, b, i)
		dst = append(dst, '}')
	}
	return append(dst, ']'), i
}

// appendJSONReal appends what printf's %f makes of f, or what is not a number
// in quotes.
func appendJSONReal(dst []byte, f float64) []byte {
	if finite(f) {
		return appendReal(dst, f)
	}
	if f != f {
		return append(dst, `"nan"`...) // whatever its sign
	}
	dst = append(dst, '"')
	dst = appendFixed6(dst, f)
	return append(dst, '"')
}

func finite(f float64) bool { return f-f == 0 }

// appendReal appends what printf makes of f under %f.
func appendReal(dst []byte, f float64) []byte {
	q, ok := roundMicros(f)
	if !ok {
		return appendFixed6(dst, f)
	}
	if math.Signbit(f) {
		dst = append(dst, '-')
	}
	var tmp [40]byte
	return append(dst, tmp[:putFixed6(tmp[:], 0, q)]...)
}

// brokerPlain marks the bytes that stand for themselves in a JSON string.
var brokerPlain = func() (t [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// appendBrokerString appends s in quotes.
func appendBrokerString(dst, s []byte) []byte {
	dst = append(dst, '"')
	for {
		n := 0
		for n < len(s) && brokerPlain[s[n]] {
			n++
		}
		dst = append(dst, s[:n]...)
		if n == len(s) {
			return append(dst, '"')
		}
		s = s[n:]
		if c := s[0]; c < utf8.RuneSelf {
			dst = appendEscaped(dst, c)
			s = s[1:]
			continue
		}
		r, size := utf8.DecodeRune(s)
		if r == utf8.RuneError && size == 1 {
			dst = append(dst, `\udb80\udc`...)
			dst = append(dst, hexDigits[s[0]>>4], hexDigits[s[0]&15])
		} else {
			dst = append(dst, s[:size]...)
		}
		s = s[size:]
	}
}

func appendEscaped(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, `\b`...)
	case '\f':
		return append(dst, `\f`...)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	default:
		return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
	}
}
