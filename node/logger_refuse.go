package node

import (
	"fmt"
	"log/slog"
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

// refuseBatch refuses a malformed batch, of which b holds what could be read.
func (l *Logger) refuseBatch(p *parcel, b *codec.Batch, err error) {
	if log, ok := l.refuse(refusedBatch); ok {
		log.Warn("log batch refused", "peer", p.addr(), "stream", quoted(b.Stream), "path", quoted(b.Path), "error", err.Error())
	}
}

// quoted returns untrusted bytes for a log line, cut to 64.
func quoted(b []byte) string {
	const most = 64
	if len(b) > most {
		return fmt.Sprintf("%q...", b[:most])
	}
	return fmt.Sprintf("%q", b)
}
