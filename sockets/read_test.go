package sockets

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/go-zeromq/zmq4"
)

// sink is a socket kind that keeps copies of what it receives.
type sink struct {
	socket
	got    []string
	subs   []string
	refuse bool // what is received
	topics bool // batches tell where topics change
}

var errRefused = errors.New("refused")

func (s *sink) opened(*pipe)            {}
func (s *sink) attached(*pipe)          {}
func (s *sink) lost(*pipe)              {}
func (s *sink) ended(*pipe)             {}
func (s *sink) prefixes(*Peer) []string { return nil }
func (s *sink) received(_ *pipe, b Batch) error {
	n, bodies, end := 0, int64(0), 0
	var firsts []uint32
	var topic []byte
	for m := range b.Messages() {
		if first := m.First(); n == 0 || !bytes.Equal(first, topic) {
			firsts = append(firsts, uint32(n))
			topic = first
		}
		var text []string
		for _, f := range m.Frames(nil) {
			text = append(text, string(f))
			bodies += int64(len(f))
		}
		s.got = append(s.got, strings.Join(text, "|"))
		if end += len(m); n < len(b.ends) && int(b.ends[n]) != end {
			return fmt.Errorf("message %d ends at %d, not at %d", n, end, b.ends[n])
		}
		n++
	}
	if n != b.Len() || bodies != b.BodyBytes() || len(b.ends) != n || int(b.ends[n-1]) != len(b.Bytes()) {
		return fmt.Errorf("batch says %d messages of %d bytes, has %d of %d", b.Len(), b.BodyBytes(), n, bodies)
	}
	if hwm := s.opt.RcvHWM; hwm > 0 && n > hwm {
		return fmt.Errorf("a batch of %d messages, at most %d are wanted", n, hwm)
	}
	if s.topics && !slices.Equal(b.firsts, firsts) {
		return fmt.Errorf("topics change at %d, want %d", b.firsts, firsts)
	}
	if s.refuse {
		return errRefused
	}
	return nil
}

func (s *sink) subscription(_ *pipe, prefix []byte, subscribe bool) error {
	s.subs = append(s.subs, fmt.Sprint(subscribe, string(prefix)))
	return nil
}

func newSink(t testing.TB, change func(*Options)) (*sink, *conn) {
	s := &sink{}
	opt := DefaultOptions()
	opt.Linger = 0
	if change != nil {
		change(&opt)
	}
	if err := s.init(zmq4.Pull, opt, s); err != nil {
		t.Fatal(err)
	}
	a, b := net.Pipe()
	c := newConn(&s.socket, a, nil, newPipe(&s.socket, "test"))
	t.Cleanup(func() {
		c.close()
		c.rd.drop()
		b.Close()
		s.Close()
	})
	return s, c
}

// feed gives the reader these bytes in pieces of at most n.
func feed(c *conn, data []byte, n int) error {
	for len(data) > 0 {
		m := copy(c.rd.room(), data[:min(n, len(data))])
		if err := c.rd.received(m); err != nil {
			return err
		}
		data = data[m:]
		c.rd.idle()
	}
	return nil
}

// addMessage appends a message to wire, and to want what a sink makes of it.
func addMessage(wire []byte, want []string, frames ...string) ([]byte, []string) {
	var bodies [][]byte
	for _, f := range frames {
		bodies = append(bodies, []byte(f))
	}
	return AppendMessage(wire, bodies...), append(want, strings.Join(frames, "|"))
}

// traffic is messages of many sizes and shapes, with commands among them.
func traffic() (wire []byte, want []string) {
	add := func(frames ...string) { wire, want = addMessage(wire, want, frames...) }
	add("")
	add("a", "", "b")
	wire = append(wire, AppendCommand(nil, "SUBSCRIBE", []byte("x"))...)
	for _, n := range []int{1, 254, 255, 256, 257, 4095, 4096, 16383, 16384, 16385, 70000} {
		add("topic", strings.Repeat("s", n), fmt.Sprint(n))
	}
	// Messages that begin alike, and go on otherwise.
	for _, tail := range [][]string{{"1"}, {"22"}, {""}, {"3", "4"}, {"5"}, {strings.Repeat("6", 300)}, {"7"}} {
		add(append([]string{"topic", "sender"}, tail...)...)
	}
	add("topic")
	add("topic", "sender")
	add("other", "sender", "8")
	// A PING between the frames of one message, as libzmq may send it.
	wire = appendFrame(wire, flagMore, []byte("first"))
	wire = append(wire, AppendCommand(nil, "PING", []byte{0, 9, 'c'})...)
	wire = appendFrame(wire, flagMore, []byte("second"))
	wire = append(wire, AppendCommand(nil, "PONG", []byte("c"))...)
	wire = appendFrame(wire, 0, []byte("third"))
	want = append(want, "first|second|third")
	for i := range 300 {
		add("t", fmt.Sprint(i))
	}
	wire = append(wire, AppendCommand(nil, "CANCEL", []byte("x"))...)
	return wire, want
}

