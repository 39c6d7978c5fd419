package sockets

import (
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/znode/znode/sockets/zmqtest"
)

// take reads so many bytes.
func take(t *testing.T, nc net.Conn, n int) []byte {
	t.Helper()
	_ = nc.SetReadDeadline(time.Now().Add(time.Minute))
	got := make([]byte, n)
	if _, err := io.ReadFull(nc, got); err != nil {
		t.Fatal(err)
	}
	return got
}

// queued returns the messages queued for all peers.
func queued(x *XPUB) (n int) {
	for _, p := range x.Peers() {
		n += p.QueuedMessages
	}
	return n
}

// TestTurn looks at what a reader that has more to read puts off: nothing is
// written before the turn's end, then all of it in order.
func TestTurn(t *testing.T) {
	x, endpoint := newTestXPUB(t, nil)
	a, b := rawSubscriber(t, endpoint, "a"), rawSubscriber(t, endpoint, "b")
	defer a.Close()
	defer b.Close()
	awaitHeld(x, 2, 1)
	var of turn
	batch := testBatch(10, 100, "a", "b")
	batch.turn = &of
	x.Forward(batch)
	x.Forward(batch)
	if n := queued(x); n != 20 {
		t.Fatalf("%d messages are put off, want 20", n)
	}
	batch.Flush()
	awaitSent(x)
	for i, nc := range []net.Conn{a, b} {
		var want []byte
		for range 2 {
			j := 0
			for m := range batch.Messages() {
				if j%2 == i {
					want = append(want, m...)
				}
				j++
			}
		}
		if !slices.Equal(take(t, nc, len(want)), want) {
			t.Errorf("subscriber %d got other bytes", i)
		}
	}
	// Without more to read nothing is put off.
	batch.turn = nil
	x.Forward(batch)
	awaitSent(x)
}

// awaitSent waits until nothing is queued.
func awaitSent(x *XPUB) {
	for queued(x) > 0 {
		runtime.Gosched()
	}
}

// TestTurnIsBounded puts off until it is too much.
func TestTurnIsBounded(t *testing.T) {
	x, endpoint := newTestXPUB(t, func(o *Options) { o.SndHWM = 0 })
	subscribers(t, x, endpoint, 1, "a")
	var of turn
	defer of.end()
	batch := testBatch(40, 200, "a", "b")
	batch.turn = &of
	share := len(batch.data) / 2
	for put := share; put < turnBytes/2; put += share {
		x.Forward(batch)
		if n := x.Peers()[0].SentMessages; n > 0 {
			t.Fatalf("%d messages are sent when %d bytes are put off", n, put)
		}
	}
	for put := 0; put < turnBytes; put += share {
		x.Forward(batch)
	}
	if x.Peers()[0].SentMessages == 0 {
		t.Errorf("nothing is sent although more than %d bytes were put off", turnBytes)
	}
}

// TestTurnLeavesRoom: what is put off does not fill a queue.
func TestTurnLeavesRoom(t *testing.T) {
	const hwm = 8
	x, endpoint := newTestXPUB(t, func(o *Options) { o.SndHWM = hwm })
	subscribers(t, x, endpoint, 1, "a")
	var of turn
	defer of.end()
	batch := testBatch(1, 200, "a")
	batch.turn = &of
	for range hwm / 2 {
		x.Forward(batch)
	}
	if n := queued(x); n != hwm/2 {
		t.Fatalf("%d messages are put off, want %d", n, hwm/2)
	}
	x.Forward(batch)
	if n := queued(x); n > 0 {
		t.Errorf("%d messages are put off, of at most %d that may be queued", n, hwm)
	}
}

// TestTurnEndsBeforeWaiting has one subscriber hold its publisher back: what was
// put off for another one must not wait for that.
func TestTurnEndsBeforeWaiting(t *testing.T) {
	const hwm = 10
	x, endpoint := newTestXPUB(t, func(o *Options) { o.SndHWM, o.SndBuf = hwm, 1 })
	stopped, reads := rawSubscriber(t, endpoint, "stopped"), rawSubscriber(t, endpoint, "reads")
	defer stopped.Close()
	defer reads.Close()
	awaitHeld(x, 2, 1)

	var of turn
	for fill := testBatch(1, 256<<10, "stopped"); queued(x) < hwm; {
		x.Forward(fill)
	}
	few := testBatch(2, 100, "reads", "none")
	few.turn = &of
	x.Forward(few)
	more := testBatch(2, 100, "stopped", "none")
	more.turn = &of
	waits := make(chan struct{})
	go func() {
		defer close(waits)
		x.Forward(more)
	}()
	first := messageEnd(few.data, 0)
	if got := take(t, reads, first); !slices.Equal(got, few.data[:first]) {
		t.Error("the message put off came garbled")
	}
	stopped.Close()
	<-waits
}

