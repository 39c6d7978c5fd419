package sockets

import "iter"

// A Batch is a run of at least one whole message from one peer, in the order
// they came.
//
// The batch given to a handler, and all slices taken from it, are valid until
// the handler returns. Keep returns one that is the caller's until Release.
type Batch struct {
	chunk  *chunk
	data   []byte // the messages, side by side
	off    int    // where data begins in the chunk
	n      int
	bodies int64
	peer   *Peer
	turn   *turn    // of the reader, while it has more to read; only inside a handler
	ends   []uint32 // ends of the messages in data; only inside a handler
	firsts []uint32 // of runs of messages of one topic; only inside a handler of an XSUB
}

// Len returns the number of messages, at least 1.
func (b Batch) Len() int { return b.n }

// Bytes returns the wire form of all messages.
func (b Batch) Bytes() []byte { return b.data }

// BodyBytes returns the size of all frame bodies, without the frame headers.
func (b Batch) BodyBytes() int64 { return b.bodies }

// Peer returns the peer that sent the messages.
func (b Batch) Peer() *Peer { return b.peer }

// Held returns the bytes of memory the batch keeps alive, which is what a queue
// of kept batches is to account for.
func (b Batch) Held() int { return len(b.chunk.buf) }

// Messages yields the messages in order.
func (b Batch) Messages() iter.Seq[Message] {
	return func(yield func(Message) bool) {
		for at := 0; at < len(b.data); {
			end := messageEnd(b.data, at)
			if !yield(Message(b.data[at:end:end])) {
				return
			}
			at = end
		}
	}
}

// Keep returns a batch of the same messages that stays valid until its Release.
// It shares memory with b unless that would keep alive more than four times the
// messages' own bytes; then they are copied.
func (b Batch) Keep() Batch {
	kept := b
	kept.turn, kept.ends, kept.firsts = nil, nil, nil
	if !b.chunk.keepsTooMuch(len(b.data)) || len(b.chunk.buf) == minChunk {
		kept.chunk.hold()
		return kept
	}
	kept.chunk = newChunk(len(b.data))
	kept.data = kept.chunk.buf[:copy(kept.chunk.buf, b.data)]
	kept.off = 0
	return kept
}

// Flush writes what [XPUB.Forward] has put off until more of this peer was read. A
// handler that is going to wait for something else than Forward calls it before.
func (b Batch) Flush() {
	if b.turn != nil {
		b.turn.end()
	}
}

// Release gives a kept batch's memory back. The batch and everything taken from
// it must not be used any more.
func (b Batch) Release() { b.chunk.release() }
