package codec

import "time"

// Event is one event with all its values on their own, for those who want to
// keep or change it. [EventView] reads one in place, [EventBuilder] writes one
// without values in between.
type Event struct {
	Name string
	Args []Data
	// Metadata is what comes with the event beside its arguments, such as
	// [MetadataNetworkTimestamp]. Nil leaves it out; empty is written as such.
	Metadata []Metadata
}

// Metadata is one entry of an event's metadata.
type Metadata struct {
	ID    uint64
	Value Data
}

// Timestamp is the network time at which the event was raised, if its metadata
// says so.
func (e *Event) Timestamp() (t time.Time, ok bool) {
	for _, m := range e.Metadata {
		if m.ID == MetadataNetworkTimestamp {
			return m.Value.AsTimestamp()
		}
	}
	return time.Time{}, false
}

// DecodeEvent reads an event in broker-bin-v1. It refuses what
// [EventView.Decode] refuses.
func DecodeEvent(payload []byte) (*Event, error) {
	var v EventView
	if err := v.Decode(payload); err != nil {
		return nil, err
	}
	return v.Event(), nil
}

// Event copies the event out of its payload.
func (e *EventView) Event() *Event {
	out := &Event{Name: string(e.name)}
	if n := e.NumArgs(); n > 0 {
		out.Args = make([]Data, 0, n)
	}
	for a := range e.Args() {
		out.Args = append(out.Args, a.Data())
	}
	if e.meta.Kind() == KindVector {
		out.Metadata = make([]Metadata, 0, e.meta.Len())
	}
	for id, v := range e.AllMetadata() {
		out.Metadata = append(out.Metadata, Metadata{id, v.Data()})
	}
	return out
}

// AppendEvent appends the event in broker-bin-v1, what Zeek sends. It fails as
// [Data.Append] does, with dst as it came.
func AppendEvent(dst []byte, e *Event) ([]byte, error) {
	return e.data().Append(dst)
}

// DecodeEventJSON reads an event in broker-json-v1, by the rules of
// [Converter.AppendBin].
func DecodeEventJSON(text []byte) (*Event, error) {
	var c Converter
	payload, err := c.AppendBin(nil, text)
	if err != nil {
		return nil, err
	}
	return DecodeEvent(payload)
}

// AppendEventJSON appends the event in broker-json-v1, by the rules of
// [Converter.AppendJSON]. It fails as [Data.Append] does.
func AppendEventJSON(dst []byte, e *Event) ([]byte, error) {
	return e.data().AppendJSON(dst)
}

// data is the event as the one value that travels.
func (e *Event) data() Data {
	content := []Data{StringData(e.Name), VectorData(e.Args...)}
	if e.Metadata != nil {
		meta := make([]Data, 0, len(e.Metadata))
		for _, m := range e.Metadata {
			meta = append(meta, VectorData(CountData(m.ID), m.Value))
		}
		content = append(content, VectorData(meta...))
	}
	return VectorData(CountData(eventVersion), CountData(eventType), VectorData(content...))
}
