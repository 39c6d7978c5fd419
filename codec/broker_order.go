package codec

import (
	"bytes"
	"encoding/binary"
	"slices"
	"sync"
)

// brokerCompare orders the checked values at a[i] and b[j] as Broker does
// (variant_data.cc): by kind first, then by content; containers element by
// element, tables by key and then value, a shorter one before its extensions.
// Strings and addresses compare as bytes. Where Broker's order is none, with
// NaN, all NaNs are equal and stand before every other real.
//
// When the result is 0, the ends of both values are returned too.
func brokerCompare(a []byte, i int, b []byte, j int) (c, ni, nj int) {
	ka, kb := Kind(a[i]), Kind(b[j])
	if ka != kb {
		return int(ka) - int(kb), 0, 0
	}
	size := fixedSizes[ka]
	i, j = i+1, j+1
	switch size {
	case varSized:
		na, ia := varbyteAt(a, i)
		nb, jb := varbyteAt(b, j)
		return bytes.Compare(a[ia:ia+na], b[jb:jb+nb]), ia + na, jb + nb
	case nestedIn:
		return compareContainers(a, i, b, j, ka)
	case 8:
		x, y := binary.BigEndian.Uint64(a[i:]), binary.BigEndian.Uint64(b[j:])
		return compareWords(ka, x, y), i + 8, j + 8
	case 1: // any byte but 0 is true
		return truth(a[i] != 0) - truth(b[j] != 0), i + 1, j + 1
	default:
		n := int(size)
		return bytes.Compare(a[i:i+n], b[j:j+n]), i + n, j + n
	}
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

func compareWords(k Kind, x, y uint64) int {
	switch k {
	case KindCount:
		return compareOrdered(x, y)
	case KindReal:
		return compareReals(realOf(x), realOf(y))
	default:
		return compareOrdered(int64(x), int64(y))
	}
}

func compareReals(x, y float64) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	case x == y:
		return 0
	default: // at least one is NaN
		return truth(x == x) - truth(y == y)
	}
}

func compareOrdered[T int64 | uint64](x, y T) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	default:
		return 0
	}
}

func compareContainers(a []byte, i int, b []byte, j int, k Kind) (c, ni, nj int) {
	na, i := varbyteAt(a, i)
	nb, j := varbyteAt(b, j)
	if k == KindTable {
		na, nb = 2*na, 2*nb
	}
	for range min(na, nb) {
		if c, i, j = brokerCompare(a, i, b, j); c != 0 {
			return c, 0, 0
		}
	}
	return na - nb, i, j
}

// brokerSorter brings the elements of sets and tables into canonical order.
// It keeps the memory it needs for that.
type brokerSorter struct {
	// elems are the elements so far of the sets and tables that are open, those of
	// the innermost last. What comes from outside may be nested deep, and to look for
	// them at the end of each would be to pass over all in it once for each level.
	elems []elemSpan
	buf   []byte
}

// elemSpan is where an element, or a pair of key and value, lies.
type elemSpan struct{ start, end int }

// sort orders the n elements of a set, or n pairs of a table, that fill
// dst[start:]. It reports false if two of them, or their keys, are equal.
func (s *brokerSorter) sort(dst []byte, start, n int, k Kind) bool {
	if n < 2 || ascending(dst, start, n, k) {
		return true
	}
	base := len(s.elems)
	for at := start; at < len(dst); {
		end := brokerSkip(dst, at)
		if k == KindTable {
			end = brokerSkip(dst, end)
		}
		s.elems = append(s.elems, elemSpan{at, end})
		at = end
	}
	return s.close(dst, base)
}

// close is sort where the elements, elems[base:], are known. It forgets them.
func (s *brokerSorter) close(dst []byte, base int) bool {
	elems := s.elems[base:]
	s.elems = s.elems[:base]
	compare := func(x, y elemSpan) int {
		c, _, _ := brokerCompare(dst, x.start, dst, y.start)
		return c
	}
	ascend := func() bool {
		for i := 1; i < len(elems); i++ {
			if compare(elems[i-1], elems[i]) >= 0 {
				return false
			}
		}
		return true
	}
	if ascend() {
		return true
	}
	start := elems[0].start
	slices.SortFunc(elems, compare)
	if !ascend() {
		return false
	}
	s.buf = s.buf[:0]
	for _, e := range elems {
		s.buf = append(s.buf, dst[e.start:e.end]...)
	}
	copy(dst[start:], s.buf)
	return true
}

// ascending reports whether the elements are in canonical order already.
func ascending(b []byte, at, n int, k Kind) bool {
	prev := at
	for i := range n {
		if i > 0 {
			if c, _, _ := brokerCompare(b, prev, b, at); c >= 0 {
				return false
			}
		}
		prev = at
		at = brokerSkip(b, at)
		if k == KindTable {
			at = brokerSkip(b, at)
		}
	}
	return true
}

// canonical appends the checked value at b[i] with all sets and tables in
// order and booleans as 0 and 1, and returns where the value ends. If a set or
// table has equal elements, the end is negative: -1 minus its position.
func (s *brokerSorter) canonical(dst, b []byte, i int) ([]byte, int) {
	k := Kind(b[i])
	switch {
	case k == KindBoolean:
		return append(dst, b[i], byte(truth(b[i+1] != 0))), i + 2
	case fixedSizes[k] != nestedIn:
		end := brokerSkip(b, i)
		return append(dst, b[i:end]...), end
	}
	n, j := varbyteAt(b, i+1)
	dst = append(dst, b[i:j]...)
	base := len(s.elems)
	for range n {
		at := len(dst)
		dst, j = s.canonical(dst, b, j)
		if j >= 0 && k == KindTable {
			dst, j = s.canonical(dst, b, j)
		}
		if j < 0 {
			s.elems = s.elems[:base]
			return dst, j
		}
		if k != KindVector {
			s.elems = append(s.elems, elemSpan{at, len(dst)})
		}
	}
	if k != KindVector && !s.close(dst, base) {
		return dst, -1 - i
	}
	return dst, j
}

// sorters serve views, which have no memory of their own, with the rare
// messages whose sets arrive out of order.
var sorters = sync.Pool{New: func() any { return new(sorterBuffer) }}

type sorterBuffer struct {
	brokerSorter
	out []byte
}

// release gives p back, unless a huge message made it huge. p may be nil.
func (p *sorterBuffer) release() {
	const keep = 1 << 20
	if p != nil && cap(p.out) <= keep && cap(p.elems) <= keep {
		sorters.Put(p)
	}
}

// checkDuplicates looks for equal elements in the value at i where the scan
// has found some that do not ascend.
func (s *brokerScan) checkDuplicates(i int) {
	if !s.unordered || s.reason != nil {
		return
	}
	p := sorters.Get().(*sorterBuffer)
	out, end := p.canonical(p.out[:0], s.b, i)
	p.out = out
	p.release()
	if end < 0 {
		at := -1 - end
		s.fail(at, kindNames[s.b[at]], ErrDuplicate)
	}
}
