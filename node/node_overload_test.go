package node

import (
	"bufio"
	"encoding/hex"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/znode/znode/codec"
	"github.com/znode/znode/sockets"
	"github.com/znode/znode/sockets/zmqtest"
)

// fewer is n, or less where tests are to be short.
func fewer(n int) int {
	if testing.Short() {
		return n / 20
	}
	return n
}

// cheaper is raced with the race detector, which makes everything many times slower.
func cheaper(n, raced int) int {
	if raceEnabled {
		return min(n, raced)
	}
	return n
}

// liveHeap is the memory in use after a collection, in bytes.
func liveHeap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// A handler that is stuck costs events, every one of them counted, and neither
// memory nor log batches nor subscriptions.
func TestOverloadBlockedHandler(t *testing.T) {
	log := new(lockedBuffer)
	block := newLatch()
	var batches, subscriptions atomic.Int64
	opt := testNodeOptions(t)
	opt.ListenLogEndpoint = zmqtest.Loopback
	opt.Log = slog.New(slog.NewTextHandler(log, nil))
	n, r := startWithRaw(t, opt, func(n *Node) {
		n.HandleTopic("", func(*Event) { block.wait() })
		n.HandleLogs(func(w *LogWrite) { batches.Add(int64(w.NumRecords)) })
		n.HandleSubscriptions(func(Subscription) { subscriptions.Add(1) })
	})
	block.endsWith(t)
	events, logs, subs := cheaper(fewer(1_000_000), 300_000), 500, 500
	before := liveHeap()

	push := zmqtest.DialAs(t, n.LogEndpoint(), "PUSH")
	batch := testLogBatch(t, 10)
	var buf []byte
	for range 1000 {
		buf = append(buf, testEvent(t, "zeek.test", "zeromq_x", "A::x")...)
	}
	for i := 0; i < events; i += 1000 {
		r.xpub.SendBytes(t, buf)
		if i%(events/10) == 0 {
			for range logs / 10 {
				push.Send(t, []byte(logWrite), []byte("zeromq_x"), []byte(logSerializer), batch)
			}
			for range subs / 10 {
				r.xsub.Subscribe(t, "some.topic")
			}
		}
	}
	for _, peer := range []*zmqtest.Raw{r.xpub, push, r.xsub} {
		peer.Ping(t) // all that came from it is queued, or dropped
	}
	s := n.Stats()
	// Forced work takes room in the queue but asks for none.
	if most := events - opt.OnloopQueueHWM + logs + subs; s.Received != uint64(events) || s.Handled != 0 ||
		s.OnloopDrops < uint64(events-opt.OnloopQueueHWM-loopBatch) || s.OnloopDrops > uint64(most) {
		t.Errorf("while blocked: %+v", s)
	}
	if grown := liveHeap() - before; grown > 32<<20 {
		t.Errorf("the heap has grown by %d bytes", grown)
	} else {
		t.Logf("the heap has grown by %d bytes for %d events of which %d are queued", grown, events, s.Received-s.OnloopDrops)
	}
	block.open()
	await(t, "the queue to run empty", func() bool {
		s := n.Stats()
		return s.Handled+s.OnloopDrops == s.Received && s.LogBatches == uint64(logs) && subscriptions.Load() == int64(subs) &&
			s.ForcedBytes == 0 // which is given back after a batch of work is counted
	})
	if s := n.Stats(); s.Received != uint64(events) || batches.Load() != int64(10*logs) {
		t.Errorf("%+v, %d records", s, batches.Load())
	}
	if got := strings.Count(log.String(), "level=WARN"); got != 1 {
		t.Errorf("%d warnings, want 1:\n%s", got, log)
	}
	await(t, "the end of the drops to be told", func() bool { return strings.Contains(log.String(), "no more events are dropped") })
}

// testLogBatch is a batch of so many records.
func testLogBatch(t testing.TB, records int) []byte {
	t.Helper()
	w, err := codec.NewBatchWriter(codec.BatchHeader{Stream: "Test::LOG", Path: "test", Fields: []codec.Field{codec.NewField("n", codec.TypeCount)}})
	if err != nil {
		t.Fatal(err)
	}
	w.Start(nil)
	for i := range records {
		w.Count(uint64(i))
		if err := w.EndRecord(); err != nil {
			t.Fatal(err)
		}
	}
	return w.Finish()
}

// What is never dropped is bounded by not being read: the sender is held up.
func TestForcedBytesBound(t *testing.T) {
	t.Parallel()
	block := newLatch()
	const limit, size, count = 1 << 20, 64 << 10, 200
	var got atomic.Int64
	opt := testNodeOptions(t)
	opt.ListenLogEndpoint, opt.OnloopForcedBytes, opt.LogRcvBuf = zmqtest.Loopback, limit, 64<<10
	n := newNode(t, opt)
	n.HandleLogs(func(*LogWrite) { block.wait(); got.Add(1) })
	block.endsWith(t)
	startNode(t, n)

	push, err := sockets.NewPUSH(func() sockets.Options {
		o := sockets.DefaultOptions()
		o.SndHWM, o.SndBuf, o.Linger = 10, 64<<10, 0
		return o
	}())
	if err != nil {
		t.Fatal(err)
	}
	defer push.Close()
	if err := push.Connect(n.LogEndpoint()); err != nil {
		t.Fatal(err)
	}
	batch := testLogBatch(t, size/17)
	frames := [][]byte{[]byte(logWrite), []byte("x"), []byte(logSerializer), batch}
	sent := 0
	await(t, "the sender to be held up", func() bool {
		for push.Send(frames...) == nil {
			sent++
		}
		// A full queue takes more when half of it is free, not before.
		return n.Stats().OnloopBlocks > 0 && push.Peers()[0].QueuedMessages > 5
	})
	if s := n.Stats(); s.ForcedBytes > limit+4*int64(len(batch))+1<<20 || sent >= count {
		t.Errorf("%d bytes are queued with a bound of %d, %d batches were taken", s.ForcedBytes, limit, sent)
	}
	block.open()
	for ; sent < count; sent++ {
		if err := push.SendContext(patience(t), frames...); err != nil {
			t.Fatal(err)
		}
	}
	await(t, "all batches", func() bool { return got.Load() == count && n.Stats().ForcedBytes == 0 })
}

