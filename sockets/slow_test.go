package sockets

import (
	"bytes"
	"encoding/binary"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/znode/znode/sockets/zmqtest"
)

// numbered is a batch of n messages that carry their numbers.
func numbered(first, n, size int) Batch {
	var wire []byte
	var ends []uint32
	for i := range n {
		payload := make([]byte, size)
		binary.BigEndian.PutUint64(payload, uint64(first+i))
		wire = AppendMessage(wire, []byte("t"), payload)
		ends = append(ends, uint32(len(wire)))
	}
	c := newChunk(len(wire))
	copy(c.buf, wire)
	return Batch{chunk: c, data: c.buf[:len(wire)], n: n, ends: ends, peer: newPeer("test")}
}

// tally reads numbered messages up to the marker, checks that they are in order,
// and returns how many there were.
func tally(t *testing.T, r *zmqtest.Raw, marker string) int {
	t.Helper()
	n, next := 0, uint64(0)
	for {
		m := r.Recv(t)
		if string(m[0]) == marker {
			return n
		}
		number := binary.BigEndian.Uint64(m[1])
		if number < next {
			t.Fatalf("message %d after %d", number, next-1)
		}
		next = number + 1
		n++
	}
}

// smallBuffer is a kernel buffer that is soon full, and not so small that TCP
// waits for timers.
const smallBuffer = 32 << 10

// stalled is a subscriber that does not read yet.
func stalled(t *testing.T, endpoint, prefix string) *zmqtest.Raw {
	t.Helper()
	nc := rawSubscriber(t, endpoint, prefix, "end")
	_ = nc.(*net.TCPConn).SetReadBuffer(smallBuffer)
	return zmqtest.NewRaw(t, nc)
}

// TestSlowSubscriber stops one of three subscribers. The others get everything;
// what the stopped one has lost when it reads again is what its counter says, and
// it gets on.
func TestSlowSubscriber(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*Options)
	}{
		{"grace=0", func(o *Options) { o.SlowGrace = 0 }},
		{"grace=20ms", func(o *Options) { o.SlowGrace = 20 * time.Millisecond }},
		{"drop", func(o *Options) { o.NoDrop = false }},
		{"bytes", func(o *Options) { o.SlowGrace, o.SndHWM, o.QueueBytes = 0, 0, 64<<10 }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var events <-chan Event
			x, endpoint := newTestXPUB(t, func(o *Options) {
				o.SndHWM, o.SndBuf = 100, smallBuffer
				tc.change(o)
				events = collectEvents(o)
			})
			slow := stalled(t, endpoint, "t")
			awaitHeld(x, 1, 2) // the first peer is the slow one
			quick := []*zmqtest.Raw{stalled(t, endpoint, "t"), stalled(t, endpoint, "t")}
			awaitHeld(x, 3, 2)
			const rounds, each, size = 200, 50, 500
			for i := range rounds {
				b := numbered(i*each, each, size)
				x.Forward(b)
				b.Release()
				for _, r := range quick {
					for k := range each {
						if got := binary.BigEndian.Uint64(r.Recv(t)[1]); got != uint64(i*each+k) {
							t.Fatalf("a quick subscriber received %d, want %d", got, i*each+k)
						}
					}
				}
			}
			dropped := x.Peers()[0].DroppedMessages
			if dropped == 0 {
				t.Fatal("nothing was dropped: the test stalls nobody")
			}
			// Once it reads, its queue drains and it is served again.
			done := make(chan int)
			go func() { done <- tally(t, slow, "end") }()
			for x.Peers()[0].QueuedMessages > 0 {
				runtime.Gosched()
			}
			if err := x.Publish([]byte("end")); err != nil {
				t.Fatal(err)
			}
			if got := <-done; uint64(got)+dropped != rounds*each {
				t.Errorf("received %d and dropped %d of %d", got, dropped, rounds*each)
			}
			if x.opt.NoDrop {
				// The kernel's buffers may let it catch up a few times.
				for told := uint64(0); told < dropped; {
					awaitEvent(t, events, EventIsolated)
					e := awaitEvent(t, events, EventRejoined)
					told += e.Dropped
					if told > dropped || len(e.Prefixes) != 2 {
						t.Fatalf("event %+v, %d dropped in all and told %d", e, dropped, told)
					}
				}
			}
		})
	}
}

