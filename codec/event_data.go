package codec

import (
	"encoding/binary"
	"iter"
	"net/netip"
	"time"
)

// DataView is one value inside an encoded event that has been checked. It
// points into the payload, costs nothing to make, and is valid as long as the
// payload is left alone. The zero DataView is a value of [KindNone].
//
// The As methods answer for exactly the kind they name and report false for
// any other, so that a count is never mistaken for an int.
type DataView struct {
	b []byte // tag and data, nothing behind
}

// DecodeData checks that b holds one broker-bin-v1 value and nothing else and
// returns a view of it. Events are read with [EventView]. Unlike there, a
// failure allocates its [*Error].
func DecodeData(b []byte) (DataView, error) {
	s := brokerScan{b: b}
	end := s.value(0, 0)
	if end >= 0 && end < len(b) {
		s.fail(end, "", ErrTrailing)
	}
	if s.reason == nil {
		s.checkDuplicates(0)
	}
	if s.reason != nil {
		return DataView{}, new(Error).fill(BrokerBinV1, s.off, s.field, s.reason)
	}
	return DataView{b}, nil
}

// Kind is the type of the value.
func (v DataView) Kind() Kind {
	if len(v.b) == 0 {
		return KindNone
	}
	return Kind(v.b[0])
}

// Encoded is the value in broker-bin-v1, part of the payload.
func (v DataView) Encoded() []byte {
	if len(v.b) == 0 {
		return []byte{byte(KindNone)}
	}
	return v.b
}

func (v DataView) word(k Kind) (uint64, bool) {
	if v.Kind() != k {
		return 0, false
	}
	return binary.BigEndian.Uint64(v.b[1:]), true
}

// AsBool is the value of a boolean.
func (v DataView) AsBool() (b, ok bool) {
	if v.Kind() != KindBoolean {
		return false, false
	}
	return v.b[1] != 0, true
}

// AsCount is the value of a count.
func (v DataView) AsCount() (n uint64, ok bool) { return v.word(KindCount) }

// AsInteger is the value of an integer.
func (v DataView) AsInteger() (n int64, ok bool) {
	w, ok := v.word(KindInteger)
	return int64(w), ok
}

// AsReal is the value of a real.
func (v DataView) AsReal() (f float64, ok bool) {
	w, ok := v.word(KindReal)
	return realOf(w), ok
}

// AsTimestamp is the value of a timestamp, in UTC.
func (v DataView) AsTimestamp() (t time.Time, ok bool) {
	w, ok := v.word(KindTimestamp)
	if !ok {
		return time.Time{}, false
	}
	return time.Unix(0, int64(w)).UTC(), true
}

// AsTimespan is the value of a timespan.
func (v DataView) AsTimespan() (d time.Duration, ok bool) {
	w, ok := v.word(KindTimespan)
	return time.Duration(w), ok
}

// AsString is the content of a string: any bytes, for Zeek's strings need not
// be UTF-8. The slice points into the payload.
func (v DataView) AsString() (s []byte, ok bool) { return v.text(KindString) }

// AsEnum is the name of an enum value, such as Notice::ACTION_LOG. The slice
// points into the payload.
func (v DataView) AsEnum() (name []byte, ok bool) { return v.text(KindEnum) }

func (v DataView) text(k Kind) ([]byte, bool) {
	if v.Kind() != k {
		return nil, false
	}
	_, j := varbyteAt(v.b, 1)
	return v.b[j:len(v.b):len(v.b)], true
}

// AsAddress is the value of an address. IPv4 addresses come out as such, not
// as IPv6 addresses that hold one.
func (v DataView) AsAddress() (a netip.Addr, ok bool) {
	if v.Kind() != KindAddress {
		return netip.Addr{}, false
	}
	return netip.AddrFrom16([16]byte(v.b[1:17])).Unmap(), true
}

// AsSubnet is the value of a subnet. Bits behind the prefix are kept as they
// came; Zeek sends zeros there.
func (v DataView) AsSubnet() (p netip.Prefix, ok bool) {
	if v.Kind() != KindSubnet {
		return netip.Prefix{}, false
	}
	return subnetOf(netip.AddrFrom16([16]byte(v.b[1:17])), int(v.b[17])), true
}

// subnetOf is the Prefix of a subnet as it travels: address and length of 128
// bits.
func subnetOf(a netip.Addr, bits int) netip.Prefix {
	if a.Is4In6() {
		a, bits = a.Unmap(), bits-v4Prefix
	}
	return netip.PrefixFrom(a, bits)
}

// AsPort is the value of a port.
func (v DataView) AsPort() (p Port, ok bool) {
	if v.Kind() != KindPort {
		return Port{}, false
	}
	return Port{Num: binary.BigEndian.Uint16(v.b[1:]), Proto: Proto(v.b[3])}, true
}

// Len is the number of elements of a set or vector, of pairs of a table, and 0
// for everything else.
func (v DataView) Len() int {
	if len(v.b) == 0 || fixedSizes[v.b[0]] != nestedIn {
		return 0
	}
	n, _ := varbyteAt(v.b, 1)
	return n
}

// Elements walks the elements of a set or vector in the order in which they
// were sent: for a set that came from Zeek, ascending. It yields nothing for
// other kinds.
func (v DataView) Elements() iter.Seq[DataView] {
	return func(yield func(DataView) bool) {
		if k := v.Kind(); k != KindSet && k != KindVector {
			return
		}
		n, j := varbyteAt(v.b, 1)
		for range n {
			end := brokerSkip(v.b, j)
			if !yield(DataView{v.b[j:end:end]}) {
				return
			}
			j = end
		}
	}
}

// Element is the element i of a set or vector, counted from 0; it reports
// false if there is none. It walks over those in front; use [DataView.Elements]
// to see all.
func (v DataView) Element(i int) (e DataView, ok bool) {
	if k := v.Kind(); k != KindSet && k != KindVector {
		return DataView{}, false
	}
	n, j := varbyteAt(v.b, 1)
	if i < 0 || i >= n {
		return DataView{}, false
	}
	for range i {
		j = brokerSkip(v.b, j)
	}
	end := brokerSkip(v.b, j)
	return DataView{v.b[j:end:end]}, true
}

// Pairs walks the keys and values of a table in the order in which they were
// sent. It yields nothing for other kinds.
func (v DataView) Pairs() iter.Seq2[DataView, DataView] {
	return func(yield func(key, value DataView) bool) {
		if v.Kind() != KindTable {
			return
		}
		n, j := varbyteAt(v.b, 1)
		for range n {
			mid := brokerSkip(v.b, j)
			end := brokerSkip(v.b, mid)
			if !yield(DataView{v.b[j:mid:mid]}, DataView{v.b[mid:end:end]}) {
				return
			}
			j = end
		}
	}
}
