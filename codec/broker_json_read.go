package codec

import "encoding/binary"

// jsonReader turns broker-json-v1 into broker-bin-v1 as it reads. Members may
// stand in any order; unknown ones are skipped; of equal ones the first counts.
type jsonReader struct {
	jsonLexer
	sort *brokerSorter
	tmp  []byte // a short string with its escapes resolved

	// What the outermost object has besides the value.
	topic    []byte
	hasTopic bool
}

// valueMembers is what an object has shown of itself so far.
type valueMembers struct {
	kind   int  // -1: no @data-type yet
	dataAt int  // where its data starts, -1: no data yet
	done   bool // the data is read
}

// value reads one value that stands inside depth containers and appends it.
// After a failure the result is meaningless.
func (r *jsonReader) value(dst []byte, depth int, top bool) []byte {
	m := valueMembers{kind: -1, dataAt: -1}
	more := true
	if m.kind = r.usualHead(); m.kind >= 0 {
		dst = r.member(dst, depth, &m)
		more = r.reason == nil && r.next('}', "value")
	} else if !r.take('{', "value") {
		return dst
	} else if r.peek() == '}' {
		r.i++
		more = false
	}
	for more {
		key, escaped := r.str("value")
		if r.reason != nil || !r.take(':', "value") {
			return dst
		}
		switch {
		case m.kind < 0 && r.is(key, escaped, "@data-type"):
			m.kind = r.kind()
		case m.dataAt < 0 && r.is(key, escaped, "data"):
			dst = r.member(dst, depth, &m)
		case top && !r.hasTopic && r.is(key, escaped, "topic"):
			r.readTopic()
		default:
			r.skip("value", 0)
		}
		if r.reason != nil {
			return dst
		}
		more = r.next('}', "value")
	}
	switch {
	case r.reason != nil || m.done:
	case m.kind < 0:
		r.fail(r.i, "@data-type", ErrType)
	case Kind(m.kind) == KindNone: // Broker does not look at the data
		return append(dst, byte(KindNone))
	case m.dataAt < 0:
		r.fail(r.i, "data", ErrMismatch)
	default:
		end := r.i
		r.i = m.dataAt
		dst = r.data(dst, Kind(m.kind), depth)
		r.i = end
	}
	return dst
}

// usualHead consumes what Broker writes in front of the data, if it is there
// without white space or escapes, and returns the kind, else -1.
func (r *jsonReader) usualHead() int {
	const before, after = `{"@data-type":"`, `","data":`
	s := r.s[r.i:]
	if len(s) < len(before) || string(s[:len(before)]) != before {
		return -1
	}
	s = s[len(before):]
	n := 0
	for n < len(s) && s[n] != '"' {
		n++
	}
	if len(s)-n < len(after) || string(s[n:n+len(after)]) != after {
		return -1
	}
	k := kindNamed(s[:n])
	if k >= 0 {
		r.i += len(before) + n + len(after)
	}
	return k
}

// member reads the data, or passes over it while its kind is not known.
func (r *jsonReader) member(dst []byte, depth int, m *valueMembers) []byte {
	r.peek()
	m.dataAt = r.i
	if m.kind > int(KindNone) {
		m.done = true
		return r.data(dst, Kind(m.kind), depth)
	}
	r.pass("data")
	return dst
}

// is compares a key.
func (r *jsonReader) is(raw []byte, escaped bool, want string) bool {
	if !escaped {
		return string(raw) == want
	}
	if len(raw) > 6*len(want) { // \u and four digits for each letter
		return false
	}
	r.tmp = appendUnescaped(r.tmp[:0], raw)
	return string(r.tmp) == want
}

func (r *jsonReader) kind() int {
	r.peek()
	at := r.i
	if r.i >= len(r.s) || r.s[r.i] != '"' {
		r.fail(at, "@data-type", ErrType)
		return -1
	}
	name := r.text("@data-type")
	if r.reason != nil {
		return -1
	}
	k := kindNamed(name)
	if k < 0 {
		r.fail(at, "@data-type", ErrType)
	}
	return k
}

