package codec

import (
	"net/netip"
	"reflect"
	"strconv"
	"time"
)

// Enum is a value of a Zeek enum: its full name, such as Notice::ACTION_LOG.
type Enum string

// Set is a Zeek set as a slice. Its elements are distinct, in any order; order
// on the wire is seen to. A map[T]struct{} is one, too.
type Set[T any] []T

func (Set[T]) zeekSet() {}

var (
	enumType     = reflect.TypeFor[Enum]()
	setInterface = reflect.TypeFor[interface{ zeekSet() }]()
)

// goShape says how Go holds a value.
type goShape uint8

const (
	goBool goShape = iota + 1
	goInt
	goUint
	goFloat
	goString
	goBytes
	goAddr
	goPrefix
	goPort
	goTime
	goDuration
	goSlice    // vector or set
	goMapSet   // map[T]struct{}
	goMap      // table
	goRecord   // struct
	goPointer  // optional
	goData     // Data
	goDataView // DataView
	goAny      // any
)

// goType is what was found out about a Go type when it was first used.
type goType struct {
	rt    reflect.Type
	shape goShape
	kind  Kind   // in events; KindNone for any
	typ   Type   // in logs; TypeAny where it cannot be
	zeek  string // the Zeek type as in a script: set[addr]
	elem  *goType
	key   *goType
	// fields of a record, in order; embedded ones in place
	fields []goField
	pool   mapPool
}

// goField is a field of a record.
type goField struct {
	name     string // Zeek's
	goName   string
	index    []int // through embedded structs
	optional bool
	t        *goType
}

// zeekName is the Zeek type with the names of its elements.
func (t *goType) zeekName() string {
	switch t.shape {
	case goSlice, goMapSet:
		if t.kind == KindSet {
			return "set[" + t.elem.shortName() + "]"
		}
		return "vector of " + t.elem.shortName()
	case goMap:
		return "table[" + t.key.shortName() + "] of " + t.elem.shortName()
	}
	return t.shortName()
}

// shortName names scalars fully and containers without their elements, for a
// recursive type's full name has no end.
func (t *goType) shortName() string {
	switch t.shape {
	case goRecord:
		return "record"
	case goPointer:
		return t.elem.shortName()
	case goData, goDataView, goAny:
		return "any"
	case goSlice, goMapSet:
		if t.kind == KindSet {
			return "set"
		}
		return "vector"
	case goMap:
		return "table"
	}
	return t.typ.String()
}

// ValueError says which Go value does not fit which Zeek type. An error about
// a message belongs to what returned it and is overwritten by its next one.
type ValueError struct {
	// In is what was read or written, such as the event's name or the log's
	// stream.
	In string
	// GoType is the Go type that is at fault; nil if there is none.
	GoType reflect.Type
	// Zeek is the type that Zeek would have there, such as "count" or
	// "set[addr]".
	Zeek string
	// Got is what did not fit, such as "integer" or "invalid netip.Addr".
	Got string
	// Reason is one of the Err variables of this package.
	Reason error

	path      [12]pathStep // the innermost first; more are left out
	steps     int
	got, want int // numbers of arguments, where these differ
}

// pathStep is a struct field or an element. An element has no name.
type pathStep struct {
	name  string
	index int
}

// Field is the path of Go fields to the value: Conn.ID.OrigH, Conn.Tags[2].
func (e *ValueError) Field() string {
	var b []byte
	for i := e.steps - 1; i >= 0; i-- {
		s := e.path[i]
		switch {
		case s.name == "":
			b = append(b, '[')
			b = strconv.AppendInt(b, int64(s.index), 10)
			b = append(b, ']')
		case len(b) > 0:
			b = append(append(b, '.'), s.name...)
		default:
			b = append(b, s.name...)
		}
	}
	return string(b)
}

// Error implements error.
func (e *ValueError) Error() string {
	b := []byte("codec: ")
	if e.In != "" {
		b = append(append(b, e.In...), ": "...)
	}
	if f := e.Field(); f != "" {
		b = append(append(b, f...), ": "...)
	}
	if e.GoType != nil {
		b = append(append(b, "Go "...), e.GoType.String()...)
		if e.Zeek != "" {
			b = append(b, " as "...)
		}
	}
	if e.Zeek != "" {
		b = append(append(b, "Zeek "...), e.Zeek...)
	}
	if e.GoType != nil || e.Zeek != "" {
		b = append(b, ": "...)
	}
	if e.Got != "" {
		b = append(append(b, e.Got...), ": "...)
	}
	if e.got != e.want {
		b = strconv.AppendInt(b, int64(e.got), 10)
		b = append(b, " arguments where there should be "...)
		b = strconv.AppendInt(b, int64(e.want), 10)
		b = append(b, ": "...)
	}
	if e.Reason != nil {
		b = append(b, e.Reason.Error()...)
	}
	return string(b)
}

// Unwrap returns the reason, for errors.Is.
func (e *ValueError) Unwrap() error { return e.Reason }

// fail describes a failure at t and returns e. Callers on the way out add the
// path with at.
func (e *ValueError) fail(t *goType, got string, reason error) *ValueError {
	*e = ValueError{GoType: t.rt, Zeek: t.zeek, Got: got, Reason: reason}
	return e
}

// at adds a step in front of the path.
func (e *ValueError) at(name string, index int) *ValueError {
	if e.steps < len(e.path) {
		e.path[e.steps] = pathStep{name, index}
		e.steps++
	} else {
		e.path[len(e.path)-1] = pathStep{name, index}
	}
	return e
}

// leafTypes are the struct types that are values on their own.
var leafTypes = map[reflect.Type]goType{
	reflect.TypeFor[netip.Addr]():    {shape: goAddr, kind: KindAddress, typ: TypeAddr},
	reflect.TypeFor[netip.Prefix]():  {shape: goPrefix, kind: KindSubnet, typ: TypeSubnet},
	reflect.TypeFor[Port]():          {shape: goPort, kind: KindPort, typ: TypePort},
	reflect.TypeFor[time.Time]():     {shape: goTime, kind: KindTimestamp, typ: TypeTime},
	reflect.TypeFor[time.Duration](): {shape: goDuration, kind: KindTimespan, typ: TypeInterval},
	reflect.TypeFor[Data]():          {shape: goData, typ: TypeAny},
	reflect.TypeFor[DataView]():      {shape: goDataView, typ: TypeAny},
}
