package sockets

import (
	"context"
	"net"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/znode/znode/sockets/zmqtest"
)

// TestDrain: what the senders have handed over before Drain is taken in, however
// slow the handler is, and a connection that is silent or in its handshake does
// not hold it up.
func TestDrain(t *testing.T) {
	var got atomic.Int64
	hold := make(chan struct{})
	opt := DefaultOptions()
	opt.RcvHWM = 10
	x, err := NewPULL(opt, func(b Batch) {
		<-hold
		got.Add(int64(b.Len()))
	})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	endpoint, err := x.Bind(zmqtest.Loopback)
	if err != nil {
		t.Fatal(err)
	}
	zmqtest.Dial(t, endpoint)           // silent
	zmqtest.DialAs(t, endpoint, "PUSH") // nothing to say
	const senders, each = 3, 200
	for range senders {
		push := zmqtest.DialAs(t, endpoint, "PUSH")
		for range each {
			push.Send(t, []byte("log-write"), make([]byte, 100))
		}
		push.Close() // all of it is in the kernel's hands now
	}
	// The silent one is accepted before the others, and whose handshake is not done
	// yet has no more time for it than a silent one.
	for len(x.Peers()) < senders+1 {
		runtime.Gosched()
	}
	drained := make(chan error)
	ctx, cancel := context.WithTimeout(context.Background(), zmqtest.Patience)
	defer cancel()
	go func() { drained <- x.Drain(ctx) }()
	close(hold)
	if err := <-drained; err != nil {
		t.Errorf("drain: %v", err)
	}
	if n := got.Load(); n != senders*each {
		t.Errorf("received %d of %d", n, senders*each)
	}
	if _, err := x.Bind(endpoint); err != nil {
		t.Errorf("the endpoint is still in use: %v", err)
	}
}

// A lateConn waits in one call of SetDeadline.
type lateConn struct {
	net.Conn
	calls, late int // late is the number of that call
	there, on   chan struct{}
}

func (c *lateConn) SetDeadline(t time.Time) error {
	if c.calls++; c.calls == c.late {
		close(c.there)
		<-c.on
	}
	return c.Conn.SetDeadline(t)
}

// TestDrainDuringHandshake: Drain ends a silent connection also when the bound of
// its handshake is set, or ended, only then.
func TestDrainDuringHandshake(t *testing.T) {
	for late := 1; late <= 2; late++ {
		opt := DefaultOptions()
		opt.HandshakeTimeout = time.Hour
		x, err := NewPULL(opt, func(Batch) {})
		if err != nil {
			t.Fatal(err)
		}
		defer x.Close()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		peer := zmqtest.Dial(t, "tcp://"+l.Addr().String())
		nc, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		c := &lateConn{Conn: nc, late: late, there: make(chan struct{}), on: make(chan struct{})}
		if err := x.Attach(c, "late"); err != nil {
			t.Fatal(err)
		}
		if late == 2 {
			peer.Handshake(t, "PUSH")
		}
		<-c.there
		drained := make(chan error)
		ctx, cancel := context.WithTimeout(context.Background(), zmqtest.Patience)
		defer cancel()
		go func() { drained <- x.Drain(ctx) }()
		for begun := false; !begun; runtime.Gosched() {
			x.mu.Lock() // Drain does under it what it does at once
			begun = x.draining.Load()
			x.mu.Unlock()
		}
		close(c.on)
		if err := <-drained; err != nil {
			t.Errorf("call %d: %v", late, err)
		}
	}
}

// TestDrainEnds: a sender that never stops does not keep Drain beyond its time.
func TestDrainEnds(t *testing.T) {
	x, err := NewPULL(DefaultOptions(), func(Batch) {})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	endpoint, err := x.Bind(zmqtest.Loopback)
	if err != nil {
		t.Fatal(err)
	}
	push := zmqtest.DialAs(t, endpoint, "PUSH")
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		msg := zmqtest.AppendMessage(nil, make([]byte, 1000))
		for {
			if _, err := push.Write(msg); err != nil {
				return
			}
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_ = x.Drain(ctx) // it may find a moment when nothing is there
	x.Close()
	<-ended
}
