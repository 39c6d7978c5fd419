package codec

import (
	"math"
	"net/netip"
	"reflect"
	"time"
)

// goDecoder sets Go values from values of an event. It is as strict as Zeek:
// a count is no int.
type goDecoder struct {
	err *ValueError
}

// value sets v, which is settable. A nil result is success.
func (d goDecoder) value(t *goType, v reflect.Value, from DataView) *ValueError {
	switch t.shape {
	case goPointer:
		return d.pointer(t, v, from)
	case goData:
		*v.Addr().Interface().(*Data) = from.Data()
		return nil
	case goDataView:
		*v.Addr().Interface().(*DataView) = from
		return nil
	case goAny:
		v.Set(reflect.ValueOf(from.Data()))
		return nil
	}
	if from.Kind() != t.kind {
		return d.err.fail(t, from.Kind().String(), ErrMismatch)
	}
	switch t.shape {
	case goSlice:
		return d.slice(t, v, from)
	case goMapSet:
		return d.mapSet(t, v, from)
	case goMap:
		return d.mapping(t, v, from)
	case goRecord:
		return d.record(t, v, from)
	}
	return d.scalar(t, v, from)
}

// scalar sets v from a value that is known to be of the right kind.
func (d goDecoder) scalar(t *goType, v reflect.Value, from DataView) *ValueError {
	switch t.shape {
	case goBool:
		b, _ := from.AsBool()
		v.SetBool(b)
	case goInt:
		n, _ := from.AsInteger()
		if v.OverflowInt(n) {
			return d.err.fail(t, "integer", ErrRange)
		}
		v.SetInt(n)
	case goUint:
		n, _ := from.AsCount()
		if v.OverflowUint(n) {
			return d.err.fail(t, "count", ErrRange)
		}
		v.SetUint(n)
	case goFloat:
		f, _ := from.AsReal()
		if v.OverflowFloat(f) && !math.IsInf(f, 0) {
			return d.err.fail(t, "real", ErrRange)
		}
		v.SetFloat(f)
	case goString:
		s, _ := from.text(t.kind)
		setString(v, s)
	case goBytes:
		s, _ := from.AsString()
		v.SetBytes(append(v.Bytes()[:0], s...))
	case goAddr:
		a, _ := from.AsAddress()
		*v.Addr().Interface().(*netip.Addr) = a
	case goPrefix:
		p, _ := from.AsSubnet()
		*v.Addr().Interface().(*netip.Prefix) = p
	case goPort:
		p, _ := from.AsPort()
		*v.Addr().Interface().(*Port) = p
	case goTime:
		at, _ := from.AsTimestamp()
		*v.Addr().Interface().(*time.Time) = at
	case goDuration:
		span, _ := from.AsTimespan()
		v.SetInt(int64(span))
	}
	return nil
}

// setString copies s, unless v holds it already: much of what repeats does.
func setString(v reflect.Value, s []byte) {
	if v.String() != string(s) {
		v.SetString(string(s))
	}
}

func (d goDecoder) pointer(t *goType, v reflect.Value, from DataView) *ValueError {
	if from.Kind() == KindNone {
		v.SetZero()
		return nil
	}
	if v.IsNil() {
		v.Set(reflect.New(t.rt.Elem()))
	}
	return d.value(t.elem, v.Elem(), from)
}

// slice fills v, growing it only as elements turn out to fit: they may be much
// larger here than they are in the message.
func (d goDecoder) slice(t *goType, v reflect.Value, from DataView) *ValueError {
	n := from.Len()
	if v.IsNil() {
		v.Set(reflect.MakeSlice(t.rt, 0, min(n, 16)))
	}
	v.SetLen(0)
	i := 0
	for e := range from.Elements() {
		if i == v.Cap() {
			v.Grow(min(n-i, max(i, 16)))
		}
		v.SetLen(i + 1)
		if err := d.value(t.elem, v.Index(i), e); err != nil {
			return err.at("", i)
		}
		i++
	}
	return nil
}

func (d goDecoder) mapSet(t *goType, v reflect.Value, from DataView) *ValueError {
	s := d.emptied(t, v, from.Len())
	defer t.pool.put(s)
	i := 0
	for e := range from.Elements() {
		s.key.SetZero() // the map must not share what a key points to
		if err := d.value(t.elem, s.key, e); err != nil {
			return err.at("", i)
		}
		v.SetMapIndex(s.key, s.val)
		i++
	}
	return nil
}

func (d goDecoder) mapping(t *goType, v reflect.Value, from DataView) *ValueError {
	s := d.emptied(t, v, from.Len())
	defer t.pool.put(s)
	i := 0
	for key, val := range from.Pairs() {
		s.key.SetZero()
		s.val.SetZero()
		err := d.value(t.key, s.key, key)
		if err == nil {
			err = d.value(t.elem, s.val, val)
		}
		if err != nil {
			return err.at("", i)
		}
		v.SetMapIndex(s.key, s.val)
		i++
	}
	return nil
}

// emptied makes v an empty map.
func (d goDecoder) emptied(t *goType, v reflect.Value, n int) *mapScratch {
	if v.IsNil() {
		v.Set(reflect.MakeMapWithSize(t.rt, min(n, 16)))
	} else {
		v.Clear()
	}
	return t.pool.get()
}

// record sets the fields of struct v from a vector. Elements behind the last
// field are ignored, for Zeek records grow; those that are missing must be
// optional.
func (d goDecoder) record(t *goType, v reflect.Value, from DataView) *ValueError {
	i := 0
	for e := range from.Elements() {
		if i == len(t.fields) {
			return nil
		}
		if err := d.field(&t.fields[i], v, e); err != nil {
			return err
		}
		i++
	}
	for ; i < len(t.fields); i++ {
		if err := d.field(&t.fields[i], v, DataView{}); err != nil {
			return err
		}
	}
	return nil
}

// field sets one field of struct v.
func (d goDecoder) field(f *goField, v reflect.Value, from DataView) *ValueError {
	fv := f.of(v)
	if f.optional && from.Kind() == KindNone {
		fv.SetZero()
		return nil
	}
	if err := d.value(f.t, fv, from); err != nil {
		return err.at(f.goName, 0)
	}
	return nil
}
