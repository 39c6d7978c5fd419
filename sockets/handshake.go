package sockets

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/go-zeromq/zmq4"
)

// FrameCodec protects the traffic of one connection after its handshake. A
// mechanism that is one gets every frame of the connection, in order. Open and
// Seal are called by different goroutines, each by one at a time.
type FrameCodec interface {
	// Overhead is the most bytes that sealing adds to a frame's body, the
	// frame header not included.
	Overhead() int
	// Seal appends to dst the sealed wire form of one frame: flags holds the
	// MORE and COMMAND bits of RFC 23.
	Seal(dst []byte, flags byte, body []byte) ([]byte, error)
	// Open opens the body of one received frame, in place, and returns the
	// flags and the body that were sealed; body is a part of sealed.
	Open(flags byte, sealed []byte) (plainFlags byte, body []byte, err error)
}

// Wiper is a FrameCodec with keys that are not to stay in memory. Each method is
// called once, when Seal or Open will not be called any more.
type Wiper interface {
	// WipeSeal overwrites the keys that Seal uses; called where Seal was called.
	WipeSeal()
	// WipeOpen overwrites the keys that Open uses; called where Open was called.
	WipeOpen()
}

// Identifier is a mechanism that learns in its handshake who the peer is.
type Identifier interface {
	// PeerIdentity returns what stands for the peer, whatever the mechanism's
	// user chose for it. It is asked once, after the handshake.
	PeerIdentity() any
}

// handshake runs the ZMTP handshake on nc. It leaves the first byte of traffic
// unread. The caller bounds it.
func handshake(nc net.Conn, typ zmq4.SocketType, sec zmq4.Security, server bool) (zmq4.SocketType, error) {
	g := &greetingConn{Conn: nc, mechanism: sec.Type(), budget: handshakeBytes}
	conn, err := zmq4.Open(g, sec, typ, nil, server, nil)
	if err != nil {
		return "", handshakeError(err)
	}
	return zmq4.SocketType(conn.Peer.Meta[socketTypeKey]), nil
}

// handshakeError tells apart what the handshake's errors mean.
func handshakeError(err error) error {
	var p *ProtocolError
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, os.ErrDeadlineExceeded):
		return protocolErrorf(ReasonHandshakeTimeout, "the peer did not finish its handshake in time")
	default:
		return fmt.Errorf("handshake: %w", inner(err))
	}
}

// inner leaves out what zmq4 says around the error of a mechanism.
func inner(err error) error {
	for next := err; strings.HasPrefix(err.Error(), "zmq4: "); err = next {
		if next = errors.Unwrap(err); next == nil {
			return err
		}
	}
	return err
}

// compatible says which peers a socket of ours takes (RFC 29, RFC 30).
func compatible(own, peer zmq4.SocketType) bool {
	switch own {
	case zmq4.XPub, zmq4.Pub:
		return peer == zmq4.XSub || peer == zmq4.Sub
	case zmq4.XSub, zmq4.Sub:
		return peer == zmq4.XPub || peer == zmq4.Pub
	case zmq4.Push:
		return peer == zmq4.Pull
	case zmq4.Pull:
		return peer == zmq4.Push
	}
	return false
}
