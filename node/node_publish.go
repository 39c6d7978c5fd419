package node

import (
	"errors"
	"sync"

	"github.com/znode/znode/codec"
	"github.com/znode/znode/sockets"
)

// Publish publishes an event with these arguments to all nodes that are
// subscribed to a beginning of topic. The arguments are Go values by the rules
// of package codec; a value that stands for no Zeek type is an error.
//
// An event that nobody is subscribed to is discarded without a word, and so is
// one published before the subscriptions have arrived: see
// [Node.ReadyToPublish]. It does not block. When the broker is behind it returns
// [ErrDropped]; what it took arrives in order.
func (n *Node) Publish(topic, event string, args ...any) error {
	s := n.scratch()
	defer s.free()
	var err error
	if s.payload, err = codec.AppendEventArgs(s.payload[:0], event, args...); err != nil {
		return err
	}
	return n.publishEvent(s, topic, event, s.payload)
}

// PublishTo publishes an event to the node of this name (Cluster::node_topic).
func (n *Node) PublishTo(node, event string, args ...any) error {
	return n.Publish(n.nodeTopic(node), event, args...)
}

// PublishEncoded publishes an event in broker-bin-v1, as [codec.EventType] and
// [codec.EventBuilder] make it. It keeps nothing of payload and allocates
// nothing.
func (n *Node) PublishEncoded(topic string, payload []byte) error {
	s := n.scratch()
	defer s.free()
	name := ""
	if n.core.byName {
		// A payload that is no event is counted without a name.
		if s.view.Decode(payload) == nil {
			s.name = append(s.name[:0], s.view.Name()...)
			name = string(s.name)
		}
		s.view = codec.EventView{} // it points into payload
	}
	return n.publishEvent(s, topic, name, payload)
}

// publishEvent counts an event and hands it to the XPUB.
func (n *Node) publishEvent(s *scratch, topic, name string, payload []byte) error {
	payload, err := s.encode(n.opt.EventSerializer, payload)
	if err != nil {
		return err
	}
	n.core.outgoing(topic, name, len(payload))
	err = n.send(s, topic, payload)
	if err == errFull {
		return n.dropPublished()
	}
	return err
}

// errFull is the XPUB's refusal before it is counted as a drop.
var errFull = errors.New("node: the xpub is full")

// send hands an event to the XPUB. It returns errFull if that has no room.
func (n *Node) send(s *scratch, topic string, payload []byte) error {
	s.topic = append(s.topic[:0], topic...)
	switch err := n.xpub.Publish(s.topic, s.sender, s.serializer, payload); {
	case err == nil:
		n.published.Add(1)
		if n.xpubEpisode.under() {
			if dropped, ended := n.xpubEpisode.over(n.xpubDrops.Load()); ended {
				n.log.Info("no more events to be published are dropped", "dropped", dropped)
			}
		}
		return nil
	case errors.Is(err, sockets.ErrAgain):
		return errFull
	case errors.Is(err, sockets.ErrClosed):
		return ErrClosed
	default:
		return err
	}
}

// dropPublished counts an event that the XPUB had no room for.
func (n *Node) dropPublished() error {
	before := n.xpubDrops.Add(1) - 1
	if n.xpubEpisode.begin(before) {
		n.log.Warn("dropping events to be published, the broker is behind", "xpub_sndhwm", n.opt.XPUBSndHWM)
	}
	return ErrDropped
}

// nodeTopic is the topic of a node by its name.
func (n *Node) nodeTopic(name string) string { return n.opt.NodeTopicPrefix + "." + name + "." }

// nodeIDTopic is the topic of a node by its id.
func (n *Node) nodeIDTopic(id string) string { return n.opt.NodeIDTopicPrefix + "." + id + "." }

// scratch is the memory in which an event is put together.
type scratch struct {
	topic, sender, serializer, payload, json, name []byte

	conv codec.Converter
	view codec.EventView
}

// maxScratch bounds the memory that is kept for the next event.
const maxScratch = 64 << 10

var scratchPool = sync.Pool{New: func() any { return new(scratch) }}

func (n *Node) scratch() *scratch {
	s := scratchPool.Get().(*scratch)
	s.sender = append(s.sender[:0], n.id...)
	s.serializer = append(s.serializer[:0], n.opt.EventSerializer...)
	return s
}

// encode returns an event in the form of a serializer; it is valid until the
// next one.
func (s *scratch) encode(serializer string, payload []byte) ([]byte, error) {
	if serializer == BrokerBinV1 {
		return payload, nil
	}
	var err error
	s.json, err = s.conv.AppendJSON(s.json[:0], payload)
	return s.json, err
}

func (s *scratch) free() {
	if cap(s.payload)+cap(s.json)+cap(s.topic)+cap(s.name) > maxScratch {
		return
	}
	scratchPool.Put(s)
}
