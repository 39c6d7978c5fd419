package node

import "time"

const (
	// DefaultLinger is how long a socket that closes waits for what it has
	// queued (Zeek's linger_ms).
	DefaultLinger = 500 * time.Millisecond
	// DefaultSlowSubscriberGrace is how long a full subscriber may hold
	// publishers back before it is isolated.
	DefaultSlowSubscriberGrace = time.Second
)
