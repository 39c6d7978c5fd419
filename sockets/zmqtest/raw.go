package zmqtest

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"
)

// maxRawFrame is the largest frame a Raw accepts, in bytes.
const maxRawFrame = 1 << 30

// A Raw is one connection that sends and receives what the test tells it to,
// byte by byte or as ZMTP 3.0 with the NULL mechanism. Reading and writing may
// go on at once, each from one goroutine. It is closed with the test.
//
// As an io.Reader and io.Writer it moves bytes without looking at them, within
// [Patience] each time, for hot paths: AppendMessage once, then Write.
type Raw struct {
	Conn net.Conn

	r     *bufio.Reader
	ahead []Frame // read by Ping, not yet returned
}

// Dial connects to a tcp or ipc endpoint and sends nothing.
func Dial(tb testing.TB, endpoint string) *Raw {
	tb.Helper()
	network, address := address(tb, endpoint)
	conn, err := net.DialTimeout(network, address, Patience)
	if err != nil {
		tb.Fatalf("zmqtest: raw peer: %v", err)
	}
	return NewRaw(tb, conn)
}

// DialAs connects and shakes hands as a socket of this type.
func DialAs(tb testing.TB, endpoint, socketType string) *Raw {
	tb.Helper()
	r := Dial(tb, endpoint)
	r.Handshake(tb, socketType)
	return r
}

// NewRaw makes a peer of any connection, such as an end of net.Pipe, and
// closes it with the test.
func NewRaw(tb testing.TB, conn net.Conn) *Raw {
	tb.Cleanup(func() { conn.Close() })
	return &Raw{Conn: conn, r: bufio.NewReaderSize(conn, 64<<10)}
}

// Handshake does the whole ZMTP 3.0 NULL handshake as a socket of this type
// with these further properties, names and values in turn, and returns the
// peer's properties.
func (r *Raw) Handshake(tb testing.TB, socketType string, properties ...string) map[string]string {
	tb.Helper()
	r.SendBytes(tb, Greeting(0, "NULL", false))
	r.ReadGreeting(tb)
	r.SendBytes(tb, Ready(append([]string{"Socket-Type", socketType}, properties...)...))
	return r.ReadReady(tb)
}

// ReadGreeting reads the peer's 64-byte greeting.
func (r *Raw) ReadGreeting(tb testing.TB) []byte {
	tb.Helper()
	greeting := make([]byte, greetingSize)
	if _, err := io.ReadFull(r, greeting); err != nil {
		tb.Fatalf("zmqtest: raw peer: greeting: %v", err)
	}
	return greeting
}

// ReadReady reads the peer's READY command and returns its properties.
func (r *Raw) ReadReady(tb testing.TB) map[string]string {
	tb.Helper()
	frame := r.ReadFrame(tb)
	name, data := frame.Command()
	properties, ok := parseProperties(data)
	if name != "READY" || !ok {
		tb.Fatalf("zmqtest: raw peer: no READY: flags %#x, %q", frame.Flags, frame.Body)
	}
	return properties
}

// Write implements io.Writer on the connection.
func (r *Raw) Write(b []byte) (int, error) {
	r.Conn.SetWriteDeadline(time.Now().Add(Patience))
	return r.Conn.Write(b)
}

// Read implements io.Reader on the connection. It does not see the frames that
// Ping has kept for Recv.
func (r *Raw) Read(b []byte) (int, error) {
	r.Conn.SetReadDeadline(time.Now().Add(Patience))
	return r.r.Read(b)
}

// SendBytes sends bytes as they are.
func (r *Raw) SendBytes(tb testing.TB, b []byte) {
	tb.Helper()
	if _, err := r.Write(b); err != nil {
		tb.Fatalf("zmqtest: raw peer: %v", err)
	}
}

// Send sends one message of these frames.
func (r *Raw) Send(tb testing.TB, frames ...[]byte) {
	tb.Helper()
	r.SendBytes(tb, AppendMessage(nil, frames...))
}

// SendText is Send for frames that are text.
func (r *Raw) SendText(tb testing.TB, frames ...string) {
	tb.Helper()
	r.Send(tb, Frames(frames...)...)
}

