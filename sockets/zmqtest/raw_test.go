package zmqtest

import (
	"bytes"
	"net"
	"slices"
	"testing"
)

// TestRawDialsLibzmq subscribes at and reads from a libzmq XPUB.
func TestRawDialsLibzmq(t *testing.T) {
	xpub := Start(t).Socket(t, "XPUB")
	r := Dial(t, xpub.Bind(t, Loopback))
	peer := r.Handshake(t, "SUB", "Identity", "")
	if peer["Socket-Type"] != "XPUB" {
		t.Fatalf("peer's properties %q", peer)
	}
	r.Subscribe(t, "top")
	if got := xpub.RecvText(t); got[0] != "\x01top" {
		t.Fatalf("XPUB got %q", got)
	}
	for _, size := range []int{0, 255, 256, 1 << 20} {
		body := bytes.Repeat([]byte{7}, size)
		xpub.Send(t, []byte("topic"), body)
		if got := r.Recv(t); len(got) != 2 || !bytes.Equal(got[1], body) {
			t.Fatalf("%d bytes came as %d frames", size, len(got))
		}
	}
	xpub.SendText(t, "topic", "before")
	xpub.SendText(t, "top end")
	r.Ping(t)
	if got := r.RecvUntil(t, "top end"); len(got) != 1 || string(got[0][1]) != "before" {
		t.Fatalf("before the marker: %q", got)
	}
	r.Unsubscribe(t, "top")
	if got := xpub.RecvText(t); got[0] != "\x00top" {
		t.Fatalf("XPUB got %q", got)
	}
}

// TestLibzmqDialsRaw accepts a libzmq PUSH and breaks the connection; libzmq
// comes back, and after a broken protocol does not.
func TestLibzmqDialsRaw(t *testing.T) {
	push := Start(t).Socket(t, "PUSH")
	monitor := push.Monitor(t)
	l := Listen(t, Loopback)
	push.Connect(t, l.Endpoint)
	first := l.Accept(t)
	if peer := first.Handshake(t, "PULL"); peer["Socket-Type"] != "PUSH" {
		t.Fatalf("peer's properties %q", peer)
	}
	push.SendText(t, "a", "b")
	if got := first.RecvText(t); !slices.Equal(got, []string{"a", "b"}) {
		t.Fatalf("received %q", got)
	}
	first.Reset()
	second := l.Accept(t)
	second.SendBytes(t, Greeting(0, "NULL", false))
	second.ReadGreeting(t)
	second.SendBytes(t, AppendCommand(nil, "STEADY", nil))
	monitor.Await(t, "HANDSHAKE_FAILED_PROTOCOL")
	second.ReadClosed(t)
}

// TestGarbage sends libzmq what is no ZMTP: the connection is closed and the
// socket serves others.
func TestGarbage(t *testing.T) {
	pull := Start(t).Socket(t, "PULL")
	endpoint := pull.Bind(t, Loopback)
	bad := Dial(t, endpoint)
	bad.SendBytes(t, append(Greeting(0, "NULL", false), "\x04\x03\x05READ"...))
	bad.ReadClosed(t)
	good := DialAs(t, endpoint, "PUSH")
	good.SendText(t, "x")
	if got := pull.RecvText(t); got[0] != "x" {
		t.Fatalf("received %q", got)
	}
}

// TestRawAlone lets two raw peers talk over net.Pipe, where no write is
// buffered, and checks what is kept by Ping.
func TestRawAlone(t *testing.T) {
	here, there := net.Pipe()
	a, b := NewRaw(t, here), NewRaw(t, there)
	written := make(chan error, 1)
	go func() {
		stream := AppendMessage(nil, []byte("kept"), make([]byte, 300))
		stream = AppendCommand(stream, "PONG", []byte("zmqtest"))
		b.ReadFrame(t) // the PING; a fails if it was none
		_, err := b.Write(stream)
		written <- err
	}()
	a.Ping(t)
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	if got := a.Recv(t); len(got) != 2 || string(got[0]) != "kept" || len(got[1]) != 300 {
		t.Fatalf("kept %d frames", len(got))
	}
	b.Close()
	if rest := a.ReadClosed(t); len(rest) != 0 {
		t.Fatalf("%d bytes after the end", len(rest))
	}
}

// TestParseProperties refuses every cut of a READY.
func TestParseProperties(t *testing.T) {
	ready := Ready("Socket-Type", "XPUB", "Identity", "")
	_, data := Frame{Flags: ready[0], Body: ready[2:]}.Command()
	got, ok := parseProperties(data)
	if !ok || len(got) != 2 || got["Socket-Type"] != "XPUB" {
		t.Fatalf("%q, %v", got, ok)
	}
	whole := len("\x0bSocket-Type") + 4 + len("XPUB") // a cut behind the first property is well-formed
	for cut := 1; cut < len(data); cut++ {
		if _, ok := parseProperties(data[:cut]); ok != (cut == whole) {
			t.Fatalf("the first %d bytes: %v", cut, ok)
		}
	}
}
