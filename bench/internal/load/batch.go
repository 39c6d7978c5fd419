package load

import "github.com/znode/znode/bench/internal/zmtp"

// batchBytes is about what a publisher writes at once. Larger ones gain
// nothing and leave the cache.
const batchBytes = 256 << 10

// batch is one publisher's pre-encoded messages, topic after topic, of which
// only the stamps change.
type batch struct {
	layout    *zmtp.Layout
	publisher int
	bytes     []byte
	messages  int
}

// newBatch encodes whole rounds of the topics, so that every batch carries the
// same number of messages of each.
func newBatch(layout *zmtp.Layout, publisher, topics int) *batch {
	rounds := max(batchBytes/(layout.Size*topics), 1)
	b := &batch{layout: layout, publisher: publisher, messages: rounds * topics}
	b.bytes = make([]byte, 0, b.messages*layout.Size)
	for i := range b.messages {
		b.bytes = layout.AppendMessage(b.bytes, i%topics, publisher)
	}
	return b
}

// message returns the i-th message.
func (b *batch) message(i int) []byte {
	return b.bytes[i*b.layout.Size : (i+1)*b.layout.Size]
}

// stamp numbers the messages from first on.
func (b *batch) stamp(first uint64) {
	for rest := b.bytes; len(rest) > 0; rest = rest[b.layout.Size:] {
		b.layout.Stamp(rest, b.publisher, first, 0)
		first++
	}
}

// probes returns one probe per topic.
func (b *batch) probes(topics int) []byte {
	probes := append([]byte(nil), b.bytes[:topics*b.layout.Size]...)
	for rest := probes; len(rest) > 0; rest = rest[b.layout.Size:] {
		b.layout.Stamp(rest, b.publisher, zmtp.ProbeSeq, 0)
	}
	return probes
}
