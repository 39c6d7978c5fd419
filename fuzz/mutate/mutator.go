package mutate

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"reflect"
)

// maxInput bounds how long mutations make an argument, in bytes. Longer inputs of
// the corpus only shrink.
const maxInput = 4 << 10

// A mutator makes new inputs out of old ones.
type mutator struct {
	inputs [][]any
	fresh  [][]any // collected in this run: mutated, but no part of the corpus
	words  []string
	pcg    rand.PCG
	buf    [][]byte // memory of each argument, used again for each input
}

func (m *mutator) n(n int) int { return int(m.pcg.Uint64() % uint64(n)) }

// short is a length from 1 to most, more often a small one.
func (m *mutator) short(most int) int {
	return 1 + m.n(min(most, 1<<m.n(bits.Len(uint(most))+1)))
}

// input makes the input of an execution, for which it needs no other: first the
// corpus as it is, then mutations of it.
func (m *mutator) input(seed, at uint64, args []reflect.Value) {
	if at < uint64(len(m.inputs)) {
		for i, v := range m.inputs[at] {
			if b, ok := v.([]byte); ok {
				v = bytes.Clone(b) // a target may do with it what it likes
			}
			args[i] = reflect.ValueOf(v)
		}
		return
	}
	m.pcg.Seed(seed, at*0x9e3779b97f4a7c15)
	if m.buf == nil {
		m.buf = make([][]byte, len(args))
	}
	from := m.pick()
	changes := 1 + min(bits.TrailingZeros64(m.pcg.Uint64()), 7)
	for i, v := range from {
		switch v := v.(type) {
		case []byte:
			m.buf[i] = append(m.buf[i][:0], v...)
		case string:
			m.buf[i] = append(m.buf[i][:0], v...)
		default:
			args[i] = reflect.ValueOf(v)
		}
	}
	for range changes {
		i := m.n(len(from))
		switch from[i].(type) {
		case []byte, string:
			m.buf[i] = m.change(m.buf[i], i)
		default:
			args[i] = reflect.ValueOf(m.scalar(args[i].Interface()))
		}
	}
	for i, v := range from {
		switch b := m.buf[i]; v.(type) {
		case []byte:
			args[i] = reflect.ValueOf(b[:len(b):len(b)])
		case string:
			args[i] = reflect.ValueOf(string(b))
		}
	}
}

// pick chooses an input, a short one more often.
func (m *mutator) pick() []any {
	if len(m.fresh) > 0 && m.n(2) == 0 {
		return m.fresh[m.n(len(m.fresh))]
	}
	a, b := m.inputs[m.n(len(m.inputs))], m.inputs[m.n(len(m.inputs))]
	if size(a) < size(b) {
		return a
	}
	return b
}

func size(input []any) (n int) {
	for _, v := range input {
		switch v := v.(type) {
		case []byte:
			n += len(v)
		case string:
			n += len(v)
		}
	}
	return n
}

// scalar changes a value without bytes.
func (m *mutator) scalar(v any) any {
	switch v := v.(type) {
	case bool:
		return !v
	case byte:
		return byte(m.number(uint64(v), 8))
	case uint16:
		return uint16(m.number(uint64(v), 16))
	case uint64:
		return m.number(v, 64)
	}
	panic(fmt.Sprintf("no mutation for %T", v))
}

// number changes a number of this many bits.
func (m *mutator) number(n uint64, width int) uint64 {
	switch m.n(4) {
	case 0:
		return n ^ 1<<m.n(width)
	case 1:
		return n + uint64(m.n(33)) - 16
	case 2:
		return m.pcg.Uint64() >> m.n(64)
	}
	// Around the edges of the types that it may be taken for.
	return 1<<m.n(65) + uint64(m.n(3)) - 1
}

// change makes one change to the bytes of argument i.
func (m *mutator) change(b []byte, i int) []byte {
	if len(b) == 0 {
		return m.insert(b, 0, i)
	}
	at := m.n(len(b))
	switch m.n(13) {
	case 0:
		b[at] ^= 1 << m.n(8)
	case 1:
		b[at] = byte(m.pcg.Uint64())
	case 2:
		b[at] = [...]byte{0, 1, 0x7f, 0x80, 0xfe, 0xff, byte(len(b)), byte(len(b) - at - 1)}[m.n(8)]
	case 3:
		b[at] += byte(m.n(9) - 4)
	case 4:
		b[at] = b[m.n(len(b))] // most likely one that the grammar knows
	case 5:
		m.integer(b, at)
	case 6: // leave out
		return append(b[:at], b[at+min(m.short(len(b)), len(b)-at):]...)
	case 7: // end
		if m.n(4) == 0 {
			return b[:at]
		}
		return b[:len(b)-m.short(len(b))]
	case 8: // say again, over something else
		from := m.n(len(b))
		copy(b[at:], b[from:from+min(m.short(len(b)), len(b)-from)])
	case 9: // repeat
		from := m.n(len(b))
		return splice(b, at, append([]byte(nil), b[from:from+min(m.short(len(b)), len(b)-from)]...))
	case 10: // go on as another input does
		other := m.other(i)
		return splice(b[:at], at, other[m.n(len(other)+1):])
	default:
		return m.insert(b, m.n(len(b)+1), i)
	}
	return b
}

// integer changes what may be a length, a count or a number at this place.
func (m *mutator) integer(b []byte, at int) {
	width := 1 << m.n(4)
	if len(b)-at < width {
		at, width = len(b)-1, 1
	}
	var wide [8]byte
	field := b[at : at+width]
	copy(wide[8-width:], field)
	n := binary.BigEndian.Uint64(wide[:])
	switch m.n(4) {
	case 0:
		n = uint64(len(b) - at - width + m.n(3) - 1)
	default:
		n = m.number(n, 8*width)
	}
	binary.BigEndian.PutUint64(wide[:], n)
	copy(field, wide[8-width:])
}

// insert puts something in.
func (m *mutator) insert(b []byte, at, i int) []byte {
	var piece []byte
	switch m.n(4) {
	case 0:
		piece = binary.BigEndian.AppendUint64(nil, m.pcg.Uint64())[:m.short(8)]
	case 1:
		piece = make([]byte, m.short(300))
		fill := byte(m.pcg.Uint64())
		if len(b) > 0 && m.n(2) == 0 {
			fill = b[m.n(len(b))]
		}
		for k := range piece {
			piece[k] = fill
		}
	case 2:
		other := m.other(i)
		if len(other) > 0 {
			from := m.n(len(other))
			piece = other[from : from+min(m.short(len(other)), len(other)-from)]
		}
	case 3:
		if len(m.words) > 0 {
			piece = []byte(m.words[m.n(len(m.words))])
		}
	}
	return splice(b, at, piece)
}

// other is the same argument of another input.
func (m *mutator) other(i int) []byte {
	switch v := m.inputs[m.n(len(m.inputs))][i].(type) {
	case string:
		return []byte(v)
	case []byte:
		return v
	}
	return nil
}

// splice puts a piece into b, as much as may be.
func splice(b []byte, at int, piece []byte) []byte {
	piece = piece[:min(len(piece), max(maxInput-len(b), 0))]
	n := len(b)
	b = append(b, piece...)
	copy(b[at+len(piece):], b[at:n])
	copy(b[at:], piece)
	return b
}
