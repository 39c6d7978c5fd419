package zmqtest

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"
)

// A Load is many messages that one socket sends in a tight loop. Each has the
// four frames of a Zeek event: topic, sender, serializer and payload; the
// payload begins with the message's number, 8 bytes, big-endian.
type Load struct {
	Topics    []string // taken in turn
	Sender    string
	Count     int           // messages to try; 0: until the job is stopped
	First     uint64        // number of the first message; each message takes the next
	Size      int           // bytes of payload, at least 8
	PerSecond int           // messages per second; 0: as fast as it goes
	DontWait  bool          // refuse a message for which there is no room, rather than wait
	Within    time.Duration // longest time for all of it; 0: three times Patience
}

// A Sent is what became of a [Load].
type Sent struct {
	Messages int    // handed to libzmq
	Refused  int    // for which there was no room (EAGAIN), with DontWait
	Digest   string // of topics and payloads handed over, as in [Sequence]
}

// A Gather is the receiving of many messages, until whichever end comes first.
type Gather struct {
	Count     int           // messages to receive; 0: no such end
	Marker    string        // first frame of a message that is no part of the load; empty: no such end
	Markers   int           // how many markers end it, one from each sender; 0 means 1
	PerSecond int           // messages per second to read at most; 0: as fast as it goes
	Within    time.Duration // longest time for all of it; 0: three times Patience
}

// A Tally is what a [Gather] received, markers not counted.
type Tally struct {
	Messages   int
	Bytes      int64               // of all frames
	Unnumbered int                 // messages that are no [Load]'s
	Senders    map[string]Sequence // by the second frame
}

// A Sequence is what arrived of one sender's numbered messages.
type Sequence struct {
	Count    int    `json:"count"`
	First    uint64 `json:"first"`
	Last     uint64 `json:"last"`
	Missing  uint64 `json:"missing"`  // numbers passed over between First and Last
	Backward int    `json:"backward"` // messages not above the one before: repeated or out of order
	Digest   string `json:"digest"`   // SHA-256 of topics and payloads in this order, in hexadecimal
}

// A Job goes on in the libzmq process while the test does something else.
type Job[T any] struct {
	s      *Socket
	call   *call
	within time.Duration
	result func(*answer) T
}

// Wait waits for the job's end and returns its result. It fails the test when
// the time that the job was given was not enough.
func (j *Job[T]) Wait(tb testing.TB) T {
	tb.Helper()
	got := j.call.ok(tb, j.within+Patience)
	result := j.result(got)
	if got.Ended == "deadline" {
		tb.Fatalf("zmqtest: %s: not done within %v, so far %+v", j.call.what, j.within, result)
	}
	return result
}

// Stop ends the job where it is, and returns its result.
func (j *Job[T]) Stop(tb testing.TB) T {
	tb.Helper()
	j.s.p.start(tb, request{Op: "stop", Other: j.s.number, Job: j.call.id}, nil).ok(tb, Patience)
	return j.Wait(tb)
}

// StartLoad starts to send a load.
func (s *Socket) StartLoad(tb testing.TB, load Load) *Job[Sent] {
	tb.Helper()
	if len(load.Topics) == 0 {
		tb.Fatal("zmqtest: a Load needs a topic")
	}
	within := jobTime(load.Within)
	frames := append(Frames(load.Sender, loadSerializer), Frames(load.Topics...)...)
	c := s.start(tb, request{
		Op: "load", Count: load.Count, First: load.First, Size: load.Size,
		PerSecond: load.PerSecond, DontWait: load.DontWait, Ms: within.Milliseconds(),
	}, frames...)
	return &Job[Sent]{s: s, call: c, within: within, result: func(got *answer) Sent {
		return Sent{Messages: got.Sent, Refused: got.Refused, Digest: got.Digest}
	}}
}

// SendLoad sends a load and returns when libzmq has taken all of it.
func (s *Socket) SendLoad(tb testing.TB, load Load) Sent {
	tb.Helper()
	return s.StartLoad(tb, load).Wait(tb)
}

// StartGather starts to receive.
func (s *Socket) StartGather(tb testing.TB, g Gather) *Job[Tally] {
	tb.Helper()
	within := jobTime(g.Within)
	var frames [][]byte
	if g.Marker != "" {
		frames = Frames(g.Marker)
	}
	c := s.start(tb, request{
		Op: "gather", Count: g.Count, Markers: max(1, g.Markers),
		PerSecond: g.PerSecond, Ms: within.Milliseconds(),
	}, frames...)
	return &Job[Tally]{s: s, call: c, within: within, result: func(got *answer) Tally {
		return Tally{Messages: got.Messages, Bytes: got.Bytes, Unnumbered: got.Unnumbered, Senders: got.Senders}
	}}
}

// Gather receives until one of g's ends.
func (s *Socket) Gather(tb testing.TB, g Gather) Tally {
	tb.Helper()
	return s.StartGather(tb, g).Wait(tb)
}

// jobTime is the time that a job has.
func jobTime(within time.Duration) time.Duration {
	if within <= 0 {
		return 3 * Patience
	}
	return within
}

// loadSerializer is the third frame of a load's messages.
const loadSerializer = "broker-bin-v1"

// LoadMessage is message number of a load with one topic, for a [Raw] that
// sends the same as a libzmq socket would. The payload has size bytes.
func LoadMessage(topic, sender string, number uint64, size int) [][]byte {
	payload := make([]byte, max(8, size))
	binary.BigEndian.PutUint64(payload, number)
	return [][]byte{[]byte(topic), []byte(sender), []byte(loadSerializer), payload}
}

// Complete fails the test unless the tally holds exactly count messages of
// each of these senders, in order and without a gap, and nothing else.
func (t Tally) Complete(tb testing.TB, count int, senders ...string) {
	tb.Helper()
	if err := t.check(count, senders); err != nil {
		tb.Fatalf("zmqtest: %v\ntally: %+v", err, t)
	}
}

// check is Complete's comparison.
func (t Tally) check(count int, senders []string) error {
	for _, sender := range senders {
		seen := t.Senders[sender]
		if seen.Count != count || seen.Missing != 0 || seen.Backward != 0 {
			return fmt.Errorf("from %q: %d messages of %d, %d missing between them, %d repeated or out of order",
				sender, seen.Count, count, seen.Missing, seen.Backward)
		}
	}
	if t.Messages != count*len(senders) {
		return fmt.Errorf("%d messages, %d expected", t.Messages, count*len(senders))
	}
	return nil
}
