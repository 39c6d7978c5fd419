package codec

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"time"
)

// ErrUnbalanced: containers of an [EventBuilder] that were not opened and
// closed in pairs, or a table with a key without value.
var ErrUnbalanced = errors.New("containers are not opened and closed in pairs")

// EventBuilder writes events in broker-bin-v1, value by value, at the end of
// the caller's buffer:
//
//	b.Start(buf[:0], "Intel::match")
//	b.String("evil.example")
//	b.BeginSet()
//	b.Count(1)
//	b.Count(2)
//	b.End()
//	payload, err := b.Finish()
//
// Elements of sets and tables may come in any order. A mistake is kept and
// returned by Finish. The zero value is ready; one builder serves any number
// of events and then allocates nothing but what the buffers lack.
type EventBuilder struct {
	buf     []byte
	base    int // where this event starts in buf
	open    []openContainer
	sort    brokerSorter
	stamp   time.Time
	stamped bool
	part    string
	reason  error
	err     Error
}

// openContainer is a container whose end has not come.
type openContainer struct {
	kind Kind
	at   int // of its count, for which one byte is left
	n    int // values so far, keys of a table included
}

// Start begins an event at the end of dst, which the builder owns until
// Finish. An unfinished event is forgotten.
func (b *EventBuilder) Start(dst []byte, name string) {
	b.buf, b.base = dst, len(dst)
	b.open, b.stamped, b.reason = b.open[:0], false, nil
	b.begin(KindVector)
	b.Count(eventVersion)
	b.Count(eventType)
	b.begin(KindVector)
	b.String(name)
	b.begin(KindVector)
}

// SetTimestamp gives the event a network timestamp as metadata.
func (b *EventBuilder) SetTimestamp(t time.Time) { b.stamp, b.stamped = t, true }

// outer is the number of containers that Start has opened.
const outer = 3

// Finish returns dst of Start with the event appended, and gives up the
// buffer. After a mistake it returns dst as it came and an [*Error] that the
// next Finish overwrites.
func (b *EventBuilder) Finish() ([]byte, error) {
	if len(b.open) != outer {
		b.fail("event", ErrUnbalanced)
	}
	if b.reason == nil {
		b.end() // of the arguments
		if b.stamped {
			b.begin(KindVector)
			b.begin(KindVector)
			b.Count(MetadataNetworkTimestamp)
			b.Timestamp(b.stamp)
			b.end()
			b.end()
		}
		b.end()
		b.end()
	}
	out, base := b.buf, b.base
	b.buf, b.base, b.open = nil, 0, b.open[:0]
	if b.reason != nil {
		return out[:base], b.err.fill(BrokerBinV1, -1, b.part, b.reason)
	}
	return out, nil
}

func (b *EventBuilder) fail(part string, reason error) {
	if b.reason == nil {
		b.part, b.reason = part, reason
	}
}

// tag starts a value.
func (b *EventBuilder) tag(k Kind) {
	if n := len(b.open); n > 0 {
		b.open[n-1].n++
	}
	b.buf = append(b.buf, byte(k))
}

func (b *EventBuilder) begin(k Kind) {
	if len(b.open) >= MaxDepth {
		b.fail(k.String(), ErrDepth)
	}
	b.tag(k)
	b.open = append(b.open, openContainer{kind: k, at: len(b.buf)})
	b.buf = append(b.buf, 0)
}

func (b *EventBuilder) end() {
	o := b.open[len(b.open)-1]
	b.open = b.open[:len(b.open)-1]
	n := o.n
	if o.kind == KindTable {
		if n%2 != 0 {
			b.fail("table", ErrUnbalanced)
		}
		n /= 2
	}
	if uint64(n) > maxLength {
		b.fail(o.kind.String(), ErrTooLong)
	}
	if b.reason != nil {
		return
	}
	if o.kind != KindVector && !b.sort.sort(b.buf, o.at+1, n, o.kind) {
		b.fail(o.kind.String(), ErrDuplicate)
		return
	}
	b.buf = patchCount(b.buf, o.at, n)
}

// BeginVector opens a vector, which is also how a record travels: its fields
// in order, unset ones as [EventBuilder.None]. Values up to the matching End
// are its elements.
func (b *EventBuilder) BeginVector() { b.begin(KindVector) }

// BeginSet opens a set. A set with several index types holds vectors.
func (b *EventBuilder) BeginSet() { b.begin(KindSet) }

