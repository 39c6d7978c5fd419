package node

import (
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/znode/znode/codec"
)

// A refusal is why a message is not written.
type refusal int

const (
	refusedFrames     refusal = iota // not four frames
	refusedSerializer                // not zeek-bin-serializer
	refusedBatch                     // malformed
	refusedPath                      // its path cannot be a file name
	refusedStreams                   // beyond MaxStreams
	refusalKinds
)

var refusalNames = [refusalKinds]string{"frames", "serializer", "malformed", "path", "max_streams"}

// String returns the metric's label.
func (r refusal) String() string { return refusalNames[r] }

// refusals counts those of one kind.
type refusals struct {
	n         atomic.Uint64
	complaint complaint
}

// refuse counts a refusal and says whether, and where, to log it. The connection
// that it came from lives on.
func (l *Logger) refuse(why refusal) (*slog.Logger, bool) {
	l.refused[why].n.Add(1)
	log, ok := l.refused[why].complaint.allow(l.log)
	if ok {
		log = log.With("reason", why.String())
	}
	return log, ok
}

// refuseBatch refuses a batch, of which b holds what could be read.
func (l *Logger) refuseBatch(why refusal, it *logItem, b *codec.Batch, err error) {
	l.bySender.add(b.Stream, it.sender)
	l.reject.keep(it.payload)
	log, ok := l.refuse(why)
	if !ok {
		return
	}
	peer := "" // one of an earlier run is not known
	if it.parcel != nil {
		peer = it.parcel.addr()
	}
	log.Warn("log batch refused", "peer", peer, "sender", quoted(it.sender),
		"stream", quoted(b.Stream), "path", quoted(b.Path), "error", err.Error())
}

// quoted returns untrusted bytes for a log line, cut to 64.
func quoted(b []byte) string {
	const most = 64
	if len(b) > most {
		return fmt.Sprintf("%q...", b[:most])
	}
	return fmt.Sprintf("%q", b)
}

// maxBySender bounds the streams that refused batches are counted for, and the
// senders of each. What comes beyond is counted under otherTally.
const maxBySender = 64

// senderCounts counts refused batches by stream and sender.
type senderCounts struct {
	mu sync.Mutex
	m  map[string]map[string]*uint64
}

// add counts one. It allocates only for what it has not seen.
func (c *senderCounts) add(stream, sender []byte) {
	stream, sender = stream[:min(len(stream), maxLabel)], sender[:min(len(sender), maxLabel)]
	c.mu.Lock()
	defer c.mu.Unlock()
	senders := c.m[string(stream)]
	if senders == nil {
		if c.m == nil {
			c.m = make(map[string]map[string]*uint64)
		}
		if len(c.m) >= maxBySender {
			stream = []byte(otherTally)
		}
		if senders = c.m[string(stream)]; senders == nil {
			senders = make(map[string]*uint64)
			c.m[string(stream)] = senders
		}
	}
	n := senders[string(sender)]
	if n == nil {
		if len(senders) >= maxBySender {
			sender = []byte(otherTally)
		}
		if n = senders[string(sender)]; n == nil {
			n = new(uint64)
			senders[string(sender)] = n
		}
	}
	*n++
}

// each calls f for every count, with labels that differ.
func (c *senderCounts) each(f func(stream, sender string, n uint64)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	sums := make(map[[2]string]uint64)
	for stream, senders := range c.m {
		for sender, n := range senders {
			sums[[2]string{metricLabel([]byte(stream)), metricLabel([]byte(sender))}] += *n
		}
	}
	for k, n := range sums {
		f(k[0], k[1], n)
	}
}
