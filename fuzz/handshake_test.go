package fuzz

import (
	"bytes"
	"encoding/binary"
	"net"
	"slices"
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
	f.Fuzz(func(t *testing.T, data []byte) { checkHandshake(t, "XPUB", data) })
}

// FuzzHandshakeSteps is FuzzHandshake for the four sockets, with what comes made
// of whole steps, each mostly right: plain bytes seldom get past the signature.
func FuzzHandshakeSteps(f *testing.F) {
	for kind := range byte(4) {
		f.Add(kind, []byte("gr"))                         // as it should be
		f.Add(kind, []byte("grm"))                        // and a message
		f.Add(kind, []byte("gpxr"))                       // other properties first
		f.Add(kind, []byte("gpyr"))                       // one that is cut off
		f.Add(kind, []byte("Gr"))                         // with a greeting of another version
		f.Add(kind, []byte("g\x80\x21r"))                 // a byte changed
		f.Add(kind, []byte("gl\xff\xff"))                 // a long frame that never comes
		f.Add(kind, []byte("ge"))                         // refused
		f.Add(kind, []byte("gw"))                         // of a type that does not fit
		f.Add(kind, []byte("gg"))                         // a second greeting
		f.Add(kind, []byte("rg"))                         // in the wrong order
		f.Add(kind, []byte("gmr"))                        // a message too early
		f.Add(kind, []byte("gc\x05HELLOr"))               // another mechanism's command
		f.Add(kind, []byte(strings.Repeat("p", 90)+"gr")) // more than a READY may hold
		f.Add(kind, []byte("g"+strings.Repeat("p", 90)+"r"))
	}
	f.Fuzz(func(t *testing.T, kind byte, script []byte) {
		ours := []string{"XPUB", "XSUB", "PULL", "PUSH"}[kind%4]
		checkHandshake(t, ours, play(ours, script))
	})
}

// fits are the types that a socket talks to.
var fits = map[string][]string{"XPUB": {"SUB", "XSUB"}, "XSUB": {"PUB", "XPUB"}, "PULL": {"PUSH"}, "PUSH": {"PULL"}}

// play makes the bytes that a script stands for.
func play(ours string, script []byte) (out []byte) {
	var properties []byte
	next := func() (b byte) {
		if len(script) > 0 {
			b, script = script[0], script[1:]
		}
		return b
	}
	right := fits[ours][0]
	for len(script) > 0 {
		switch does := next(); does {
		case 'g':
			out = append(out, hello(right)[:64]...)
		case 'G':
			greeting := hello(right)[:64]
			greeting[10] = next()
			out = append(out, greeting...)
		case 'p':
			name := "X-" + strings.Repeat("p", int(next())%60)
			properties = append(append(properties, byte(len(name))), name...)
			properties = append(binary.BigEndian.AppendUint32(properties, 3), "abc"...)
		case 'y':
			properties = binary.BigEndian.AppendUint32(append(properties, "\x01y"...), uint32(next())<<uint(next()%25))
		case 'r', 'w':
			kind := right
			if does == 'w' {
				kind = []string{"SUB", "PUB", "XSUB", "XPUB", "PULL", "PUSH", "REP", "PAIR"}[next()%8]
			}
			data := append(properties, "\x0bSocket-Type\x00\x00\x00"...)
			out = appendCommand(out, "READY", append(append(data, byte(len(kind))), kind...))
			properties = nil
		case 'e':
			out = appendCommand(out, "ERROR", []byte("\x03400"))
		case 'c':
			n := min(int(next())%16, len(script))
			out = appendCommand(out, string(script[:n]), properties)
			script = script[n:]
		case 'm':
			out = append(out, 0, 1, 'm')
		case 'l':
			out = binary.BigEndian.AppendUint64(append(out, 6), uint64(next())<<uint(next()%56))
		case 0x80: // changes a byte of what there is
			if at := int(next()); len(out) > 0 {
				out[at%len(out)] ^= 1 << (next() % 8)
			}
		default:
			out = append(out, does)
		}
	}
	return out
}

// checkHandshake gives a bound socket these bytes. It must take exactly what an
// obvious reading of RFC 23 takes, end everything else, and send nothing but its
// own greeting and READY.
func checkHandshake(t *testing.T, ours string, data []byte) {
	events := make(chan sockets.Event, 10)
	o := options()
	o.OnEvent = func(e sockets.Event) { events <- e }
	x := newSocket(t, ours, o)
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
	_, want := readHello(ours, data)
	if got := first.Kind == sockets.EventConnected; got != want {
		t.Errorf("%s: connected %v (%v), want %v", ours, got, first.Err, want)
	}
	if !want && (first.Kind != sockets.EventHandshakeFailed || first.Reason == "" || first.Err == nil) {
		t.Errorf("event %+v", first)
	}
	if first.Err != nil && strings.ContainsFunc(first.Err.Error(), func(r rune) bool { return r < ' ' }) {
		t.Errorf("untrusted bytes in the error %q", first.Err)
	}
	x.Close()
	checkSent(t, ours, c.written())
}

// socket is what the sockets have in common here.
type socket interface {
	Attach(nc net.Conn, endpoint string) error
	Close() error
}

func newSocket(t *testing.T, kind string, o sockets.Options) (x socket) {
	var err error
	switch kind {
	case "XPUB":
		x, err = sockets.NewXPUB(o, nil)
	case "XSUB":
		x, err = sockets.NewXSUB(o, func(sockets.Batch) {})
	case "PULL":
		x, err = sockets.NewPULL(o, func(sockets.Batch) {})
	case "PUSH":
		x, err = sockets.NewPUSH(o)
	}
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// readHello is an obvious reading of the half of a NULL handshake that a peer of
// our socket sends, and what is behind it.
func readHello(ours string, b []byte) (rest []byte, ok bool) {
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
	return rest, slices.Contains(fits[ours], kind)
}

// checkSent checks that a socket sent a part of its greeting and READY, and
// nothing else.
func checkSent(t *testing.T, ours string, sent []byte) {
	t.Helper()
	want := hello(ours)
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
