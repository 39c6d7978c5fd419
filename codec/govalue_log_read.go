package codec

import (
	"bytes"
	"math"
	"net/netip"
	"reflect"
	"time"
)

// LogReader sets structs from the records of batches:
//
//	r := stream.NewReader()
//	err := batch.DecodeHeader(payload)
//	err = r.Bind(&batch)
//	records := batch.Records()
//	for records.Next() {
//		err = r.Scan(&records, &rec)
//	}
//	err = records.Err()
//
// Columns are found by name, so a batch may have more of them and in another
// order; those it lacks must be optional in T.
type LogReader[T any] struct {
	s      *LogStream[T]
	dec    logDecoder
	schema []byte // of the batch that the columns were found in
}

// NewReader returns a reader of records of the log.
func (s *LogStream[T]) NewReader() *LogReader[T] { return &LogReader[T]{s: s} }

// Bind finds the columns of T in a batch. It costs little for a batch with the
// same columns as the one before. It fails with a [*ValueError] if a column is
// missing that is not optional, or has another type.
func (r *LogReader[T]) Bind(b *Batch) error {
	if r.dec.columns != nil && bytes.Equal(r.schema, b.Schema()) {
		return nil
	}
	r.dec.columns = nil
	columns := make([]int, len(r.s.head.Fields))
	for i, f := range r.s.head.Fields {
		columns[i] = -1
		for j, theirs := range b.Fields {
			if !bytes.Equal(f.Name, theirs.Name) {
				continue
			}
			if f.Type != theirs.Type || f.Subtype != theirs.Subtype {
				return &ValueError{
					In: r.s.head.Stream, Zeek: columnType(f), Got: "column " + string(f.Name) + " is " + columnType(theirs), Reason: ErrMismatch,
				}
			}
			columns[i] = j
			break
		}
		if columns[i] < 0 && !f.Optional {
			return &ValueError{In: r.s.head.Stream, Zeek: columnType(f), Got: "no column " + string(f.Name), Reason: ErrMismatch}
		}
	}
	r.dec.columns = columns
	r.schema = append(r.schema[:0], b.Schema()...)
	return nil
}

// columnType is the type of a column as the header of a log has it.
func columnType(f Field) string {
	switch f.Type {
	case TypeTable:
		return "set[" + f.Subtype.String() + "]"
	case TypeVector:
		return "vector[" + f.Subtype.String() + "]"
	}
	return f.Type.String()
}

// Scan sets rec from the current record of the batch given to Bind. Slices and
// maps that it holds are filled again. On failure it is partly set; the
// [*ValueError] is valid until the next one.
func (r *LogReader[T]) Scan(records *Records, rec *T) error {
	if r.dec.columns == nil {
		return &ValueError{In: r.s.head.Stream, Got: "Scan before Bind", Reason: ErrMismatch}
	}
	r.dec.next, r.dec.records = 0, *records // a copy, or the caller's would have to live on the heap
	if err := r.dec.record(r.s.t, reflect.ValueOf(rec).Elem()); err != nil {
		err.In = r.s.head.Stream
		return err
	}
	return nil
}

// logDecoder reads the values of one record.
type logDecoder struct {
	columns []int // of the batch, in the order of T's; -1 if it has none
	next    int   // in columns
	records Records
	err     ValueError
}

// record sets struct v from the next columns.
func (d *logDecoder) record(t *goType, v reflect.Value) *ValueError {
	for i := range t.fields {
		f := &t.fields[i]
		fv := f.of(v)
		ft := f.t.pointee()
		var err *ValueError
		if ft.shape == goRecord {
			err = d.nested(f, ft, fv)
		} else {
			err = d.column(f, ft, fv)
		}
		if err != nil {
			return err.at(f.goName, 0)
		}
	}
	return nil
}

// nested sets a record within the record. Behind a pointer it is nil if none
// of its columns is set.
func (d *logDecoder) nested(f *goField, t *goType, v reflect.Value) *ValueError {
	start := d.next
	d.skip(t)
	if f.optional && !d.anySet(start, d.next) {
		v.SetZero()
		return nil
	}
	d.next = start
	if f.t.shape == goPointer {
		if v.IsNil() {
			v.Set(reflect.New(t.rt))
		}
		v = v.Elem()
	}
	return d.record(t, v)
}

