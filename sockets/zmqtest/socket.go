package zmqtest

import (
	"bytes"
	"syscall"
	"testing"
	"time"
)

// Loopback is the endpoint to bind for a port that the kernel chooses.
const Loopback = "tcp://127.0.0.1:*"

// Numbers of libzmq's socket options, from zmq.h; integers unless said otherwise.
const (
	AFFINITY          = 4
	ROUTING_ID        = 5 // bytes
	SUBSCRIBE         = 6 // bytes
	UNSUBSCRIBE       = 7 // bytes
	SNDBUF            = 11
	RCVBUF            = 12
	LINGER            = 17 // milliseconds, -1 for ever
	RECONNECT_IVL     = 18 // milliseconds
	BACKLOG           = 19
	MAXMSGSIZE        = 22
	SNDHWM            = 23 // messages, 0 for no limit
	RCVHWM            = 24 // messages, 0 for no limit
	TCP_KEEPALIVE     = 34
	IMMEDIATE         = 39
	XPUB_VERBOSE      = 40
	IPV6              = 42
	CURVE_SERVER      = 47
	CURVE_PUBLICKEY   = 48 // 40 bytes of Z85
	CURVE_SECRETKEY   = 49 // 40 bytes of Z85
	CURVE_SERVERKEY   = 50 // 40 bytes of Z85
	CONFLATE          = 54
	ZAP_DOMAIN        = 55 // bytes
	HANDSHAKE_IVL     = 66 // milliseconds
	XPUB_NODROP       = 69
	XPUB_MANUAL       = 71
	XPUB_WELCOME_MSG  = 72 // bytes
	HEARTBEAT_IVL     = 75 // milliseconds
	HEARTBEAT_TTL     = 76 // milliseconds
	HEARTBEAT_TIMEOUT = 77 // milliseconds
	XPUB_VERBOSER     = 78
)

// A Socket is one libzmq socket in a [Process]. It does one thing at a time;
// a call to another socket is not held up by one that waits.
type Socket struct {
	p      *Process
	number int
	kind   string
}

// Socket makes a socket of a type in libzmq's spelling: XPUB, XSUB, PUB, SUB,
// PUSH, PULL, PAIR, REQ, REP, DEALER or ROUTER.
func (p *Process) Socket(tb testing.TB, kind string) *Socket {
	tb.Helper()
	s := &Socket{p: p, number: p.newSocket(), kind: kind}
	p.start(tb, request{Op: "socket", New: s.number, Type: kind}, nil).ok(tb, Patience)
	return s
}

// start sends a request that concerns this socket.
func (s *Socket) start(tb testing.TB, req request, frames ...[]byte) *call {
	tb.Helper()
	req.Sock = s.number
	c := s.p.start(tb, req, frames)
	c.what = s.kind + " " + req.Op
	return c
}

// SetInt sets an integer option.
func (s *Socket) SetInt(tb testing.TB, option int, value int64) {
	tb.Helper()
	s.start(tb, request{Op: "set", Option: option, Value: value}).ok(tb, Patience)
}

// SetBytes sets an option that is bytes or text, such as a key.
func (s *Socket) SetBytes(tb testing.TB, option int, value string) {
	tb.Helper()
	s.start(tb, request{Op: "set", Option: option}, []byte(value)).ok(tb, Patience)
}

// GetInt reads an integer option.
func (s *Socket) GetInt(tb testing.TB, option int) int64 {
	tb.Helper()
	return s.start(tb, request{Op: "get", Option: option}).ok(tb, Patience).Value
}

// CurveServer makes the socket a CURVE server with this secret key (Z85), to
// be called before Bind.
func (s *Socket) CurveServer(tb testing.TB, secret string) {
	tb.Helper()
	s.SetInt(tb, CURVE_SERVER, 1)
	s.SetBytes(tb, CURVE_SECRETKEY, secret)
}

// CurveClient makes the socket a CURVE client with these keys (Z85), to be
// called before Connect.
func (s *Socket) CurveClient(tb testing.TB, server, public, secret string) {
	tb.Helper()
	s.SetBytes(tb, CURVE_SERVERKEY, server)
	s.SetBytes(tb, CURVE_PUBLICKEY, public)
	s.SetBytes(tb, CURVE_SECRETKEY, secret)
}

// Bind binds and returns the endpoint with the port the kernel chose.
func (s *Socket) Bind(tb testing.TB, endpoint string) string {
	tb.Helper()
	return s.start(tb, request{Op: "bind", Endpoint: endpoint}).ok(tb, Patience).Endpoint
}

// Connect starts to connect; libzmq goes on trying by itself.
func (s *Socket) Connect(tb testing.TB, endpoint string) {
	tb.Helper()
	s.start(tb, request{Op: "connect", Endpoint: endpoint}).ok(tb, Patience)
}

