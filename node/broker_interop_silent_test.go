package node

import (
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/znode/znode/sockets/zmqtest"
)

func init() { childRoles["silent"] = runChildSilent }

// silentOrders is what a child of role "silent" is told.
type silentOrders struct {
	Address     string
	Connections int
}

// runChildSilent opens connections, says nothing on them, and holds them until its
// standard input ends.
func runChildSilent() error {
	var orders silentOrders
	in, err := childInput(&orders)
	if err != nil {
		return err
	}
	conns := make([]net.Conn, 0, orders.Connections)
	for range orders.Connections {
		nc, err := net.DialTimeout("tcp", orders.Address, zmqtest.Patience)
		if err != nil {
			return fmt.Errorf("after %d connections: %w", len(conns), err)
		}
		conns = append(conns, nc)
	}
	if err := sayToParent(len(conns)); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, in)
	runtime.KeepAlive(conns)
	return err
}

// TestSilentConnections: with thousands of connections that never say anything,
// none of which is given up, a libzmq node joins and works, and each of them costs
// little memory.
func TestSilentConnections(t *testing.T) {
	n := 10_000
	if testing.Short() || raceEnabled {
		n = 1_000
	}
	n = min(n, maxDescriptors()-500)
	opt := DefaultBrokerOptions()
	opt.ListenXSUBEndpoint, opt.ListenXPUBEndpoint = "tcp://127.0.0.1:0", "tcp://127.0.0.1:0"
	opt.XPUB.HandshakeTimeout, opt.XSUB.HandshakeTimeout = time.Hour, time.Hour
	b, err := NewBroker(opt)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	before := memoryInUse()
	c := startChild(t, "silent", silentOrders{strings.TrimPrefix(b.XPUBEndpoint(), "tcp://"), n / 2})
	d := startChild(t, "silent", silentOrders{strings.TrimPrefix(b.XSUBEndpoint(), "tcp://"), n - n/2})
	for _, c := range []*child{c, d} {
		var held int
		c.hear(t, &held)
	}
	silent := func() int { return b.XPUB().Stats().Connections + b.XSUB().Stats().Connections }
	await(t, fmt.Sprintf("%d connections", n), func() bool { return silent() == n })
	each := (memoryInUse() - before) / int64(n)
	t.Logf("%d silent connections of %d bytes each", n, each)
	if each > 16<<10 {
		t.Errorf("a silent connection costs %d bytes", each)
	}

	node := zmqtest.Start(t).Node(t, "honest")
	node.Join(t, b.XSUBEndpoint(), b.XPUBEndpoint())
	node.Subscribe(t, "topic")
	if seen := node.Sync(t); !slices.Contains(seen, "+topic") {
		t.Errorf("the node sees %q", seen)
	}
	for i := range 100 {
		node.Publish(t, "topic", fmt.Sprint(i))
		if got := node.Recv(t); got[3] != fmt.Sprint(i) {
			t.Fatalf("received %q", got)
		}
	}
	if got := silent(); got != n+2 {
		t.Errorf("%d connections are there, want %d silent ones and the node's two", got, n)
	}
	c.kill()
	d.kill()
	await(t, "the silent ones to be gone", func() bool { return silent() == 2 })
}

// memoryInUse is the memory of heap and stacks after a collection.
func memoryInUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
