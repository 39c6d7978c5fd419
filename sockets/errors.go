package sockets

import (
	"errors"
	"fmt"
	"syscall"
)

// ErrAgain is returned where libzmq would give EAGAIN: no matching peer can take
// the message now.
var ErrAgain = errors.New("sockets: no room at the peer, try again")

// ErrClosed is returned by operations on a closed socket.
var ErrClosed = errors.New("sockets: socket is closed")

// Reason says why a connection was refused or closed, in a word fit for a
// metric's label.
type Reason string

// The reasons.
const (
	ReasonClosed           Reason = "closed"             // the peer closed it, or the network did
	ReasonTimeout          Reason = "timeout"            // the peer took or answered nothing for too long
	ReasonShutdown         Reason = "shutdown"           // our socket was closed
	ReasonGreeting         Reason = "greeting"           // not a ZMTP 3 greeting
	ReasonMechanism        Reason = "mechanism"          // another security mechanism
	ReasonSecurity         Reason = "security"           // the mechanism's handshake or a sealed frame is wrong
	ReasonUnauthorized     Reason = "unauthorized"       // a key or name that may not enter
	ReasonHandshake        Reason = "handshake"          // malformed READY or metadata
	ReasonHandshakeTimeout Reason = "handshake_timeout"  // the handshake took too long
	ReasonSocketType       Reason = "socket_type"        // unknown or incompatible Socket-Type
	ReasonPeerError        Reason = "peer_error"         // the peer sent ERROR
	ReasonFrame            Reason = "bad_frame"          // a frame header or command that ZMTP forbids
	ReasonCommand          Reason = "unknown_command"    // a command that has no place here
	ReasonMessageSize      Reason = "message_size"       // beyond MaxMessageSize
	ReasonSubscriptions    Reason = "subscription_limit" // beyond MaxSubscriptions or their bytes
	ReasonUnread           Reason = "unread"             // too much of what cannot be dropped was not read
	ReasonConnections      Reason = "connection_limit"   // beyond MaxConnections
)

// ProtocolError is why a connection ended when it was the peer's doing.
type ProtocolError struct {
	Reason Reason
	Detail string // for people; untrusted bytes are quoted and cut
}

// Error implements error.
func (e *ProtocolError) Error() string { return string(e.Reason) + ": " + e.Detail }

func protocolErrorf(r Reason, format string, args ...any) error {
	return &ProtocolError{Reason: r, Detail: fmt.Sprintf(format, args...)}
}

// reasonOf classifies the error that ended a connection.
func reasonOf(err error) Reason {
	var p *ProtocolError
	switch {
	case errors.As(err, &p):
		return p.Reason
	case errors.Is(err, ErrClosed):
		return ReasonShutdown
	case errors.Is(err, syscall.ETIMEDOUT):
		return ReasonTimeout
	default:
		return ReasonClosed
	}
}

// quoted returns untrusted bytes for an error text, cut to 64.
func quoted(b []byte) string {
	const most = 64
	if len(b) > most {
		return fmt.Sprintf("%q...", b[:most])
	}
	return fmt.Sprintf("%q", b)
}
