package codec

import (
	"errors"
	"reflect"
	"strings"
	"sync"
	"unicode"
)

// ErrTag: a struct tag that does not fit its field.
var ErrTag = errors.New("invalid zeek tag")

// goTag is what a field's tag may change about its type.
type goTag struct{ enum, set bool }

type goTypeKey struct {
	rt  reflect.Type
	tag goTag
}

// goTypes caches what is known about types, goTypeKey to *goType.
var goTypes sync.Map

// typeOf returns what is known about rt. It is slow the first time.
func typeOf(rt reflect.Type, tag goTag) (*goType, error) {
	if t, ok := goTypes.Load(goTypeKey{rt, tag}); ok {
		return t.(*goType), nil
	}
	b := typeBuilder{done: map[goTypeKey]*goType{}}
	t, err := b.build(rt, tag)
	if err != nil {
		return nil, err
	}
	for _, t := range b.done { // only once all of them are complete
		t.zeek = t.zeekName()
	}
	for k, t := range b.done {
		goTypes.LoadOrStore(k, t)
	}
	return t, nil
}

// typeBuilder builds a type and those it is made of. done has an entry for
// each from the moment it is begun, so that recursive types end.
type typeBuilder struct {
	done map[goTypeKey]*goType
}

func (b *typeBuilder) build(rt reflect.Type, tag goTag) (*goType, error) {
	key := goTypeKey{rt, tag}
	if t, ok := b.done[key]; ok {
		return t, nil
	}
	t := &goType{rt: rt}
	b.done[key] = t
	if leaf, ok := leafTypes[rt]; ok {
		t.shape, t.kind, t.typ = leaf.shape, leaf.kind, leaf.typ
		return t, t.checkTag(tag)
	}
	var err error
	switch rt.Kind() {
	case reflect.Bool:
		t.shape, t.kind, t.typ = goBool, KindBoolean, TypeBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		t.shape, t.kind, t.typ = goInt, KindInteger, TypeInt
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		t.shape, t.kind, t.typ = goUint, KindCount, TypeCount
	case reflect.Float32, reflect.Float64:
		t.shape, t.kind, t.typ = goFloat, KindReal, TypeDouble
	case reflect.String:
		t.shape, t.kind, t.typ = goString, KindString, TypeString
		if tag.enum || rt == enumType {
			t.kind, t.typ = KindEnum, TypeEnum
		}
	case reflect.Slice:
		err = b.slice(t, tag)
	case reflect.Map:
		err = b.mapping(t, tag)
	case reflect.Struct:
		t.shape, t.kind, t.typ = goRecord, KindVector, TypeRecord
		if t.fields, err = b.fields(nil, rt, nil); err == nil && len(t.fields) == 0 && rt.NumField() > 0 {
			return nil, declError(rt, "no exported fields", ErrType)
		}
	case reflect.Pointer:
		t.shape = goPointer
		if t.elem, err = b.build(rt.Elem(), tag); err == nil {
			t.kind, t.typ = t.elem.kind, t.elem.typ
			if t.elem.shape == goPointer {
				return nil, declError(rt, "pointer to pointer", ErrType)
			}
		}
	case reflect.Interface:
		if rt.NumMethod() > 0 {
			return nil, declError(rt, "", ErrType)
		}
		t.shape, t.typ = goAny, TypeAny
	default:
		return nil, declError(rt, "", ErrType)
	}
	if err != nil {
		return nil, err
	}
	return t, t.checkTag(tag)
}

// checkTag refuses tag options that the type has no use for.
func (t *goType) checkTag(tag goTag) error {
	for t.shape == goPointer && t.elem != nil {
		t = t.elem
	}
	inner := t
	for inner.shape == goSlice || inner.shape == goMapSet {
		inner = inner.elem
	}
	if tag.enum && (inner.shape != goString) {
		return declError(t.rt, "enum is for strings", ErrTag)
	}
	if tag.set && t.shape != goSlice {
		return declError(t.rt, "set is for slices", ErrTag)
	}
	return nil
}

func (b *typeBuilder) slice(t *goType, tag goTag) (err error) {
	isSet := tag.set || t.rt.Implements(setInterface)
	if t.rt.Elem().Kind() == reflect.Uint8 && !isSet {
		t.shape, t.kind, t.typ = goBytes, KindString, TypeString
		return nil
	}
	t.shape, t.kind, t.typ = goSlice, KindVector, TypeVector
	if isSet {
		t.kind, t.typ = KindSet, TypeTable
	}
	t.elem, err = b.build(t.rt.Elem(), goTag{enum: tag.enum})
	return err
}

