package node

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/znode/znode/sockets/zmqtest"
)

// again is the raw broker after a restart, as far as the node can tell.
func (r *rawBroker) again(t *testing.T) {
	t.Helper()
	r.xsub.Close()
	r.xpub.Close()
	r.xsub, r.xpub = r.listenXSUB.Accept(t), r.listenXPUB.Accept(t)
	r.xsub.Handshake(t, "XSUB")
	r.xpub.Handshake(t, "XPUB")
}

// meet makes a node known to the member.
func (r *rawBroker) meet(t *testing.T, n *Node, told *news, name, id string) {
	t.Helper()
	r.xsub.Subscribe(t, zeekIDTopic(id))
	expectSaid(t, r, zeromqHello+" "+id)
	r.xpub.SendBytes(t, greetingTo(t, n.ID(), zeromqHello, name, id))
	expectSaid(t, r, clusterHello+" "+id)
	r.xpub.SendBytes(t, greetingTo(t, n.ID(), clusterHello, name, id))
	await(t, name+" up", func() bool { return told.has("up " + name + " " + id) })
}

// relayTo passes on the node's own subscriptions up to one that it makes anew.
func (r *rawBroker) relayTo(t *testing.T, prefix string) {
	t.Helper()
	for got := ""; len(got) < len(prefix) || got[:len(prefix)] != prefix; {
		got = r.relay(t)
	}
}

// After the broker was lost, who comes back is neither down nor up again, and
// who does not is down once the others have had their time.
func TestMemberResync(t *testing.T) {
	t.Parallel()
	const expiration = 100 * time.Millisecond
	n, r, told, _ := scripted(t, func(o *Options) { o.HelloExpiration = expiration })
	r.topicsOf(t, workerTopics)
	r.meet(t, n, told, "manager", "idA")
	r.meet(t, n, told, "proxy-1", "idB")
	r.again(t)
	r.xsub.Subscribe(t, zeekIDTopic("idA"))
	// The time begins when the node's own mark comes back, not before.
	r.relayTo(t, "\x01"+n.subs.marker)
	await(t, "proxy-1 down", func() bool { return told.has("down proxy-1 idB") })
	want := []string{"up manager idA", "up proxy-1 idB", "down proxy-1 idB"}
	if got := told.list(); !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}

	// It had only been slow: the same process comes back, and is up again. It
	// knows us still and says nothing.
	r.xsub.Subscribe(t, zeekIDTopic("idB"))
	expectSaid(t, r, zeromqHello+" idB")
	await(t, "proxy-1 up again", func() bool { return len(told.list()) > len(want) })
	if got, want := told.list(), append(want, "up proxy-1 idB"); !slices.Equal(got, want) || n.Nodes()["proxy-1"] != "idB" {
		t.Errorf("told %q, want %q", got, want)
	}
}

// A broker that is lost again while the others have their time starts it anew.
func TestMemberResyncTwice(t *testing.T) {
	t.Parallel()
	n, r, told, _ := scripted(t, func(o *Options) { o.HelloExpiration = 100 * time.Millisecond })
	r.topicsOf(t, workerTopics)
	r.meet(t, n, told, "manager", "idA")
	r.again(t)
	r.again(t)
	r.xsub.Subscribe(t, zeekIDTopic("idA"))
	r.relayTo(t, "\x01"+n.subs.marker)
	// A second mark is passed on only after a whole resync of the first.
	r.xsub.Subscribe(t, zeekIDTopic("idZ"))
	expectSaid(t, r, zeromqHello+" idZ")
	await(t, "the comparison", func() bool {
		return onLoop(n, func() bool { return n.member.resync == resync{conn: n.member.conn} && n.member.next.IsZero() })
	})
	if got := told.list(); !slices.Equal(got, []string{"up manager idA"}) {
		t.Errorf("told %q", got)
	}
}

// When only our own subscriptions were lost, the others take us for dead and
// greet us as new. We answer, once.
func TestMemberAnswersAfterOwnReconnect(t *testing.T) {
	t.Parallel()
	n, r, told, log := scripted(t, nil)
	r.topicsOf(t, workerTopics)
	r.meet(t, n, told, "manager", "idA")
	r.xpub.Close()
	r.xpub = r.listenXPUB.Accept(t)
	r.xpub.Handshake(t, "XPUB")
	r.topicsOf(t, workerTopics)
	r.xpub.SendBytes(t, greetingTo(t, n.ID(), zeromqHello, "manager", "idA"))
	expectSaid(t, r, clusterHello+" idA")
	r.xpub.SendBytes(t, greetingTo(t, n.ID(), zeromqHello, "manager", "idA"))
	await(t, "the second to be warned of", func() bool {
		return strings.Contains(log.String(), "node 'manager' sends ZeroMQ::hello twice (id:idA)")
	})
	if got := told.list(); !slices.Equal(got, []string{"up manager idA"}) {
		t.Errorf("told %q", got)
	}
}

