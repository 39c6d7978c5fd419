package load

import (
	"fmt"

	"github.com/znode/znode/bench/internal/hist"
	"github.com/znode/znode/bench/internal/zmtp"
)

// stream counts the messages of one subscriber's connection. It does not need a
// message in one piece: once a message's head is there, with its stamp, the rest
// is skipped.
type stream struct {
	layout *zmtp.Layout
	carry  []byte // the beginning of a message, shorter than a head
	skip   int    // bytes to come of the message whose head has been seen
	probe  bool   // that message is a probe

	stamp uint64 // of the last message in order
	step  uint64 // from the one before it of the same publisher; 0: not known

	received   uint64
	misordered uint64
	next       []uint64 // lowest sequence number that may come, per publisher
	probed     map[int]bool
	latency    *hist.Histogram // of messages with a clock
}

func newStream(layout *zmtp.Layout, latency *hist.Histogram) *stream {
	return &stream{
		layout: layout, latency: latency, probed: make(map[int]bool),
		carry: make([]byte, 0, layout.Head), next: make([]uint64, zmtp.MaxPublishers+1),
	}
}

// begin places what was left of the last piece at the start of buf and returns
// its length: the next piece is read behind it.
func (s *stream) begin(buf []byte) int {
	n := copy(buf, s.carry)
	s.carry = s.carry[:0]
	return n
}

// feed takes a piece, with what begin placed before it. now is the clock for
// latencies; 0 leaves them.
func (s *stream) feed(b []byte, now int64) error {
	if s.skip > 0 {
		n := min(s.skip, len(b))
		s.skip -= n
		b = b[n:]
		if s.skip > 0 {
			return nil
		}
		s.complete()
	}
	b = s.run(b)
	for len(b) >= s.layout.Head {
		if !s.layout.Match(b) {
			return fmt.Errorf("no message where one has to begin: % x", b[:min(len(b), 32)])
		}
		s.head(b, now)
		if len(b) < s.layout.Size {
			s.skip = s.layout.Size - len(b)
			return nil
		}
		s.complete()
		b = s.run(b[s.layout.Size:])
	}
	s.carry = append(s.carry, b...)
	return nil
}

// run counts whole messages as long as each continues the one before it: same
// publisher, no clock, and as far ahead as that one was. It is nearly all of the
// work, and does nothing that head would not do.
func (s *stream) run(b []byte) []byte {
	l, last, step := s.layout, s.stamp, s.step
	received := s.received
	for step != 0 && len(b) >= l.Size && l.Match(b) {
		stamp, clock := l.RawStamp(b)
		if stamp != last+step || clock != 0 {
			break
		}
		last = stamp
		received++
		b = b[l.Size:]
	}
	if received != s.received {
		s.received = received
		s.stamp = last
		publisher, seq := zmtp.SplitStamp(last)
		s.next[publisher] = seq + 1
	}
	return b
}

// head takes a message's stamp.
func (s *stream) head(b []byte, now int64) {
	stamp, clock := s.layout.RawStamp(b)
	publisher, seq := zmtp.SplitStamp(stamp)
	if seq == zmtp.ProbeSeq {
		s.probed[publisher] = true
		s.probe = true
		return
	}
	if publisher >= len(s.next) {
		s.misordered++
		return
	}
	next := &s.next[publisher]
	if seq < *next {
		s.misordered++
		s.step = 0
	} else {
		*next = seq + 1
		if before, _ := zmtp.SplitStamp(s.stamp); before == publisher {
			s.step = stamp - s.stamp
		}
		s.stamp = stamp
	}
	if clock != 0 && now != 0 {
		s.latency.Record(now - clock)
	}
}

func (s *stream) complete() {
	if s.probe {
		s.probe = false
		return
	}
	s.received++
}
