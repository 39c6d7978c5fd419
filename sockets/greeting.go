package sockets

import (
	"bytes"
	"errors"
	"io"
	"net"

	"github.com/go-zeromq/zmq4"
)

// The greeting (RFC 23, "Greeting"):
//
//	0      0xFF           10  major version   12  mechanism, NUL-padded
//	1..8   padding        11  minor version   32  as-server, 0 or 1
//	9      0x7F                               33..63  filler
const (
	greetingSize  = 64
	versionAt     = 10
	mechanismAt   = 12
	asServerAt    = 32
	fillerAt      = 33
	zmtpMajor     = 3
	mechanismSize = asServerAt - mechanismAt
)

// checkGreeting refuses what is not a ZMTP 3 greeting with this mechanism.
func checkGreeting(g *[greetingSize]byte, mechanism zmq4.SecurityType) error {
	if g[0] != 0xFF || g[9] != 0x7F {
		return protocolErrorf(ReasonGreeting, "no ZMTP signature in %s", quoted(g[:versionAt]))
	}
	if g[versionAt] < zmtpMajor {
		return protocolErrorf(ReasonGreeting, "ZMTP %d.%d, want 3.0 or later", g[versionAt], g[versionAt+1])
	}
	name, padding := cutNUL(g[mechanismAt:asServerAt])
	if len(bytes.Trim(padding, "\x00")) > 0 {
		return protocolErrorf(ReasonGreeting, "mechanism %s is not padded with NUL", quoted(g[mechanismAt:asServerAt]))
	}
	if string(name) != string(mechanism) {
		return protocolErrorf(ReasonMechanism, "peer wants mechanism %s, this socket has %s", quoted(name), mechanism)
	}
	if g[asServerAt] > 1 {
		return protocolErrorf(ReasonGreeting, "as-server is %d, want 0 or 1", g[asServerAt])
	}
	return nil
}

func cutNUL(b []byte) (name, rest []byte) {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return b[:i], b[i:]
	}
	return b, nil
}

// greetingConn is the connection that zmq4.Open is given. Open parses the
// peer's greeting by itself, so the whole greeting is read and checked here
// before Open sees a byte of it. It also bounds what a handshake may read.
//
// Our own greeting goes in two pieces as libzmq's does, the second when the
// peer's version is there. A libzmq that reads of another mechanism closes
// without sending what it has not sent yet, so otherwise we might never see what
// the peer wanted.
type greetingConn struct {
	net.Conn
	mechanism zmq4.SecurityType
	held      []byte // our greeting's second piece
	greeting  [greetingSize]byte
	given     int // bytes of greeting already passed on
	checked   bool
	budget    int // bytes that may still be read
}

// Read implements net.Conn.
func (c *greetingConn) Read(p []byte) (int, error) {
	if !c.checked {
		if _, err := io.ReadFull(c.Conn, c.greeting[:versionAt]); err != nil {
			return 0, err
		}
		// Judged as soon as it can be: a peer of another protocol may have
		// sent fewer than 64 bytes and wait for an answer.
		if c.greeting[0] != 0xFF || c.greeting[versionAt-1] != 0x7F {
			return 0, checkGreeting(&c.greeting, c.mechanism)
		}
		if err := c.readVersion(); err != nil {
			return 0, err
		}
		if err := checkGreeting(&c.greeting, c.mechanism); err != nil {
			return 0, err
		}
		c.checked = true
	}
	if c.given < greetingSize {
		n := copy(p, c.greeting[c.given:])
		c.given += n
		return n, nil
	}
	if c.budget <= 0 {
		return 0, protocolErrorf(ReasonHandshake, "more than %d bytes before the end of the handshake", handshakeBytes)
	}
	n, err := c.Conn.Read(p[:min(len(p), c.budget)])
	c.budget -= n
	return n, err
}

// readVersion reads the rest of the greeting, and sends ours after its first byte.
func (c *greetingConn) readVersion() error {
	const first = versionAt + 1
	_, err := io.ReadFull(c.Conn, c.greeting[versionAt:first])
	if err == nil {
		if _, err := c.Conn.Write(c.held); err != nil {
			return err
		}
		_, err = io.ReadFull(c.Conn, c.greeting[first:])
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return protocolErrorf(ReasonMechanism, "the peer closed in the middle of its greeting, as libzmq does when its mechanism is not %s", c.mechanism)
	}
	return err
}

// Write implements net.Conn. The first thing that zmq4.Open writes is the greeting.
func (c *greetingConn) Write(p []byte) (int, error) {
	if c.held != nil || c.checked || len(p) != greetingSize {
		return c.Conn.Write(p)
	}
	c.held = bytes.Clone(p[versionAt+1:])
	n, err := c.Conn.Write(p[:versionAt+1])
	if err == nil {
		n = len(p)
	}
	return n, err
}