// Greetings that find no room wait and are not lost.
func TestMemberGreetingsWait(t *testing.T) {
	t.Parallel()
	const others = 40
	n, r, _, _ := scripted(t, func(o *Options) { o.XPUBSndHWM = 1 })
	r.topicsOf(t, workerTopics)
	for i := range others {
		r.xsub.Subscribe(t, zeekIDTopic(string(rune('a'+i%26))+string(rune('a'+i/26))))
	}
	for i := range others {
		expectSaid(t, r, zeromqHello+" "+string(rune('a'+i%26))+string(rune('a'+i/26)))
	}
	if d := n.Stats().XPUBDrops; d != 0 {
		t.Errorf("%d greetings count as dropped", d)
	}
}

// A broker is killed and started anew while all publish and log: nobody is down
// or up twice but the one that died with it.
func TestBrokerRestartedUnderLoad(t *testing.T) {
	t.Parallel()
	at := testEndpoints(t)
	p := zmqtest.Start(t)
	p.BrokerAt(t, at.xsub, at.xpub)
	change := func(o *Options) { o.XPUBSndHWM, o.OnloopQueueHWM = 0, 0 }
	a, toldA, _ := testMember(t, "worker-1", at, change)
	b, toldB, _ := testMember(t, "worker-2", at, change)
	numbers := make(map[uint64]int)
	b.Handle("Test::number", func(e *Event) {
		i, _ := e.Arg(0).AsCount()
		numbers[i]++
	})
	if err := b.Subscribe("test.numbers", nil); err != nil {
		t.Fatal(err)
	}
	startNode(t, a)
	startNode(t, b)
	dying, id := startMember(t, "proxy-1", at)
	await(t, "all to see all", func() bool { return len(a.Nodes()) == 2 && len(b.Nodes()) == 2 })
	mustReady(t, a)
	// Only now a greeting's halves have not to wait for each other any more.
	for _, n := range []*Node{a, b} {
		onLoop(n, func() bool { n.opt.HelloExpiration = 100 * time.Millisecond; return true })
	}

	publish := func(from, to uint64) {
		for i := from; i < to; i++ {
			if err := a.Publish("test.numbers", "Test::number", i); err != nil {
				t.Fatal(err)
			}
		}
	}
	publish(0, 1000)
	arrived := func(count int) func() bool {
		return func() bool { return onLoop(b, func() int { return len(numbers) }) == count }
	}
	await(t, "the first events", arrived(1000))
	p.Kill(t)
	dying.kill()
	await(t, "the connections to be lost", func() bool {
		return a.XPUB().Stats().Connections == 0 && a.XSUB().Stats().Connections == 0 && b.XSUB().Stats().Connections == 0
	})
	publish(1000, 2000) // these wait

	// The new broker must know b's subscription before a's events come, or it
	// discards them as any broker does: it is told of it while a is held up.
	q := zmqtest.Start(t)
	xsub, xpub := q.Socket(t, "XSUB"), q.Socket(t, "XPUB")
	xpub.SetInt(t, zmqtest.XPUB_VERBOSER, 1)
	xpub.SetInt(t, zmqtest.XPUB_NODROP, 1)
	xpub.Bind(t, at.xpub)
	// And that a and b are there before they begin to wait for each other, which
	// may not take long.
	missing := map[string]bool{"test.numbers": true, zeekIDTopic(a.ID()): true, zeekIDTopic(b.ID()): true}
	for len(missing) > 0 {
		subscription := xpub.RecvText(t)[0]
		xsub.SendText(t, subscription)
		delete(missing, subscription[1:])
	}
	xsub.Bind(t, at.xsub)
	q.Proxy(t, xsub, xpub)
	await(t, "the second events", arrived(2000))
	await(t, "proxy-1 down", func() bool { return toldA.has("down proxy-1 "+id) && toldB.has("down proxy-1 "+id) })
	for _, told := range []*news{toldA, toldB} {
		if got := told.list(); len(got) != 3 {
			t.Errorf("told %q, want two up and one down", got)
		}
	}
	mustReady(t, a)
	publish(2000, 3000) // subscriptions are restored
	await(t, "the third events", arrived(3000))
	for i := range uint64(3000) {
		if numbers[i] != 1 {
			t.Fatalf("event %d came %d times", i, numbers[i])
		}
	}
}