func TestReaderInPieces(t *testing.T) {
	wire, want := traffic()
	for _, n := range []int{1, 2, 3, 7, 64, 255, 4096, 5000, 16384, 100000, len(wire)} {
		t.Run(fmt.Sprintf("piece=%d", n), func(t *testing.T) {
			s, c := newSink(t, nil)
			if err := feed(c, wire, n); err != nil {
				t.Fatal(err)
			}
			checkTraffic(t, s, want)
		})
	}
}

func TestReaderSplitAnywhere(t *testing.T) {
	wire, _ := traffic()
	wire = wire[:1500]
	whole, c := newSink(t, nil)
	if err := feed(c, wire, len(wire)); err != nil {
		t.Fatal(err)
	}
	want := whole.got
	for at := 1; at < len(wire); at++ {
		s, c := newSink(t, nil)
		if err := errors.Join(feed(c, wire[:at], at), feed(c, wire[at:], len(wire))); err != nil {
			t.Fatalf("split at %d: %v", at, err)
		}
		if strings.Join(s.got, "\n") != strings.Join(want, "\n") {
			t.Fatalf("split at %d: other messages", at)
		}
	}
}

// TestReaderAlike: messages of one shape in a row, and those that only begin so, in
// batches and pieces of any size.
func TestReaderAlike(t *testing.T) {
	for _, size := range []int{0, 1, 200, 255, 256, 300} {
		var wire []byte
		var want []string
		add := func(frames ...string) { wire, want = addMessage(wire, want, frames...) }
		for i, other := range [][]string{
			{"topic", "Sender", ""}, {"Topic", "sender", ""}, {"topi", "csender", ""}, {"topic", "sender", "more", ""},
			{"topic", "sender", "", ""}, {"topic", "sende", "r"}, {"topic"}, {"topicsender", ""},
		} {
			for n := range 9 {
				add("topic", "sender", strings.Repeat(fmt.Sprint(n), size))
			}
			other[len(other)-1] += strings.Repeat("x", max(0, size-i%2))
			add(other...)
			wire = append(wire, AppendCommand(nil, "PING", []byte{0, 9})...)
		}
		for _, limit := range []int{1, 2, 3, 4, 9, 1000} {
			for _, piece := range []int{1, 2, 100, 333, 4096, len(wire)} {
				s, c := newSink(t, func(o *Options) { o.RcvHWM = limit })
				s.topics, c.rd.topics = true, true
				if err := feed(c, wire, piece); err != nil {
					t.Fatalf("size %d, batches of %d, pieces of %d: %v", size, limit, piece, err)
				}
				if !slices.Equal(s.got, want) {
					t.Fatalf("size %d, batches of %d, pieces of %d: other messages", size, limit, piece)
				}
			}
		}
	}
}

func checkTraffic(t *testing.T, s *sink, want []string) {
	t.Helper()
	if len(s.got) != len(want) {
		t.Fatalf("got %d messages, want %d", len(s.got), len(want))
	}
	for i := range want {
		if s.got[i] != want[i] {
			t.Fatalf("message %d is %.40q, want %.40q", i, s.got[i], want[i])
		}
	}
	if got := strings.Join(s.subs, " "); got != "true x false x" && got != "truex falsex" {
		t.Errorf("commands %q", got)
	}
}

func TestReaderRefuses(t *testing.T) {
	long := func(flags byte, size uint64) []byte {
		return binary.BigEndian.AppendUint64([]byte{flags | flagLong}, size)
	}
	for _, tc := range []struct {
		name string
		wire []byte
		want Reason
	}{
		{"reserved flag", []byte{0x08, 1, 'x'}, ReasonFrame},
		{"all flags", []byte{0xff, 1, 'x'}, ReasonFrame},
		{"command with more", []byte{flagCommand | flagMore, 1, 0}, ReasonFrame},
		{"empty command", []byte{flagCommand, 0}, ReasonFrame},
		{"command name beyond its end", []byte{flagCommand, 2, 5, 'P'}, ReasonFrame},
		{"unknown command", AppendCommand(nil, "NOSUCH", nil), ReasonCommand},
		{"large command", long(flagCommand, maxCommand+1), ReasonCommand},
		{"short ping", AppendCommand(nil, "PING", []byte{1}), ReasonFrame},
		{"long ping", AppendCommand(nil, "PING", make([]byte, 19)), ReasonFrame},
		{"error", AppendCommand(nil, "ERROR", []byte("\x03400")), ReasonPeerError},
		{"large frame", long(0, 1<<20+1), ReasonMessageSize},
		{"huge frame", long(0, 1<<63), ReasonMessageSize},
		{"largest frame", long(flagMore, 1<<64-1), ReasonMessageSize},
		{"large message", bytes.Repeat(appendFrame(nil, flagMore, make([]byte, 1<<10)), 1<<10), ReasonMessageSize},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, n := range []int{1, len(tc.wire)} {
				_, c := newSink(t, func(o *Options) { o.MaxMessageSize = 1 << 20 })
				if err := feed(c, tc.wire, n); reasonOf(err) != tc.want {
					t.Errorf("pieces of %d: error %v, want reason %s", n, err, tc.want)
				}
			}
		})
	}
}

