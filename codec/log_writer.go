package codec

import (
	"encoding/binary"
	"errors"
	"math"
)

// ErrRecord: the values of a record do not add up to its columns.
var ErrRecord = errors.New("not one value for each column")

// Names that Zeek's own nodes use, filled in where a [BatchHeader] has none.
const (
	DefaultWriter = "Log::WRITER_ASCII"
	DefaultFilter = "default"
)

// BatchHeader says what log a batch belongs to. A Zeek logger takes a batch
// only if it knows stream and filter and agrees on the writer and on the number
// and types of the fields.
type BatchHeader struct {
	Stream string // such as Conn::LOG
	Writer string // empty: DefaultWriter
	Filter string // empty: DefaultFilter
	Path   string // such as conn
	Fields []Field
}

// NewField describes a column of a scalar type. Like most of Zeek's fields it
// is optional; clear Optional for one that is always set.
func NewField(name string, typ Type) Field {
	return Field{Name: []byte(name), Type: typ, Optional: true}
}

// NewContainerField describes a column of sets ([TypeTable]) or vectors whose
// elements have type elem.
func NewContainerField(name string, typ, elem Type) Field {
	return Field{Name: []byte(name), Type: typ, Subtype: elem, Optional: true}
}

// BatchWriter writes batches of one log. Values are appended in the order of
// the columns, one call each, and [BatchWriter.EndRecord] closes a record:
//
//	w, err := codec.NewBatchWriter(header)
//	w.Start(nil)
//	w.Time(now)
//	w.String("worker-1")
//	w.Set(2) // two elements follow
//	w.Count(1)
//	w.Count(2)
//	w.Unset()
//	err = w.EndRecord()
//	payload, err := w.Finish()
//
// Each value is checked against its column. A record with a mistake is dropped
// by EndRecord, which says what was wrong; the batch goes on without it.
type BatchWriter struct {
	head   []byte // the encoded header up to num_records
	fields []Field

	buf    []byte
	base   int // where this batch starts in buf
	record int // where the open record starts
	count  uint32

	// Of the open record.
	column int
	depth  int
	levels [MaxDepth]writerLevel
	failed bool
	err    Error
}

// writerLevel is an open container.
type writerLevel struct {
	left int  // elements still to come
	elem Type // what they must be; TypeVoid: anything
}

const formatWrite = "write log batch"

// NewBatchWriter checks the header and encodes it once for all batches.
func NewBatchWriter(h BatchHeader) (*BatchWriter, error) {
	if h.Writer == "" {
		h.Writer = DefaultWriter
	}
	if h.Filter == "" {
		h.Filter = DefaultFilter
	}
	w := &BatchWriter{fields: make([]Field, len(h.Fields))}
	copy(w.fields, h.Fields)
	if h.Path == "" {
		return nil, w.err.fill(formatWrite, -1, "path is empty", ErrMismatch)
	}
	for _, s := range []string{h.Stream, h.Writer, h.Filter, h.Path} {
		w.head = appendString(w.head, s)
	}
	w.head = binary.BigEndian.AppendUint32(w.head, uint32(len(h.Fields)))
	for i, f := range w.fields {
		if !f.Type.declarable() || f.Type.IsContainer() && !f.Subtype.Loggable() {
			return nil, w.err.fill(formatWrite, -1, "field type", ErrType).inRecord(0, f.Name)
		}
		w.head = appendBool(w.head, f.Secondary != nil)
		if f.Secondary != nil {
			w.head = appendString(w.head, f.Secondary)
		}
		w.head = appendString(w.head, f.Name)
		w.head = binary.BigEndian.AppendUint32(w.head, uint32(f.Type))
		w.head = binary.BigEndian.AppendUint32(w.head, uint32(f.Subtype))
		w.head = appendBool(w.head, f.Optional)
		w.fields[i].Name = append([]byte(nil), f.Name...) // for errors
	}
	return w, nil
}

// Start begins a batch at the end of dst, which the writer owns until Finish.
// An unfinished batch is forgotten.
func (w *BatchWriter) Start(dst []byte) {
	w.base = len(dst)
	w.buf = append(dst, w.head...)
	w.buf = append(w.buf, 0, 0, 0, 0)
	w.count = 0
	w.startRecord()
}

