package zmtp

import (
	"errors"
	"fmt"
)

// Socket types as they travel in READY.
const (
	XPUB = "XPUB"
	XSUB = "XSUB"
)

const greetingLen = 64

// maxCommand bounds what a peer may send as its READY.
const maxCommand = 4096

// Handshake is one side of a NULL handshake as a state machine: it reads bytes
// from anywhere and says what to send. The zero value is not usable; see
// [NewHandshake].
type Handshake struct {
	socketType string
	in         []byte // what came and is not yet understood
	greeted    bool
	done       bool
}

// NewHandshake begins a handshake as a socket of the given type.
func NewHandshake(socketType string) *Handshake {
	return &Handshake{socketType: socketType}
}

// Greeting returns the 64 bytes that open every connection: signature,
// version 3.0, mechanism NULL, not a server.
func Greeting() []byte {
	g := make([]byte, greetingLen)
	g[0], g[9] = 0xff, 0x7f
	g[10] = 3
	copy(g[12:], "NULL")
	return g
}

// ready returns the READY command of a socket type.
func ready(socketType string) []byte {
	body := []byte("\x05READY\x0bSocket-Type\x00\x00\x00")
	body = append(body, byte(len(socketType)))
	body = append(body, socketType...)
	return append([]byte{flagCommand, byte(len(body))}, body...)
}

// Feed takes bytes that came from the peer and returns what to send now. Once
// done is true the handshake is over and rest holds what came behind it; rest
// points into memory of the Handshake.
func (h *Handshake) Feed(b []byte) (send, rest []byte, done bool, err error) {
	h.in = append(h.in, b...)
	if !h.greeted {
		if len(h.in) < greetingLen {
			return nil, nil, false, nil
		}
		if err := checkGreeting(h.in); err != nil {
			return nil, nil, false, err
		}
		h.in = h.in[greetingLen:]
		h.greeted = true
		send = ready(h.socketType)
	}
	if h.done {
		return nil, nil, false, errors.New("zmtp: handshake fed after its end")
	}
	f, ok, err := ParseFrame(h.in)
	switch {
	case err != nil:
		return nil, nil, false, err
	case !ok && len(h.in) > maxCommand:
		return nil, nil, false, fmt.Errorf("zmtp: no READY within %d bytes", maxCommand)
	case !ok:
		return send, nil, false, nil
	case !f.Command() || len(f.Body) < 6 || string(f.Body[:6]) != "\x05READY":
		return nil, nil, false, fmt.Errorf("zmtp: %.40q instead of READY", f.Body)
	}
	h.done = true
	return send, h.in[f.Size:], true, nil
}

func checkGreeting(g []byte) error {
	if g[0] != 0xff || g[9] != 0x7f || g[10] < 3 {
		return fmt.Errorf("zmtp: greeting of an unknown protocol: % x", g[:12])
	}
	if string(g[12:17]) != "NULL\x00" {
		return fmt.Errorf("zmtp: mechanism %.20q, want NULL", g[12:32])
	}
	return nil
}
