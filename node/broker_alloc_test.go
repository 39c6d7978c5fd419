package node

import (
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/znode/znode/sockets"
	"github.com/znode/znode/sockets/zmqtest"
)

// rawPeer connects to an endpoint as a socket of the given type and subscribes.
func rawPeer(t *testing.T, endpoint, socketType string, prefixes ...string) net.Conn {
	t.Helper()
	nc, err := net.Dial("tcp", strings.TrimPrefix(endpoint, "tcp://"))
	if err != nil {
		t.Fatal(err)
	}
	out := append(zmqtest.Greeting(0, "NULL", false), zmqtest.Ready("Socket-Type", socketType)...)
	for _, p := range prefixes {
		out = zmqtest.AppendMessage(out, []byte("\x01"+p))
	}
	if _, err := nc.Write(out); err != nil {
		t.Fatal(err)
	}
	return nc
}

// TestBrokerAllocates guards what a broker does with a message, its topic's
// counters included: topics that are counted by name, as one, and as "other",
// more of them than the router remembers.
func TestBrokerAllocates(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool forget at random")
	}
	const subscribers, rounds = 4, 40
	opt := DefaultBrokerOptions()
	opt.ListenXSUBEndpoint, opt.ListenXPUBEndpoint = "tcp://127.0.0.1:0", "tcp://127.0.0.1:0"
	opt.XPUB.SlowGrace = -1
	b, err := NewBroker(opt)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	var readers sync.WaitGroup
	var conns []net.Conn
	defer func() {
		for _, nc := range conns {
			nc.Close()
		}
		readers.Wait()
	}()
	for range subscribers {
		nc := rawPeer(t, b.XPUBEndpoint(), "SUB", "zeek", "topic-1")
		conns = append(conns, nc)
		readers.Go(func() { _, _ = io.Copy(io.Discard, nc) })
	}
	for !subscribed(b.XPUB(), subscribers, 2) {
		runtime.Gosched()
	}
	publisher := rawPeer(t, b.XSUBEndpoint(), "PUB")
	conns = append(conns, publisher)
	readers.Go(func() { _, _ = io.Copy(io.Discard, publisher) })

	var wire []byte
	messages := 0
	add := func(topic string) {
		wire = sockets.AppendMessage(wire, []byte(topic), []byte("zeromq_worker-1_host_1_N1"), []byte("broker-bin-v1"), make([]byte, 200))
		messages++
	}
	for i := range 1500 {
		add("zeek.cluster.worker")
		add(fmt.Sprintf("zeek.cluster.nodeid.zeromq_worker-%d_host_%d_N%d.", i, i, i))
		add(fmt.Sprintf("topic-%d", i))
	}
	write := func(times int) {
		for range times {
			if _, err := publisher.Write(wire); err != nil {
				t.Fatal(err)
			}
		}
	}
	settle := func(times int) {
		for b.Stats().FrontendMessagesReceived < uint64(times*messages) || waiting(b.XPUB()) {
			runtime.Gosched()
		}
	}
	write(rounds)
	settle(rounds)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	write(rounds)
	runtime.ReadMemStats(&after)
	settle(2 * rounds)
	// Memory that is pooled later on when the queues are longer than ever.
	const once = 500
	if n := after.Mallocs - before.Mallocs; n > once+uint64(rounds*messages)/100 {
		t.Errorf("%d allocations for %d messages", n, rounds*messages)
	}
	// One by one, where what is done for each read is done for each message.
	const single = 5000
	one := sockets.AppendMessage(nil, []byte("zeek.cluster.worker"), []byte("sender"), []byte("broker-bin-v1"), make([]byte, 200))
	runtime.ReadMemStats(&before)
	for i := range uint64(single) {
		if _, err := publisher.Write(one); err != nil {
			t.Fatal(err)
		}
		for b.Stats().FrontendMessagesReceived <= uint64(2*rounds*messages)+i {
			runtime.Gosched()
		}
	}
	runtime.ReadMemStats(&after)
	if n := after.Mallocs - before.Mallocs; n > once {
		t.Errorf("%d allocations for %d single messages", n, single)
	}
}

func subscribed(x *sockets.XPUB, peers, prefixes int) bool {
	list := x.Peers()
	for _, p := range list {
		if p.Subscriptions < prefixes {
			return false
		}
	}
	return len(list) >= peers
}

func waiting(x *sockets.XPUB) bool {
	for _, p := range x.Peers() {
		if p.QueuedMessages > 0 {
			return true
		}
	}
	return false
}
