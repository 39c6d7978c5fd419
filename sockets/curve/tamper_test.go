package curve

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/go-zeromq/zmq4"

	"github.com/znode/znode/sockets"
)

// script is a connection whose peer has sent everything already.
type script struct {
	net.Conn // nil: only what is below may be called
	in       *bytes.Reader
	out      bytes.Buffer
}

func (s *script) Read(p []byte) (int, error)  { return s.in.Read(p) }
func (s *script) Write(p []byte) (int, error) { return s.out.Write(p) }
func (s *script) Close() error                { return nil }

func (s *script) SetDeadline(time.Time) error { return nil }

// play runs one side's handshake against a peer that sends these commands, and
// returns what it sent after its greeting.
func play(sec zmq4.Security, typ zmq4.SocketType, commands []byte) (sent []byte, err error) {
	s := &script{in: bytes.NewReader(append(greeting("CURVE"), commands...))}
	_, err = zmq4.Open(s, sec, typ, nil, false, nil)
	return s.out.Bytes()[64:], err
}

// side is one side of the vectors' handshake: what it takes and what it gives.
type side struct {
	mechanism func() zmq4.Security
	typ       zmq4.SocketType
	takes     []byte // the peer's commands
	first     int    // length of the first of them
	gives     []byte // its own commands
	last      int    // length of the last of them
}

func sides(tb testing.TB, v vectors) map[string]side {
	is := v.cast(tb)
	join := func(a, b string) []byte { return append(bytes.Clone(v.values[a]), v.values[b]...) }
	return map[string]side{
		"server": {
			mechanism: func() zmq4.Security { return v.again(is).server.Mechanism(true) }, typ: zmq4.XPub,
			takes: join("hello", "initiate"), first: len(v.values["hello"]),
			gives: join("welcome", "ready"), last: len(v.values["ready"]),
		},
		"client": {
			mechanism: func() zmq4.Security { return v.again(is).client.Mechanism(false) }, typ: zmq4.XSub,
			takes: join("welcome", "ready"), first: len(v.values["welcome"]),
			gives: join("hello", "initiate"), last: len(v.values["initiate"]),
		},
	}
}

// TestTamperNothing: the handshake that the tests below damage is a good one.
func TestTamperNothing(t *testing.T) {
	for name, side := range sides(t, loadVectors(t)) {
		sent, err := play(side.mechanism(), side.typ, side.takes)
		if err != nil || !bytes.Equal(sent, side.gives) {
			t.Errorf("%s: sent %d octets, %v", name, len(sent), err)
		}
	}
}

// TestTamperFlipped flips every bit of what a side receives, headers of frames
// included; one of each octet in short runs.
func TestTamperFlipped(t *testing.T) {
	for name, side := range sides(t, loadVectors(t)) {
		t.Run(name, func(t *testing.T) {
			for bit := range len(side.takes) * 8 {
				if testing.Short() && bit%8 != bit/8%8 {
					continue
				}
				bad := bytes.Clone(side.takes)
				bad[bit/8] ^= 1 << (bit % 8)
				sent, err := play(side.mechanism(), side.typ, bad)
				if err == nil {
					t.Fatalf("octet %d, bit %d flipped: accepted", bit/8, bit%8)
				}
				checkRefusal(t, name, sent, side.gives, side.last)
				var p *sockets.ProtocolError
				if errors.As(err, &p) {
					if p.Reason != sockets.ReasonSecurity && p.Reason != sockets.ReasonHandshake {
						t.Fatalf("octet %d, bit %d flipped: %v", bit/8, bit%8, err)
					}
				} else if !isEOF(err) { // a longer command than there is
					t.Fatalf("octet %d, bit %d flipped: %v", bit/8, bit%8, err)
				}
			}
		})
	}
}

