package soak

import (
	"fmt"

	"github.com/znode/znode/codec"
	"github.com/znode/znode/node"
)

const (
	prefix     = "soak." // what all subscribe to
	topic      = prefix + "event"
	eventName  = "Soak::event"
	probeName  = "Soak::probe"
	senderForm = "soak_%d" // of peers that are no nodes
)

// firstMortal is the first source that is no member: peers that publish a little
// and die.
const firstMortal = 1 << 20

// event is what is published: a number by which nothing can be lost, repeated or
// reordered unseen. The number of a probe is its generation.
type event struct {
	source uint64
	number uint64
	probe  bool
}

// builder makes events.
type builder struct {
	b   codec.EventBuilder
	buf []byte
}

// padding makes an event of ordinary size.
var padding = string(make([]byte, 100))

// encode returns the event in broker-bin-v1, valid until the next call.
func (b *builder) encode(e event) ([]byte, error) {
	name := eventName
	if e.probe {
		name = probeName
	}
	b.b.Start(b.buf[:0], name)
	b.b.Count(e.source)
	b.b.Count(e.number)
	b.b.String(padding)
	payload, err := b.b.Finish()
	b.buf = payload
	return payload, err
}

// message returns an event as its message goes over the wire.
func (b *builder) message(e event) (frames [][]byte, err error) {
	payload, err := b.encode(e)
	return [][]byte{[]byte(topic), fmt.Appendf(nil, senderForm, e.source), []byte(node.BrokerBinV1), payload}, err
}

// decodeEvent reads what encode made.
func decodeEvent(v *codec.EventView) (e event, ok bool) {
	switch string(v.Name()) {
	case eventName:
	case probeName:
		e.probe = true
	default:
		return e, false
	}
	source, ok1 := v.Arg(0).AsCount()
	number, ok2 := v.Arg(1).AsCount()
	e.source, e.number = source, number
	return e, ok1 && ok2 && v.NumArgs() == 3
}
