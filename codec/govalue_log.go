package codec

import (
	"reflect"
	"slices"
	"strings"
)

// LogStream is a log whose columns are the fields of struct T, in order:
//
//	type login struct {
//		TS   time.Time  `zeek:"ts"`
//		UID  string     `zeek:"uid"`
//		ID   connID     `zeek:"id"` // columns id.orig_h, id.orig_p
//		User *string    `zeek:"user"` // optional
//	}
//
// Fields of a nested struct become columns of their own, its name and theirs
// joined by a dot, as Zeek does; those of a pointer to a struct are optional.
// A Zeek logger takes such records only if it has a stream of that name with
// the same columns in the same order; znode's logger takes any.
//
// A LogStream does not change; goroutines may share it. Each writes through a
// [LogWriter] of its own, and reads through a [LogReader].
type LogStream[T any] struct {
	head BatchHeader
	t    *goType
}

// NewLogStream checks that all fields of T can be logged and declares the log
// that h names: its Stream and Path, and Writer and Filter if they are not the
// defaults. The columns come from T; h.Fields must be empty.
func NewLogStream[T any](h BatchHeader) (*LogStream[T], error) {
	rt := reflect.TypeFor[T]()
	t, err := typeOf(rt, goTag{})
	if err != nil {
		return nil, declared(err, h.Stream)
	}
	d := logDeclarer{in: h.Stream}
	switch {
	case t.shape != goRecord:
		return nil, declared(declError(rt, "a record must be a struct", ErrType), h.Stream)
	case len(h.Fields) > 0:
		return nil, declared(declError(rt, "columns given beside those of the struct", ErrType), h.Stream)
	}
	if err := d.columns(t, "", false); err != nil {
		return nil, declared(err, h.Stream)
	}
	h.Fields = d.fields
	if _, err := NewBatchWriter(h); err != nil {
		return nil, err
	}
	return &LogStream[T]{h, t}, nil
}

// MustLogStream is NewLogStream for package variables: it panics if T or h do
// not fit.
func MustLogStream[T any](h BatchHeader) *LogStream[T] {
	s, err := NewLogStream[T](h)
	if err != nil {
		panic(err)
	}
	return s
}

// Header is what batches of the log begin with, columns included.
func (s *LogStream[T]) Header() BatchHeader {
	h := s.head
	h.Fields = slices.Clone(h.Fields)
	return h
}

// logDeclarer collects the columns of a log.
type logDeclarer struct {
	in     string
	fields []Field
	within []*goType // records that are being looked at, to find recursion
}

// columns adds the columns of a record whose name ends in a dot if it has one.
func (d *logDeclarer) columns(t *goType, prefix string, optional bool) *ValueError {
	if slices.Contains(d.within, t) {
		return declError(t.rt, "record within itself", ErrType)
	}
	d.within = append(d.within, t)
	for i := range t.fields {
		f := &t.fields[i]
		ft := f.t.pointee()
		var err *ValueError
		if ft.shape == goRecord {
			err = d.columns(ft, prefix+f.name+".", optional || f.optional)
		} else {
			err = d.column(f.t, prefix+f.name, optional || f.optional)
		}
		if err != nil {
			return err.at(f.goName, 0)
		}
	}
	d.within = d.within[:len(d.within)-1]
	return nil
}

// pointee is the type without a pointer.
func (t *goType) pointee() *goType {
	if t.shape == goPointer {
		return t.elem
	}
	return t
}

func (d *logDeclarer) column(t *goType, name string, optional bool) *ValueError {
	if name == "" || strings.ContainsAny(name, "\t\n\r ,") {
		return declError(t.rt, "column name "+name, ErrTag)
	}
	for _, f := range d.fields {
		if string(f.Name) == name {
			return declError(t.rt, "second column "+name, ErrTag)
		}
	}
	p := t.pointee()
	field := Field{Name: []byte(name), Type: p.typ, Optional: optional}
	switch {
	case p.shape == goMap || !p.typ.Loggable():
		return declError(t.rt, "Zeek logs no "+p.shortName(), ErrType)
	case p.typ.IsContainer():
		e := p.elem.pointee()
		if !e.typ.Loggable() || e.typ.IsContainer() {
			return declError(t.rt, "Zeek logs no container of "+e.shortName(), ErrType)
		}
		field.Subtype = e.typ
	}
	d.fields = append(d.fields, field)
	return nil
}
