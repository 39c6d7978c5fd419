package sockets

import (
	"net"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// polledPair is a stream of the poller and the descriptor of its other end.
func polledPair(t *testing.T, p *poller) (*stream, int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(fds[0]), "stream")
	nc, err := net.FileConn(file)
	file.Close()
	if err != nil {
		t.Fatal(err)
	}
	st := openStream(nc, p)
	if st == nil {
		t.Fatal("no stream")
	}
	t.Cleanup(func() {
		st.release()
		unix.Close(fds[1])
	})
	return st, fds[1]
}

func newTestPoller(t *testing.T) *poller {
	t.Helper()
	p, err := newPoller()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.close)
	return p
}

func sendByte(t *testing.T, fd int) {
	t.Helper()
	if _, err := unix.Write(fd, []byte{1}); err != nil {
		t.Fatal(err)
	}
}

// More streams become readable at once than one look tells of.
func TestPollerTellsAll(t *testing.T) {
	p := newTestPoller(t)
	var all []*stream
	for range pollBatch + 50 {
		st, other := polledPair(t, p)
		sendByte(t, other)
		all = append(all, st)
	}
	for _, st := range all {
		st.arm(pollIn)
	}
	for _, st := range all {
		<-st.readable
	}
}

// Whatever the poller is doing, between two looks or back with the runtime, what
// comes is told of: armed before it comes and after.
func TestPollerMissesNothing(t *testing.T) {
	p := newTestPoller(t)
	st, other := polledPair(t, p)
	buf := make([]byte, 1)
	for i := range 20_000 {
		if i%2 == 0 {
			st.arm(pollIn)
			sendByte(t, other)
		} else {
			sendByte(t, other)
			st.arm(pollIn)
		}
		<-st.readable
		if n, again, err := st.read(buf); n != 1 || again || err != nil {
			t.Fatalf("round %d: read %d, %v, %v", i, n, again, err)
		}
	}
}

// Nothing has happened yet when the poller is closed, or something has.
func TestPollerCloses(t *testing.T) {
	for _, events := range []bool{false, true} {
		p, err := newPoller()
		if err != nil {
			t.Fatal(err)
		}
		st, other := polledPair(t, p)
		if events {
			st.arm(pollIn)
			sendByte(t, other)
			<-st.readable
		}
		p.close()
	}
}
