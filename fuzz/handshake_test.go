package fuzz

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/znode/znode/sockets"
)

// FuzzHandshake gives a bound XPUB anything in place of a greeting and READY. It
// must take exactly what an obvious reading of RFC 23 takes, end everything else,
// and send nothing but its own greeting and READY: a Zeek node that is sent an
// ERROR exits.
func FuzzHandshake(f *testing.F) {
	for _, kind := range []string{"SUB", "XSUB", "PULL", "", "NOSUCH", "sub"} {
		f.Add(hello(kind))
	}
	good := hello("SUB")
	f.Add(good[:64])
	f.Add(good[:70])
	f.Add(append(bytes.Clone(good), "\x00\x02\x01x"...))
	f.Add(appendCommand(good[:64:64], "ERROR", []byte("\x03400")))
	f.Add(appendCommand(good[:64:64], "READY", nil))
	f.Add(appendCommand(good[:64:64], "READY", []byte("\x01a\x00\x00\x00\x00\x0bsocket-type\x00\x00\x00\x04XSUB\x01b\x00\x00\x00\x01x")))
	f.Add(appendCommand(good[:64:64], "READY", append(bytes.Repeat([]byte("\x01a\x00\x00\x00\x00"), 60), "\x0bSocket-Type\x00\x00\x00\x03SUB"...)))
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		events := make(chan sockets.Event, 10)
		o := options()
		o.OnEvent = func(e sockets.Event) { events <- e }
		x, err := sockets.NewXPUB(o, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer x.Close()
		c := newMemConn()
		c.in, c.ended = bytes.Clone(data), true
		if err := x.Attach(c, "memory"); err != nil {
			t.Fatal(err)
		}
		var first sockets.Event
		select {
		case first = <-events:
		case <-time.After(patience):
			t.Fatal("the connection does not end")
		}
		_, want := readHello(data)
		if got := first.Kind == sockets.EventConnected; got != want {
			t.Errorf("connected %v (%v), want %v", got, first.Err, want)
		}
		if !want && (first.Kind != sockets.EventHandshakeFailed || first.Reason == "" || first.Err == nil) {
			t.Errorf("event %+v", first)
		}
		if first.Err != nil && strings.ContainsFunc(first.Err.Error(), func(r rune) bool { return r < ' ' }) {
			t.Errorf("untrusted bytes in the error %q", first.Err)
		}
		x.Close()
		checkSent(t, c.written())
	})
}

// readHello is an obvious reading of a SUB's or XSUB's half of a NULL handshake,
// and what is behind it.
func readHello(b []byte) (rest []byte, ok bool) {
	if len(b) < 64 || b[0] != 0xff || b[9] != 0x7f || b[10] < 3 || b[32] > 1 {
		return nil, false
	}
	if string(b[12:32]) != "NULL"+strings.Repeat("\x00", 16) {
		return nil, false
	}
	b = b[64:]
	if len(b) < 2 || b[0] != 4 && b[0] != 6 {
		return nil, false
	}
	head, size := 2, uint64(b[1])
	if b[0] == 6 {
		if head = 9; len(b) < head {
			return nil, false
		}
		size = binary.BigEndian.Uint64(b[1:])
	}
	if size > 4096 || size > uint64(len(b)-head) {
		return nil, false
	}
	body, rest := b[head:head+int(size)], b[head+int(size):]
	data, ok := bytes.CutPrefix(body, []byte("\x05READY"))
	if !ok {
		return nil, false
	}
	kind := ""
	for len(data) > 0 {
		n := int(data[0])
		if n == 0 || len(data) < 1+n+4 {
			return nil, false
		}
		name := string(data[1 : 1+n])
		m := uint64(binary.BigEndian.Uint32(data[1+n:]))
		data = data[1+n+4:]
		if m > uint64(len(data)) {
			return nil, false
		}
		if strings.EqualFold(name, "Socket-Type") {
			kind = string(data[:m])
		}
		data = data[m:]
	}
	return rest, kind == "SUB" || kind == "XSUB"
}

// checkSent checks that an XPUB sent a part of its greeting and READY, and
// nothing else.
func checkSent(t *testing.T, sent []byte) {
	t.Helper()
	want := hello("XPUB")
	want[32] = 1 // as-server
	mask := func(b []byte) []byte {
		b = bytes.Clone(b)
		for i := 1; i < min(9, len(b)); i++ {
			b[i] = 0 // padding
		}
		return b
	}
	sent = mask(sent)
	if len(sent) > 32 {
		want[32] = sent[32] // NULL has no server: either will do
	}
	if !bytes.HasPrefix(want, sent) {
		t.Errorf("sent %q", sent)
	}
}
