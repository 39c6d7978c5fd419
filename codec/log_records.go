package codec

import "encoding/binary"

// Records walks the records of a batch in order:
//
//	r := batch.Records()
//	for r.Next() {
//		for i := range batch.Fields {
//			v := r.Value(i)
//			...
//		}
//	}
//	if err := r.Err(); err != nil {
//		...
//	}
//
// Next checks a whole record before it returns, so values need no checks.
type Records struct {
	b      *Batch
	pos    int // of the next record
	record int // current one, counted from 1
	values []int
	err    error
}

// Records starts a walk. Only one walk of a Batch may be under way at a time.
func (b *Batch) Records() Records {
	return Records{b: b, pos: b.records, values: b.offsets}
}

// Next goes to the next record and reports whether there is one. It is false
// after the last record and after a defect; Err tells which.
func (r *Records) Next() bool {
	if r.err != nil || r.record >= r.b.NumRecords {
		return false
	}
	r.record++
	c := checker{p: r.b.payload, pos: r.pos}
	r.values = r.values[:0]
	for i := range r.b.Fields {
		r.values = append(r.values, c.pos)
		if n := plainSize(c.p, c.pos); n > 0 {
			c.pos += n
			continue
		}
		if !c.value(0) {
			r.b.offsets = r.values // or every bad batch would grow them anew
			r.err = r.b.err.fill(formatBatch, c.pos, c.part, c.reason).inRecord(r.record, r.b.Fields[i].Name)
			return false
		}
	}
	r.pos = c.pos
	r.b.offsets = r.values // keeps what has grown
	return true
}

// Value is the current record's value of field i.
func (r *Records) Value(i int) Value {
	return valueAt(r.b.payload, r.values[i])
}

// Err is the defect that ended the walk, nil if there was none. It is valid
// until the Batch reports its next error.
func (r *Records) Err() error { return r.err }

// plainSize is the size of the value at p[pos:], head included, if it is of one
// of the types that have eight bytes whatever they hold, or absent; 0 if a
// checker must look at it.
func plainSize(p []byte, pos int) int {
	if len(p)-pos < valueHead+8 {
		return 0
	}
	h := p[pos : pos+valueHead]
	if h[8] != 1 {
		return valueHead
	}
	if typ := binary.BigEndian.Uint32(h); typ < 32 && 1<<typ&wordTypes != 0 {
		return valueHead + 8
	}
	return 0
}

// checker verifies values without looking at what they mean.
type checker struct {
	p      []byte
	pos    int
	part   string
	reason error
}

func (c *checker) fail(pos int, part string, reason error) bool {
	c.pos, c.part, c.reason = pos, part, reason
	return false
}

// value checks the value at pos and moves behind it. depth is the number of
// containers around it.
func (c *checker) value(depth int) bool {
	if len(c.p)-c.pos < valueHead {
		return c.fail(c.pos, "value", ErrTruncated)
	}
	typ := Type(binary.BigEndian.Uint32(c.p[c.pos:]))
	present := c.p[c.pos+8] == 1
	c.pos += valueHead
	return !present || c.data(typ, depth)
}

// data checks the data of a present value of the given type.
func (c *checker) data(typ Type, depth int) bool {
	switch typ {
	case TypeBool, TypeInt, TypeCount, TypeDouble, TypeTime, TypeInterval:
		return c.fixed(8, typ)
	case TypeString, TypeEnum, TypeFunc, TypeFile:
		return c.text(typ)
	case TypePort:
		return c.port()
	case TypeAddr:
		return c.addr(0, "addr")
	case TypeSubnet:
		return c.addr(1, "subnet")
	case TypeTable, TypeVector:
		return c.container(typ, depth)
	}
	return c.fail(c.pos-valueHead, "type", ErrType)
}

func (c *checker) fixed(n int, typ Type) bool {
	if len(c.p)-c.pos < n {
		return c.fail(c.pos, typ.String(), ErrTruncated)
	}
	c.pos += n
	return true
}

func (c *checker) text(typ Type) bool {
	rest := len(c.p) - c.pos - 4
	if rest < 0 {
		return c.fail(c.pos, typ.String(), ErrTruncated)
	}
	n := binary.BigEndian.Uint32(c.p[c.pos:])
	if uint64(n) > uint64(rest) {
		return c.fail(c.pos, typ.String(), ErrTruncated)
	}
	c.pos += 4 + int(n)
	return true
}

func (c *checker) port() bool {
	if len(c.p)-c.pos < 12 {
		return c.fail(c.pos, "port", ErrTruncated)
	}
	if binary.BigEndian.Uint64(c.p[c.pos:]) > 65535 {
		return c.fail(c.pos, "port", ErrRange)
	}
	if binary.BigEndian.Uint32(c.p[c.pos+8:]) > uint32(ProtoICMP) {
		return c.fail(c.pos+8, "port", ErrProto)
	}
	c.pos += 12
	return true
}

// addr checks a family byte and its address, behind skip bytes.
func (c *checker) addr(skip int, part string) bool {
	if len(c.p)-c.pos <= skip {
		return c.fail(c.pos, part, ErrTruncated)
	}
	n := 0
	switch c.p[c.pos+skip] {
	case 4:
		n = 4
	case 6:
		n = 16
	default:
		return c.fail(c.pos+skip, part, ErrFamily)
	}
	if len(c.p)-c.pos < skip+1+n {
		return c.fail(c.pos, part, ErrTruncated)
	}
	c.pos += skip + 1 + n
	return true
}

func (c *checker) container(typ Type, depth int) bool {
	if depth >= MaxDepth {
		return c.fail(c.pos-valueHead, typ.String(), ErrDepth)
	}
	rest := len(c.p) - c.pos - 8
	if rest < 0 {
		return c.fail(c.pos, typ.String(), ErrTruncated)
	}
	// A negative count is a huge one here.
	n := binary.BigEndian.Uint64(c.p[c.pos:])
	if n > uint64(rest/valueHead) {
		return c.fail(c.pos, typ.String(), ErrCount)
	}
	c.pos += 8
	for ; n > 0; n-- {
		if !c.value(depth + 1) {
			return false
		}
	}
	return true
}