func (b *typeBuilder) mapping(t *goType, tag goTag) (err error) {
	if v := t.rt.Elem(); v.Kind() == reflect.Struct && v.NumField() == 0 {
		t.shape, t.kind, t.typ = goMapSet, KindSet, TypeTable
		t.elem, err = b.build(t.rt.Key(), goTag{enum: tag.enum})
	} else {
		t.shape, t.kind, t.typ = goMap, KindTable, TypeTable
		if t.key, err = b.build(t.rt.Key(), goTag{}); err == nil {
			t.elem, err = b.build(v, goTag{})
		}
	}
	t.pool.init(t.rt)
	return err
}

// fields appends the fields of a struct, those of embedded structs in place.
func (b *typeBuilder) fields(list []goField, rt reflect.Type, index []int) ([]goField, error) {
	for i := range rt.NumField() {
		sf := rt.Field(i)
		f, tag, skip, err := parseField(sf)
		if err != nil {
			return nil, err
		}
		if skip {
			continue
		}
		f.index = append(append([]int(nil), index...), i)
		if sf.Anonymous && f.name == "" && sf.Type.Kind() == reflect.Struct && leafTypes[sf.Type].shape == 0 {
			if list, err = b.fields(list, sf.Type, f.index); err != nil {
				return nil, err
			}
			continue
		}
		if f.name == "" {
			f.name = snakeCase(sf.Name)
		}
		if f.t, err = b.build(sf.Type, tag); err != nil {
			var v *ValueError
			if errors.As(err, &v) {
				v.at(sf.Name, 0)
			}
			return nil, err
		}
		f.optional = f.optional || f.t.shape == goPointer
		list = append(list, f)
	}
	return list, nil
}

// parseField reads a field's tag. The name is empty if the tag has none.
func parseField(sf reflect.StructField) (f goField, tag goTag, skip bool, err error) {
	text, tagged := sf.Tag.Lookup("zeek")
	name, options, _ := strings.Cut(text, ",")
	embedded := sf.Anonymous && sf.Type.Kind() == reflect.Struct
	if name == "-" && options == "" || !sf.IsExported() && !tagged && !embedded {
		return f, tag, true, nil
	}
	if !sf.IsExported() && tagged {
		return f, tag, false, declError(sf.Type, "tag on an unexported field", ErrTag).at(sf.Name, 0)
	}
	f = goField{name: name, goName: sf.Name}
	for options != "" {
		var o string
		o, options, _ = strings.Cut(options, ",")
		switch o {
		case "optional":
			f.optional = true
		case "enum":
			tag.enum = true
		case "set":
			tag.set = true
		default:
			return f, tag, false, declError(sf.Type, "option "+o, ErrTag).at(sf.Name, 0)
		}
	}
	return f, tag, false, nil
}

// declError is an error found when a type is declared.
func declError(rt reflect.Type, got string, reason error) *ValueError {
	return &ValueError{GoType: rt, Got: got, Reason: reason}
}

// snakeCase turns OrigBytes into orig_bytes and UID into uid.
func snakeCase(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if unicode.IsUpper(r) && i > 0 {
			afterLower := !unicode.IsUpper(runes[i-1]) && runes[i-1] != '_'
			beforeLower := i+1 < len(runes) && unicode.IsLower(runes[i+1]) && runes[i-1] != '_'
			if afterLower || beforeLower {
				b.WriteByte('_')
			}
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// mapPool lends what walking and filling a map needs, so that neither
// allocates per element.
type mapPool struct {
	pool *sync.Pool
}

// mapScratch is an iterator and one settable key and value.
type mapScratch struct {
	iter     reflect.MapIter
	key, val reflect.Value
}

func (p *mapPool) init(rt reflect.Type) {
	p.pool = &sync.Pool{New: func() any {
		return &mapScratch{key: reflect.New(rt.Key()).Elem(), val: reflect.New(rt.Elem()).Elem()}
	}}
}

func (p *mapPool) get() *mapScratch { return p.pool.Get().(*mapScratch) }

// put clears s, so that it keeps nothing of the caller's alive.
func (p *mapPool) put(s *mapScratch) {
	s.iter.Reset(reflect.Value{})
	s.key.SetZero()
	s.val.SetZero()
	p.pool.Put(s)
}
