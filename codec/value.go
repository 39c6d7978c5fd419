package codec

import (
	"encoding/binary"
	"iter"
	"math"
	"net/netip"
	"slices"
	"time"
)

// Data is one broker value on its own: it points into no payload and may be
// kept. The zero Data is a value of [KindNone]. A Data is not changed after it
// was made, so goroutines may share it. [DataView] is the same in place.
type Data struct {
	kind Kind
	num  uint64 // boolean, count, integer, real, timestamp, timespan; port as on the wire; subnet's length of 128 bits
	text string // string, enum-value; the 16 bytes of an address or subnet
	list []Data // elements, or keys and values in turn
}

// Pair is one entry of a table.
type Pair struct{ Key, Value Data }

// BoolData returns a boolean, Zeek's bool.
func BoolData(b bool) Data { return Data{kind: KindBoolean, num: uint64(truth(b))} }

// CountData returns a count.
func CountData(n uint64) Data { return Data{kind: KindCount, num: n} }

// IntegerData returns an integer, Zeek's int.
func IntegerData(n int64) Data { return Data{kind: KindInteger, num: uint64(n)} }

// RealData returns a real, Zeek's double. All NaNs are one.
func RealData(f float64) Data { return Data{kind: KindReal, num: realBits(f)} }

// StringData returns a string. It may hold any bytes.
func StringData(s string) Data { return Data{kind: KindString, text: s} }

// EnumData returns an enum value, given its full name such as Notice::ACTION_LOG.
func EnumData(name string) Data { return Data{kind: KindEnum, text: name} }

// TimestampData returns a timestamp, Zeek's time. Times outside the years 1678
// to 2261 do not fit 64 bits of nanoseconds and become the nearest that does.
func TimestampData(t time.Time) Data { return Data{kind: KindTimestamp, num: uint64(unixNano(t))} }

// TimespanData returns a timespan, Zeek's interval.
func TimespanData(d time.Duration) Data { return Data{kind: KindTimespan, num: uint64(d)} }

// AddressData returns an address. IPv4 and an IPv6 address that holds it are
// the same; a zone is dropped. The invalid Addr gives a value of [KindNone].
func AddressData(a netip.Addr) Data {
	if !a.IsValid() {
		return Data{}
	}
	b := a.As16()
	return Data{kind: KindAddress, text: string(b[:])}
}

// SubnetData returns a subnet, bits behind the prefix set to zero. An invalid
// Prefix gives a value of [KindNone].
func SubnetData(p netip.Prefix) Data {
	b, bits, ok := wireSubnet(p)
	if !ok {
		return Data{}
	}
	return Data{kind: KindSubnet, num: uint64(bits), text: string(b[:])}
}

// PortData returns a port. A protocol that does not exist becomes unknown.
func PortData(p Port) Data {
	return Data{kind: KindPort, num: uint64(p.Num)<<8 | uint64(knownProto(p.Proto))}
}

// VectorData returns a vector, which is also how records, lists, patterns and
// functions travel. It keeps the slice.
func VectorData(elements ...Data) Data { return Data{kind: KindVector, list: elements} }

// SetData returns a set of values, given in any order. One that holds a value
// twice cannot be written.
func SetData(elements ...Data) Data {
	d := Data{kind: KindSet, list: slices.Clone(elements)}
	d.arrange()
	return d
}

// TableData returns a table, given its entries in any order. One that holds a
// key twice cannot be written.
func TableData(pairs ...Pair) Data {
	list := make([]Data, 0, 2*len(pairs))
	for _, p := range pairs {
		list = append(list, p.Key, p.Value)
	}
	d := Data{kind: KindTable, list: list}
	d.arrange()
	return d
}

// unixNano is t.UnixNano, but within what it can hold.
func unixNano(t time.Time) int64 {
	const maxSec, minSec = math.MaxInt64 / int64(time.Second), math.MinInt64 / int64(time.Second)
	switch sec := t.Unix(); {
	case sec >= maxSec:
		if sec == maxSec && int64(t.Nanosecond()) <= math.MaxInt64%int64(time.Second) {
			return t.UnixNano()
		}
		return math.MaxInt64
	case sec < minSec:
		if sec == minSec-1 && int64(t.Nanosecond()) >= int64(time.Second)+math.MinInt64%int64(time.Second) {
			return t.UnixNano()
		}
		return math.MinInt64
	default:
		return t.UnixNano()
	}
}

// wireSubnet is p as subnets travel, with the length of 128 bits.
func wireSubnet(p netip.Prefix) (a [16]byte, bits int, ok bool) {
	if !p.IsValid() {
		return a, 0, false
	}
	bits = p.Bits()
	if p.Addr().Is4() {
		bits += v4Prefix
	}
	p = netip.PrefixFrom(netip.AddrFrom16(p.Addr().As16()), bits).Masked()
	return p.Addr().As16(), bits, true
}