// A node that is closed while readers wait for its loop comes to an end.
func TestCloseWhileHeldBack(t *testing.T) {
	t.Parallel()
	block, entered := newLatch(), make(chan struct{}, 1)
	opt := testNodeOptions(t)
	opt.ListenLogEndpoint, opt.OnloopForcedBytes, opt.OnloopQueueHWM, opt.OnloopGrace = zmqtest.Loopback, 1, 1, time.Hour
	n, r := startWithRaw(t, opt, func(n *Node) {
		n.HandleTopic("", func(*Event) {
			select {
			case entered <- struct{}{}:
			default:
			}
			block.wait()
		})
	})
	block.endsWith(t)
	r.xpub.SendBytes(t, testEvent(t, "a", "x", "A::x"))
	<-entered
	push := zmqtest.DialAs(t, n.LogEndpoint(), "PUSH")
	await(t, "all readers to wait", func() bool {
		r.xpub.SendBytes(t, testEvent(t, "a", "x", "A::x"))
		push.Send(t, []byte(logWrite), []byte("x"), []byte(logSerializer), testLogBatch(t, 1))
		r.xsub.Subscribe(t, "a")
		return n.Stats().OnloopBlocks >= 3
	})
	closed := make(chan struct{})
	go func() { n.Close(); close(closed) }()
	await(t, "Close to have closed the queue", n.queue.Closed)
	block.open()
	<-closed
	if s := n.Stats(); s.Received != s.Handled+s.OnloopDrops {
		t.Errorf("%+v", s)
	}
}

// burstScript publishes copies of one event with libzmq.
const burstScript = `
import sys, zmq
endpoint, count, topic, payload = sys.argv[1], int(sys.argv[2]), sys.argv[3].encode(), bytes.fromhex(sys.argv[4])
xpub = zmq.Context().socket(zmq.XPUB)
xpub.set(zmq.SNDHWM, 0)
xpub.set(zmq.LINGER, -1)
xpub.connect(endpoint)
while xpub.recv() != b"\x01" + topic:
    pass
frames = [topic, b"zeromq_zeek_vm_1_Nabc", b"broker-bin-v1", payload]
send = xpub.send_multipart
for _ in range(count):
    send(frames)
print("sent", flush=True)
sys.stdin.read()
`

// burst has a libzmq process publish events while the broker is paused, and
// lets go of all of them at once.
func burst(t testing.TB, b *Broker, count int, topic string, payload []byte) (resume func()) {
	t.Helper()
	zmqtest.Start(t) // skips the test where there is no libzmq
	python := os.Getenv("ZMQTEST_PYTHON")
	if python == "" {
		python = "/usr/bin/python3"
	}
	b.Pause()
	cmd := exec.Command(python, "-I", "-c", burstScript, b.XSUBEndpoint(), strconv.Itoa(count), topic, hex.EncodeToString(payload))
	cmd.Stderr = testWriter{t}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		cmd.Process.Kill()
		cmd.Wait()
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "sent\n" {
		t.Fatalf("libzmq's publisher says %q, %v", line, err)
	}
	return b.Resume
}

// A burst from libzmq, as fast as it goes, is handled without loss with the queue
// at its default. How long reading may pause is not what this is about: a machine
// that is busy with something else needs longer than the default.
func TestBurstAtDefaults(t *testing.T) {
	p := zmqtest.Start(t)
	b := testBroker(t, nil)
	opt := testNodeOptions(t)
	opt.OnloopGrace = time.Hour
	n := newNode(t, opt.at(b))
	handled, sum := uint64(0), uint64(0)
	n.Handle("Test::number", func(e *Event) {
		for a := range e.Args() {
			i, _ := a.AsCount()
			sum += i
		}
		handled++
	})
	if err := n.Subscribe("test", nil); err != nil {
		t.Fatal(err)
	}
	startNode(t, n)
	mustReady(t, n)
	count := uint64(cheaper(fewer(300_000), 30_000)) // more than the queue takes
	payload, err := codec.AppendEventArgs(nil, "Test::number", uint64(1), "CHhAvVGS1DHFjwGM9", "10.0.0.1", int64(-1))
	if err != nil {
		t.Fatal(err)
	}
	resume := burst(t, b, int(count), "test", payload)
	start := time.Now()
	resume()
	await(t, "the burst", func() bool { return done(n) == count })
	t.Logf("%d events from libzmq %s in %v", count, p.Version(), time.Since(start))
	if s := n.Stats(); s.OnloopDrops != 0 || s.Undecodable != 0 || s.Handled != count {
		t.Errorf("%+v", s)
	}
	if h, s := onLoop(n, func() [2]uint64 { return [2]uint64{handled, sum} }), count; h[0] != s || h[1] != s {
		t.Errorf("the handler saw %d events with a sum of %d, want %d", h[0], h[1], s)
	}
}