// Subscribe sends a subscription as a ZMTP 3.0 message.
func (r *Raw) Subscribe(tb testing.TB, prefix string) {
	tb.Helper()
	r.SendText(tb, "\x01"+prefix)
}

// Unsubscribe sends a cancellation as a ZMTP 3.0 message.
func (r *Raw) Unsubscribe(tb testing.TB, prefix string) {
	tb.Helper()
	r.SendText(tb, "\x00"+prefix)
}

// ReadFrame reads the next frame, message or command.
func (r *Raw) ReadFrame(tb testing.TB) Frame {
	tb.Helper()
	if len(r.ahead) > 0 {
		frame := r.ahead[0]
		r.ahead = r.ahead[1:]
		return frame
	}
	frame, err := r.readFrame()
	if err != nil {
		tb.Fatalf("zmqtest: raw peer: frame: %v", err)
	}
	return frame
}

// readFrame reads a frame from the connection.
func (r *Raw) readFrame() (Frame, error) {
	var head [9]byte
	if _, err := io.ReadFull(r, head[:2]); err != nil {
		return Frame{}, err
	}
	size := uint64(head[1])
	if head[0]&FlagLong != 0 {
		if _, err := io.ReadFull(r, head[2:]); err != nil {
			return Frame{}, err
		}
		size = binary.BigEndian.Uint64(head[1:])
	}
	if size > maxRawFrame {
		return Frame{}, io.ErrShortBuffer
	}
	frame := Frame{Flags: head[0], Body: make([]byte, size)}
	_, err := io.ReadFull(r, frame.Body)
	return frame, err
}

// Recv returns the frames of the next message. A command in its place fails
// the test; where commands may come, read with ReadFrame.
func (r *Raw) Recv(tb testing.TB) [][]byte {
	tb.Helper()
	var frames [][]byte
	for {
		frame := r.ReadFrame(tb)
		if frame.Flags&FlagCommand != 0 {
			tb.Fatalf("zmqtest: raw peer: a command where a message was expected: %q", frame.Body)
		}
		frames = append(frames, frame.Body)
		if frame.Flags&FlagMore == 0 {
			return frames
		}
	}
}

// RecvText is Recv for frames that are text.
func (r *Raw) RecvText(tb testing.TB) []string {
	tb.Helper()
	return Text(r.Recv(tb))
}

// RecvUntil returns all messages that come before one whose first frame is the
// marker, as [Socket.RecvUntil] does.
func (r *Raw) RecvUntil(tb testing.TB, marker string) [][][]byte {
	tb.Helper()
	var before [][][]byte
	for {
		frames := r.Recv(tb)
		if string(frames[0]) == marker {
			return before
		}
		before = append(before, frames)
	}
}

// Ping sends a PING and waits for its PONG (RFC 37): the peer has read all
// that was sent before. Frames that came first are kept for ReadFrame and Recv.
func (r *Raw) Ping(tb testing.TB) {
	tb.Helper()
	const context = "zmqtest"
	r.SendBytes(tb, AppendCommand(nil, "PING", append([]byte{0, 0}, context...)))
	for {
		frame, err := r.readFrame()
		if err != nil {
			tb.Fatalf("zmqtest: raw peer: waiting for PONG: %v", err)
		}
		if name, data := frame.Command(); name == "PONG" && string(data) == context {
			return
		}
		r.ahead = append(r.ahead, frame)
	}
}

// ReadClosed waits until the peer closes the connection, orderly or by a
// reset, and returns the bytes that it sent until then.
func (r *Raw) ReadClosed(tb testing.TB) []byte {
	tb.Helper()
	rest, err := io.ReadAll(r)
	if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
		tb.Fatalf("zmqtest: raw peer: the connection is still open after %v without a byte; %d bytes came before", Patience, len(rest))
	}
	return rest
}

// Close closes the connection in order.
func (r *Raw) Close() { r.Conn.Close() }

// Reset breaks the connection: the peer gets a TCP reset.
func (r *Raw) Reset() {
	if tcp, ok := r.Conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	r.Conn.Close()
}
