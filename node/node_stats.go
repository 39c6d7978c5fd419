package node

// Stats is what a [Node] has counted since it was made. Events are those of
// other nodes, with four frames.
type Stats struct {
	// Received is what the XSUB received: at any time Handled + OnloopDrops +
	// the events in the queue or in a handler.
	Received    uint64
	Handled     uint64 // by the loop, Undecodable ones included
	OnloopDrops uint64 // for a full queue
	Undecodable uint64 // of an unknown serializer, or malformed
	Own         uint64 // this node's own events that came back; not in Received
	// MessageErrors counts messages with another number of frames, of all
	// sockets.
	MessageErrors uint64
	// OnloopBlocks counts how often reading has paused for the loop.
	OnloopBlocks uint64

	Published uint64 // events handed to the XPUB, whether anybody wants them or not
	XPUBDrops uint64 // events for which it had no room

	LogBatches uint64 // received and handled, LogRefused ones included
	LogRefused uint64 // that could not be read

	LogWrites    uint64 // records accepted by the node's log streams
	LogDiscards  uint64 // records refused by them; not in LogWrites
	LogSent      uint64 // of these, handed to the PUSH
	LogDrops     uint64 // of these, dropped because no logger had room
	LogBatchesTo uint64 // batches handed to the PUSH
	// LogBatchesLost counts those of them that were waiting for a logger when the
	// node was closed or, with LogImmediate, when the logger went away.
	LogBatchesLost uint64

	OnloopLength int   // work in the queue, of all kinds
	ForcedBytes  int64 // memory of the log batches and subscriptions in it
}

// Stats returns the node's figures.
func (n *Node) Stats() Stats {
	s := Stats{
		// In this order, so that nothing is handled before it is received.
		Handled:      n.handled.Load(),
		OnloopDrops:  n.onloopDrops.Load(),
		Received:     n.received.Load(),
		Undecodable:  n.undecodable.Load(),
		Own:          n.own.Load(),
		OnloopBlocks: n.grace.blocks.Load() + n.forced.blocks.Load(),

		MessageErrors: n.msgErrors.Load(),
		Published:     n.published.Load(),
		XPUBDrops:     n.xpubDrops.Load(),
		LogBatches:    n.logBatches.Load(),
		LogRefused:    n.logRefused.Load(),
		LogWrites:     n.logs.writes.Load(),
		LogDiscards:   n.logs.discards.Load(),
		LogSent:       n.logs.sent.Load(),
		LogDrops:      n.logs.drops.Load(),
		LogBatchesTo:  n.logs.batches.Load(),

		LogBatchesLost: n.push.Stats().Lost,

		OnloopLength: n.queue.Len(),
		ForcedBytes:  n.forced.used.Load(),
	}
	if !n.opt.ConnectXPUBNoDrop {
		// The socket drops without a word to Publish, but it counts.
		for _, p := range n.xpub.Peers() {
			s.XPUBDrops += p.DroppedMessages
		}
	}
	return s
}