func (w *BatchWriter) startRecord() {
	w.record = len(w.buf)
	w.column, w.depth, w.failed = 0, 0, false
}

// EndRecord closes the record. If one of its values was refused, or if there is
// not one for each column, the record is dropped and the error, valid until the
// next one, tells why.
func (w *BatchWriter) EndRecord() error {
	if !w.failed && (w.column != len(w.fields) || w.depth > 0) {
		w.fail("missing values", ErrRecord)
	}
	if !w.failed && w.column == 0 {
		w.fail("log without columns", ErrRecord)
	}
	if w.failed {
		w.buf = w.buf[:w.record]
		w.startRecord()
		return &w.err
	}
	w.count++
	w.startRecord()
	return nil
}

// Finish returns dst of Start with the batch appended, and gives up the buffer.
// An open record is dropped. Call Start for the next batch.
func (w *BatchWriter) Finish() []byte {
	buf := w.buf[:w.record]
	if len(buf) > 0 {
		binary.BigEndian.PutUint32(buf[w.base+len(w.head):], w.count)
	}
	w.buf, w.base, w.count = nil, 0, 0
	w.startRecord()
	return buf
}

// Records is the number of complete records in the batch under way.
func (w *BatchWriter) Records() int { return int(w.count) }

// Size is the size in bytes of the batch under way, complete records only.
func (w *BatchWriter) Size() int { return w.record - w.base }

// fail notes the first mistake in a record.
func (w *BatchWriter) fail(what string, reason error) {
	if w.failed {
		return
	}
	w.failed = true
	var name []byte
	if w.column < len(w.fields) {
		name = w.fields[w.column].Name
	}
	w.err.fill(formatWrite, -1, what, reason).inRecord(int(w.count)+1, name)
}

// want is the type that the next value must have, TypeVoid if any may come.
func (w *BatchWriter) want() (Type, bool) {
	switch {
	case w.failed:
		return 0, false
	case w.buf == nil:
		w.fail("batch not started", ErrRecord)
		return 0, false
	case w.depth > 0:
		return w.levels[w.depth-1].elem, true
	case w.column < len(w.fields):
		return w.fields[w.column].Type, true
	}
	w.fail("too many values", ErrRecord)
	return 0, false
}

// begin checks that a value of type t may come and writes what stands in front
// of its data. The caller appends the data and calls end.
func (w *BatchWriter) begin(t Type) bool {
	want, ok := w.want()
	if ok && want != t && want != TypeVoid {
		w.fail(t.String(), ErrMismatch)
		ok = false
	}
	if ok {
		w.buf = append(w.buf, 0, 0, 0, byte(t), 0, 0, 0, 0, 1)
	}
	return ok
}

// end counts a complete value, and with it each container that it completes.
func (w *BatchWriter) end() {
	for w.depth > 0 {
		l := &w.levels[w.depth-1]
		if l.left--; l.left > 0 {
			return
		}
		w.depth--
	}
	w.column++
}

// container opens a set or vector of n elements.
func (w *BatchWriter) container(t Type, n int) {
	if n < 0 {
		w.fail("negative number of elements", ErrRange)
	}
	if w.depth == MaxDepth {
		w.fail(t.String(), ErrDepth)
	}
	if !w.begin(t) {
		return
	}
	w.buf = binary.BigEndian.AppendUint64(w.buf, uint64(n))
	if n == 0 {
		w.end()
		return
	}
	elem := TypeVoid
	if w.depth == 0 {
		elem = w.fields[w.column].Subtype
	}
	w.levels[w.depth] = writerLevel{left: n, elem: elem}
	w.depth++
}

// text writes a value that is carried as a string.
func writeText[S string | []byte](w *BatchWriter, t Type, s S) {
	if len(s) > math.MaxInt32 {
		w.fail("string too long", ErrRange)
	}
	if w.begin(t) {
		w.buf = appendString(w.buf, s)
		w.end()
	}
}

func appendString[S string | []byte](dst []byte, s S) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(s)))
	return append(dst, s...)
}

func appendBool(dst []byte, b bool) []byte {
	if b {
		return append(dst, 1)
	}
	return append(dst, 0)
}
