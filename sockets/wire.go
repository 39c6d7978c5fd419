package sockets

import "encoding/binary"

// A frame on the wire (RFC 23, "Framing"):
//
//	+-------+---------------+--------------+
//	| flags | size          | body         |
//	| 1     | 1, or 8 if    | size bytes   |
//	|       | LONG is set   |              |
//	+-------+---------------+--------------+
const (
	flagMore    = 0x01 // another frame of the same message follows
	flagLong    = 0x02 // the size has 8 bytes, big-endian
	flagCommand = 0x04 // a command, not part of a message
	flagsKnown  = flagMore | flagLong | flagCommand

	shortHeader = 2
	longHeader  = 9
	maxShort    = 255 // the longest body of a frame with a one-byte size
)

// frameSize returns the bytes of a frame with a body of n bytes.
func frameSize(n int) int {
	if n > maxShort {
		return longHeader + n
	}
	return shortHeader + n
}

// appendFrame appends one frame; flags may hold flagMore or flagCommand.
func appendFrame(dst []byte, flags byte, body []byte) []byte {
	if len(body) > maxShort {
		dst = append(dst, flags|flagLong)
		dst = binary.BigEndian.AppendUint64(dst, uint64(len(body)))
	} else {
		dst = append(dst, flags, byte(len(body)))
	}
	return append(dst, body...)
}

// frame is a parsed frame header. The frame lies at body-header : body+size.
type frame struct {
	flags byte
	body  int // offset of the body in the buffer parsed
	end   int // offset behind the body
}

// trustedFrame reads the frame at buf[at:], which was found whole before.
func trustedFrame(buf []byte, at int) frame {
	f := frame{flags: buf[at]}
	if f.flags&flagLong == 0 {
		f.body = at + shortHeader
		f.end = f.body + int(buf[at+1])
		return f
	}
	f.body = at + longHeader
	f.end = f.body + int(binary.BigEndian.Uint64(buf[at+1:]))
	return f
}

// messageEnd returns the end of the message at buf[at:], which was found whole
// before.
func messageEnd(buf []byte, at int) int {
	for {
		f := trustedFrame(buf, at)
		if f.flags&flagMore == 0 {
			return f.end
		}
		at = f.end
	}
}
