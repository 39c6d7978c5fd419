package fuzz

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/znode/znode/sockets"
)

// FuzzTraffic gives a PULL anything after its handshake, whole and in pieces of
// any sizes. Both times it must hand over the messages that an obvious reading of
// RFC 23 finds, up to the first error, and end for the same reason.
func FuzzTraffic(f *testing.F) {
	ping := appendCommand(nil, "PING", []byte("\x00\x05abc"))
	long := append([]byte{2, 0, 0, 0, 0, 0, 0, 1, 44}, make([]byte, 300)...)
	for _, traffic := range [][]byte{
		nil,
		[]byte("\x00\x01x\x00\x00\x01\x01a\x01\x00\x00\x01b"),
		slices.Concat([]byte("\x01\x01a"), ping, []byte("\x00\x01b"), ping),
		slices.Concat(long, long[:5]),
		[]byte("\x02\x00\x00\x00\x00\x00\x00\x00\x01x"),
		[]byte("\x02\xff\xff\xff\xff\xff\xff\xff\xff"),
		[]byte("\x08\x00"),
		[]byte("\x05\x00"),
		[]byte("\x04\x00"),
		slices.Concat([]byte("\x00\x01x"), appendCommand(nil, "ERROR", []byte("\x01x"))),
		appendCommand(nil, "SUBSCRIBE", []byte("x")),
		appendCommand(nil, "PONG", nil),
		append(bytes.Repeat([]byte("\x01\x02ab"), 600), "\x00\x00"...),
	} {
		f.Add(traffic, []byte{}, byte(0))
		f.Add(traffic, []byte{0, 0, 0, 0, 0, 0, 0, 0}, byte(1))
		f.Add(traffic, []byte{0, 3, 1, 255}, byte(3))
	}
	f.Fuzz(func(t *testing.T, traffic, sizes []byte, batch byte) {
		messages, reason := readTraffic(traffic, 2000)
		want := strings.Join(messages, "\n")
		// A copy: what the fuzzing engine gives has memory of others behind it.
		again := bytes.Repeat(slices.Concat(sizes, []byte{0}), 1+len(traffic)/(1+len(sizes)))
		for _, in := range [][]byte{nil, sizes, again} {
			got, ended := pull(t, traffic, in, int(batch))
			if got != want || ended != reason {
				t.Fatalf("in pieces of %.20v less one: %q, ended by %s; want %q, ended by %s", in, got, ended, want, reason)
			}
		}
	})
}

// pull gives a PULL a peer with this traffic, in reads of these sizes less one,
// and returns what it hands over and why the connection ends.
func pull(t *testing.T, traffic, sizes []byte, batch int) (string, sockets.Reason) {
	t.Helper()
	ended := make(chan sockets.Event, 10)
	o := options()
	o.RcvHWM = batch
	o.OnEvent = func(e sockets.Event) { ended <- e }
	var got []string
	x, err := sockets.NewPULL(o, func(b sockets.Batch) {
		if n := b.Len(); n == 0 || batch > 0 && n > batch {
			t.Errorf("a batch of %d messages", n)
		}
		for m := range b.Messages() {
			got = append(got, fmt.Sprintf("%q", m.Frames(nil)))
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	c := newMemConn()
	c.in, c.ended = append(hello("PUSH"), traffic...), true
	c.sizes = append(bytes.Repeat([]byte{255}, 3), sizes...)
	if err := x.Attach(c, "memory"); err != nil {
		t.Fatal(err)
	}
	for {
		select {
		case e := <-ended:
			if e.Kind == sockets.EventDisconnected {
				return strings.Join(got, "\n"), e.Reason
			}
		case <-time.After(patience):
			t.Fatal("the connection does not end")
		}
	}
}

// readTraffic is an obvious reading of what a PUSH sends to a PULL that takes
// messages of up to limit bytes.
func readTraffic(b []byte, limit int) (messages []string, reason sockets.Reason) {
	var frames [][]byte
	size := 0 // of the message so far, with headers
	for {
		if len(b) < 2 {
			return messages, sockets.ReasonClosed
		}
		flags, head, n := b[0], 2, uint64(b[1])
		if flags > 7 {
			return messages, sockets.ReasonFrame
		}
		if flags&2 != 0 {
			if head = 9; len(b) < head {
				return messages, sockets.ReasonClosed
			}
			n = binary.BigEndian.Uint64(b[1:])
		}
		command := flags&4 != 0
		switch {
		case command && flags&1 != 0:
			return messages, sockets.ReasonFrame
		case command && n > 64<<10:
			return messages, sockets.ReasonCommand
		case !command && (n > uint64(limit) || size+head+int(n) > limit):
			return messages, sockets.ReasonMessageSize
		case n > uint64(len(b)-head):
			return messages, sockets.ReasonClosed
		}
		body := b[head : head+int(n)]
		b = b[head+int(n):]
		if command {
			if reason := readCommand(body); reason != "" {
				return messages, reason
			}
			continue
		}
		frames, size = append(frames, body), size+head+int(n)
		if flags&1 == 0 {
			messages = append(messages, fmt.Sprintf("%q", frames))
			frames, size = nil, 0
		}
	}
}

// readCommand says why a command ends the connection, if it does.
func readCommand(body []byte) sockets.Reason {
	if len(body) == 0 || body[0] == 0 || int(body[0]) >= len(body) {
		return sockets.ReasonFrame
	}
	data := body[1+int(body[0]):]
	switch string(body[1 : 1+int(body[0])]) {
	case "PING":
		if len(data) < 2 || len(data) > 18 {
			return sockets.ReasonFrame
		}
		return ""
	case "PONG":
		return ""
	case "ERROR":
		return sockets.ReasonPeerError
	}
	return sockets.ReasonCommand
}