// TestTamperCut ends the connection at every octet, and also says with a right
// frame that the command is shorter or longer.
func TestTamperCut(t *testing.T) {
	for name, side := range sides(t, loadVectors(t)) {
		t.Run(name, func(t *testing.T) {
			for n := range side.takes {
				sent, err := play(side.mechanism(), side.typ, side.takes[:n])
				if !isEOF(err) {
					t.Fatalf("cut at %d: %v", n, err)
				}
				checkRefusal(t, name, sent, side.gives, side.last)
			}
			first, rest := side.takes[:side.first], side.takes[side.first:]
			for at, whole := range [][]byte{first, rest} {
				command, data, err := sockets.ReadCommand(bytes.NewReader(whole))
				if err != nil {
					t.Fatal(err)
				}
				for n := range len(data) + 40 {
					if n == len(data) || testing.Short() && n%8 != 7 {
						continue
					}
					resized := sockets.AppendCommand(nil, command, append(bytes.Clone(data), make([]byte, 40)...)[:n])
					takes := append(resized, rest...)
					if at == 1 {
						takes = append(bytes.Clone(first), resized...)
					}
					sent, err := play(side.mechanism(), side.typ, takes)
					var p *sockets.ProtocolError
					if !errors.As(err, &p) || p.Reason != sockets.ReasonSecurity && p.Reason != sockets.ReasonHandshake {
						t.Fatalf("%s with %d octets of data: %v", command, n, err)
					}
					checkRefusal(t, name, sent, side.gives, side.last)
				}
			}
		})
	}
}

// checkRefusal: a refused peer gets no more than the right handshake would have
// given it, never the last word of the server, and no ERROR.
func checkRefusal(t *testing.T, name string, sent, gives []byte, last int) {
	t.Helper()
	if !bytes.HasPrefix(gives, sent) {
		t.Fatalf("a refused peer is sent %q", sent)
	}
	if name == "server" && len(sent) > len(gives)-last {
		t.Fatal("a refused client is sent READY")
	}
}

func isEOF(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

// TestTamperOrder sends the commands of a good handshake in all wrong orders.
func TestTamperOrder(t *testing.T) {
	v := loadVectors(t)
	message := v.frames["client"][0].wire
	commands := map[string][]byte{
		"hello": v.values["hello"], "initiate": v.values["initiate"], "welcome": v.values["welcome"], "ready": v.values["ready"],
		"message": message, "null ready": sockets.AppendCommand(nil, "READY", sockets.AppendMetadata(nil, socketType, "XSUB")),
	}
	good := map[string]string{"server": "hello initiate", "client": "welcome ready"}
	for name, side := range sides(t, v) {
		for a, first := range commands {
			for b, second := range commands {
				if a+" "+b == good[name] {
					continue
				}
				sent, err := play(side.mechanism(), side.typ, append(bytes.Clone(first), second...))
				var p *sockets.ProtocolError
				if !errors.As(err, &p) || p.Reason != sockets.ReasonHandshake && p.Reason != sockets.ReasonSecurity {
					t.Errorf("%s got %s, %s: %v", name, a, b, err)
				}
				checkRefusal(t, name, sent, side.gives, side.last)
			}
		}
	}
}

// TestReplayedHandshake: whoever recorded a whole handshake cannot use it again.
// If the server took a recorded INITIATE, it would seal other texts with the same
// keys and nonces.
func TestReplayedHandshake(t *testing.T) {
	is := newCast(t)
	h := clientHandshake{client: is.client}
	hello, err := h.hello()
	if err != nil {
		t.Fatal(err)
	}
	first := serverHandshake{server: is.server}
	welcome, err := first.hello(hello)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.welcome(welcome); err != nil {
		t.Fatal(err)
	}
	initiate, err := h.initiate(sockets.AppendMetadata(nil, socketType, "XSUB"))
	if err != nil {
		t.Fatal(err)
	}
	recorded := append(sockets.AppendCommand(nil, cmdHello, hello), sockets.AppendCommand(nil, cmdInitiate, initiate)...)
	sent, err := play(is.server.Mechanism(true), zmq4.XPub, recorded)
	wantReason(t, err, sockets.ReasonSecurity)
	if name, _, err := sockets.ReadCommand(bytes.NewReader(sent)); name != cmdWelcome || err != nil || len(sent) != 170 {
		t.Fatalf("the server sent %q", sent)
	}
	// The connection that it was made for takes it, once.
	if _, _, err := first.initiate(initiate); err != nil {
		t.Fatal(err)
	}
	_, _, err = first.initiate(initiate)
	wantReason(t, err, sockets.ReasonSecurity)
}
