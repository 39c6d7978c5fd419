package zmtp

import (
	"encoding/binary"
	"fmt"
)

const (
	// MinPayload is the smallest payload: the stamp and the clock.
	MinPayload = 16
	// MaxTopics bounds the topics of a run: their number has four digits.
	MaxTopics = 9999
	// MaxPublishers bounds the publishers of a run by the stamp's first 16 bits.
	MaxPublishers = 999

	seqBits = 48
	// ProbeSeq is the sequence number of a probe: a message that is sent until
	// all subscribers have it, and is not counted.
	ProbeSeq = 1<<seqBits - 1
)

// Topic returns the topic of number i. No topic is a prefix of another one.
func Topic(i int) string { return fmt.Sprintf("zeek.cluster.bench.%04d.", i) }

// Sender returns the node id of publisher i, of a real one's length.
func Sender(i int) string { return fmt.Sprintf("zeromq_bench-%03d_host_31150_NmpjWG3NH0KtcLUE0f", i) }

// Serializer is the third frame.
const Serializer = "broker-bin-v1"

// Layout is where the parts of a message lie when its payload has a given size:
// four frames as Zeek's events have, topic, sender, serializer and payload. All
// topics are of one length, so a run has one layout, and a message's boundary is
// found by comparing its four frame headers with the expected ones.
//
// The payload begins with an 8-byte stamp, publisher (16 bits) and sequence
// number (48 bits), and an 8-byte clock in nanoseconds, zero when not wanted,
// both little-endian.
type Layout struct {
	Size    int // of the message on the wire, in bytes
	Payload int // offset of the payload
	Head    int // bytes up to and with stamp and clock

	sender, serializer, last int       // offsets of the frame headers
	short                    [4]uint16 // flags and short length of each frame
	long                     uint64    // the last header's first eight bytes if it is long
	longEnd                  byte      // and its ninth
}

// NewLayout returns the layout for payloads of size bytes.
func NewLayout(size int) (Layout, error) {
	if size < MinPayload || size > 1<<30 {
		return Layout{}, fmt.Errorf("zmtp: payload of %d bytes, want %d to 1 GiB", size, MinPayload)
	}
	msg := appendMessage(nil, 0, 0, size)
	l := Layout{Size: len(msg), Payload: len(msg) - size}
	l.Head = l.Payload + MinPayload
	l.sender = 2 + len(Topic(0))
	l.serializer = l.sender + 2 + len(Sender(0))
	l.last = l.serializer + 2 + len(Serializer)
	for i, at := range []int{0, l.sender, l.serializer, l.last} {
		l.short[i] = binary.LittleEndian.Uint16(msg[at:])
	}
	if size > 255 {
		l.long = binary.LittleEndian.Uint64(msg[l.last:])
		l.longEnd = msg[l.last+8]
	}
	return l, nil
}

func appendMessage(dst []byte, topic, publisher, size int) []byte {
	dst = AppendFrame(dst, []byte(Topic(topic)), true)
	dst = AppendFrame(dst, []byte(Sender(publisher)), true)
	dst = AppendFrame(dst, []byte(Serializer), true)
	payload := make([]byte, size)
	for i := range payload {
		payload[i] = byte('a' + i%26)
	}
	return AppendFrame(dst, payload, false)
}

// AppendMessage appends a message of the layout with stamp and clock unset.
func (l *Layout) AppendMessage(dst []byte, topic, publisher int) []byte {
	return appendMessage(dst, topic, publisher, l.Size-l.Payload)
}

// Match reports whether b, which holds at least Head bytes, begins with a
// message of this layout, by its frame headers.
func (l *Layout) Match(b []byte) bool {
	_ = b[l.Head-1]
	if binary.LittleEndian.Uint16(b) != l.short[0] ||
		binary.LittleEndian.Uint16(b[l.sender:]) != l.short[1] ||
		binary.LittleEndian.Uint16(b[l.serializer:]) != l.short[2] {
		return false
	}
	if l.long == 0 {
		return binary.LittleEndian.Uint16(b[l.last:]) == l.short[3]
	}
	return binary.LittleEndian.Uint64(b[l.last:]) == l.long && b[l.last+8] == l.longEnd
}

// Stamp writes publisher, sequence number and clock into a message.
func (l *Layout) Stamp(msg []byte, publisher int, seq uint64, clock int64) {
	binary.LittleEndian.PutUint64(msg[l.Payload:], uint64(publisher)<<seqBits|seq)
	binary.LittleEndian.PutUint64(msg[l.Payload+8:], uint64(clock))
}

// RawStamp reads what Stamp wrote, the first two in one number that grows with
// the sequence; see [SplitStamp].
func (l *Layout) RawStamp(msg []byte) (stamp uint64, clock int64) {
	p := msg[l.Payload : l.Payload+MinPayload]
	return binary.LittleEndian.Uint64(p), int64(binary.LittleEndian.Uint64(p[8:]))
}

// SplitStamp returns the parts of a raw stamp.
func SplitStamp(stamp uint64) (publisher int, seq uint64) {
	return int(stamp >> seqBits), stamp & ProbeSeq
}
