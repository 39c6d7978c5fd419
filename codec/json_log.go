package codec

// jsonStyle writes batches as JSON, a line for each record.
type jsonStyle struct {
	unset  bool
	epoch  bool // times is TimestampEpoch
	times  TimestampFormat
	policy EscapePolicy
	keys   []jsonKey
	room   int // for all keys, with textRoom behind each

	p []byte // the payload while its records are being written
}

// jsonKey is `,"name":`, ready to be copied. The comma of an object's first
// key is turned into its opening brace.
type jsonKey struct {
	head [32]byte // the key's start; copied whole, whatever the length
	len  int
	text []byte // the whole key if it is longer
}

func (s *jsonStyle) init(o *TextOptions) {
	s.unset, s.times, s.policy = o.JSONIncludeUnsetFields, o.JSONTimestamps, o.JSONStringEscapePolicy
	s.epoch = s.times == TimestampEpoch
}

// prepare makes the keys of a new list of columns.
func (s *jsonStyle) prepare(fields []Field) {
	s.keys, s.room = s.keys[:0], textRoom
	for i := range fields {
		text := append([]byte(nil), ',', '"')
		text = appendJSONKey(text, fields[i].Name)
		text = append(text, '"', ':')
		k := jsonKey{len: len(text)}
		copy(k.head[:], text)
		if len(text) > len(k.head) {
			k.text = text
		}
		s.room += max(len(text), len(k.head)) + textRoom
		s.keys = append(s.keys, k)
	}
}

// appendRecords appends all records of a batch. It reports false at the first
// one that has a defect.
func (s *jsonStyle) appendRecords(dst []byte, b *Batch) ([]byte, bool) {
	s.p = b.payload
	defer s.release()
	buf, n, pos := dst[:cap(dst)], len(dst), b.records
	for range b.NumRecords {
		line := n
		if buf, n, pos = s.record(buf, n, pos); pos < 0 {
			return dst, false
		}
		buf = room(buf, n, textRoom)
		if n == line {
			buf[n] = '{'
			n++
		}
		buf[line] = '{'
		buf[n], buf[n+1] = '}', '\n'
		n += 2
	}
	return buf[:n], true
}

// release lets go of the caller's payload.
func (s *jsonStyle) release() { s.p = nil }
