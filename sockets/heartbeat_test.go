package sockets

import (
	"runtime"
	"testing"
	"time"
)

// beating makes an option of a heartbeat that the test beats itself.
func beating(o *Options) {
	o.HeartbeatInterval, o.HeartbeatTimeout = 24*time.Hour, time.Second
}

// onlyConn is the connection of a socket that has one.
func onlyConn(s *socket) *conn {
	for {
		for _, p := range s.allPipes() {
			p.mu.Lock()
			c := p.conn
			p.mu.Unlock()
			if c != nil {
				return c
			}
		}
		runtime.Gosched()
	}
}

// TestHeartbeatWhileHandling: a peer whose messages the handler holds back is not
// silent, or whoever is waited for somewhere would cost others their connections.
func TestHeartbeatWhileHandling(t *testing.T) {
	x, endpoint := newTestXPUB(t, beating)
	x.Pause()
	nc := rawSubscriber(t, endpoint, "t")
	defer nc.Close()
	c := onlyConn(&x.socket)
	for !c.handling.Load() {
		runtime.Gosched()
	}
	at := time.Unix(1000, 0)
	asked := make(map[*conn]time.Time)
	for range 5 {
		x.beat(at, asked)
		at = at.Add(time.Minute)
	}
	if c.closed.Load() {
		t.Fatal("a peer is taken for silent while it is not listened to")
	}
	x.Resume()
	for c.handling.Load() {
		runtime.Gosched()
	}
	x.beat(at, asked)
	if got := take(t, nc, 9); string(got) != "\x04\x07\x04PING\x00\x00" {
		t.Errorf("received %q", got)
	}
	x.beat(at.Add(time.Minute), asked)
	if !c.closed.Load() {
		t.Error("a silent peer stays")
	}
}

// TestHeartbeatQueuesOnePing: a peer that talks and does not read is asked once.
func TestHeartbeatQueuesOnePing(t *testing.T) {
	x, endpoint := newTestXPUB(t, func(o *Options) {
		beating(o)
		o.SndBuf = smallBuffer
	})
	stalled(t, endpoint, "t")
	awaitHeld(x, 1, 2)
	const messages = 10
	for range messages {
		if err := x.Publish([]byte("t"), make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	c := onlyConn(&x.socket)
	at := time.Unix(1000, 0)
	asked := make(map[*conn]time.Time)
	for range 5 {
		c.heard.Store(true)
		x.beat(at, asked)
	}
	p := x.Peers()[0]
	if n := int(p.SentMessages) + p.QueuedMessages; n != messages+1 {
		t.Errorf("%d PINGs are queued, want 1", n-messages)
	}
}

// TestHeartbeatAnsweredBeforeItCounts: the answer to a PING may come before whoever
// wrote it has counted it as sent. The peer is asked again later, and not taken for
// silent because it was not.
func TestHeartbeatAnsweredBeforeItCounts(t *testing.T) {
	x, endpoint := newTestXPUB(t, beating)
	nc := rawSubscriber(t, endpoint, "t")
	defer nc.Close()
	awaitHeld(x, 1, 1)
	c := onlyConn(&x.socket)
	for c.handling.Load() {
		runtime.Gosched()
	}
	c.heard.Store(true)
	c.pinged = 1 // and nothing was sent
	at := time.Unix(1000, 0)
	asked := make(map[*conn]time.Time)
	x.beat(at, asked)
	if n := x.Peers()[0].QueuedMessages; n != 0 {
		t.Fatalf("%d PINGs are queued behind one that counts as not sent", n)
	}
	c.pinged = 0
	at = at.Add(x.opt.HeartbeatTimeout)
	x.beat(at, asked)
	if c.closed.Load() {
		t.Fatal("a peer that was not asked is taken for silent")
	}
	if got := take(t, nc, 9); string(got) != "\x04\x07\x04PING\x00\x00" {
		t.Errorf("received %q", got)
	}
	x.beat(at.Add(x.opt.HeartbeatTimeout), asked)
	if !c.closed.Load() {
		t.Error("a silent peer stays")
	}
}
