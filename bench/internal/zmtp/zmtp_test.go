package zmtp

import (
	"bytes"
	"strings"
	"testing"
)

func TestHandshakeWithItselfAtEverySplit(t *testing.T) {
	whole := append(Greeting(), ready(XPUB)...)
	whole = AppendSubscribe(whole, "a.topic")
	for cut := range whole {
		h := NewHandshake(XSUB)
		send, rest, done, err := h.Feed(whole[:cut])
		if err != nil {
			t.Fatalf("first %d bytes: %v", cut, err)
		}
		if done {
			rest = append(bytes.Clone(rest), whole[cut:]...)
		} else {
			var more []byte
			more, rest, done, err = h.Feed(whole[cut:])
			send = append(send, more...)
		}
		if err != nil || !done || !bytes.Equal(send, ready(XSUB)) {
			t.Fatalf("cut at %d: done %v, sent %q, %v", cut, done, send, err)
		}
		f, ok, err := ParseFrame(rest)
		if err != nil || !ok {
			t.Fatalf("cut at %d: %q behind the handshake", cut, rest)
		}
		if prefix, on, ok := f.Subscription(); !ok || !on || string(prefix) != "a.topic" {
			t.Fatalf("cut at %d: %q is no subscription", cut, f.Body)
		}
	}
}

func TestHandshakeRefuses(t *testing.T) {
	curve := Greeting()
	copy(curve[12:], "CURVE")
	old := Greeting()
	old[10] = 1
	errorCommand := append(Greeting(), "\x04\x0a\x05ERROR\x03400"...)
	for name, in := range map[string][]byte{
		"http":    bytes.Repeat([]byte("GET / HTTP/1.1\r\n"), 4),
		"curve":   curve,
		"version": old,
		"error":   errorCommand,
		"endless": append(Greeting(), append([]byte{6, 0, 0, 0, 0, 0, 1, 0, 0}, make([]byte, 5000)...)...),
		"flags":   append(Greeting(), 0x40, 0),
	} {
		if _, _, done, err := NewHandshake(XPUB).Feed(in); err == nil || done {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestFrameLengthsAtTheirEdges(t *testing.T) {
	for _, n := range []int{0, 1, 254, 255, 256, 65535, 65536} {
		wire := AppendFrame(nil, make([]byte, n), true)
		if long := wire[0]&flagLong != 0; long != (n > 255) {
			t.Errorf("%d bytes: long is %v", n, long)
		}
		for _, cut := range []int{0, 1, len(wire) / 2, len(wire) - 1} {
			if _, ok, err := ParseFrame(wire[:cut]); ok || err != nil {
				t.Errorf("%d of %d bytes: ok %v, %v", cut, len(wire), ok, err)
			}
		}
		f, ok, err := ParseFrame(append(wire, 0xff))
		if !ok || err != nil || len(f.Body) != n || f.Size != len(wire) || !f.More() || f.Command() {
			t.Errorf("%d bytes: %v %v, size %d", n, ok, err, f.Size)
		}
	}
	if _, _, err := ParseFrame([]byte{2, 0xff, 0, 0, 0, 0, 0, 0, 0}); err == nil {
		t.Error("a frame of 2^63 bytes was accepted")
	}
}

func TestSubscriptionForms(t *testing.T) {
	for _, c := range []struct {
		frame  Frame
		prefix string
		on, ok bool
	}{
		{Frame{Body: []byte("\x01abc")}, "abc", true, true},
		{Frame{Body: []byte("\x00abc")}, "abc", false, true},
		{Frame{Body: []byte("\x01")}, "", true, true},
		{Frame{Body: []byte("\x02abc")}, "", false, false},
		{Frame{Body: nil}, "", false, false},
		{Frame{Flags: flagCommand, Body: []byte("\x09SUBSCRIBEabc")}, "abc", true, true},
		{Frame{Flags: flagCommand, Body: []byte("\x06CANCELabc")}, "abc", false, true},
		{Frame{Flags: flagCommand, Body: []byte("\x04PING\x00\x00")}, "", false, false},
		{Frame{Flags: flagMore, Body: []byte("\x01abc")}, "", false, false},
	} {
		prefix, on, ok := c.frame.Subscription()
		if string(prefix) != c.prefix || on != c.on || ok != c.ok {
			t.Errorf("%q: %q %v %v", c.frame.Body, prefix, on, ok)
		}
	}
}

func TestLayout(t *testing.T) {
	for _, size := range []int{MinPayload, 50, 200, 255, 256, 2000, 65536} {
		l, err := NewLayout(size)
		if err != nil {
			t.Fatal(err)
		}
		msg := l.AppendMessage(nil, 7, 3)
		l.Stamp(msg, 3, 12345, 987654321)
		if len(msg) != l.Size || !l.Match(msg) {
			t.Fatalf("size %d: %d bytes, want %d", size, len(msg), l.Size)
		}
		stamp, clock := l.RawStamp(msg)
		if p, seq := SplitStamp(stamp); p != 3 || seq != 12345 || clock != 987654321 {
			t.Errorf("size %d: stamp %d %d %d", size, p, seq, clock)
		}
		var frames []string
		for rest := msg; len(rest) > 0; {
			f, ok, err := ParseFrame(rest)
			if !ok || err != nil {
				t.Fatalf("size %d: frame %d: %v %v", size, len(frames), ok, err)
			}
			frames = append(frames, string(f.Body))
			rest = rest[f.Size:]
			if f.More() != (len(rest) > 0) {
				t.Errorf("size %d: frame %d has MORE %v", size, len(frames), f.More())
			}
		}
		if len(frames) != 4 || frames[0] != Topic(7) || frames[1] != Sender(3) || len(frames[3]) != size {
			t.Errorf("size %d: frames %.60q", size, frames)
		}
		// Each header byte matters to Match.
		for _, at := range []int{0, 1, l.sender, l.sender + 1, l.serializer, l.serializer + 1, l.last, l.Payload - 1} {
			msg[at]++
			if l.Match(msg) {
				t.Errorf("size %d: a changed byte at %d was not noticed", size, at)
			}
			msg[at]--
		}
	}
	if _, err := NewLayout(MinPayload - 1); err == nil {
		t.Error("a payload without room for the stamp was accepted")
	}
}

func TestTopicsAreOfOneLengthAndNoPrefixes(t *testing.T) {
	if len(Topic(0)) != len(Topic(MaxTopics)) || len(Sender(0)) != len(Sender(MaxPublishers)) {
		t.Error("lengths differ")
	}
	if strings.HasPrefix(Topic(10), Topic(1)) {
		t.Error("a topic is the prefix of another one")
	}
}

func BenchmarkMatch(b *testing.B) {
	l, err := NewLayout(200)
	if err != nil {
		b.Fatal(err)
	}
	msg := l.AppendMessage(nil, 0, 0)
	b.ReportAllocs()
	for b.Loop() {
		if !l.Match(msg) {
			b.Fatal("no match")
		}
	}
}
