package node_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/znode/znode/node"
	"github.com/znode/znode/sockets/zmqtest"
)

func startBroker(t *testing.T, change func(*node.BrokerOptions)) *node.Broker {
	t.Helper()
	opt := node.DefaultBrokerOptions()
	opt.ListenXSUBEndpoint, opt.ListenXPUBEndpoint = "tcp://127.0.0.1:0", "tcp://127.0.0.1:0"
	// A loaded machine must not make a test drop: whoever is slow is waited for.
	opt.XPUB.SlowGrace = -1
	if change != nil {
		change(&opt)
	}
	b, err := node.NewBroker(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// zeekNode joins a libzmq node with what a Zeek node subscribes to, as far as it
// matters here.
func zeekNode(t *testing.T, b *node.Broker, i int) (*zmqtest.Process, *zmqtest.Node) {
	t.Helper()
	p := zmqtest.Start(t)
	n := p.Node(t, fmt.Sprintf("zeromq_worker-%d_host_%d_N%d", i, 100+i, i))
	n.Join(t, b.XSUBEndpoint(), b.XPUBEndpoint())
	for _, prefix := range zeekPrefixes(i) {
		n.Subscribe(t, prefix)
	}
	return p, n
}

func zeekPrefixes(i int) []string {
	return []string{
		fmt.Sprintf("zeek.cluster.nodeid.zeromq_worker-%d_host_%d_N%d.", i, 100+i, i),
		fmt.Sprintf("zeek.cluster.node.worker-%d.", i),
		"zeek.cluster.worker",
		"zeek/supervisor",
	}
}

// changes counts what Sync returned.
func changes(lines ...[]string) map[string]int {
	seen := make(map[string]int)
	for _, l := range lines {
		for _, s := range l {
			seen[s]++
		}
	}
	return seen
}

func TestBrokerBetweenFourZeekNodes(t *testing.T) {
	b := startBroker(t, nil)
	const nodes = 4
	var procs []*zmqtest.Process
	var all []*zmqtest.Node
	for i := range nodes {
		p, n := zeekNode(t, b, i)
		procs, all = append(procs, p), append(all, n)
		n.Sync(t) // joins one after the other: early and late comers
	}
	for _, n := range all {
		n.Sync(t)
	}
	// Sync empties what was seen before; what counts is that each node, early
	// or late, publishes to every other's own topic and it arrives.
	for i, from := range all {
		for j := range all {
			from.Publish(t, zeekPrefixes(j)[1]+"x", fmt.Sprintf("%d to %d", i, j))
		}
		for k := range 50 {
			from.Publish(t, "zeek.cluster.worker", fmt.Sprintf("%d all %d", i, k))
		}
		from.Publish(t, "zeek.cluster.manager", "for nobody")
	}
	for j, events := range zmqtest.RecvFromAll(t, all) {
		checkEvents(t, j, events, all)
	}
	// A node that dies takes its subscriptions with it.
	procs[3].Kill(t)
	for i, n := range all[:3] {
		var got []string
		for !slices.Contains(got, "-"+zeekPrefixes(3)[0]) || !slices.Contains(got, "-"+zeekPrefixes(3)[1]) {
			got = append(got, n.Sync(t)...)
		}
		if slices.Contains(got, "-zeek.cluster.worker") {
			t.Errorf("node %d was told that zeek.cluster.worker was cancelled, which three nodes hold", i)
		}
	}
}

// checkEvents checks what node j received: what was for it, all of it, once, and
// in order per sender.
func checkEvents(t *testing.T, j int, got [][]string, all []*zmqtest.Node) {
	t.Helper()
	bySender := make(map[string][]string)
	for _, m := range got {
		if len(m) != 4 {
			t.Fatalf("node %d received %d frames: %q", j, len(m), m)
		}
		bySender[m[1]] = append(bySender[m[1]], m[3])
	}
	for i, from := range all {
		want := []string{fmt.Sprintf("%d to %d", i, j)}
		for k := range 50 {
			want = append(want, fmt.Sprintf("%d all %d", i, k))
		}
		if !slices.Equal(bySender[from.ID], want) {
			t.Errorf("node %d received from node %d:\n%q\nwant\n%q", j, i, bySender[from.ID], want)
		}
		delete(bySender, from.ID)
	}
	if len(bySender) > 0 {
		t.Errorf("node %d received events that were not for it: %q", j, bySender)
	}
}

// TestBrokerTellsEarlyAndLate checks the subscriptions themselves: every node
// sees all the others', whoever came first.
func TestBrokerTellsEarlyAndLate(t *testing.T) {
	b := startBroker(t, nil)
	const nodes = 4
	var all []*zmqtest.Node
	seen := make([]map[string]int, nodes)
	for i := range nodes {
		_, n := zeekNode(t, b, i)
		all = append(all, n)
		seen[i] = changes(n.Sync(t))
	}
	for i, n := range all {
		for s, k := range changes(n.Sync(t)) {
			seen[i][s] += k
		}
		for j := range nodes {
			for _, prefix := range zeekPrefixes(j) {
				if seen[i]["+"+prefix] == 0 {
					t.Errorf("node %d has not seen the subscription %q of node %d", i, prefix, j)
				}
			}
		}
		for s := range seen[i] {
			if strings.HasPrefix(s, "-") {
				t.Errorf("node %d saw the cancellation %q", i, s)
			}
		}
	}
}

// TestBrokerLastHolder: a prefix taken twice by one node and left by its death is
// cancelled for all, which ZeroMQ's own proxy forgets.
func TestBrokerLastHolder(t *testing.T) {
	b := startBroker(t, nil)
	watcher := zmqtest.Start(t).Node(t, "watcher")
	watcher.Join(t, b.XSUBEndpoint(), b.XPUBEndpoint())
	p := zmqtest.Start(t)
	n := p.Node(t, "twice")
	n.Join(t, b.XSUBEndpoint(), b.XPUBEndpoint())
	n.Subscribe(t, "topic")
	n.Subscribe(t, "topic")
	n.Sync(t)
	if got := watcher.Sync(t); changes(got)["+topic"] == 0 {
		t.Fatalf("the watcher saw %q", got)
	}
	p.Kill(t)
	var got []string
	for !slices.Contains(got, "-topic") {
		got = append(got, watcher.Sync(t)...)
	}
}

// TestBrokerPauses: while the broker is paused neither events nor subscriptions
// pass, whoever sends them waits, and a node that leaves is told of afterwards.
func TestBrokerPauses(t *testing.T) {
	b := startBroker(t, nil)
	p := zmqtest.Start(t)
	stays := p.Node(t, "stays")
	stays.Join(t, b.XSUBEndpoint(), b.XPUBEndpoint())
	stays.Subscribe(t, "early")
	stays.Sync(t)
	leaves := zmqtest.DialAs(t, b.XPUBEndpoint(), "XSUB")
	leaves.Subscribe(t, "held")
	leaves.Ping(t)
	stays.Sync(t)

	b.Pause()
	before := b.Stats()
	stays.Publish(t, "early", "event")
	floods := zmqtest.DialAs(t, b.XPUBEndpoint(), "XSUB")
	for range 10 {
		floods.Subscribe(t, "late")
		floods.Unsubscribe(t, "late")
	}
	floods.Subscribe(t, "late")
	leaves.Close()
	eventually(t, "it has left", func() bool { return !slices.Contains(b.XPUB().Prefixes(), "held") })
	if slices.Contains(b.XPUB().Prefixes(), "late") {
		t.Error("a subscription was taken while paused")
	}
	if got := b.Stats(); got.FrontendMessagesReceived != before.FrontendMessagesReceived {
		t.Errorf("while paused the figures are %+v, before %+v", got, before)
	}

	b.Resume()
	floods.Ping(t)
	seen := changes(stays.Sync(t))
	if seen["-held"] != 1 || seen["+late"] != 11 || seen["-late"] != 10 {
		t.Errorf("afterwards %v is seen", seen)
	}
	if got := stays.Recv(t); got[3] != "event" {
		t.Errorf("received %q", got)
	}
	// Closing ends a pause, too.
	b.Pause()
	floods.Subscribe(t, "more")
}

func TestBrokerMetrics(t *testing.T) {
	b := startBroker(t, nil)
	if n := testutil.CollectAndCount(b); n < 8 {
		t.Errorf("%d series", n)
	}
	problems, err := testutil.CollectAndLint(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestBrokerEndpointInUse(t *testing.T) {
	b := startBroker(t, nil)
	opt := node.DefaultBrokerOptions()
	opt.ListenXSUBEndpoint, opt.ListenXPUBEndpoint = "tcp://127.0.0.1:0", b.XPUBEndpoint()
	_, err := node.NewBroker(opt)
	if err == nil || !strings.Contains(err.Error(), b.XPUBEndpoint()) || strings.Contains(err.Error(), "\n") {
		t.Errorf("error %v, want one line that names %s", err, b.XPUBEndpoint())
	}
}

// TestBrokerClosesPastStoppedSubscriber: with no bound on the grace a stopped
// subscriber holds its publishers for ever, but not the broker's end.
func TestBrokerClosesPastStoppedSubscriber(t *testing.T) {
	b := startBroker(t, func(o *node.BrokerOptions) {
		o.XPUB.SndHWM = 1 // full with one, and until there is none
		o.XPUB.Linger = 50 * time.Millisecond
	})
	sub := zmqtest.DialAs(t, b.XPUBEndpoint(), "SUB")
	sub.Subscribe(t, "t")
	pub := zmqtest.DialAs(t, b.XSUBEndpoint(), "PUB")
	if got := pub.RecvText(t); got[0] != "\x01t" {
		t.Fatalf("received %q", got)
	}
	// More than the buffers of the kernel and the broker take.
	blocked := make(chan struct{})
	go func() {
		defer close(blocked)
		message := zmqtest.AppendMessage(nil, []byte("t"), make([]byte, 64<<10))
		for range 1000 {
			if _, err := pub.Write(message); err != nil {
				return
			}
		}
	}()
	eventually(t, "the publisher is held back", func() bool {
		received := b.Stats().FrontendMessagesReceived
		p := b.XPUB().Peers()[0]
		return p.QueuedMessages == 1 && received > p.SentMessages+1
	})
	b.Close()
	// The kernel may leave a writer to a closed connection that has no window
	// waiting for a minute.
	pub.Close()
	<-blocked
}
