package codec

import (
	"encoding/binary"
	"math"
	"net/netip"
	"time"
)

// The methods in this file append one value each. What they refuse is reported
// by EndRecord.

// Unset appends an unset value.
func (w *BatchWriter) Unset() {
	t, ok := w.want()
	if !ok {
		return
	}
	w.buf = append(w.buf, 0, 0, 0, byte(t), 0, 0, 0, 0, 0)
	w.end()
}

// Bool appends a bool.
func (w *BatchWriter) Bool(b bool) {
	n := uint64(0)
	if b {
		n = 1
	}
	w.word(TypeBool, n)
}

// Int appends an int.
func (w *BatchWriter) Int(n int64) { w.word(TypeInt, uint64(n)) }

// Count appends a count.
func (w *BatchWriter) Count(n uint64) { w.word(TypeCount, n) }

// Double appends a double.
func (w *BatchWriter) Double(d float64) { w.word(TypeDouble, math.Float64bits(d)) }

// Time appends a time. Zeek keeps seconds since the epoch in a double, so what
// is finer than a quarter of a microsecond is lost.
func (w *BatchWriter) Time(t time.Time) {
	w.Timestamp(float64(t.Unix()) + float64(t.Nanosecond())/1e9)
}

// Timestamp appends a time given in seconds since the epoch.
func (w *BatchWriter) Timestamp(seconds float64) { w.word(TypeTime, math.Float64bits(seconds)) }

// Interval appends an interval.
func (w *BatchWriter) Interval(d time.Duration) { w.Seconds(d.Seconds()) }

// Seconds appends an interval given in seconds.
func (w *BatchWriter) Seconds(seconds float64) { w.word(TypeInterval, math.Float64bits(seconds)) }

func (w *BatchWriter) word(t Type, n uint64) {
	if w.begin(t) {
		w.buf = binary.BigEndian.AppendUint64(w.buf, n)
		w.end()
	}
}

// String appends a string. Zeek's strings hold any bytes.
func (w *BatchWriter) String(s string) { writeText(w, TypeString, s) }

// Bytes appends a string.
func (w *BatchWriter) Bytes(s []byte) { writeText(w, TypeString, s) }

// Enum appends an enum value by its full name, such as Notice::ACTION_LOG.
func (w *BatchWriter) Enum(name string) { writeText(w, TypeEnum, name) }

// Text appends a value of any of the types that are carried as a string:
// string, enum, file and func.
func (w *BatchWriter) Text(t Type, s []byte) {
	if !t.isText() {
		w.fail(t.String(), ErrMismatch)
	}
	writeText(w, t, s)
}

// Port appends a port.
func (w *BatchWriter) Port(p Port) {
	if p.Proto > ProtoICMP {
		w.fail("port", ErrProto)
	}
	if w.begin(TypePort) {
		w.buf = binary.BigEndian.AppendUint64(w.buf, uint64(p.Num))
		w.buf = append(w.buf, 0, 0, 0, byte(p.Proto))
		w.end()
	}
}

// Addr appends an address. One that maps an IPv4 address into IPv6 becomes the
// IPv4 address, for Zeek makes no difference; zones are dropped.
func (w *BatchWriter) Addr(a netip.Addr) {
	if !a.IsValid() {
		w.fail("addr", ErrFamily)
	}
	if w.begin(TypeAddr) {
		w.addr(a.Unmap())
		w.end()
	}
}

// Subnet appends a subnet.
func (w *BatchWriter) Subnet(p netip.Prefix) {
	if !p.IsValid() {
		w.fail("subnet", ErrRange)
	}
	a, bits := p.Addr(), p.Bits()
	if a.Is4In6() && bits >= 96 {
		a, bits = a.Unmap(), bits-96
	}
	if a.Is4() {
		bits += 96 // all lengths count from the start of 128 bits
	}
	if w.begin(TypeSubnet) {
		w.buf = append(w.buf, byte(bits))
		w.addr(a)
		w.end()
	}
}

func (w *BatchWriter) addr(a netip.Addr) {
	if a.Is4() {
		b := a.As4()
		w.buf = append(append(w.buf, 4), b[:]...)
		return
	}
	b := a.As16()
	w.buf = append(append(w.buf, 6), b[:]...)
}

// Set appends a set of n elements: the next n values are its elements. Zeek
// keeps no order in a set.
func (w *BatchWriter) Set(n int) { w.container(TypeTable, n) }

// Vector appends a vector of n elements: the next n values are its elements.
func (w *BatchWriter) Vector(n int) { w.container(TypeVector, n) }

// Value appends a value read from another batch. The elements of a set or
// vector are copied as they stand there.
func (w *BatchWriter) Value(v Value) {
	if !v.Present {
		w.Unset()
		return
	}
	if !w.begin(v.Type) {
		return
	}
	c := checker{p: v.data}
	if !c.data(v.Type, w.depth) {
		w.fail(v.Type.String(), c.reason) // deeper here than where it was
		return
	}
	w.buf = append(w.buf, v.data[:c.pos]...)
	w.end()
}
