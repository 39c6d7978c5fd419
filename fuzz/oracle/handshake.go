package oracle

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
)

// Fits are the types that each type of socket talks to.
var Fits = map[string][]string{"XPUB": {"SUB", "XSUB"}, "XSUB": {"PUB", "XPUB"}, "PULL": {"PUSH"}, "PUSH": {"PULL"}}

// Kinds are the types of sockets in Fits.
var Kinds = []string{"XPUB", "XSUB", "PULL", "PUSH"}

// AppendCommand appends the wire form of a command.
func AppendCommand(dst []byte, name string, data []byte) []byte {
	body := append(append([]byte{byte(len(name))}, name...), data...)
	if len(body) > 255 {
		dst = binary.BigEndian.AppendUint64(append(dst, 6), uint64(len(body)))
	} else {
		dst = append(dst, 4, byte(len(body)))
	}
	return append(dst, body...)
}

// Hello is what a peer of this type sends until its handshake is done, with the
// NULL mechanism.
func Hello(socketType string) []byte {
	b := make([]byte, 64)
	b[0], b[9], b[10] = 0xff, 0x7f, 3
	copy(b[12:], "NULL")
	data := append([]byte("\x0bSocket-Type\x00\x00\x00"), byte(len(socketType)))
	return AppendCommand(b, "READY", append(data, socketType...))
}

// Hellos are seeds for what a peer may send instead of a handshake.
func Hellos() (seeds [][]byte) {
	for _, kind := range []string{"SUB", "XSUB", "PULL", "", "NOSUCH", "sub"} {
		seeds = append(seeds, Hello(kind))
	}
	good := Hello("SUB")
	head := good[:64:64]
	changed := func(at int, to byte) []byte {
		b := bytes.Clone(good)
		b[at] = to
		return b
	}
	return append(seeds,
		head,
		good[:5], good[:10], good[:11], good[:40], good[:70],
		changed(9, 0), changed(10, 2), changed(16, 'X'), changed(20, 'X'), changed(32, 2), changed(64, 5), changed(66, 0),
		append(bytes.Clone(good), "\x00\x02\x01x"...),
		append(head, 6, 0, 0),
		append(head, 6, 0, 0, 0, 0, 0, 0, 0x20, 0),
		append(head, 4, 0),
		AppendCommand(head, "ERROR", []byte("\x03400")),
		AppendCommand(head, "ERROR", []byte("\x30400")),
		AppendCommand(head, "HELLO", nil),
		AppendCommand(head, "READY", nil),
		AppendCommand(head, "READY", []byte("\x00\x00\x00\x00\x00")),
		AppendCommand(head, "READY", []byte("\x0bSocket-Type\x00\x00\x00\x04SUB")),
		AppendCommand(head, "READY", []byte("\x01a\x00\x00\x00\x00\x0bsocket-type\x00\x00\x00\x04XSUB\x01b\x00\x00\x00\x01x")),
		AppendCommand(head, "READY", append(bytes.Repeat([]byte("\x01a\x00\x00\x00\x00"), 60), "\x0bSocket-Type\x00\x00\x00\x03SUB"...)),
		[]byte("GET / HTTP/1.1\r\n\r\n"))
}

// Script makes bytes for a socket of type ours out of whole steps of a handshake,
// each mostly right: plain bytes seldom get past the signature.
func Script(ours string, script []byte) (out []byte) {
	var properties []byte
	next := func() (b byte) {
		if len(script) > 0 {
			b, script = script[0], script[1:]
		}
		return b
	}
	right := Fits[ours][0]
	for len(script) > 0 {
		switch does := next(); does {
		case 'g':
			out = append(out, Hello(right)[:64]...)
		case 'G':
			greeting := Hello(right)[:64]
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
			out = AppendCommand(out, "READY", append(append(data, byte(len(kind))), kind...))
			properties = nil
		case 'e':
			out = AppendCommand(out, "ERROR", []byte("\x03400"))
		case 'c':
			n := min(int(next())%16, len(script))
			out = AppendCommand(out, string(script[:n]), properties)
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

// Scripts are seeds for Script.
func Scripts() [][]byte {
	return [][]byte{
		[]byte("gr"),                           // as it should be
		[]byte("grm"),                          // and a message
		[]byte("gpxr"),                         // other properties first
		[]byte("gpyr"),                         // one that is cut off
		[]byte("Gr"),                           // with a greeting of another version
		[]byte("g\x80\x21r"),                   // a byte changed
		[]byte("gl\xff\xff"),                   // a long frame that never comes
		[]byte("ge"),                           // refused
		[]byte("gw"),                           // of a type that does not fit
		[]byte("gg"),                           // a second greeting
		[]byte("rg"),                           // in the wrong order
		[]byte("gmr"),                          // a message too early
		[]byte("gc\x05HELLOr"),                 // another mechanism's command
		[]byte(strings.Repeat("p", 90) + "gr"), // more than a READY may hold
		[]byte("g" + strings.Repeat("p", 90) + "r"),
	}
}

// ReadHello reads the half of a NULL handshake that the peer of a socket sends. It
// returns what is behind it, and whether the socket is to take the peer.
func ReadHello(ours string, b []byte) (rest []byte, ok bool) {
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
	return rest, slices.Contains(Fits[ours], kind)
}

// SentRight reports whether what a socket sent is the beginning of its greeting
// and READY, and nothing else: a Zeek node that is sent an ERROR exits.
func SentRight(ours string, sent []byte) bool {
	want := Hello(ours)
	sent = bytes.Clone(sent)
	for i := 1; i < min(9, len(sent)); i++ {
		sent[i] = 0 // padding
	}
	if len(sent) > 32 {
		want[32] = sent[32] // as-server: NULL has no server, either will do
	}
	return bytes.HasPrefix(want, sent)
}
