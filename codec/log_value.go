package codec

import (
	"encoding/binary"
	"math"
	"net/netip"
	"time"
)

// Value is a view of one log value in a batch that has been checked. Its
// accessors answer for the types they name; for any other type, and for a
// value that is not present, they return zero. What the batch gives as the
// value's subtype is not here: Zeek writes 0, whatever the type.
type Value struct {
	Type    Type // of an absent value whatever the batch says, unchecked
	Present bool

	data []byte // the encoded data and whatever follows it in the payload
}

// valueAt returns the checked value at pos.
func valueAt(p []byte, pos int) Value {
	h := p[pos : pos+valueHead]
	return Value{
		Type:    Type(binary.BigEndian.Uint32(h)),
		Present: h[8] == 1,
		data:    p[pos+valueHead:],
	}
}

func (v *Value) is(t Type) bool { return v.Present && v.Type == t }

// Bool is the value of a bool. The batch has a number for it, and Zeek writes
// others than 1 for true.
func (v Value) Bool() bool { return v.is(TypeBool) && v.word() != 0 }

// Int is the value of an int.
func (v Value) Int() int64 {
	if !v.is(TypeInt) {
		return 0
	}
	return int64(v.word())
}

// Count is the value of a count.
func (v Value) Count() uint64 {
	if !v.is(TypeCount) {
		return 0
	}
	return v.word()
}

// Double is the value of a double, and of a time or interval in seconds.
func (v Value) Double() float64 {
	if !v.is(TypeDouble) && !v.is(TypeTime) && !v.is(TypeInterval) {
		return 0
	}
	return math.Float64frombits(v.word())
}

// Time is the value of a time, in UTC. It is rounded to a microsecond, which
// is what a double of today's epoch can hold. A time that time.Time cannot
// hold is the zero Time.
func (v Value) Time() time.Time {
	if !v.is(TypeTime) {
		return time.Time{}
	}
	s := math.Float64frombits(v.word())
	if !(math.Abs(s) < 1<<62/1e6) {
		return time.Time{}
	}
	sec := math.Floor(s)
	micros := math.RoundToEven((s - sec) * 1e6)
	return time.Unix(int64(sec), int64(micros)*1000).UTC()
}

// Interval is the value of an interval, rounded to a nanosecond and kept
// within what a Duration can hold; 0 if it is not a number.
func (v Value) Interval() time.Duration {
	if !v.is(TypeInterval) {
		return 0
	}
	s := math.Float64frombits(v.word())
	switch ns := math.RoundToEven(s * 1e9); {
	case ns >= 1<<63:
		return math.MaxInt64
	case ns < -1<<63:
		return math.MinInt64
	case ns != ns:
		return 0
	default:
		return time.Duration(ns)
	}
}

// Bytes is the content of a string, enum, file or func: any bytes, for Zeek's
// strings need not be UTF-8. It points into the payload.
func (v Value) Bytes() []byte {
	if !v.Present || !v.Type.isText() {
		return nil
	}
	n := 4 + int(binary.BigEndian.Uint32(v.data))
	return v.data[4:n:n]
}

// Port is the value of a port.
func (v Value) Port() Port {
	if !v.is(TypePort) {
		return Port{}
	}
	return Port{Num: uint16(v.word()), Proto: Proto(v.data[11])}
}

// Addr is the value of an addr.
func (v Value) Addr() netip.Addr {
	if !v.is(TypeAddr) {
		return netip.Addr{}
	}
	return addrOf(v.data)
}

// Subnet is the value of a subnet. It is not valid (and has -1 bits) if the
// batch gives it a length that its address family does not have.
func (v Value) Subnet() netip.Prefix {
	if !v.is(TypeSubnet) {
		return netip.Prefix{}
	}
	bits := int(v.data[0])
	if v.data[1] == 4 {
		bits -= 96
	}
	return netip.PrefixFrom(addrOf(v.data[1:]), bits)
}

// Len is the number of elements of a set or vector.
func (v Value) Len() int {
	if !v.Present || !v.Type.IsContainer() {
		return 0
	}
	return int(v.word())
}

// Elements walks the elements of a set or vector.
func (v Value) Elements() Elements {
	if n := v.Len(); n > 0 {
		return Elements{p: v.data, pos: 8, left: n}
	}
	return Elements{}
}

func (v *Value) word() uint64 { return binary.BigEndian.Uint64(v.data) }

// addrOf reads a family byte and its address.
func addrOf(p []byte) netip.Addr {
	if p[0] == 4 {
		return netip.AddrFrom4([4]byte(p[1:]))
	}
	return netip.AddrFrom16([16]byte(p[1:]))
}

// Elements walks the elements of a set or vector, in the order of the batch:
//
//	for e := v.Elements(); e.Next(); {
//		use(e.Value())
//	}
type Elements struct {
	p    []byte
	pos  int
	left int
	v    Value
}

// Next goes to the next element and reports whether there is one.
func (e *Elements) Next() bool {
	if e.left == 0 {
		return false
	}
	e.left--
	e.v = valueAt(e.p, e.pos)
	c := checker{p: e.p, pos: e.pos}
	c.value(0)
	e.pos = c.pos
	return true
}

// Value is the current element. It may itself be a set or vector, and it may
// be absent.
func (e *Elements) Value() Value { return e.v }