// TestReaderEndsTurns sends through a whole XSUB and XPUB: all arrives, also what
// came last, although the publisher stays connected and says no more.
func TestReaderEndsTurns(t *testing.T) {
	x, endpoint := newTestXPUB(t, nil)
	_, publisher := forwarder(t, x)
	var topics []string
	for i := range 16 {
		topics = append(topics, fmt.Sprintf("t%02d", i))
	}
	var subs []net.Conn
	for _, topic := range topics {
		nc := rawSubscriber(t, endpoint, topic)
		defer nc.Close()
		subs = append(subs, nc)
	}
	awaitHeld(x, len(subs), 1)
	const rounds = 500
	batch := testBatch(len(topics), 200, topics...)
	size := len(batch.data) / len(topics)
	go func() {
		for range rounds {
			if _, err := publisher.Write(batch.data); err != nil {
				return
			}
		}
	}()
	done := make(chan error, len(subs))
	for i, nc := range subs {
		go func() {
			got := make([]byte, size)
			_ = nc.SetReadDeadline(time.Now().Add(time.Minute))
			for n := range rounds {
				if _, err := io.ReadFull(nc, got); err != nil {
					done <- fmt.Errorf("%s: message %d: %w", topics[i], n, err)
					return
				}
				if !slices.Equal(got, batch.data[i*size:(i+1)*size]) {
					done <- fmt.Errorf("%s: message %d is garbled", topics[i], n)
					return
				}
			}
			done <- nil
		}()
	}
	for range subs {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// forwarder is an XSUB that forwards to x, and a raw publisher connected to it.
func forwarder(t testing.TB, x *XPUB) (*XSUB, net.Conn) {
	t.Helper()
	opt := DefaultOptions()
	opt.Linger = 0
	up, err := NewXSUB(opt, x.Forward)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { up.Close() })
	endpoint, err := up.Bind("tcp://127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e, err := ParseEndpoint(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	network, address := e.dialAddress()
	nc, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	hello := append(zmqtest.Greeting(0, "NULL", false), zmqtest.Ready("Socket-Type", "PUB")...)
	if _, err := nc.Write(hello); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(nc, make([]byte, greetingSize)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := ReadCommand(nc); err != nil {
		t.Fatal(err)
	}
	return up, nc
}

// TestForwardingAllocates guards the whole way of a message, from the read to the
// write, for several subscribers and topics.
func TestForwardingAllocates(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool forget at random")
	}
	PoisonReleased(false)
	defer PoisonReleased(true)
	for _, tc := range forwardCases {
		t.Run(fmt.Sprintf("subs=%d/size=%d/topics=%d/prefixes=%d", tc.subs, tc.size, len(tc.topics), len(tc.prefixes)), func(t *testing.T) {
			x, endpoint := newTestXPUB(t, func(o *Options) {
				counts := make(map[string]*TopicCount)
				for _, topic := range tc.topics {
					counts[topic] = new(TopicCount)
				}
				o.TopicCounter = func(topic []byte) *TopicCount { return counts[string(topic)] }
			})
			up, publisher := forwarder(t, x)
			subscribers(t, x, endpoint, tc.subs, tc.prefixes...)
			batch := testBatch(max(8, 256<<10/tc.size), tc.size, tc.topics...)
			const warm, rounds = 20, 40
			// Of memory that is not pooled yet when the queues are longer than ever.
			const once = 100
			var sent uint64
			send := func(times int) {
				for range times {
					if _, err := publisher.Write(batch.data); err != nil {
						t.Fatal(err)
					}
					sent += uint64(batch.n)
				}
				for received(up) < sent || queued(x) > 0 {
					runtime.Gosched()
				}
			}
			send(warm)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for range rounds {
				if _, err := publisher.Write(batch.data); err != nil {
					t.Fatal(err)
				}
			}
			runtime.ReadMemStats(&after)
			sent += uint64(rounds * batch.n)
			send(1)
			if n := after.Mallocs - before.Mallocs; n > once+rounds*uint64(batch.n)/100 {
				t.Errorf("%d allocations for %d messages", n, rounds*batch.n)
			}
		})
	}
}

func received(x *XSUB) (n uint64) {
	for _, p := range x.Peers() {
		n += p.ReceivedMessages
	}
	return n
}