func knownProto(p Proto) Proto {
	if p > ProtoICMP {
		return ProtoUnknown
	}
	return p
}

// Kind is the type of the value.
func (d Data) Kind() Kind { return d.kind }

// AsBool is the value of a boolean.
func (d Data) AsBool() (b, ok bool) {
	return d.num != 0 && d.kind == KindBoolean, d.kind == KindBoolean
}

// AsCount is the value of a count.
func (d Data) AsCount() (n uint64, ok bool) { return d.word(KindCount) }

// AsInteger is the value of an integer.
func (d Data) AsInteger() (n int64, ok bool) {
	w, ok := d.word(KindInteger)
	return int64(w), ok
}

// AsReal is the value of a real.
func (d Data) AsReal() (f float64, ok bool) {
	w, ok := d.word(KindReal)
	return realOf(w), ok
}

// AsTimestamp is the value of a timestamp, in UTC.
func (d Data) AsTimestamp() (t time.Time, ok bool) {
	if d.kind != KindTimestamp {
		return time.Time{}, false
	}
	return time.Unix(0, int64(d.num)).UTC(), true
}

// AsTimespan is the value of a timespan.
func (d Data) AsTimespan() (span time.Duration, ok bool) {
	w, ok := d.word(KindTimespan)
	return time.Duration(w), ok
}

func (d Data) word(k Kind) (uint64, bool) {
	if d.kind != k {
		return 0, false
	}
	return d.num, true
}

// AsString is the content of a string.
func (d Data) AsString() (s string, ok bool) {
	if d.kind != KindString {
		return "", false
	}
	return d.text, true
}

// AsEnum is the name of an enum value.
func (d Data) AsEnum() (name string, ok bool) {
	if d.kind != KindEnum {
		return "", false
	}
	return d.text, true
}

// AsAddress is the value of an address.
func (d Data) AsAddress() (a netip.Addr, ok bool) {
	if d.kind != KindAddress {
		return netip.Addr{}, false
	}
	return d.addr().Unmap(), true
}

// AsSubnet is the value of a subnet.
func (d Data) AsSubnet() (p netip.Prefix, ok bool) {
	if d.kind != KindSubnet {
		return netip.Prefix{}, false
	}
	return subnetOf(d.addr(), int(d.num)), true
}

// addr is the address that text holds.
func (d Data) addr() netip.Addr {
	var b [16]byte
	copy(b[:], d.text)
	return netip.AddrFrom16(b)
}

// AsPort is the value of a port.
func (d Data) AsPort() (p Port, ok bool) {
	if d.kind != KindPort {
		return Port{}, false
	}
	return Port{Num: uint16(d.num >> 8), Proto: Proto(d.num)}, true
}

// Len is the number of elements of a set or vector, of pairs of a table, and 0
// for everything else.
func (d Data) Len() int {
	if d.kind == KindTable {
		return len(d.list) / 2
	}
	return len(d.list)
}

// Element is the element i of a set or vector. It reports false if there is
// none.
func (d Data) Element(i int) (e Data, ok bool) {
	if d.kind == KindTable || i < 0 || i >= len(d.list) {
		return Data{}, false
	}
	return d.list[i], true
}

// Elements walks the elements of a set or vector. It yields nothing for other
// kinds.
func (d Data) Elements() iter.Seq[Data] {
	return func(yield func(Data) bool) {
		if d.kind == KindTable {
			return
		}
		for _, e := range d.list {
			if !yield(e) {
				return
			}
		}
	}
}

// Pairs walks the keys and values of a table. It yields nothing for other
// kinds.
func (d Data) Pairs() iter.Seq2[Data, Data] {
	return func(yield func(key, value Data) bool) {
		if d.kind != KindTable {
			return
		}
		for i := 0; i+1 < len(d.list); i += 2 {
			if !yield(d.list[i], d.list[i+1]) {
				return
			}
		}
	}
}

// appendScalar appends tag and data of a value that is no container.
func (d Data) appendScalar(dst []byte) []byte {
	dst = append(dst, byte(d.kind))
	switch d.kind {
	case KindNone:
		return dst
	case KindBoolean:
		return append(dst, byte(d.num))
	case KindString, KindEnum:
		return append(appendVarbyte(dst, len(d.text)), d.text...)
	case KindAddress:
		return append(dst, d.text...)
	case KindSubnet:
		return append(append(dst, d.text...), byte(d.num))
	case KindPort:
		return append(dst, byte(d.num>>16), byte(d.num>>8), byte(d.num))
	default:
		return binary.BigEndian.AppendUint64(dst, d.num)
	}
}