// TestReaderMemory sends headers that promise much, and checks that memory
// follows what really came.
func TestReaderMemory(t *testing.T) {
	_, c := newSink(t, nil)
	head := binary.BigEndian.AppendUint64([]byte{flagLong}, 200<<20)
	if err := feed(c, head, len(head)); err != nil {
		t.Fatal(err)
	}
	if n := len(c.rd.chunk.buf); n > minChunk {
		t.Errorf("a header alone holds %d bytes", n)
	}
	if err := feed(c, make([]byte, 1<<20), 1000); err != nil {
		t.Fatal(err)
	}
	if n := len(c.rd.chunk.buf); n > 16<<20 {
		t.Errorf("1 MiB of a message holds %d bytes", n)
	}
}

// TestReaderAlone: large messages that come one after the other are each read into
// a chunk of their own, in one read when they are alike, and none is moved.
func TestReaderAlone(t *testing.T) {
	s := &keeper{}
	if err := s.init(zmq4.Pull, DefaultOptions(), s); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	a, b := net.Pipe()
	defer b.Close()
	c := newConn(&s.socket, a, nil, newPipe(&s.socket, "test"))
	defer c.close()
	defer c.rd.drop()
	for i, n := range []int{300_000, 300_000, 300_000, 310_000, 250_000, 300_000, 100, 300_000, maxAlone + 1, 300_000} {
		body := bytes.Repeat([]byte{byte(i)}, n)
		wire := AppendMessage(nil, []byte("topic"), body)
		reads, moved := 0, false
		for left := wire; len(left) > 0; reads++ {
			held, at := c.rd.chunk, c.rd.fill-c.rd.start
			m := copy(c.rd.room(), left)
			moved = moved || at > 0 && c.rd.chunk != held
			if err := c.rd.received(m); err != nil {
				t.Fatal(err)
			}
			left = left[m:]
		}
		if len(s.kept) != 1 {
			t.Fatalf("message %d: %d batches", i, len(s.kept))
		}
		for m := range s.kept[0].Messages() {
			if got := m.Frames(nil); len(got) != 2 || !bytes.Equal(got[1], body) {
				t.Errorf("message %d of %d bytes came as another", i, n)
			}
		}
		// From the second on, the reader knows what to expect.
		if i > 0 && i < 6 && moved || (i == 1 || i == 2) && reads != 1 {
			t.Errorf("message %d of %d bytes: %d reads, moved: %v", i, n, reads, moved)
		}
		s.kept[0].Release()
		s.kept = s.kept[:0]
	}
}

// TestReaderKeep keeps every batch over the reading of all the others: nothing
// may be overwritten.
func TestReaderKeep(t *testing.T) {
	s := &keeper{}
	opt := DefaultOptions()
	if err := s.init(zmq4.Pull, opt, s); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	a, b := net.Pipe()
	defer b.Close()
	c := newConn(&s.socket, a, nil, newPipe(&s.socket, "test"))
	defer c.close()
	wire, want := traffic()
	for _, n := range []int{100, 5000, 200000} {
		s.kept = s.kept[:0]
		if err := feed(c, wire, n); err != nil {
			t.Fatal(err)
		}
		i := 0
		for _, b := range s.kept {
			if held := b.Held(); held > minChunk && held > 4*len(b.Bytes()) {
				t.Fatalf("%d bytes keep %d alive", len(b.Bytes()), held)
			}
			for m := range b.Messages() {
				if got := string(bytes.Join(m.Frames(nil), []byte("|"))); got != want[i] {
					t.Fatalf("pieces of %d: message %d is %.40q, want %.40q", n, i, got, want[i])
				}
				i++
			}
			b.Release()
		}
		if i != len(want) {
			t.Fatalf("kept %d of %d messages", i, len(want))
		}
	}
	c.rd.drop()
}

type keeper struct {
	sink
	kept []Batch
}

func (k *keeper) received(_ *pipe, b Batch) error {
	k.kept = append(k.kept, b.Keep())
	return nil
}
