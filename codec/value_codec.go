package codec

import (
	"encoding/binary"
	"slices"
	"strings"
)

// Append appends the value in broker-bin-v1, elements of sets and tables in
// ascending order. It fails on duplicates among them ([ErrDuplicate]), on
// containers nested over [MaxDepth] and on strings of 4 GiB, in which case dst
// is returned as it came.
func (d Data) Append(dst []byte) ([]byte, error) {
	var s brokerSorter
	out, reason := d.append(dst, &s, 0)
	if reason != nil {
		return dst, new(Error).fill(BrokerBinV1, -1, d.kind.String(), reason)
	}
	return out, nil
}

func (d Data) append(dst []byte, s *brokerSorter, depth int) ([]byte, error) {
	if fixedSizes[d.kind] != nestedIn {
		if uint64(len(d.text)) > maxLength {
			return dst, ErrTooLong
		}
		return d.appendScalar(dst), nil
	}
	if depth >= MaxDepth {
		return dst, ErrDepth
	}
	if uint64(len(d.list)) > maxLength {
		return dst, ErrTooLong
	}
	dst = appendVarbyte(append(dst, byte(d.kind)), d.Len())
	start := len(dst)
	var reason error
	for _, e := range d.list {
		if dst, reason = e.append(dst, s, depth+1); reason != nil {
			return dst, reason
		}
	}
	if d.kind != KindVector && !s.sort(dst, start, d.Len(), d.kind) {
		return dst, ErrDuplicate
	}
	return dst, nil
}

// AppendJSON appends the value in broker-json-v1, by the rules of
// [Converter.AppendJSON]. It fails as [Data.Append] does.
func (d Data) AppendJSON(dst []byte) ([]byte, error) {
	b, err := d.Append(nil)
	if err != nil {
		return dst, err
	}
	dst, _ = appendBrokerJSON(dst, b, 0)
	return dst, nil
}

// Compare orders values as Broker does: by kind first, then by content, and
// containers element by element. NaNs are equal to each other and stand before
// all other reals.
func (d Data) Compare(e Data) int {
	if d.kind != e.kind {
		return int(d.kind) - int(e.kind)
	}
	switch d.kind {
	case KindInteger, KindReal, KindTimestamp, KindTimespan, KindCount:
		return compareWords(d.kind, d.num, e.num)
	case KindSet, KindTable, KindVector:
		return slices.CompareFunc(d.list, e.list, Data.Compare)
	}
	if c := strings.Compare(d.text, e.text); c != 0 {
		return c
	}
	return compareOrdered(d.num, e.num)
}

// Equal reports whether two values would be written as the same bytes.
func (d Data) Equal(e Data) bool {
	return d.kind == e.kind && d.num == e.num && d.text == e.text && slices.EqualFunc(d.list, e.list, Data.Equal)
}

// arrange brings the elements of a set or table into ascending order.
func (d *Data) arrange() {
	if d.kind == KindSet {
		if !slices.IsSortedFunc(d.list, Data.Compare) {
			slices.SortStableFunc(d.list, Data.Compare)
		}
		return
	}
	pairs := make([]Pair, 0, len(d.list)/2)
	for k, v := range d.Pairs() {
		pairs = append(pairs, Pair{k, v})
	}
	byKey := func(x, y Pair) int { return x.Key.Compare(y.Key) }
	if slices.IsSortedFunc(pairs, byKey) {
		return
	}
	slices.SortStableFunc(pairs, byKey)
	for i, p := range pairs {
		d.list[2*i], d.list[2*i+1] = p.Key, p.Value
	}
}

// Data copies the value out of its payload.
func (v DataView) Data() Data {
	b := v.Encoded()
	d, _ := dataAt(b, 0)
	return d
}

// dataAt copies the checked value at b[i].
func dataAt(b []byte, i int) (Data, int) {
	d := Data{kind: Kind(b[i])}
	i++
	switch size := int(fixedSizes[d.kind]); size {
	case varSized:
		n, j := varbyteAt(b, i)
		d.text = string(b[j : j+n])
		return d, j + n
	case nestedIn:
		n, j := varbyteAt(b, i)
		if d.kind == KindTable {
			n *= 2
		}
		if n > 0 {
			d.list = make([]Data, n)
		}
		for e := range d.list {
			d.list[e], j = dataAt(b, j)
		}
		if d.kind != KindVector {
			d.arrange()
		}
		return d, j
	case 8:
		d.num = binary.BigEndian.Uint64(b[i:])
	case 1:
		d.num = uint64(truth(b[i] != 0))
	case 3:
		d.num = uint64(b[i])<<16 | uint64(b[i+1])<<8 | uint64(b[i+2])
	case 17:
		d.num = uint64(b[i+16])
		d.text = string(b[i : i+16])
	case 16:
		d.text = string(b[i : i+16])
	}
	return d, i + int(fixedSizes[d.kind])
}
