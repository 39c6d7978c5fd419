package sockets

import "sync/atomic"

// peerCounters counts what passes one peer.
type peerCounters struct {
	sentMessages, sentBytes         atomic.Uint64 // taken by the kernel
	receivedMessages, receivedBytes atomic.Uint64
	dropped                         atomic.Uint64 // for a full queue
	lost                            atomic.Uint64 // queued when the pipe ended
}

func (c *peerCounters) received(b Batch) {
	c.receivedMessages.Add(uint64(b.n))
	c.receivedBytes.Add(uint64(len(b.data)))
}

func (c *peerCounters) sent(msgs, bytes int) {
	c.sentMessages.Add(uint64(msgs))
	c.sentBytes.Add(uint64(bytes))
}

// PeerStats is what is known of one peer. Messages are whole ones; bytes are
// those on the wire, before encryption.
type PeerStats struct {
	Peer             *Peer
	Connected        bool
	SentMessages     uint64 // taken by the kernel
	SentBytes        uint64
	ReceivedMessages uint64
	ReceivedBytes    uint64
	DroppedMessages  uint64 // not queued because the queue was full
	LostMessages     uint64 // queued when the peer left for good
	QueuedMessages   int
	QueuedBytes      int // memory the queue keeps alive
	Subscriptions    int // XPUB: prefixes held
	Isolated         bool
}

// stats returns the pipe's figures, without Subscriptions.
func (p *pipe) stats() PeerStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := &p.peer.ctr
	return PeerStats{
		Peer:             p.peer,
		Connected:        p.conn != nil,
		SentMessages:     c.sentMessages.Load(),
		SentBytes:        c.sentBytes.Load(),
		ReceivedMessages: c.receivedMessages.Load(),
		ReceivedBytes:    c.receivedBytes.Load(),
		DroppedMessages:  c.dropped.Load(),
		LostMessages:     c.lost.Load(),
		QueuedMessages:   p.msgs,
		QueuedBytes:      p.bytes,
		Isolated:         p.slow.isolated,
	}
}

// TopicCount counts what an XPUB forwards of a topic, each message once however
// many get it. Bytes are those on the wire.
type TopicCount struct {
	Messages, Bytes atomic.Uint64
}

// Stats is what is known of a socket.
type Stats struct {
	Connections int               // established ones and those in their handshake
	Failures    map[Reason]uint64 // connections refused or ended by reason
	LostEvents  uint64            // events not logged and told because too many waited
	Dropped     uint64            // messages dropped because a peer's queue was full, of all peers there ever were
	Lost        uint64            // messages queued for peers that left for good
}

// failures counts by reason; the set of reasons is fixed, so the map is only
// read after it is made.
type failures map[Reason]*atomic.Uint64

func newFailures() failures {
	f := make(failures)
	for _, r := range []Reason{
		ReasonClosed, ReasonTimeout, ReasonShutdown, ReasonGreeting, ReasonMechanism, ReasonSecurity, ReasonUnauthorized,
		ReasonHandshake, ReasonHandshakeTimeout, ReasonSocketType, ReasonPeerError,
		ReasonFrame, ReasonCommand, ReasonMessageSize, ReasonSubscriptions, ReasonConnections, ReasonUnread,
	} {
		f[r] = new(atomic.Uint64)
	}
	return f
}

func (f failures) count(r Reason) {
	if c, ok := f[r]; ok {
		c.Add(1)
	}
}