// BeginTable opens a table. Keys and values come in turn.
func (b *EventBuilder) BeginTable() { b.begin(KindTable) }

// End closes the container that was opened last.
func (b *EventBuilder) End() {
	if len(b.open) <= outer {
		b.fail("End", ErrUnbalanced)
		return
	}
	b.end()
}

// None appends a value of kind none, an unset field of a record.
func (b *EventBuilder) None() { b.tag(KindNone) }

// Bool appends a boolean.
func (b *EventBuilder) Bool(v bool) {
	b.tag(KindBoolean)
	b.buf = append(b.buf, byte(truth(v)))
}

// Count appends a count.
func (b *EventBuilder) Count(n uint64) { b.word(KindCount, n) }

// Integer appends an integer, Zeek's int.
func (b *EventBuilder) Integer(n int64) { b.word(KindInteger, uint64(n)) }

// Real appends a real, Zeek's double.
func (b *EventBuilder) Real(f float64) { b.word(KindReal, realBits(f)) }

// Timestamp appends a timestamp, Zeek's time, kept within 64 bits of
// nanoseconds.
func (b *EventBuilder) Timestamp(t time.Time) { b.word(KindTimestamp, uint64(unixNano(t))) }

// Timespan appends a timespan, Zeek's interval.
func (b *EventBuilder) Timespan(d time.Duration) { b.word(KindTimespan, uint64(d)) }

func (b *EventBuilder) word(k Kind, n uint64) {
	b.tag(k)
	b.buf = binary.BigEndian.AppendUint64(b.buf, n)
}

// String appends a string. It may hold any bytes.
func (b *EventBuilder) String(s string) {
	if b.text(KindString, len(s)) {
		b.buf = append(b.buf, s...)
	}
}

// Bytes appends a string.
func (b *EventBuilder) Bytes(s []byte) {
	if b.text(KindString, len(s)) {
		b.buf = append(b.buf, s...)
	}
}

// Enum appends an enum value by its full name, such as Notice::ACTION_LOG.
func (b *EventBuilder) Enum(name string) {
	if b.text(KindEnum, len(name)) {
		b.buf = append(b.buf, name...)
	}
}

func (b *EventBuilder) text(k Kind, n int) bool {
	if uint64(n) > maxLength {
		b.fail(k.String(), ErrTooLong)
		return false
	}
	b.tag(k)
	b.buf = appendVarbyte(b.buf, n)
	return true
}

// Address appends an address. IPv4 and an IPv6 address that holds it are the
// same; a zone is dropped. The invalid Addr is a mistake.
func (b *EventBuilder) Address(a netip.Addr) {
	if !a.IsValid() {
		b.fail("address", ErrMismatch)
		return
	}
	b.tag(KindAddress)
	raw := a.As16()
	b.buf = append(b.buf, raw[:]...)
}

// Subnet appends a subnet, bits behind the prefix set to zero. An invalid
// Prefix is a mistake.
func (b *EventBuilder) Subnet(p netip.Prefix) {
	raw, bits, ok := wireSubnet(p)
	if !ok {
		b.fail("subnet", ErrMismatch)
		return
	}
	b.tag(KindSubnet)
	b.buf = append(append(b.buf, raw[:]...), byte(bits))
}

// Port appends a port. A protocol that does not exist is a mistake.
func (b *EventBuilder) Port(p Port) {
	if p.Proto > ProtoICMP {
		b.fail("port", ErrProto)
	}
	b.tag(KindPort)
	b.buf = append(binary.BigEndian.AppendUint16(b.buf, p.Num), byte(p.Proto))
}

// Data appends any value.
func (b *EventBuilder) Data(d Data) {
	b.tag(d.kind)
	b.buf = b.buf[:len(b.buf)-1] // tag has counted it, append writes it
	var reason error
	if b.buf, reason = d.append(b.buf, &b.sort, len(b.open)); reason != nil {
		b.fail(d.kind.String(), reason)
	}
}

// View appends a value of another event.
func (b *EventBuilder) View(v DataView) {
	raw := v.Encoded()
	s := brokerScan{b: raw}
	s.value(0, len(b.open)) // again, for it may be too deep here
	if s.reason != nil {
		b.fail(v.Kind().String(), s.reason)
		return
	}
	b.tag(v.Kind())
	b.buf, _ = b.sort.canonical(b.buf[:len(b.buf)-1], raw, 0)
}
