package curve

import (
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-zeromq/zmq4"

	"github.com/znode/znode/sockets"
	"github.com/znode/znode/sockets/zmqtest"
)

// A middle stands between two peers, passes one direction on as it is and the
// other one frame by frame, as its change function wants.
type middle struct {
	endpoint string
	target   string
	upward   bool // change what the client sends; else what the server sends
	// change gets the number of the frame after the handshake's commands, from
	// 0, and returns what goes on in its place.
	change func(n int, frame []byte) []byte

	l     net.Listener
	wg    sync.WaitGroup
	mu    sync.Mutex
	conns []net.Conn
}

func newMiddle(t *testing.T, target string, upward bool, change func(int, []byte) []byte) *middle {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &middle{endpoint: "tcp://" + l.Addr().String(), target: strings.TrimPrefix(target, "tcp://"), upward: upward, change: change, l: l}
	m.wg.Go(m.run)
	t.Cleanup(func() {
		l.Close()
		m.mu.Lock()
		for _, nc := range m.conns {
			nc.Close()
		}
		m.mu.Unlock()
		m.wg.Wait()
	})
	return m
}

func (m *middle) run() {
	for {
		down, err := m.l.Accept()
		if err != nil {
			return
		}
		up, err := net.Dial("tcp", m.target)
		if err != nil {
			down.Close()
			continue
		}
		m.mu.Lock()
		m.conns = append(m.conns, down, up)
		m.mu.Unlock()
		from, to := down, up
		if !m.upward {
			from, to = up, down
		}
		m.wg.Go(func() { m.pass(from, to) })
		m.wg.Go(func() {
			io.Copy(from, to)
			from.Close()
			to.Close()
		})
	}
}

// pass passes on the greeting and the two commands of a handshake, and hands what
// follows to change.
func (m *middle) pass(from, to net.Conn) {
	defer from.Close()
	defer to.Close()
	if _, err := io.CopyN(to, from, 64); err != nil {
		return
	}
	for n := -2; ; n++ {
		frame, err := rawFrame(from)
		if err != nil {
			return
		}
		if n >= 0 {
			frame = m.change(n, frame)
		}
		if _, err := to.Write(frame); err != nil {
			return
		}
	}
}

// rawFrame reads one frame with its header.
func rawFrame(r io.Reader) ([]byte, error) {
	frame := make([]byte, 9)
	if _, err := io.ReadFull(r, frame[:2]); err != nil {
		return nil, err
	}
	size, head := int(frame[1]), 2
	if frame[0]&flagLong != 0 {
		if _, err := io.ReadFull(r, frame[2:]); err != nil {
			return nil, err
		}
		size, head = int(frame[6])<<16|int(frame[7])<<8|int(frame[8]), 9 // none is longer here
	}
	frame = append(frame[:head], make([]byte, size)...)
	_, err := io.ReadFull(r, frame[head:])
	return frame, err
}

// attacks are what a middle may do with the frames of a connection.
func attacks() map[string]func(int, []byte) []byte {
	var kept []byte
	return map[string]func(int, []byte) []byte{
		"repeat": func(n int, f []byte) []byte {
			if n == 2 {
				return append(append([]byte(nil), f...), f...)
			}
			return f
		},
		"repeat later": func(n int, f []byte) []byte {
			switch n {
			case 1:
				kept = append([]byte(nil), f...)
			case 3:
				return append(append([]byte(nil), kept...), f...)
			}
			return f
		},
		"swap": func(n int, f []byte) []byte {
			switch n {
			case 2:
				kept = append([]byte(nil), f...)
				return nil
			case 3:
				return append(f, kept...)
			}
			return f
		},
		"flip": func(n int, f []byte) []byte {
			if n == 2 {
				f[len(f)-1] ^= 1
			}
			return f
		},
		"plaintext": func(n int, f []byte) []byte {
			if n == 2 {
				return []byte("\x00\x05event")
			}
			return f
		},
		"MORE outside": func(n int, f []byte) []byte {
			if n == 2 {
				f[0] |= flagMore
			}
			return f
		},
	}
}

