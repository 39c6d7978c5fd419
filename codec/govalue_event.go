package codec

import (
	"reflect"
	"sync"
	"time"
)

// EventType is an event whose arguments are the fields of struct T, in order,
// such as
//
//	event SSH::login(host: addr, user: string, ok: bool)
//
// declared once as
//
//	type sshLogin struct {
//		Host netip.Addr
//		User string
//		OK   bool
//	}
//	var login = codec.MustEventType[sshLogin]("SSH::login")
//
// An EventType does not change; goroutines may share it.
type EventType[T any] struct {
	name string
	t    *goType
}

// NewEventType checks that T is a struct whose fields all stand for Zeek types
// and returns the event of that name with them as arguments.
func NewEventType[T any](name string) (*EventType[T], error) {
	rt := reflect.TypeFor[T]()
	t, err := typeOf(rt, goTag{})
	if err != nil {
		return nil, declared(err, name)
	}
	if t.shape != goRecord {
		return nil, declared(declError(rt, "arguments must be a struct", ErrType), name)
	}
	return &EventType[T]{name, t}, nil
}

// MustEventType is NewEventType for package variables: it panics if T does not
// fit.
func MustEventType[T any](name string) *EventType[T] {
	t, err := NewEventType[T](name)
	if err != nil {
		panic(err)
	}
	return t
}

// declared says in a declaration's error what was declared.
func declared(err error, in string) error {
	if v, ok := err.(*ValueError); ok {
		v.In = in
	}
	return err
}

// Name is the event's name.
func (t *EventType[T]) Name() string { return t.name }

// Append appends an event with these arguments in broker-bin-v1. On failure it
// returns dst as it came and a [*ValueError].
func (t *EventType[T]) Append(dst []byte, args *T) ([]byte, error) {
	return t.append(dst, args, time.Time{}, false)
}

// AppendAt is Append with a network timestamp as metadata.
func (t *EventType[T]) AppendAt(dst []byte, args *T, network time.Time) ([]byte, error) {
	return t.append(dst, args, network, true)
}

func (t *EventType[T]) append(dst []byte, args *T, network time.Time, stamped bool) ([]byte, error) {
	e := encoders.Get().(*goEncoder)
	e.dst = appendEventHead(dst, t.name, len(t.t.fields), stamped)
	bad := e.fields(t.t, reflect.ValueOf(args).Elem(), eventArgDepth)
	return e.finish(dst, t.name, network, stamped, bad)
}

// encoders lend the memory that bringing sets into order takes.
var encoders = sync.Pool{New: func() any { return new(goEncoder) }}

// eventArgDepth is how many containers are around an argument.
const eventArgDepth = 3

// finish completes an event and gives e back.
func (e *goEncoder) finish(dst []byte, name string, network time.Time, stamped bool, bad *ValueError) ([]byte, error) {
	out := e.dst
	e.dst = nil
	if bad != nil {
		failed := *bad // the caller keeps it, and e goes on
		failed.In = name
		encoders.Put(e)
		return dst, &failed
	}
	encoders.Put(e)
	if stamped {
		out = append(out, byte(KindVector), 1, byte(KindVector), 2)
		out = CountData(MetadataNetworkTimestamp).appendScalar(out)
		out = TimestampData(network).appendScalar(out)
	}
	return out, nil
}

// appendEventHead appends an event up to its first argument.
func appendEventHead(dst []byte, name string, args int, stamped bool) []byte {
	dst = append(dst, byte(KindVector), 3)
	dst = CountData(eventVersion).appendScalar(dst)
	dst = CountData(eventType).appendScalar(dst)
	dst = append(dst, byte(KindVector), byte(2+truth(stamped)))
	dst = StringData(name).appendScalar(dst)
	return appendVarbyte(append(dst, byte(KindVector)), args)
}

// Decode sets args from an event. The event must have as many arguments as T
// has fields, as Zeek demands, but its name is not compared. Slices and maps
// that args holds are filled again. On failure args is partly set; the
// [*ValueError] belongs to ev, whose next one overwrites it.
func (t *EventType[T]) Decode(ev *EventView, args *T) error {
	if n := ev.NumArgs(); n != len(t.t.fields) {
		return ev.failCount(n, len(t.t.fields))
	}
	v := reflect.ValueOf(args).Elem()
	d := goDecoder{&ev.valueErr}
	i := 0
	for a := range ev.Args() {
		if err := d.field(&t.t.fields[i], v, a); err != nil {
			err.In = t.name
			return err
		}
		i++
	}
	return nil
}

// failCount is the error of an event with another number of arguments.
func (e *EventView) failCount(got, want int) error {
	e.valueErr = ValueError{Zeek: "event", Reason: ErrMismatch, got: got, want: want}
	return &e.valueErr
}

// AppendEventArgs appends an event in broker-bin-v1 whose arguments are Go
// values, by the same rules as struct fields. [EventType] does the same with
// the types checked once, and [EventBuilder] without looking at types at all.
func AppendEventArgs(dst []byte, name string, args ...any) ([]byte, error) {
	e := encoders.Get().(*goEncoder)
	e.dst = appendEventHead(dst, name, len(args), false)
	var bad *ValueError
	for i, a := range args {
		if bad = e.argument(a); bad != nil {
			bad.at("", i)
			break
		}
	}
	return e.finish(dst, name, time.Time{}, false, bad)
}

func (e *goEncoder) argument(a any) *ValueError {
	if a == nil {
		e.dst = append(e.dst, byte(KindNone))
		return nil
	}
	v := reflect.ValueOf(a)
	t, err := typeOf(v.Type(), goTag{})
	if err != nil {
		return err.(*ValueError)
	}
	return e.value(t, v, eventArgDepth)
}

// Scan sets what args point to from the arguments of the event, one each, by
// the rules of [EventType.Decode]. A nil pointer skips an argument.
func (e *EventView) Scan(args ...any) error {
	if n := e.NumArgs(); n != len(args) {
		return e.failCount(n, len(args))
	}
	i := 0
	for a := range e.Args() {
		if args[i] != nil {
			if err := a.scan(&e.valueErr, args[i]); err != nil {
				return err.at("", i)
			}
		}
		i++
	}
	return nil
}

// Scan sets what p points to from the value. On failure it is partly set.
func (v DataView) Scan(p any) error {
	var e ValueError
	if err := v.scan(&e, p); err != nil {
		return err
	}
	return nil
}

func (v DataView) scan(e *ValueError, p any) *ValueError {
	rv := reflect.ValueOf(p)
	if rv.Kind() != reflect.Pointer || rv.IsNil() {
		*e = ValueError{GoType: reflect.TypeOf(p), Got: "not a pointer", Reason: ErrType}
		return e
	}
	t, err := typeOf(rv.Type().Elem(), goTag{})
	if err != nil {
		*e = *err.(*ValueError)
		return e
	}
	return goDecoder{e}.value(t, rv.Elem(), v)
}

// DataOf returns a Go value as Data, by the rules of struct fields.
func DataOf(x any) (Data, error) {
	if x == nil {
		return Data{}, nil
	}
	v := reflect.ValueOf(x)
	t, err := typeOf(v.Type(), goTag{})
	if err != nil {
		return Data{}, err
	}
	var e goEncoder
	if bad := e.value(t, v, 0); bad != nil {
		return Data{}, bad
	}
	d, _ := dataAt(e.dst, 0)
	return d, nil
}
