package sockets

import (
	"fmt"
	"io"
	"net"
	"runtime"
	"sync"
	"testing"

	"github.com/znode/znode/sockets/zmqtest"
)

// testBatch is a batch of n messages as an XSUB would hand it over, with topics
// in turn.
func testBatch(n, size int, topics ...string) Batch {
	var wire []byte
	var ends, firsts []uint32
	for i := range n {
		if i == 0 || topics[i%len(topics)] != topics[(i-1)%len(topics)] {
			firsts = append(firsts, uint32(i))
		}
		wire = AppendMessage(wire, []byte(topics[i%len(topics)]), []byte("zeromq_worker-1_host_1_N1"),
			[]byte("broker-bin-v1"), make([]byte, size))
		ends = append(ends, uint32(len(wire)))
	}
	c := newChunk(len(wire))
	copy(c.buf, wire)
	return Batch{chunk: c, data: c.buf[:len(wire)], n: n, ends: ends, firsts: firsts, peer: newPeer("test")}
}

// subscribers connects n raw subscribers that read whatever comes, and returns
// when the XPUB knows their subscriptions.
func subscribers(tb testing.TB, x *XPUB, endpoint string, n int, prefixes ...string) {
	tb.Helper()
	var wg sync.WaitGroup
	var all []net.Conn
	for range n {
		nc := rawSubscriber(tb, endpoint, prefixes...)
		all = append(all, nc)
		wg.Go(func() { _, _ = io.Copy(io.Discard, nc) })
	}
	tb.Cleanup(func() {
		for _, nc := range all {
			nc.Close()
		}
		wg.Wait()
	})
	awaitHeld(x, n, len(prefixes))
}

// awaitHeld waits until that many peers hold that many subscriptions each.
func awaitHeld(x *XPUB, peers, subs int) {
	for !held(x, peers, subs) {
		runtime.Gosched()
	}
}

func held(x *XPUB, peers, subs int) bool {
	list := x.Peers()
	if len(list) < peers {
		return false
	}
	for _, p := range list {
		if p.Subscriptions < subs {
			return false
		}
	}
	return true
}

// rawSubscriber is a subscriber of a few lines that leaves reading to the caller.
func rawSubscriber(tb testing.TB, endpoint string, prefixes ...string) net.Conn {
	tb.Helper()
	e, err := ParseEndpoint(endpoint)
	if err != nil {
		tb.Fatal(err)
	}
	network, address := e.dialAddress()
	nc, err := net.Dial(network, address)
	if err != nil {
		tb.Fatal(err)
	}
	out := append(zmqtest.Greeting(0, "NULL", false), zmqtest.Ready("Socket-Type", "SUB")...)
	for _, p := range prefixes {
		out = zmqtest.AppendMessage(out, []byte("\x01"+p))
	}
	if _, err := nc.Write(out); err != nil {
		tb.Fatal(err)
	}
	if _, err := io.ReadFull(nc, make([]byte, greetingSize)); err != nil {
		tb.Fatal(err)
	}
	if _, _, err := ReadCommand(nc); err != nil {
		tb.Fatal(err)
	}
	return nc
}

func newTestXPUB(tb testing.TB, change func(*Options)) (*XPUB, string) {
	tb.Helper()
	opt := DefaultOptions()
	opt.NoDrop, opt.SlowGrace, opt.Linger = true, -1, 0
	if change != nil {
		change(&opt)
	}
	x, err := NewXPUB(opt, nil)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { x.Close() })
	endpoint, err := x.Bind("tcp://127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	return x, endpoint
}

var forwardCases = []struct {
	subs, size int
	topics     []string
	prefixes   []string
}{
	{1, 200, []string{"zeek/a"}, []string{"zeek/"}},
	{8, 200, []string{"zeek/a"}, []string{""}},
	{4, 200, []string{"a", "b", "c", "d", "e", "f", "g", "h"}, []string{"a", "c", "", "gg"}},
	{4, 200, []string{"a", "b", "c", "d", "e", "f", "g", "h"}, []string{"a"}},
	{1, 65536, []string{"zeek/a"}, []string{"zeek/"}},
}

