package spool

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"time"
)

const (
	magic     = "znspool1"
	frameSize = 4 + 4                 // n and crc
	headSize  = 1 + 8 + 8 + 4 + 4     // what is in front of a body
	minEntry  = frameSize + headSize  //
	maxSender = 1<<8 - 1              // longer ones are cut
	maxEntry  = 1<<32 - 1 - frameSize //
	flagS2    = 1                     // the body is compressed
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// ErrBroken is for an entry that is not as it was written: reading it again does
// not help.
var ErrBroken = errors.New("spool: broken entry")

// Entry is a run of messages as they come back from the spool.
type Entry struct {
	Seq   uint64 // number of the first message
	Count int    // messages
	Time  time.Time

	body []byte
}

// Messages yields the messages in order. The slices point into the memory of
// whoever read the entry.
func (e *Entry) Messages(yield func(sender, payload []byte) bool) {
	for b := e.body; len(b) > 0; {
		sender, payload, rest, ok := cutMessage(b)
		if !ok || !yield(sender, payload) {
			return
		}
		b = rest
	}
}

func appendMessage(dst, sender, payload []byte) []byte {
	sender = sender[:min(len(sender), maxSender)]
	dst = append(dst, byte(len(sender)))
	dst = append(dst, sender...)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(payload)))
	return append(dst, payload...)
}

func cutMessage(b []byte) (sender, payload, rest []byte, ok bool) {
	n := 1 + int(b[0])
	if len(b)-n < 4 {
		return nil, nil, nil, false
	}
	sender, b = b[1:n], b[n:]
	length := binary.BigEndian.Uint32(b)
	if uint64(length) > uint64(len(b)-4) {
		return nil, nil, nil, false
	}
	return sender, b[4 : 4+length], b[4+length:], true
}

// head is what is in front of an entry's body.
type head struct {
	flags byte
	seq   uint64
	time  int64
	count uint32
	raw   uint32
}

// seal fills in the first minEntry bytes of an entry.
func seal(entry []byte, h head) {
	entry[8] = h.flags
	binary.BigEndian.PutUint64(entry[9:], h.seq)
	binary.BigEndian.PutUint64(entry[17:], uint64(h.time))
	binary.BigEndian.PutUint32(entry[25:], h.count)
	binary.BigEndian.PutUint32(entry[29:], h.raw)
	binary.BigEndian.PutUint32(entry, uint32(len(entry)-frameSize))
	binary.BigEndian.PutUint32(entry[4:], crc32.Checksum(entry[frameSize:], castagnoli))
}

// open checks an entry and returns its head and the body as it is on disk.
func open(entry []byte) (h head, body []byte, err error) {
	if len(entry) < minEntry ||
		uint64(binary.BigEndian.Uint32(entry))+frameSize != uint64(len(entry)) ||
		binary.BigEndian.Uint32(entry[4:]) != crc32.Checksum(entry[frameSize:], castagnoli) {
		return head{}, nil, ErrBroken
	}
	h = head{
		flags: entry[8],
		seq:   binary.BigEndian.Uint64(entry[9:]),
		time:  int64(binary.BigEndian.Uint64(entry[17:])),
		count: binary.BigEndian.Uint32(entry[25:]),
		raw:   binary.BigEndian.Uint32(entry[29:]),
	}
	return h, entry[minEntry:], nil
}
