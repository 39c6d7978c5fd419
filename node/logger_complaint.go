package node

import (
	"log/slog"
	"sync"
	"time"
)

// Complaints of one kind are logged complaintBurst at a time and then one each
// complaintEvery, with the number of those left out.
const (
	complaintBurst = 10
	complaintEvery = time.Second
)

// complaint limits the log lines of one kind, which a peer may cause with every
// message.
type complaint struct {
	mu         sync.Mutex
	left       int
	at         time.Time // of the last refill; zero before the first line
	suppressed int
}

// allow says whether to log now. It adds the number of lines left out since the
// last one.
func (c *complaint) allow(log *slog.Logger) (*slog.Logger, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if c.at.IsZero() {
		c.left, c.at = complaintBurst, now
	}
	if n := int(now.Sub(c.at) / complaintEvery); n > 0 {
		c.left = min(complaintBurst, c.left+n)
		c.at = now
	}
	if c.left == 0 {
		c.suppressed++
		return nil, false
	}
	c.left--
	if c.suppressed > 0 {
		log = log.With("suppressed", c.suppressed)
		c.suppressed = 0
	}
	return log, true
}
