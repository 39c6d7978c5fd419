package sockets

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/go-zeromq/zmq4"
	uatomic "go.uber.org/atomic"
)

// Peer is one peer of a socket: for a bound socket one accepted connection, for
// a connecting socket one endpoint, over all its connections. Its methods may be
// called from any goroutine, also after the peer is gone.
type Peer struct {
	// ID is unique within the process.
	ID uint64
	// Endpoint is our endpoint the peer came through or was dialled at.
	Endpoint string

	addr     atomic.Pointer[string]
	typ      atomic.Pointer[zmq4.SocketType]
	identity atomic.Pointer[any]
	ctr      peerCounters
}

// Addr returns the remote address of the current or the last connection, "" if
// there was none.
func (p *Peer) Addr() string {
	if a := p.addr.Load(); a != nil {
		return *a
	}
	return ""
}

// SocketType returns what the peer announced in its last handshake, "" if there
// was none.
func (p *Peer) SocketType() zmq4.SocketType {
	if t := p.typ.Load(); t != nil {
		return *t
	}
	return ""
}

// Identity returns what the mechanism of the current or the last connection
// made of the peer (see [Identifier]), nil if it knows nothing or there was none.
func (p *Peer) Identity() any {
	if i := p.identity.Load(); i != nil {
		return *i
	}
	return nil
}

// identify takes over the identity that a finished handshake has found.
func (p *Peer) identify(sec zmq4.Security) {
	var identity any
	if i, ok := sec.(Identifier); ok {
		identity = i.PeerIdentity()
	}
	p.identity.Store(&identity)
}

var lastPeerID atomic.Uint64

func newPeer(endpoint string) *Peer {
	return &Peer{ID: lastPeerID.Add(1), Endpoint: endpoint}
}

// A conn is one ZMTP connection after its handshake. Its reader goroutine owns
// it; writing is done by whoever holds the pipe's flushing flag.
type conn struct {
	sock  *socket
	nc    net.Conn
	st    *stream    // nil where there is none: then nc is read and written
	codec FrameCodec // nil for the NULL mechanism
	pipe  *pipe
	rd    reader
	wr    writer

	heard     uatomic.Bool  // something came since heartbeat looked last
	handling  uatomic.Bool  // what came is being handled; only with heartbeat
	pinged    uint64        // messages sent when heartbeat's last PING will have been
	due       bool          // heartbeat has a PING to send; only its goroutine uses it
	done      chan struct{} // closed by close
	closed    uatomic.Bool  // set by close, for the loops that do not select
	closeOnce sync.Once
	cause     error                 // set by closeOnce: why we closed, nil if there is no more to say
	timeout   atomic.Pointer[error] // set by failed
}

func newConn(s *socket, nc net.Conn, codec FrameCodec, p *pipe) *conn {
	c := &conn{sock: s, nc: nc, codec: codec, pipe: p, done: make(chan struct{})}
	if l, ok := nc.(*link); ok {
		c.st = l.upgrade(s.polled())
	}
	c.rd.init(c)
	c.wr.init(c)
	return c
}

// close ends the connection without sending anything. The reader then returns.
func (c *conn) close() { c.closeFor(nil) }

// failed ends the connection because writing failed. As a rule the reader says
// why, but that a peer timed out the kernel tells only who asks first.
func (c *conn) failed(err error) {
	if errors.Is(err, syscall.ETIMEDOUT) {
		c.timeout.Store(&err)
	}
	c.close()
}

// closeFor is close with what run is to return.
func (c *conn) closeFor(cause error) {
	c.closeOnce.Do(func() {
		c.cause = cause
		c.closed.Store(true)
		close(c.done)
		c.nc.Close()
	})
}

// wipe lets the codec wipe its keys when reading has ended. Those of the writer are
// the writer goroutine's to wipe, if there ever was one.
func (c *conn) wipe() {
	if w, ok := c.codec.(Wiper); ok {
		w.WipeOpen()
		if c.wr.neverStarted() {
			w.WipeSeal()
		}
	}
}

// run reads until the connection ends and returns why. It is the body of the
// reader goroutine.
func (c *conn) run() error {
	err := c.rd.run()
	c.close()
	c.wr.wait()
	c.wipe()
	if c.st != nil {
		c.st.release()
	}
	select {
	case <-c.sock.closing:
		return ErrClosed
	default:
		if c.cause != nil {
			return c.cause
		}
		if timeout := c.timeout.Load(); timeout != nil {
			return *timeout
		}
		return err
	}
}
