package codec

import (
	"math"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"
)

// Text for people and logs, on one line and never with control bytes:
//
//	none nil · boolean T or F · count, integer, real as numbers
//	string in quotes, escaped as in Go · enum bare
//	timestamp 2020-09-13T12:26:40.124Z · timespan 1.5s
//	set {a, b} · table {k: v} · vector [a, b]

// AppendText appends the value as compact text for people. Nothing reads it
// back; that is what broker-json-v1 is for.
func (v DataView) AppendText(dst []byte) []byte {
	dst, _ = appendText(dst, v.Encoded(), 0)
	return dst
}

// String is AppendText as a string.
func (v DataView) String() string { return string(v.AppendText(nil)) }

// AppendText appends the value as compact text, as [DataView.AppendText] does.
func (d Data) AppendText(dst []byte) []byte {
	switch d.kind {
	case KindSet, KindTable, KindVector:
	default:
		dst, _ = appendText(dst, d.appendScalar(nil), 0)
		return dst
	}
	open, end := brackets(d.kind)
	dst = append(dst, open)
	for i, e := range d.list {
		dst = appendSeparator(dst, d.kind, i)
		dst = e.AppendText(dst)
	}
	return append(dst, end)
}

// String is AppendText as a string.
func (d Data) String() string { return string(d.AppendText(nil)) }

// AppendText appends the event as compact text: its name, arguments in
// parentheses, and the network timestamp if it has one.
//
//	Cluster::hello("worker-1", "zeromq_worker-1_host_1_N0") at 2020-09-13T12:26:40Z
func (e *EventView) AppendText(dst []byte) []byte {
	dst = appendBare(dst, e.name)
	dst = append(dst, '(')
	first := true
	for a := range e.Args() {
		if !first {
			dst = append(dst, ", "...)
		}
		first = false
		dst = a.AppendText(dst)
	}
	dst = append(dst, ')')
	if t, ok := e.Timestamp(); ok {
		dst = t.AppendFormat(append(dst, " at "...), time.RFC3339Nano)
	}
	return dst
}

// String is AppendText as a string.
func (e *EventView) String() string { return string(e.AppendText(nil)) }

// appendText appends the checked value at b[i] and returns where it ends.
func appendText(dst, b []byte, i int) ([]byte, int) {
	k := Kind(b[i])
	if fixedSizes[k] != nestedIn {
		end := brokerSkip(b, i)
		return appendScalarText(dst, DataView{b[i:end]}), end
	}
	n, i := varbyteAt(b, i+1)
	if k == KindTable {
		n *= 2
	}
	open, end := brackets(k)
	dst = append(dst, open)
	for e := range n {
		dst = appendSeparator(dst, k, e)
		dst, i = appendText(dst, b, i)
	}
	return append(dst, end), i
}

func brackets(k Kind) (open, end byte) {
	if k == KindVector {
		return '[', ']'
	}
	return '{', '}'
}

// appendSeparator appends what stands in front of value i of a container.
func appendSeparator(dst []byte, k Kind, i int) []byte {
	switch {
	case i == 0:
		return dst
	case k == KindTable && i%2 == 1:
		return append(dst, ": "...)
	default:
		return append(dst, ", "...)
	}
}

func appendScalarText(dst []byte, v DataView) []byte {
	switch v.Kind() {
	case KindNone:
		return append(dst, "nil"...)
	case KindBoolean:
		if v.b[1] != 0 {
			return append(dst, 'T')
		}
		return append(dst, 'F')
	case KindCount:
		n, _ := v.AsCount()
		return strconv.AppendUint(dst, n, 10)
	case KindInteger:
		n, _ := v.AsInteger()
		return strconv.AppendInt(dst, n, 10)
	case KindReal:
		f, _ := v.AsReal()
		return appendRealText(dst, f)
	case KindString:
		s, _ := v.AsString()
		return strconv.AppendQuote(dst, string(s))
	case KindEnum:
		s, _ := v.AsEnum()
		return appendBare(dst, s)
	case KindTimestamp:
		t, _ := v.AsTimestamp()
		return t.AppendFormat(dst, time.RFC3339Nano)
	case KindTimespan:
		d, _ := v.AsTimespan()
		return append(dst, d.String()...)
	default:
		return appendBrokerScalar(dst, v.b)
	}
}

// appendRealText appends f so that it cannot be taken for an integer.
func appendRealText(dst []byte, f float64) []byte {
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, 'g', -1, 64)
	if math.IsInf(f, 0) || f != f {
		return dst
	}
	for _, c := range dst[start:] {
		if c == '.' || c == 'e' {
			return dst
		}
	}
	return append(dst, ".0"...)
}

// appendBare appends a name without quotes, unless it is not one.
func appendBare(dst, name []byte) []byte {
	for i := 0; i < len(name); {
		r, size := utf8.DecodeRune(name[i:])
		if r == utf8.RuneError || !unicode.IsPrint(r) || r == ' ' {
			return strconv.AppendQuote(dst, string(name))
		}
		i += size
	}
	return append(dst, name...)
}
