package codec

import (
	"encoding/binary"
	"iter"
	"time"
)

// The layout of an event (Broker: zeek.hh). Broker ignores elements behind
// those of the outer two vectors, and so does this package.
//
//	vector
//	  count 1 (version) · count 1 (type: event)
//	  vector
//	    string name
//	    vector of arguments
//	    [vector of metadata, each entry a vector: count id · value]
const (
	eventVersion = 1
	eventType    = 1
)

// EventView is a broker-bin-v1 event that has been checked and is read in
// place: name, arguments and metadata are parts of the payload. The zero value
// is ready for Decode, and one EventView serves any number of events.
type EventView struct {
	payload []byte
	name    []byte
	args    DataView
	meta    DataView // KindNone when the event has no metadata

	unordered bool // some set or table is not in canonical order
	err       Error
	valueErr  ValueError // of turning arguments into Go values
}

// Decode checks the whole payload and points the view at it. It refuses what
// Broker refuses, and in addition nesting over [MaxDepth], overlong lengths,
// subnet lengths that no address has, other versions and other message types
// than events. After an error the view is empty; the error is an [*Error]
// that the next Decode overwrites.
func (e *EventView) Decode(payload []byte) error {
	s := brokerScan{b: payload}
	e.payload = payload
	e.scan(&s)
	if s.reason != nil {
		e.reset()
		return e.err.fill(BrokerBinV1, s.off, s.field, s.reason)
	}
	return nil
}

func (e *EventView) reset() {
	e.payload, e.name, e.args, e.meta, e.unordered = nil, nil, DataView{}, DataView{}, false
}

// scan walks the two outer vectors by hand and leaves the rest to s.
func (e *EventView) scan(s *brokerScan) {
	outer, i := s.vector(0, "event", 3)
	if i = s.fixedCount(i, "version", eventVersion); i < 0 {
		return
	}
	if i = s.fixedCount(i, "type", eventType); i < 0 {
		return
	}
	inner, i := s.vector(i, "content", 2)
	if i < 0 {
		return
	}
	if s.b[i] != byte(KindString) {
		s.fail(i, "name", ErrNotEvent)
		return
	}
	at := i
	if i = s.value(i, 2); i < 0 {
		return
	}
	_, start := varbyteAt(s.b, at+1)
	e.name = s.b[start:i:i]
	if at, i = i, s.nested(i, "arguments"); i < 0 {
		return
	}
	e.args = DataView{s.b[at:i:i]}
	e.meta = DataView{}
	if inner > 2 {
		if at, i = i, s.nested(i, "metadata"); i < 0 || !s.metadata(at) {
			return
		}
		e.meta = DataView{s.b[at:i:i]}
		i = s.values(i, inner-3, 2)
	}
	if i = s.values(i, outer-3, 1); i >= 0 && i < len(s.b) {
		s.fail(i, "", ErrTrailing)
		return
	}
	e.unordered = s.unordered
	s.checkDuplicates(0)
}

// vector reads the head of a vector of at least least elements.
func (s *brokerScan) vector(i int, field string, least uint32) (n uint32, next int) {
	if i >= len(s.b) {
		return 0, s.fail(len(s.b), field, ErrTruncated)
	}
	if s.b[i] != byte(KindVector) {
		return 0, s.fail(i, field, ErrNotEvent)
	}
	n, j := s.varbyte(i+1, field)
	if j < 0 {
		return 0, -1
	}
	if n < least {
		return 0, s.fail(i+1, field, ErrNotEvent)
	}
	if uint64(n) > uint64(len(s.b)-j) {
		return 0, s.fail(i+1, field, ErrCount)
	}
	return n, j
}

// fixedCount reads a count that can only be want. A negative i stands for an
// earlier failure.
func (s *brokerScan) fixedCount(i int, field string, want uint64) int {
	if i < 0 {
		return -1
	}
	if len(s.b)-i < 9 {
		return s.fail(i, field, ErrTruncated)
	}
	if s.b[i] != byte(KindCount) || binary.BigEndian.Uint64(s.b[i+1:]) != want {
		return s.fail(i, field, ErrNotEvent)
	}
	return i + 9
}

// nested reads a whole vector inside the two outer ones.
func (s *brokerScan) nested(i int, field string) int {
	if i < len(s.b) && s.b[i] != byte(KindVector) {
		return s.fail(i, field, ErrNotEvent)
	}
	return s.value(i, 2)
}

func (s *brokerScan) values(i int, n uint32, depth int) int {
	for range n {
		if i < 0 {
			return -1
		}
		i = s.value(i, depth)
	}
	return i
}

// metadata checks the shape of the checked vector at i.
func (s *brokerScan) metadata(i int) bool {
	n, i := varbyteAt(s.b, i+1)
	for range n {
		at := i
		if i = brokerSkip(s.b, i); s.b[at] != byte(KindVector) {
			s.fail(at, "metadata", ErrNotEvent)
			return false
		}
		fields, id := varbyteAt(s.b, at+1)
		if fields != 2 || s.b[id] != byte(KindCount) {
			s.fail(at, "metadata", ErrNotEvent)
			return false
		}
		if binary.BigEndian.Uint64(s.b[id+1:]) == MetadataNetworkTimestamp && s.b[id+9] != byte(KindTimestamp) {
			s.fail(id+9, "metadata", ErrMismatch)
			return false
		}
	}
	return true
}

// Name is the event's name, such as Cluster::hello. It points into the payload.
func (e *EventView) Name() []byte { return e.name }

// NumArgs is the number of arguments.
func (e *EventView) NumArgs() int { return e.args.Len() }

// Args walks the arguments.
func (e *EventView) Args() iter.Seq[DataView] { return e.args.Elements() }

// Arg is argument i, counted from 0, or a value of [KindNone] if the event has
// no such argument. It walks over those in front.
func (e *EventView) Arg(i int) DataView {
	v, _ := e.args.Element(i)
	return v
}

// ArgVector is the vector of all arguments.
func (e *EventView) ArgVector() DataView { return e.args }

// Metadata is the value of the first metadata entry with the id.
func (e *EventView) Metadata(id uint64) (v DataView, ok bool) {
	for entryID, v := range e.AllMetadata() {
		if entryID == id {
			return v, true
		}
	}
	return DataView{}, false
}

// AllMetadata walks ids and values of the metadata.
func (e *EventView) AllMetadata() iter.Seq2[uint64, DataView] {
	return func(yield func(uint64, DataView) bool) {
		for entry := range e.meta.Elements() {
			_, id := varbyteAt(entry.b, 1)
			v := entry.b[id+9:]
			if !yield(binary.BigEndian.Uint64(entry.b[id+1:]), DataView{v[:len(v):len(v)]}) {
				return
			}
		}
	}
}

// Timestamp is the network time at which the event was raised, if its metadata
// says so.
func (e *EventView) Timestamp() (t time.Time, ok bool) {
	v, ok := e.Metadata(MetadataNetworkTimestamp)
	if !ok {
		return time.Time{}, false
	}
	return v.AsTimestamp()
}
