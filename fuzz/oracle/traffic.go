package oracle

import "encoding/binary"

// Why a connection ends, in the words of sockets.Reason.
const (
	Closed      = "closed"
	Frame       = "bad_frame"
	Command     = "unknown_command"
	MessageSize = "message_size"
	PeerError   = "peer_error"
	Security    = "security"
)

// Traffic reads what comes after a handshake.
type Traffic struct {
	Limit   int // bytes of a message, with its frames' headers
	Message func(frames [][]byte)
	// Subscription is given the data of SUBSCRIBE and CANCEL. It is nil where
	// they have no place.
	Subscription func(prefix []byte, subscribe bool)

	// Sealed traffic has more of each frame: Open returns the flags and the body
	// in it, or false; it takes Overhead bytes off the body.
	Open     func(flags byte, body []byte) (plainFlags byte, plain []byte, ok bool)
	Overhead int

	frames [][]byte
	size   int // of the message so far, with headers
}

// Read reads up to the first error, or the end, and says which.
func (r *Traffic) Read(b []byte) (reason string) {
	for {
		if len(b) < 2 {
			return Closed
		}
		flags, head, n := b[0], 2, uint64(b[1])
		if flags > 7 {
			return Frame
		}
		if flags&2 != 0 {
			if head = 9; len(b) < head {
				return Closed
			}
			n = binary.BigEndian.Uint64(b[1:])
		}
		if reason := r.mayCome(flags, head, n); reason != "" {
			return reason
		}
		if n > uint64(len(b)-head) {
			return Closed
		}
		body := b[head : head+int(n)]
		b = b[head+int(n):]
		if reason := r.frame(flags, body, head); reason != "" {
			return reason
		}
	}
}

// mayCome judges a frame by its header.
func (r *Traffic) mayCome(flags byte, head int, n uint64) (reason string) {
	if r.Open != nil {
		if most := uint64(r.Limit + r.Overhead); n > most || uint64(r.size)+n > most {
			return MessageSize
		}
		return ""
	}
	switch command := flags&4 != 0; {
	case command && flags&1 != 0:
		return Frame
	case command && n > 64<<10:
		return Command
	case !command && (n > uint64(r.Limit) || r.size+head+int(n) > r.Limit):
		return MessageSize
	}
	return ""
}

// frame takes a frame that came as a whole.
func (r *Traffic) frame(flags byte, body []byte, head int) (reason string) {
	if r.Open != nil {
		ok := false
		if flags, body, ok = r.Open(flags, body); !ok {
			return Security
		}
		if head = 2; len(body) > 255 {
			head = 9
		}
	}
	if flags&4 != 0 {
		if len(body) > 64<<10 {
			return Command
		}
		return r.command(body)
	}
	r.frames, r.size = append(r.frames, body), r.size+head+len(body)
	if flags&1 == 0 {
		r.Message(r.frames)
		r.frames, r.size = nil, 0
	}
	return ""
}

func (r *Traffic) command(body []byte) (reason string) {
	if len(body) == 0 || body[0] == 0 || int(body[0]) >= len(body) {
		return Frame
	}
	data := body[1+int(body[0]):]
	switch name := string(body[1 : 1+int(body[0])]); {
	case name == "PING" && (len(data) < 2 || len(data) > 18):
		return Frame
	case name == "PING", name == "PONG":
		return ""
	case name == "ERROR":
		return PeerError
	case (name == "SUBSCRIBE" || name == "CANCEL") && r.Subscription != nil:
		r.Subscription(data, name == "SUBSCRIBE")
		return ""
	}
	return Command
}