// TestNoDropForEver: with no bound on the grace nothing is ever lost, and the
// publisher goes on as soon as the subscriber does.
func TestNoDropForEver(t *testing.T) {
	x, endpoint := newTestXPUB(t, func(o *Options) { o.SndHWM, o.SndBuf, o.SlowGrace = 10, smallBuffer, -1 })
	slow := stalled(t, endpoint, "t")
	awaitHeld(x, 1, 2)
	const rounds, each = 100, 50
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range rounds {
			b := numbered(i*each, each, 500)
			x.Forward(b)
			b.Release()
		}
		for x.Publish([]byte("end")) == ErrAgain {
			runtime.Gosched()
		}
	}()
	if n := tally(t, slow, "end"); n != rounds*each {
		t.Errorf("received %d of %d", n, rounds*each)
	}
	<-done
	if d := x.Peers()[0].DroppedMessages; d != 0 {
		t.Errorf("%d dropped", d)
	}
}

// TestGraceBudget checks the account on a clock of its own: spent while waited
// for, refilled at a tenth, never more than the grace.
func TestGraceBudget(t *testing.T) {
	at := time.Unix(1000, 0)
	var s slowness
	s.settle(at, time.Second, false)
	if s.budget != time.Second {
		t.Fatalf("budget %v at the start", s.budget)
	}
	for _, step := range []struct {
		spent bool
		pass  time.Duration
		want  time.Duration
	}{
		{true, 300 * time.Millisecond, 700 * time.Millisecond},
		{false, time.Second, 800 * time.Millisecond},
		{true, 900 * time.Millisecond, 0},
		{false, 5 * time.Second, 500 * time.Millisecond},
		{false, time.Hour, time.Second},
	} {
		at = at.Add(step.pass)
		if s.settle(at, time.Second, step.spent); s.budget != step.want {
			t.Errorf("after %v, spent %v: budget %v, want %v", step.pass, step.spent, s.budget, step.want)
		}
	}
}

// TestSlowTogether: a publisher that has something for several full subscribers
// waits for all of them at once, so all their budgets are spent meanwhile.
func TestSlowTogether(t *testing.T) {
	x, endpoint := newTestXPUB(t, func(o *Options) {
		o.SndHWM, o.SndBuf, o.NoDrop, o.SlowGrace = 10, smallBuffer, true, -1
	})
	const subscribers = 3
	for range subscribers {
		stalled(t, endpoint, "t")
	}
	awaitHeld(x, subscribers, 2)
	waitedFor := func(times int) bool {
		x.mu.Lock()
		defer x.mu.Unlock()
		for _, p := range x.slots {
			p.mu.Lock()
			got := p.slow.waiting
			p.mu.Unlock()
			if times == 0 && got != 0 || got < times {
				return false
			}
		}
		return true
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		x.Forward(numbered(0, 1000, 1000)) // more than any buffer takes
	}()
	for !waitedFor(1) {
		runtime.Gosched()
	}
	x.Hurry()
	<-done
	if !waitedFor(0) {
		t.Error("a subscriber is waited for although nobody waits")
	}
}

// TestSegmentsKeepOrder writes to a subscriber that reads in dribbles, so that
// writes end anywhere, and compares every byte.
func TestSegmentsKeepOrder(t *testing.T) {
	x, endpoint := newTestXPUB(t, func(o *Options) { o.SndBuf = smallBuffer })
	slow := stalled(t, endpoint, "t")
	awaitHeld(x, 1, 2)
	var want []byte
	first := 0
	var batches []Batch
	for i := range 120 {
		n := 1 + i*7%60
		b := numbered(first, n, 8+i*37%3000)
		want = append(want, b.data...)
		batches = append(batches, b)
		first += n
	}
	go func() {
		for _, b := range batches {
			x.Forward(b)
			b.Release()
		}
	}()
	got := make([]byte, len(want))
	for at := 0; at < len(got); {
		n, err := slow.Read(got[at:min(len(got), at+1+at%5000)])
		if err != nil {
			t.Fatal(err)
		}
		at += n
	}
	if !bytes.Equal(got, want) {
		t.Error("other bytes arrived")
	}
	p := x.Peers()[0]
	if p.SentMessages+uint64(p.QueuedMessages) != uint64(first) {
		t.Errorf("%d sent and %d queued of %d", p.SentMessages, p.QueuedMessages, first)
	}
}
