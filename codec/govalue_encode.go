package codec

import (
	"encoding/binary"
	"net/netip"
	"reflect"
	"time"
)

// goEncoder appends Go values in broker-bin-v1.
type goEncoder struct {
	dst  []byte
	sort brokerSorter
	err  ValueError
}

// value appends v, which stands inside depth containers. A nil result is
// success.
func (e *goEncoder) value(t *goType, v reflect.Value, depth int) *ValueError {
	switch t.shape {
	case goSlice:
		return e.slice(t, v, depth)
	case goMapSet, goMap:
		return e.mapping(t, v, depth)
	case goRecord:
		return e.record(t, v, depth)
	case goPointer:
		if v.IsNil() {
			e.dst = append(e.dst, byte(KindNone))
			return nil
		}
		return e.value(t.elem, v.Elem(), depth)
	case goAny:
		return e.dynamic(t, v, depth)
	case goData:
		return e.data(t, leaf[Data](v), depth)
	case goDataView:
		return e.view(t, leaf[DataView](v), depth)
	}
	return e.scalar(t, v)
}

// scalar appends a value that is no container.
func (e *goEncoder) scalar(t *goType, v reflect.Value) *ValueError {
	e.dst = append(e.dst, byte(t.kind))
	switch t.shape {
	case goBool:
		e.dst = append(e.dst, byte(truth(v.Bool())))
	case goInt:
		e.word(uint64(v.Int()))
	case goUint:
		e.word(v.Uint())
	case goFloat:
		e.word(realBits(v.Float()))
	case goDuration:
		e.word(uint64(v.Int()))
	case goString:
		s := v.String()
		if uint64(len(s)) > maxLength {
			return e.err.fail(t, "string", ErrTooLong)
		}
		e.dst = append(appendVarbyte(e.dst, len(s)), s...)
	case goBytes:
		s := v.Bytes()
		if uint64(len(s)) > maxLength {
			return e.err.fail(t, "[]byte", ErrTooLong)
		}
		e.dst = append(appendVarbyte(e.dst, len(s)), s...)
	case goAddr:
		a := leaf[netip.Addr](v)
		if !a.IsValid() {
			return e.err.fail(t, "invalid netip.Addr", ErrMismatch)
		}
		raw := a.As16()
		e.dst = append(e.dst, raw[:]...)
	case goPrefix:
		raw, bits, ok := wireSubnet(leaf[netip.Prefix](v))
		if !ok {
			return e.err.fail(t, "invalid netip.Prefix", ErrMismatch)
		}
		e.dst = append(append(e.dst, raw[:]...), byte(bits))
	case goPort:
		p := leaf[Port](v)
		if p.Proto > ProtoICMP {
			return e.err.fail(t, "codec.Port", ErrProto)
		}
		e.dst = append(binary.BigEndian.AppendUint16(e.dst, p.Num), byte(p.Proto))
	case goTime:
		at := leaf[time.Time](v)
		ns := unixNano(at)
		if !time.Unix(0, ns).Equal(at) {
			return e.err.fail(t, "time beyond 64 bits of nanoseconds", ErrRange)
		}
		e.word(uint64(ns))
	}
	return nil
}

func (e *goEncoder) word(n uint64) { e.dst = binary.BigEndian.AppendUint64(e.dst, n) }

// leaf is the value of a type that reflect has no accessor for.
func leaf[T any](v reflect.Value) T {
	if v.CanAddr() {
		return *v.Addr().Interface().(*T) // allocates nothing
	}
	return v.Interface().(T)
}

// open starts a container of n elements.
func (e *goEncoder) open(t *goType, n, depth int) *ValueError {
	if depth >= MaxDepth {
		return e.err.fail(t, t.kind.String(), ErrDepth)
	}
	if uint64(n) > maxLength {
		return e.err.fail(t, t.kind.String(), ErrTooLong)
	}
	e.dst = appendVarbyte(append(e.dst, byte(t.kind)), n)
	return nil
}

// settle brings a set or table that starts at start into order.
func (e *goEncoder) settle(t *goType, start, n int) *ValueError {
	if t.kind != KindVector && !e.sort.sort(e.dst, start, n, t.kind) {
		return e.err.fail(t, t.kind.String(), ErrDuplicate)
	}
	return nil
}

func (e *goEncoder) slice(t *goType, v reflect.Value, depth int) *ValueError {
	n := v.Len()
	if err := e.open(t, n, depth); err != nil {
		return err
	}
	start := len(e.dst)
	for i := range n {
		if err := e.value(t.elem, v.Index(i), depth+1); err != nil {
			return err.at("", i)
		}
	}
	return e.settle(t, start, n)
}

func (e *goEncoder) mapping(t *goType, v reflect.Value, depth int) *ValueError {
	n := v.Len()
	if err := e.open(t, n, depth); err != nil {
		return err
	}
	start := len(e.dst)
	s := t.pool.get()
	defer t.pool.put(s)
	s.iter.Reset(v)
	for i := 0; s.iter.Next(); i++ {
		s.key.SetIterKey(&s.iter)
		keyType := t.elem
		if t.shape == goMap {
			keyType = t.key
		}
		if err := e.value(keyType, s.key, depth+1); err != nil {
			return err.at("", i)
		}
		if t.shape == goMap {
			s.val.SetIterValue(&s.iter)
			if err := e.value(t.elem, s.val, depth+1); err != nil {
				return err.at("", i)
			}
		}
	}
	return e.settle(t, start, n)
}

func (e *goEncoder) record(t *goType, v reflect.Value, depth int) *ValueError {
	if err := e.open(t, len(t.fields), depth); err != nil {
		return err
	}
	return e.fields(t, v, depth+1)
}

// fields appends the fields of a record, one value each.
func (e *goEncoder) fields(t *goType, v reflect.Value, depth int) *ValueError {
	for i := range t.fields {
		f := &t.fields[i]
		fv := f.of(v)
		if f.optional && fv.IsZero() {
			e.dst = append(e.dst, byte(KindNone))
			continue
		}
		if err := e.value(f.t, fv, depth); err != nil {
			return err.at(f.goName, 0)
		}
	}
	return nil
}

// of is the field of struct v.
func (f *goField) of(v reflect.Value) reflect.Value {
	if len(f.index) == 1 {
		return v.Field(f.index[0])
	}
	return v.FieldByIndex(f.index)
}

// dynamic appends what an interface holds.
func (e *goEncoder) dynamic(t *goType, v reflect.Value, depth int) *ValueError {
	if v.IsNil() {
		e.dst = append(e.dst, byte(KindNone))
		return nil
	}
	v = v.Elem()
	inner, err := typeOf(v.Type(), goTag{})
	if err != nil {
		return e.err.fail(t, v.Type().String(), ErrType)
	}
	return e.value(inner, v, depth)
}

func (e *goEncoder) data(t *goType, d Data, depth int) *ValueError {
	var reason error
	if e.dst, reason = d.append(e.dst, &e.sort, depth); reason != nil {
		return e.err.fail(t, d.kind.String(), reason)
	}
	return nil
}

func (e *goEncoder) view(t *goType, v DataView, depth int) *ValueError {
	raw := v.Encoded()
	s := brokerScan{b: raw}
	if s.value(0, depth); s.reason != nil { // it may be too deep here
		return e.err.fail(t, v.Kind().String(), s.reason)
	}
	e.dst, _ = e.sort.canonical(e.dst, raw, 0)
	return nil
}
