package node

import (
	"github.com/znode/znode/codec"
	"github.com/znode/znode/sockets"
)

// Event is an event from another node, as a handler gets it: its name,
// arguments and metadata ([codec.EventView]), and how it travelled. All of it,
// and every slice taken from it, is valid until the handler returns;
// [codec.EventView.Event] makes a copy to keep.
type Event struct {
	codec.EventView
	topic, sender, serializer, payload []byte

	conv codec.Converter // of events in JSON
	bin  []byte          // the event that conv made
}

// Topic is the topic the event was published to.
func (e *Event) Topic() []byte { return e.topic }

// Sender is the node id of who published the event. Nobody has checked it.
func (e *Event) Sender() []byte { return e.sender }

// Serializer is the form of Payload: broker-bin-v1 or broker-json-v1.
func (e *Event) Serializer() []byte { return e.serializer }

// Payload is the event as it was sent.
func (e *Event) Payload() []byte { return e.payload }

// decode reads the message and reports what is wrong with it.
func (e *Event) decode(m sockets.Message) error {
	e.topic, e.sender, e.serializer, e.payload, _ = m.Split()
	switch string(e.serializer) {
	case BrokerBinV1:
		return e.Decode(e.payload)
	case BrokerJSONV1:
		var err error
		if e.bin, err = e.conv.AppendBin(e.bin[:0], e.payload); err != nil {
			return err
		}
		return e.Decode(e.bin)
	}
	return errSerializer
}

// maxEventCopy bounds the memory kept for the next event in JSON.
const maxEventCopy = 1 << 20

// drop lets go of the event's memory.
func (e *Event) drop() {
	e.topic, e.sender, e.serializer, e.payload = nil, nil, nil, nil
	if cap(e.bin) > maxEventCopy {
		e.bin = nil
	}
}

// LogWrite is a batch of log writes from another node, as a handler gets it. It
// is valid until the handler returns.
type LogWrite struct {
	codec.Batch
	sender, payload []byte
}

// Sender is the node id of who sent the batch. Nobody has checked it.
func (w *LogWrite) Sender() []byte { return w.sender }

// Payload is the batch as it was sent (zeek-bin-serializer).
func (w *LogWrite) Payload() []byte { return w.payload }
