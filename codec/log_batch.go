package codec

import (
	"encoding/binary"
	"slices"
)

// The layout of a batch. A string is a u32 length and that many bytes, a bool
// one byte (1 is true, anything else false), all integers are big-endian.
//
//	string stream · string writer · string filter · string path
//	u32 num_fields
//	  bool have_secondary · [string secondary] · string name · u32 type · u32 subtype · bool optional
//	u32 num_records
//	  num_fields values: u32 type · u32 subtype · bool present · [data if present]
const (
	minFieldSize = 1 + 4 + 4 + 4 + 1 // a field with an empty name
	valueHead    = 4 + 4 + 1         // what stands in front of a value's data
)

const formatBatch = "log batch"

// Field is one column of a log.
type Field struct {
	// Name as it appears in the log, nested records flattened: id.orig_h.
	Name []byte
	// Secondary is an alternative name that Zeek keeps for its input
	// framework; nil when there is none.
	Secondary []byte
	Type      Type
	// Subtype is the element type of a set or vector, 0 for other types.
	Subtype Type
	// Optional says that values may be unset.
	Optional bool
}

// Batch reads log batches, one after the other. The zero value is ready. All
// slices it hands out point into the payload given to the last Decode or
// DecodeHeader.
type Batch struct {
	Stream []byte // such as Conn::LOG
	Writer []byte // such as Log::WRITER_ASCII
	Filter []byte // such as default
	Path   []byte // such as conn; comes from the peer, so check it before using it as a file name
	Fields []Field
	// NumRecords is checked against the size of the payload.
	NumRecords int

	payload []byte
	schema  []byte // the encoded fields, num_fields included
	records int    // where the first record starts
	offsets []int  // of the current record's values
	err     Error
}

// DecodeHeader reads everything in front of the records: enough to route a
// batch. The records are not looked at; [Records] and [Formatter.AppendRecords]
// check them as they go. After an error the Batch is empty.
func (b *Batch) DecodeHeader(payload []byte) error {
	r := batchReader{p: payload}
	b.Stream = r.str("stream")
	b.Writer = r.str("writer")
	b.Filter = r.str("filter")
	b.Path = r.str("path")
	start := r.pos
	b.readFields(&r)
	end := r.pos
	n := r.count("num_records", valueHead*len(b.Fields))
	if r.reason != nil {
		*b = Batch{Fields: b.Fields[:0], offsets: b.offsets}
		return b.err.fill(formatBatch, r.pos, r.field, r.reason)
	}
	b.payload, b.schema = payload, payload[start:end]
	b.NumRecords, b.records = n, r.pos
	return nil
}

// Decode reads the header and checks every record, so that walking them
// afterwards cannot fail. Bytes behind the last record are ignored, as Zeek
// ignores them. After a defect in a record the header can still be read, to say
// whose batch it was.
func (b *Batch) Decode(payload []byte) error {
	if err := b.DecodeHeader(payload); err != nil {
		return err
	}
	r := b.Records()
	for r.Next() {
	}
	return r.Err()
}

// Schema is the encoded list of fields. Two batches with equal schemas have
// the same columns, so they can share a file.
func (b *Batch) Schema() []byte { return b.schema }

func (b *Batch) readFields(r *batchReader) {
	n := r.count("num_fields", minFieldSize)
	b.Fields = slices.Grow(b.Fields[:0], n)[:n]
	for i := range b.Fields {
		f := &b.Fields[i]
		if size := f.readPlain(r.p[r.pos:]); size > 0 {
			r.pos += size
			continue
		}
		*f = Field{}
		if r.bool("field.have_secondary") {
			f.Secondary = r.str("field.secondary_name")
		}
		f.Name = r.str("field.name")
		f.Type = Type(r.u32("field.type"))
		if r.reason == nil && !f.Type.declarable() {
			r.fail(r.pos-4, "field.type", ErrType)
		}
		f.Subtype = Type(r.u32("field.subtype"))
		f.Optional = r.bool("field.optional")
		if r.reason != nil {
			return
		}
	}
}

// readPlain reads a field without a secondary name and returns its size, 0 if
// it has one or a defect.
func (f *Field) readPlain(p []byte) int {
	if len(p) < minFieldSize || p[0] == 1 {
		return 0
	}
	n := binary.BigEndian.Uint32(p[1:])
	if uint64(n) > uint64(len(p)-minFieldSize) {
		return 0
	}
	tail := p[5+n:][:9]
	f.Name, f.Secondary = p[5:5+n:5+n], nil
	f.Type, f.Subtype = Type(binary.BigEndian.Uint32(tail)), Type(binary.BigEndian.Uint32(tail[4:]))
	f.Optional = tail[8] == 1
	if !f.Type.declarable() {
		return 0
	}
	return minFieldSize + int(n)
}

// batchReader reads a batch's header. After the first failure it returns zero
// values and keeps that failure.
type batchReader struct {
	p      []byte
	pos    int
	field  string
	reason error
}

func (r *batchReader) fail(pos int, field string, reason error) {
	if r.reason == nil {
		r.pos, r.field, r.reason = pos, field, reason
	}
}

// need reports whether n more bytes are there.
func (r *batchReader) need(n int, field string) bool {
	if r.reason == nil && len(r.p)-r.pos < n {
		r.fail(r.pos, field, ErrTruncated)
	}
	return r.reason == nil
}

func (r *batchReader) u32(field string) uint32 {
	if !r.need(4, field) {
		return 0
	}
	r.pos += 4
	return binary.BigEndian.Uint32(r.p[r.pos-4:])
}

func (r *batchReader) bool(field string) bool {
	if !r.need(1, field) {
		return false
	}
	r.pos++
	return r.p[r.pos-1] == 1
}

// str reads a string. Its slice is never nil, so that an empty secondary name
// differs from none.
func (r *batchReader) str(field string) []byte {
	n := r.u32(field)
	if r.reason != nil {
		return nil
	}
	if uint64(n) > uint64(len(r.p)-r.pos) {
		r.fail(r.pos-4, field, ErrTruncated)
		return nil
	}
	r.pos += int(n)
	return r.p[r.pos-int(n) : r.pos : r.pos]
}

// count reads a number of items of at least size bytes each. Items without
// size cannot be counted: any number of them would fit.
func (r *batchReader) count(field string, size int) int {
	n := r.u32(field)
	if r.reason != nil || n == 0 {
		return 0
	}
	if size == 0 || uint64(n)*uint64(size) > uint64(len(r.p)-r.pos) {
		r.fail(r.pos-4, field, ErrCount)
		return 0
	}
	return int(n)
}