// TestForwardAllocates guards the broker's hot path: routing, queueing and
// writing a batch allocates nothing.
func TestForwardAllocates(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool forget at random")
	}
	PoisonReleased(false)
	defer PoisonReleased(true)
	for _, tc := range forwardCases {
		t.Run(fmt.Sprintf("subs=%d/size=%d/topics=%d/prefixes=%d", tc.subs, tc.size, len(tc.topics), len(tc.prefixes)), func(t *testing.T) {
			x, endpoint := newTestXPUB(t, nil)
			subscribers(t, x, endpoint, tc.subs, tc.prefixes...)
			b := testBatch(max(8, 64<<10/tc.size), tc.size, tc.topics...)
			for range 200 {
				x.Forward(b)
			}
			per := testing.AllocsPerRun(300, func() { x.Forward(b) }) / float64(b.Len())
			if per > 0.01 {
				t.Errorf("%.3f allocations per message", per)
			}
			may := func(topic []byte) bool { return len(topic) > 0 }
			if per := testing.AllocsPerRun(300, func() { x.ForwardIf(b, may) }) / float64(b.Len()); per > 0.01 {
				t.Errorf("%.3f allocations per message of a sender that is judged", per)
			}
		})
	}
}

// TestUpTo: what the kernel has taken of a run is whole messages and a rest.
func TestUpTo(t *testing.T) {
	b := testBatch(7, 20, "a", "longer topic")
	for from := range b.n {
		for to := from + 1; to <= b.n; to++ {
			data, _ := b.span(from, to)
			for n := range len(data) + 1 {
				msgs, end := 0, 0
				for end < len(data) && messageEnd(data, end) <= n {
					end = messageEnd(data, end)
					msgs++
				}
				if m, e := b.upTo(run{from, to}, n); m != msgs || e != end {
					t.Fatalf("messages %d to %d, %d bytes: %d messages of %d bytes, want %d of %d", from, to, n, m, e, msgs, end)
				}
			}
		}
	}
}

// TestReceiveAllocates guards the reader: finding the messages allocates nothing.
func TestReceiveAllocates(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool forget at random")
	}
	x, err := NewPULL(DefaultOptions(), func(b Batch) { b.Keep().Release() })
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	c, done := idleConn(&x.socket)
	defer done()
	b := testBatch(100, 200, "log-write", "log-write", "zeek.control")
	for _, topics := range []bool{false, true} {
		c.rd.topics = topics
		if per := testing.AllocsPerRun(500, func() {
			if err := feed(c, b.data, 8192); err != nil {
				t.Fatal(err)
			}
		}); per != 0 {
			t.Errorf("%.2f allocations per batch, with topics %v", per, topics)
		}
	}
}

// idleConn is a connection nobody writes to.
func idleConn(s *socket) (c *conn, done func()) {
	a, b := net.Pipe()
	c = newConn(s, a, nil, newPipe(s, "test"))
	return c, func() {
		c.close()
		c.rd.drop()
		b.Close()
	}
}

func BenchmarkForward(b *testing.B) {
	for _, tc := range forwardCases {
		b.Run(fmt.Sprintf("subs=%d/size=%d/topics=%d/prefixes=%d", tc.subs, tc.size, len(tc.topics), len(tc.prefixes)), func(b *testing.B) {
			PoisonReleased(false)
			defer PoisonReleased(true)
			x, endpoint := newTestXPUB(b, nil)
			subscribers(b, x, endpoint, tc.subs, tc.prefixes...)
			batch := testBatch(max(8, 64<<10/tc.size), tc.size, tc.topics...)
			b.SetBytes(int64(len(batch.data)))
			b.ReportAllocs()
			for b.Loop() {
				x.Forward(batch)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch.n), "ns/msg")
		})
	}
}

func BenchmarkReceive(b *testing.B) {
	for _, size := range []int{50, 200, 2000} {
		b.Run(fmt.Sprintf("size=%d", size), func(b *testing.B) {
			PoisonReleased(false)
			defer PoisonReleased(true)
			x, err := NewPULL(DefaultOptions(), func(Batch) {})
			if err != nil {
				b.Fatal(err)
			}
			defer x.Close()
			c, done := idleConn(&x.socket)
			defer done()
			batch := testBatch(128<<10/size, size, "zeek/topic")
			b.SetBytes(int64(len(batch.data)))
			b.ReportAllocs()
			for b.Loop() {
				if err := feed(c, batch.data, 64<<10); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch.n), "ns/msg")
		})
	}
}
