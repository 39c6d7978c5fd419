package codec

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
	start, n, base := len(dst), 0, len(r.sort.elems)
	more := true
	if r.peek() == ']' {
		r.i++
		more = false
	}
	for ; more; n++ {
		at := len(dst)
		if k == KindTable {
			dst = r.pair(dst, depth+1)
		} else {
			dst = r.value(dst, depth+1, false)
		}
		if r.reason != nil {
			return dst
		}
		if k != KindVector {
			r.sort.elems = append(r.sort.elems, elemSpan{at, len(dst)})
		}
		more = r.next(']', field)
	}
	switch {
	case r.reason != nil:
		return dst
	case uint64(n) > maxLength:
		r.fail(begin, field, ErrTooLong)
		return dst
	case k != KindVector && !r.sort.close(dst, base):
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
				r.pass("value")
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