// readTopic takes a topic that is a string; Broker ignores any other.
func (r *jsonReader) readTopic() {
	if r.peek() != '"' {
		r.skip("topic", 0)
		return
	}
	raw, _ := r.str("topic")
	if r.reason == nil {
		r.topic, r.hasTopic = appendUnescaped(r.topic[:0], raw), true
	}
}

// text reads a string whose escapes are resolved. It is valid until the next.
func (r *jsonReader) text(field string) []byte {
	if r.peek() != '"' {
		if r.i < len(r.s) {
			r.fail(r.i, field, ErrMismatch)
		} else {
			r.unexpected(field)
		}
		return nil
	}
	raw, escaped := r.str(field)
	if !escaped {
		return raw
	}
	r.tmp = appendUnescaped(r.tmp[:0], raw)
	return r.tmp
}

// data reads the data of a value of kind k.
func (r *jsonReader) data(dst []byte, k Kind, depth int) []byte {
	field := kindNames[k]
	switch k {
	case KindString, KindEnum:
		return r.longText(append(dst, byte(k)), field)
	case KindSet, KindTable, KindVector:
		return r.container(dst, k, depth)
	case KindBoolean, KindCount, KindInteger, KindReal:
		return r.number(append(dst, byte(k)), k)
	}
	r.peek()
	at := r.i
	s := r.text(field)
	if r.reason != nil {
		return dst
	}
	dst, reason := appendParsed(append(dst, byte(k)), k, s)
	if reason != nil {
		r.fail(at, field, reason)
	}
	return dst
}

// longText appends a string's length and content.
func (r *jsonReader) longText(dst []byte, field string) []byte {
	if r.peek() != '"' {
		r.text(field) // for its error
		return dst
	}
	raw, escaped := r.str(field)
	if uint64(len(raw)) > maxLength {
		r.fail(r.i-len(raw), field, ErrTooLong)
	}
	if r.reason != nil {
		return dst
	}
	if !escaped {
		return append(appendVarbyte(dst, len(raw)), raw...)
	}
	at := len(dst)
	dst = appendUnescaped(append(dst, 0), raw)
	return patchCount(dst, at, len(dst)-at-1)
}

// number reads what stands there without quotes, and reals that are none in
// quotes.
func (r *jsonReader) number(dst []byte, k Kind) []byte {
	field := kindNames[k]
	r.peek()
	at := r.i
	var w []byte
	if k == KindReal && r.i < len(r.s) && r.s[r.i] == '"' {
		if w = r.text(field); r.reason == nil && !isNonFinite(w) {
			r.fail(at, field, ErrMismatch)
		}
	} else if w = r.word(); len(w) == 0 {
		if r.i < len(r.s) && (r.s[r.i] == '"' || r.s[r.i] == '{' || r.s[r.i] == '[') {
			r.fail(at, field, ErrMismatch)
		} else {
			r.unexpected(field)
		}
	}
	if r.reason != nil {
		return dst
	}
	dst, reason := appendNumber(dst, k, w)
	if reason != nil {
		r.fail(at, field, reason)
	}
	return dst
}

// appendNumber appends the data of a boolean, count, integer or real.
func appendNumber(dst []byte, k Kind, w []byte) ([]byte, error) {
	switch k {
	case KindBoolean:
		switch string(w) {
		case "true":
			return append(dst, 1), nil
		case "false":
			return append(dst, 0), nil
		}
		return dst, ErrMismatch
	case KindReal:
		f, reason := parseJSONReal(w)
		return appendFloat(dst, f), reason
	}
	neg, n, reason := parseJSONInt(w)
	switch {
	case reason != nil:
		return dst, reason
	case k == KindCount && neg && n != 0, k == KindInteger && n > 1<<63-uint64(truth(!neg)):
		return dst, ErrRange
	case neg:
		n = -n
	}
	return binary.BigEndian.AppendUint64(dst, n), nil
}
