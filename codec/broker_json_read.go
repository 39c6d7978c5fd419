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

// value reads one value that stands inside depth containers and appends it.
// After a failure the result is meaningless.
func (r *jsonReader) value(dst []byte, depth int, top bool) []byte {
	if !r.take('{', "value") {
		return dst
	}
	kind, dataAt, done := -1, -1, false
	more := true
	if r.peek() == '}' {
		r.i++
		more = false
	}
	for more {
		key, escaped := r.str("value")
		if r.reason != nil || !r.take(':', "value") {
			return dst
		}
		switch {
		case kind < 0 && r.is(key, escaped, "@data-type"):
			kind = r.kind()
		case dataAt < 0 && r.is(key, escaped, "data"):
			r.peek()
			dataAt = r.i
			if kind > int(KindNone) {
				dst = r.data(dst, Kind(kind), depth)
				done = true
			} else {
				r.skip("data", 0)
			}
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
	case r.reason != nil || done:
	case kind < 0:
		r.fail(r.i, "@data-type", ErrType)
	case Kind(kind) == KindNone: // Broker does not look at the data
		return append(dst, byte(KindNone))
	case dataAt < 0:
		r.fail(r.i, "data", ErrMismatch)
	default:
		end := r.i
		r.i = dataAt
		dst = r.data(dst, Kind(kind), depth)
		r.i = end
	}
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
	for k, n := range kindNames {
		if string(name) == n {
			return k
		}
	}
	r.fail(at, "@data-type", ErrType)
	return -1
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

// container reads a set, table or vector.
func (r *jsonReader) container(dst []byte, k Kind, depth int) []byte {
	field := kindNames[k]
	if r.peek() != '[' {
		if r.i < len(r.s) {
			r.fail(r.i, field, ErrMismatch)
		}
		r.unexpected(field)
		return dst
	}
	begin := r.i
	if depth >= MaxDepth {
		r.fail(begin, field, ErrDepth)
		return dst
	}
	r.i++
	dst = append(dst, byte(k), 0)
	start, n := len(dst), 0
	more := true
	if r.peek() == ']' {
		r.i++
		more = false
	}
	for ; more; n++ {
		if k == KindTable {
			dst = r.pair(dst, depth+1)
		} else {
			dst = r.value(dst, depth+1, false)
		}
		if r.reason != nil {
			return dst
		}
		more = r.next(']', field)
	}
	switch {
	case r.reason != nil:
		return dst
	case uint64(n) > maxLength:
		r.fail(begin, field, ErrTooLong)
		return dst
	case k != KindVector && !r.sort.sort(dst, start, n, k):
		r.fail(begin, field, ErrDuplicate)
		return dst
	}
	return patchCount(dst, start-1, n)
}

// pair reads a key and value of a table and appends them in this order.
func (r *jsonReader) pair(dst []byte, depth int) []byte {
	if !r.take('{', "table") {
		return dst
	}
	keyAt, valueAt := -1, -1
	valueDone := false
	more := true
	if r.peek() == '}' {
		r.i++
		more = false
	}
	for more {
		name, escaped := r.str("table")
		if r.reason != nil || !r.take(':', "table") {
			return dst
		}
		r.peek()
		switch {
		case keyAt < 0 && r.is(name, escaped, "key"):
			keyAt = r.i
			dst = r.value(dst, depth, false)
		case valueAt < 0 && r.is(name, escaped, "value"):
			valueAt = r.i
			if keyAt >= 0 {
				dst = r.value(dst, depth, false)
				valueDone = true
			} else {
				r.skip("value", 0)
			}
		default:
			r.skip("table", 0)
		}
		if r.reason != nil {
			return dst
		}
		more = r.next('}', "table")
	}
	if r.reason == nil && (keyAt < 0 || valueAt < 0) {
		r.fail(r.i, "table", ErrMismatch)
	}
	if r.reason == nil && !valueDone {
		end := r.i
		r.i = valueAt
		dst = r.value(dst, depth, false)
		r.i = end
	}
	return dst
}