// TestMiddle: what somebody on the way does to frames ends that one connection,
// with peer and reason; nothing of the wrong frame comes out, other peers notice
// nothing, and the next connection works.
func TestMiddle(t *testing.T) {
	is := newKeys(t)
	for _, server := range []bool{true, false} {
		for name, change := range attacks() {
			t.Run(map[bool]string{true: "server/", false: "client/"}[server]+name, func(t *testing.T) {
				attack := change
				var once sync.Once
				// The attack is on the first connection only.
				change := func(n int, f []byte) []byte {
					if attack == nil {
						return f
					}
					f = attack(n, f)
					if n == 3 {
						once.Do(func() { attack = nil })
					}
					return f
				}
				pull := openSocket(t, zmq4.Pull, is.mechanism(t, server), nil)
				push := openSocket(t, zmq4.Push, is.mechanism(t, !server), func(o *sockets.Options) { o.Linger = 0 })
				other := openSocket(t, zmq4.Push, is.mechanism(t, !server), nil)
				if server {
					endpoint := pull.bind(t)
					push.connect(t, newMiddle(t, endpoint, true, change).endpoint)
					other.connect(t, endpoint)
				} else {
					pull.connect(t, newMiddle(t, push.bind(t), false, change).endpoint)
					pull.connect(t, other.bind(t))
				}
				push.event(t, sockets.EventConnected)
				for n := range 4 {
					if err := push.send([]byte{'a' + byte(n)}); err != nil {
						t.Fatal(err)
					}
				}
				lost := pull.event(t, sockets.EventDisconnected)
				if lost.Reason != sockets.ReasonSecurity || lost.Addr == "" || lost.Peer == nil {
					t.Errorf("disconnected: reason %q, peer %q, %v", lost.Reason, lost.Addr, lost.Err)
				}
				var p *sockets.ProtocolError
				if !errors.As(lost.Err, &p) {
					t.Errorf("disconnected: %v", lost.Err)
				}
				if err := other.send([]byte("undisturbed")); err != nil {
					t.Fatal(err)
				}
				seen := ""
				for {
					m := pull.recv(t)
					if string(m.frames[0]) == "undisturbed" {
						break
					}
					seen += string(m.frames[0])
				}
				// In order, without repetition, and nothing of the wrong frame. What
				// was not handed over yet may go with the connection. A frame that
				// only overtook another one is no worse than one whose
				// predecessor was left out, which nonces do not show.
				most := "abcd"
				if name == "swap" {
					most = "abd"
				}
				if !strings.HasPrefix(most, seen) {
					t.Errorf("received %q", seen)
				}
				push.event(t, sockets.EventConnected) // again
				// And the old connection does not get anything any more.
				for deadline := time.Now().Add(patience); len(push.socket.Peers()) > 1; runtime.Gosched() {
					if time.Now().After(deadline) {
						t.Fatalf("the connection that was attacked is there after %v", patience)
					}
				}
				if err := push.send([]byte("again")); err != nil {
					t.Fatal(err)
				}
				for string(pull.recv(t).frames[0]) != "again" {
				}
			})
		}
	}
}

// TestMiddleLibzmq does it to libzmq's frames.
func TestMiddleLibzmq(t *testing.T) {
	is := newKeys(t)
	p := zmqtest.Start(t)
	for name, change := range attacks() {
		t.Run(name, func(t *testing.T) {
			pull := openSocket(t, zmq4.Pull, is.mechanism(t, true), nil)
			push := theirs(t, p, "PUSH", is, false)
			defer push.Close(t, 0)
			monitor := push.Monitor(t)
			push.Connect(t, newMiddle(t, pull.bind(t), true, change).endpoint)
			for _, text := range []string{"a", "b", "c", "d"} {
				push.SendText(t, text)
			}
			if lost := pull.event(t, sockets.EventDisconnected); lost.Reason != sockets.ReasonSecurity {
				t.Errorf("reason %q, %v", lost.Reason, lost.Err)
			}
			monitor.Await(t, "DISCONNECTED")
		})
	}
}