// Unbind undoes Bind for the endpoint that it returned.
func (s *Socket) Unbind(tb testing.TB, endpoint string) {
	tb.Helper()
	s.start(tb, request{Op: "unbind", Endpoint: endpoint}).ok(tb, Patience)
}

// Disconnect undoes Connect.
func (s *Socket) Disconnect(tb testing.TB, endpoint string) {
	tb.Helper()
	s.start(tb, request{Op: "disconnect", Endpoint: endpoint}).ok(tb, Patience)
}

// Close closes the socket; what it still holds is sent in the background for
// as long as linger says, negative for ever.
func (s *Socket) Close(tb testing.TB, linger time.Duration) {
	tb.Helper()
	ms := linger.Milliseconds()
	if linger < 0 {
		ms = -1
	}
	s.start(tb, request{Op: "close", Value: ms}).ok(tb, Patience)
}

// Subscribe subscribes a SUB by its option and an XSUB by a message.
func (s *Socket) Subscribe(tb testing.TB, prefix string) {
	tb.Helper()
	if s.kind == "SUB" {
		s.SetBytes(tb, SUBSCRIBE, prefix)
		return
	}
	s.SendText(tb, "\x01"+prefix)
}

// Unsubscribe undoes one Subscribe.
func (s *Socket) Unsubscribe(tb testing.TB, prefix string) {
	tb.Helper()
	if s.kind == "SUB" {
		s.SetBytes(tb, UNSUBSCRIBE, prefix)
		return
	}
	s.SendText(tb, "\x00"+prefix)
}

// Send sends one message and fails the test when there is no room for it
// within [Patience].
func (s *Socket) Send(tb testing.TB, frames ...[]byte) {
	tb.Helper()
	if !s.send(tb, Patience, frames) {
		tb.Fatalf("zmqtest: %s send: no room for a message within %v", s.kind, Patience)
	}
}

// SendText is Send for frames that are text.
func (s *Socket) SendText(tb testing.TB, frames ...string) {
	tb.Helper()
	s.Send(tb, Frames(frames...)...)
}

// TrySend sends one message if there is room for it now (DONTWAIT), and says
// whether there was (no EAGAIN).
func (s *Socket) TrySend(tb testing.TB, frames ...[]byte) bool {
	tb.Helper()
	return s.send(tb, 0, frames)
}

// send sends one message and reports whether it found room in time.
func (s *Socket) send(tb testing.TB, within time.Duration, frames [][]byte) bool {
	tb.Helper()
	c := s.start(tb, request{Op: "send", Ms: within.Milliseconds()}, frames...)
	return again(tb, c, within) != nil
}

// Recv returns the next message and fails the test when none comes within
// [Patience].
func (s *Socket) Recv(tb testing.TB) [][]byte {
	tb.Helper()
	c := s.start(tb, request{Op: "recv", Ms: Patience.Milliseconds()})
	got := again(tb, c, Patience)
	if got == nil {
		tb.Fatalf("zmqtest: %s recv: no message within %v", s.kind, Patience)
	}
	return got.frames
}

// RecvText is Recv for frames that are text.
func (s *Socket) RecvText(tb testing.TB) []string {
	tb.Helper()
	return Text(s.Recv(tb))
}

// TryRecv returns a message if one is there now. That none is there proves
// something only behind a marker or barrier; see [Socket.RecvUntil].
func (s *Socket) TryRecv(tb testing.TB) (frames [][]byte, ok bool) {
	tb.Helper()
	got := again(tb, s.start(tb, request{Op: "recv"}), 0)
	if got == nil {
		return nil, false
	}
	return got.frames, true
}

// RecvUntil returns all messages that come before one whose first frame is the
// marker. Since a connection keeps the order, what its sender sent before the
// marker and is not among them will not come any more.
func (s *Socket) RecvUntil(tb testing.TB, marker string) [][][]byte {
	tb.Helper()
	var before [][][]byte
	for {
		frames := s.Recv(tb)
		if len(frames) > 0 && bytes.Equal(frames[0], []byte(marker)) {
			return before
		}
		before = append(before, frames)
	}
}

// again waits for the answer of a call that may find no room or no message:
// then it is nil.
func again(tb testing.TB, c *call, within time.Duration) *answer {
	tb.Helper()
	got := c.wait(tb, within+Patience)
	switch syscall.Errno(got.Errno) {
	case 0:
		return got
	case syscall.EAGAIN:
		return nil
	}
	tb.Fatalf("zmqtest: %s: %s", c.what, got.Error)
	return nil
}

// Frames makes the frames of a message from text.
func Frames(text ...string) [][]byte {
	frames := make([][]byte, len(text))
	for i, frame := range text {
		frames[i] = []byte(frame)
	}
	return frames
}

// Text is the frames of a message as text, to compare and to print.
func Text(frames [][]byte) []string {
	text := make([]string, len(frames))
	for i, frame := range frames {
		text[i] = string(frame)
	}
	return text
}