// skip passes over the columns of a record.
func (d *logDecoder) skip(t *goType) {
	for i := range t.fields {
		if ft := t.fields[i].t.pointee(); ft.shape == goRecord {
			d.skip(ft)
		} else {
			d.next++
		}
	}
}

func (d *logDecoder) anySet(from, to int) bool {
	for _, c := range d.columns[from:to] {
		if c >= 0 && d.records.Value(c).Present {
			return true
		}
	}
	return false
}

func (d *logDecoder) column(f *goField, t *goType, v reflect.Value) *ValueError {
	c := d.columns[d.next]
	d.next++
	var val Value
	if c >= 0 {
		val = d.records.Value(c)
	}
	if !val.Present {
		if !f.optional {
			return d.err.fail(t, "unset", ErrMismatch)
		}
		v.SetZero()
		return nil
	}
	if f.t.shape == goPointer {
		if v.IsNil() {
			v.Set(reflect.New(t.rt))
		}
		v = v.Elem()
	}
	return d.value(t, v, val)
}

func (d *logDecoder) value(t *goType, v reflect.Value, val Value) *ValueError {
	if val.Type != t.typ {
		return d.err.fail(t, val.Type.String(), ErrMismatch)
	}
	switch t.shape {
	case goBool:
		v.SetBool(val.Bool())
	case goInt:
		if v.OverflowInt(val.Int()) {
			return d.err.fail(t, "int", ErrRange)
		}
		v.SetInt(val.Int())
	case goUint:
		if v.OverflowUint(val.Count()) {
			return d.err.fail(t, "count", ErrRange)
		}
		v.SetUint(val.Count())
	case goFloat:
		if f := val.Double(); v.OverflowFloat(f) && !math.IsInf(f, 0) {
			return d.err.fail(t, "double", ErrRange)
		}
		v.SetFloat(val.Double())
	case goDuration:
		v.SetInt(int64(val.Interval()))
	case goTime:
		*v.Addr().Interface().(*time.Time) = val.Time()
	case goString:
		setString(v, val.Bytes())
	case goBytes:
		v.SetBytes(append(v.Bytes()[:0], val.Bytes()...))
	case goAddr:
		*v.Addr().Interface().(*netip.Addr) = val.Addr()
	case goPrefix:
		*v.Addr().Interface().(*netip.Prefix) = val.Subnet()
	case goPort:
		*v.Addr().Interface().(*Port) = val.Port()
	case goSlice:
		return d.slice(t, v, val)
	case goMapSet:
		return d.mapSet(t, v, val)
	}
	return nil
}

func (d *logDecoder) slice(t *goType, v reflect.Value, val Value) *ValueError {
	n := val.Len()
	if v.IsNil() {
		v.Set(reflect.MakeSlice(t.rt, 0, min(n, 16)))
	}
	v.SetLen(0)
	i := 0
	for e := val.Elements(); e.Next(); i++ {
		if i == v.Cap() {
			v.Grow(min(n-i, max(i, 16)))
		}
		v.SetLen(i + 1)
		if err := d.element(t.elem, v.Index(i), e.Value()); err != nil {
			return err.at("", i)
		}
	}
	return nil
}

func (d *logDecoder) mapSet(t *goType, v reflect.Value, val Value) *ValueError {
	if v.IsNil() {
		v.Set(reflect.MakeMapWithSize(t.rt, min(val.Len(), 16)))
	} else {
		v.Clear()
	}
	s := t.pool.get()
	defer t.pool.put(s)
	i := 0
	for e := val.Elements(); e.Next(); i++ {
		s.key.SetZero()
		if err := d.element(t.elem, s.key, e.Value()); err != nil {
			return err.at("", i)
		}
		v.SetMapIndex(s.key, s.val)
	}
	return nil
}

func (d *logDecoder) element(t *goType, v reflect.Value, val Value) *ValueError {
	if t.shape == goPointer {
		if !val.Present {
			v.SetZero()
			return nil
		}
		if v.IsNil() {
			v.Set(reflect.New(t.elem.rt))
		}
		t, v = t.elem, v.Elem()
	} else if !val.Present {
		return d.err.fail(t, "unset", ErrMismatch)
	}
	return d.value(t, v, val)
}
