package sockets

import (
	"bytes"
	"encoding/binary"
	"io"

	"github.com/go-zeromq/zmq4"
)

// Null is the NULL security mechanism (RFC 23, "The NULL Security Mechanism"):
// both sides send a READY command with their metadata, of which only
// Socket-Type is used.
type Null struct{}

var _ zmq4.Security = Null{}

// NewNull makes the NULL mechanism for [Options.Mechanism].
func NewNull(bool) zmq4.Security { return Null{} }

// Type implements zmq4.Security.
func (Null) Type() zmq4.SecurityType { return zmq4.NullSecurity }

// Handshake implements zmq4.Security. It sends READY, reads the peer's, and puts
// its Socket-Type into conn.Peer.Meta.
func (Null) Handshake(conn *zmq4.Conn, _ bool) error {
	own := AppendMetadata(nil, socketTypeKey, conn.Meta[socketTypeKey])
	if _, err := conn.Write(AppendCommand(nil, "READY", own)); err != nil {
		return err
	}
	name, body, err := ReadCommand(conn)
	if err != nil {
		return err
	}
	if err := ExpectCommand(name, body, "READY"); err != nil {
		return err
	}
	return ParseMetadata(body, conn)
}

// Encrypt implements zmq4.Security; NULL traffic goes as it is.
func (Null) Encrypt(w io.Writer, data []byte) (int, error) { return w.Write(data) }

// Decrypt implements zmq4.Security; NULL traffic goes as it is.
func (Null) Decrypt(w io.Writer, data []byte) (int, error) { return w.Write(data) }

const (
	socketTypeKey = "Socket-Type"

	// maxHandshakeCommand bounds one command of a handshake; libzmq's largest
	// is a few hundred bytes.
	maxHandshakeCommand = 4096
	// handshakeBytes bounds everything read in a handshake after the greeting.
	handshakeBytes = 8192
)

// AppendCommand appends a command frame (RFC 23, "Commands").
func AppendCommand(dst []byte, name string, data []byte) []byte {
	body := make([]byte, 0, 1+len(name)+len(data))
	body = append(body, byte(len(name)))
	body = append(body, name...)
	body = append(body, data...)
	return appendFrame(dst, flagCommand, body)
}

// ReadCommand reads one command frame of at most 4096 bytes, as a handshake
// expects it, and returns its name and data. Errors are *ProtocolError or the
// connection's.
func ReadCommand(r io.Reader) (name string, data []byte, err error) {
	var header [longHeader]byte
	if _, err := io.ReadFull(r, header[:shortHeader]); err != nil {
		return "", nil, err
	}
	size := uint64(header[1])
	switch header[0] {
	case flagCommand:
	case flagCommand | flagLong:
		if _, err := io.ReadFull(r, header[shortHeader:]); err != nil {
			return "", nil, err
		}
		size = binary.BigEndian.Uint64(header[1:])
	default:
		return "", nil, protocolErrorf(ReasonHandshake, "frame flags %#02x where a command was expected", header[0])
	}
	if size > maxHandshakeCommand {
		return "", nil, protocolErrorf(ReasonHandshake, "command of %d bytes, at most %d are taken", size, maxHandshakeCommand)
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(r, body); err != nil {
		return "", nil, err
	}
	n, data, ok := cutCommand(body)
	if !ok {
		return "", nil, protocolErrorf(ReasonHandshake, "malformed command %s", quoted(body))
	}
	return string(n), data, nil
}

// cutCommand splits a command's body into name and data.
func cutCommand(body []byte) (name, data []byte, ok bool) {
	if len(body) == 0 || body[0] == 0 || int(body[0]) > len(body)-1 {
		return nil, nil, false
	}
	n := 1 + int(body[0])
	return body[1:n], body[n:], true
}

// ExpectCommand checks that a command has the name wanted. An ERROR command's
// reason is put into the error.
func ExpectCommand(name string, data []byte, want string) error {
	switch {
	case name == want:
		return nil
	case name == "ERROR":
		reason := data
		if len(data) > 0 && int(data[0]) <= len(data)-1 {
			reason = data[1 : 1+int(data[0])]
		}
		return protocolErrorf(ReasonPeerError, "peer refused with ERROR %s", quoted(reason))
	default:
		return protocolErrorf(ReasonHandshake, "command %s where %s was expected", quoted([]byte(name)), want)
	}
}

// AppendMetadata appends one property (RFC 23, "Metadata").
func AppendMetadata(dst []byte, key, value string) []byte {
	dst = append(dst, byte(len(key)))
	dst = append(dst, key...)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(value)))
	return append(dst, value...)
}

// ParseMetadata reads the properties of a READY or INITIATE command into
// conn.Peer.Meta. Only Socket-Type is kept; it must be there, known, and one that
// conn's own type talks to. Other properties are checked for form and skipped.
// Names are compared without regard to case, as RFC 23 asks.
func ParseMetadata(data []byte, conn *zmq4.Conn) error {
	var peer string
	for len(data) > 0 {
		n := int(data[0])
		if n == 0 || len(data) < 1+n+4 {
			return protocolErrorf(ReasonHandshake, "metadata is cut off or has an empty name")
		}
		key := data[1 : 1+n]
		data = data[1+n:]
		size := binary.BigEndian.Uint32(data)
		data = data[4:]
		if uint64(size) > uint64(len(data)) {
			return protocolErrorf(ReasonHandshake, "metadata %s has %d bytes, %d are left", quoted(key), size, len(data))
		}
		if bytes.EqualFold(key, []byte(socketTypeKey)) {
			peer = string(data[:size])
		}
		data = data[size:]
	}
	// zmq4 panics on a name it does not know, so none may reach it.
	if err := knownSocketType(peer); err != nil {
		return err
	}
	own := zmq4.SocketType(conn.Meta[socketTypeKey])
	if !compatible(own, zmq4.SocketType(peer)) {
		return protocolErrorf(ReasonSocketType, "a %s cannot talk to this %s socket", peer, own)
	}
	conn.Peer.Meta[socketTypeKey] = peer
	return nil
}

// knownSocketType refuses names that zmq4 would panic on.
func knownSocketType(name string) error {
	switch zmq4.SocketType(name) {
	case zmq4.Pair, zmq4.Pub, zmq4.Sub, zmq4.Req, zmq4.Rep, zmq4.Dealer,
		zmq4.Router, zmq4.Pull, zmq4.Push, zmq4.XPub, zmq4.XSub:
		return nil
	}
	return protocolErrorf(ReasonSocketType, "unknown Socket-Type %s", quoted([]byte(name)))
}
