package curve

import (
	"errors"
	"sync"
	"testing"

	"github.com/go-zeromq/zmq4"

	"github.com/znode/znode/sockets"
)

// wiped reports whether both keys of a connection are gone from memory.
func (t *traffic) wiped() bool {
	return t.in.key == [32]byte{} && t.out.key == [32]byte{}
}

// TestWiped: when a connection has ended its keys are overwritten, on both sides, on
// one that was never written to as well.
func TestWiped(t *testing.T) {
	is := newKeys(t)
	for _, send := range []bool{true, false} {
		var mu sync.Mutex
		var all []*traffic
		keep := func(m zmq4.Security) zmq4.Security {
			mu.Lock()
			defer mu.Unlock()
			switch m := m.(type) {
			case *serverConn:
				all = append(all, &m.traffic)
			case *clientConn:
				all = append(all, &m.traffic)
			}
			return m
		}
		serverSide, clientSide := is.mechanism(t, true), is.mechanism(t, false)
		pull := openSocket(t, zmq4.Pull, func(s bool) zmq4.Security { return keep(serverSide(s)) }, nil)
		push := openSocket(t, zmq4.Push, func(s bool) zmq4.Security { return keep(clientSide(s)) }, nil)
		push.connect(t, pull.bind(t))
		pull.event(t, sockets.EventConnected)
		push.event(t, sockets.EventConnected)
		if send {
			if err := push.send([]byte("log-write")); err != nil {
				t.Fatal(err)
			}
			pull.recv(t)
		}
		if len(all) != 2 || all[0].wiped() || all[1].wiped() {
			t.Fatalf("%d connections, keys wiped too early", len(all))
		}
		push.socket.Close() // waits for its goroutines
		pull.event(t, sockets.EventDisconnected)
		pull.socket.Close()
		for _, c := range all {
			if !c.wiped() {
				t.Error("a key is left")
			}
			if _, err := c.Seal(nil, 0, nil); !errors.Is(err, ErrWiped) {
				t.Errorf("Seal: %v", err)
			}
			if _, _, err := c.Open(0, nil); !errors.Is(err, ErrWiped) {
				t.Errorf("Open: %v", err)
			}
		}
	}
}
