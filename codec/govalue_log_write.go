package codec

import (
	"net/netip"
	"reflect"
	"time"
)

// LogWriter writes batches of records of one log:
//
//	w := stream.NewWriter()
//	w.Start(nil)
//	if err := w.Write(&login{...}); err != nil {
//		...
//	}
//	payload := w.Finish()
//
// Writing allocates nothing but what the buffer lacks.
type LogWriter[T any] struct {
	enc logEncoder
	s   *LogStream[T]
}

// NewWriter returns a writer of batches of the log.
func (s *LogStream[T]) NewWriter() *LogWriter[T] {
	w, err := NewBatchWriter(s.head)
	if err != nil {
		panic("codec: header accepted once is refused: " + err.Error())
	}
	return &LogWriter[T]{enc: logEncoder{w: w}, s: s}
}

// Start begins a batch at the end of dst, which the writer owns until Finish.
// An unfinished batch is forgotten.
func (w *LogWriter[T]) Start(dst []byte) { w.enc.w.Start(dst) }

// Write appends a record. One with a value that does not fit is left out; the
// [*ValueError], valid until the next one, names the field.
func (w *LogWriter[T]) Write(rec *T) error {
	if err := w.enc.record(w.s.t, reflect.ValueOf(rec).Elem()); err != nil {
		w.enc.w.EndRecord() // drops it, for values are missing
		err.In = w.s.head.Stream
		return err
	}
	return w.enc.w.EndRecord()
}

// Records is the number of records in the batch under way.
func (w *LogWriter[T]) Records() int { return w.enc.w.Records() }

// Size is the size in bytes of the batch under way.
func (w *LogWriter[T]) Size() int { return w.enc.w.Size() }

// Finish returns dst of Start with the batch appended, and gives up the
// buffer. Call Start for the next batch.
func (w *LogWriter[T]) Finish() []byte { return w.enc.w.Finish() }

// logEncoder writes the values of one record.
type logEncoder struct {
	w   *BatchWriter
	err ValueError
}

// record writes the columns of struct v.
func (e *logEncoder) record(t *goType, v reflect.Value) *ValueError {
	for i := range t.fields {
		f := &t.fields[i]
		fv := f.of(v)
		if f.optional && fv.IsZero() {
			e.unset(f.t)
			continue
		}
		ft := f.t
		if ft.shape == goPointer {
			ft, fv = ft.elem, fv.Elem()
		}
		var err *ValueError
		if ft.shape == goRecord {
			err = e.record(ft, fv)
		} else {
			err = e.value(ft, fv)
		}
		if err != nil {
			return err.at(f.goName, 0)
		}
	}
	return nil
}

// unset writes the column, or all columns of a record, as unset.
func (e *logEncoder) unset(t *goType) {
	t = t.pointee()
	if t.shape != goRecord {
		e.w.Unset()
		return
	}
	for i := range t.fields {
		e.unset(t.fields[i].t)
	}
}

func (e *logEncoder) value(t *goType, v reflect.Value) *ValueError {
	switch t.shape {
	case goBool:
		e.w.Bool(v.Bool())
	case goInt:
		e.w.Int(v.Int())
	case goUint:
		e.w.Count(v.Uint())
	case goFloat:
		e.w.Double(v.Float())
	case goDuration:
		e.w.Interval(time.Duration(v.Int()))
	case goTime:
		e.w.Time(leaf[time.Time](v))
	case goString:
		if t.typ == TypeEnum {
			e.w.Enum(v.String())
		} else {
			e.w.String(v.String())
		}
	case goBytes:
		e.w.Bytes(v.Bytes())
	case goAddr:
		a := leaf[netip.Addr](v)
		if !a.IsValid() {
			return e.err.fail(t, "invalid netip.Addr", ErrMismatch)
		}
		e.w.Addr(a)
	case goPrefix:
		p := leaf[netip.Prefix](v)
		if !p.IsValid() {
			return e.err.fail(t, "invalid netip.Prefix", ErrMismatch)
		}
		e.w.Subnet(p)
	case goPort:
		p := leaf[Port](v)
		if p.Proto > ProtoICMP {
			return e.err.fail(t, "codec.Port", ErrProto)
		}
		e.w.Port(p)
	case goSlice:
		return e.slice(t, v)
	case goMapSet:
		return e.mapSet(t, v)
	}
	return nil
}

func (e *logEncoder) open(t *goType, n int) {
	if t.kind == KindSet {
		e.w.Set(n)
	} else {
		e.w.Vector(n)
	}
}

func (e *logEncoder) slice(t *goType, v reflect.Value) *ValueError {
	n := v.Len()
	e.open(t, n)
	for i := range n {
		if err := e.element(t.elem, v.Index(i)); err != nil {
			return err.at("", i)
		}
	}
	return nil
}

func (e *logEncoder) mapSet(t *goType, v reflect.Value) *ValueError {
	e.open(t, v.Len())
	s := t.pool.get()
	defer t.pool.put(s)
	s.iter.Reset(v)
	for i := 0; s.iter.Next(); i++ {
		s.key.SetIterKey(&s.iter)
		if err := e.element(t.elem, s.key); err != nil {
			return err.at("", i)
		}
	}
	return nil
}

func (e *logEncoder) element(t *goType, v reflect.Value) *ValueError {
	if t.shape == goPointer {
		if v.IsNil() {
			e.w.Unset()
			return nil
		}
		t, v = t.elem, v.Elem()
	}
	return e.value(t, v)
}
