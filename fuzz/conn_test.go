package fuzz

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/znode/znode/sockets"
)

// patience bounds every wait; only a test that fails spends it.
const patience = 20 * time.Second

// A memConn is a connection in memory whose other end is the test. It tells when
// everything given to it was read and the reader has come back for more, which is
// when the socket has dealt with it.
type memConn struct {
	mu      sync.Mutex
	changed *sync.Cond
	in      []byte
	sizes   []byte // sizes of the next reads, less one; none: as much as is there
	ended   bool   // after in comes the end of the stream
	waiting bool   // a Read has found nothing
	closed  bool
	out     []byte
}

func newMemConn() *memConn {
	c := &memConn{}
	c.changed = sync.NewCond(&c.mu)
	return c
}

// Read implements net.Conn.
func (c *memConn) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.in) == 0 && !c.ended && !c.closed {
		c.waiting = true
		c.changed.Broadcast()
		c.changed.Wait()
	}
	c.waiting = false
	if c.closed {
		return 0, net.ErrClosed
	}
	if len(c.in) == 0 {
		return 0, io.EOF
	}
	if len(c.sizes) > 0 {
		p, c.sizes = p[:min(len(p), int(c.sizes[0])+1)], c.sizes[1:]
	}
	n := copy(p, c.in)
	c.in = c.in[n:]
	return n, nil
}

// Write implements net.Conn.
func (c *memConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return 0, net.ErrClosed
	}
	c.out = append(c.out, p...)
	c.changed.Broadcast()
	return len(p), nil
}

// Close implements net.Conn.
func (c *memConn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.changed.Broadcast()
	return nil
}

type memAddr struct{}

func (memAddr) Network() string { return "memory" }
func (memAddr) String() string  { return "memory" }

func (c *memConn) LocalAddr() net.Addr              { return memAddr{} }
func (c *memConn) RemoteAddr() net.Addr             { return memAddr{} }
func (c *memConn) SetDeadline(time.Time) error      { return nil }
func (c *memConn) SetReadDeadline(time.Time) error  { return nil }
func (c *memConn) SetWriteDeadline(time.Time) error { return nil }

// await waits until cond, which is asked under the lock, holds.
func (c *memConn) await(t *testing.T, what string, cond func() bool) {
	t.Helper()
	expired := time.AfterFunc(patience, func() {
		c.mu.Lock()
		c.closed, c.ended = true, true
		c.mu.Unlock()
		c.changed.Broadcast()
	})
	defer expired.Stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	for !cond() {
		if c.closed {
			t.Fatalf("the connection was closed, or in %v not: %s", patience, what)
		}
		c.changed.Wait()
	}
}

// feed gives bytes to the socket and waits until it has dealt with them.
func (c *memConn) feed(t *testing.T, b []byte) {
	t.Helper()
	c.mu.Lock()
	c.in = append(c.in, b...)
	c.waiting = false
	c.changed.Broadcast()
	c.mu.Unlock()
	c.await(t, "the socket reads on", func() bool { return c.waiting && len(c.in) == 0 })
}

// end ends the stream from the peer's side.
func (c *memConn) end() {
	c.mu.Lock()
	c.ended = true
	c.changed.Broadcast()
	c.mu.Unlock()
}

// written returns what the socket has sent.
func (c *memConn) written() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.out
}

// options are the defaults, with bounds that short inputs can reach, and no
// waiting at the end.
func options() sockets.Options {
	o := sockets.DefaultOptions()
	o.Linger = 0
	o.MaxMessageSize = 2000
	o.MaxSubscriptions = 50
	o.MaxSubscriptionBytes = 500
	return o
}
