package sockets

import (
	"net"
	"sync"
)

// A link is a connection over both parts of its life: through its handshake a
// net.Conn, then a stream where the system has them. Close ends whichever it is.
type link struct {
	net.Conn

	mu     sync.Mutex
	stream *stream
}

// upgrade makes the link a stream if it can be one.
func (l *link) upgrade(p *poller) *stream {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stream = openStream(l.Conn, p)
	return l.stream
}

// Close implements net.Conn.
func (l *link) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stream != nil {
		l.stream.shutdown()
		return nil
	}
	return l.Conn.Close()
}
