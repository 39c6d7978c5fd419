package zmtp

import (
	"encoding/binary"
	"fmt"
)

const (
	flagMore    = 0x01
	flagLong    = 0x02
	flagCommand = 0x04
)

// Frame is one frame of a stream, in place.
type Frame struct {
	Flags byte
	Body  []byte // points into what was parsed
	Size  int    // header and body
}

// More reports whether the message goes on in the next frame.
func (f Frame) More() bool { return f.Flags&flagMore != 0 }

// Command reports whether the frame is a command and not part of a message.
func (f Frame) Command() bool { return f.Flags&flagCommand != 0 }

// ParseFrame reads the frame that b begins with; ok is false when b ends before
// the frame does. Reserved flag bits are an error.
func ParseFrame(b []byte) (f Frame, ok bool, err error) {
	if len(b) < 2 {
		return f, false, nil
	}
	flags := b[0]
	if flags&^(flagMore|flagLong|flagCommand) != 0 {
		return f, false, fmt.Errorf("zmtp: frame flags %#02x", flags)
	}
	header, size := 2, uint64(b[1])
	if flags&flagLong != 0 {
		if len(b) < 9 {
			return f, false, nil
		}
		header, size = 9, binary.BigEndian.Uint64(b[1:])
	}
	if size > 1<<31-1-9 {
		return f, false, fmt.Errorf("zmtp: frame of %d bytes", size)
	}
	total := header + int(size)
	if len(b) < total {
		return f, false, nil
	}
	return Frame{Flags: flags, Body: b[header:total], Size: total}, true, nil
}

// AppendFrame appends a frame with the given body, with the long form of the
// length only where the short one does not do, as every sender must.
func AppendFrame(dst, body []byte, more bool) []byte {
	var flags byte
	if more {
		flags |= flagMore
	}
	if len(body) <= 255 {
		dst = append(dst, flags, byte(len(body)))
	} else {
		dst = append(dst, flags|flagLong)
		dst = binary.BigEndian.AppendUint64(dst, uint64(len(body)))
	}
	return append(dst, body...)
}

// AppendSubscribe appends the message that subscribes to a topic prefix.
func AppendSubscribe(dst []byte, prefix string) []byte {
	return AppendFrame(dst, append([]byte{1}, prefix...), false)
}

// Subscription returns the prefix that a frame subscribes to or cancels, in
// either form: a one-frame message or, from ZMTP 3.1 peers, a command.
func (f Frame) Subscription() (prefix []byte, subscribe, ok bool) {
	if !f.Command() {
		if len(f.Body) == 0 || f.Body[0] > 1 || f.More() {
			return nil, false, false
		}
		return f.Body[1:], f.Body[0] == 1, true
	}
	if body, is := cutPrefix(f.Body, "\x09SUBSCRIBE"); is {
		return body, true, true
	}
	if body, is := cutPrefix(f.Body, "\x06CANCEL"); is {
		return body, false, true
	}
	return nil, false, false
}

func cutPrefix(b []byte, prefix string) ([]byte, bool) {
	if len(b) < len(prefix) || string(b[:len(prefix)]) != prefix {
		return nil, false
	}
	return b[len(prefix):], true
}
