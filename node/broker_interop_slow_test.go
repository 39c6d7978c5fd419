package node_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/znode/znode/node"
	"github.com/znode/znode/sockets"
	"github.com/znode/znode/sockets/zmqtest"
)

// eventually waits until cond holds; see what it is used for.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(zmqtest.Patience)
	for !cond() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("in %v not: %s", zmqtest.Patience, what)
		}
	}
}

// TestStoppedSubscriber stops one of four libzmq subscribers while a libzmq node
// publishes. The other three receive everything; the stopped one, continued, gets
// on, and has lost exactly what its counter says.
func TestStoppedSubscriber(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		grace time.Duration
		drop  bool
	}{
		{"grace", 50 * time.Millisecond, false},
		{"no grace", 0, false},
		{"no nodrop", 0, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := startBroker(t, func(o *node.BrokerOptions) {
				o.XPUB.SlowGrace, o.XPUB.NoDrop = tc.grace, !tc.drop
				o.XPUB.SndBuf = 64 << 10 // so that the kernel is soon full
			})
			quick, slow := zmqtest.Start(t), zmqtest.Start(t)
			subscribe := func(p *zmqtest.Process) *zmqtest.Socket {
				s := p.Socket(t, "XSUB")
				s.SetInt(t, zmqtest.RCVHWM, 0) // who reads is never slow
				s.Subscribe(t, "t")
				s.Subscribe(t, "end")
				s.Connect(t, b.XPUBEndpoint())
				return s
			}
			stopped := slow.Socket(t, "XSUB")
			stopped.SetInt(t, zmqtest.RCVBUF, 64<<10)
			stopped.Subscribe(t, "t")
			stopped.Subscribe(t, "end")
			stopped.Connect(t, b.XPUBEndpoint())
			eventually(t, "it is subscribed", func() bool { return peersWith(b, 2) == 1 })
			id := b.XPUB().Peers()[0].Peer.ID
			all := []*zmqtest.Socket{subscribe(quick), subscribe(quick), subscribe(quick)}
			eventually(t, "all are subscribed", func() bool { return peersWith(b, 2) == 4 })
			var quickIDs []uint64
			for _, p := range b.XPUB().Peers() {
				if p.Peer.ID != id {
					quickIDs = append(quickIDs, p.Peer.ID)
				}
			}
			var jobs []*zmqtest.Job[zmqtest.Tally]
			for _, s := range all {
				jobs = append(jobs, s.StartGather(t, zmqtest.Gather{Marker: "end"}))
			}
			pub := zmqtest.Start(t).Node(t, "publisher")
			pub.Join(t, b.XSUBEndpoint(), b.XPUBEndpoint())
			pub.Sync(t)

			slow.Stop(t)
			// In bursts that the three have room for, however slow this machine is,
			// so that only one subscriber is ever too slow.
			const bursts, burst, size = 12, 800, 200
			const count = bursts * burst
			for i := range bursts {
				load := zmqtest.Load{Topics: []string{"t"}, Sender: "publisher", Count: burst, First: uint64(i * burst), Size: size}
				if got := pub.XPUB.SendLoad(t, load); got.Messages != burst {
					t.Fatalf("sent %+v", got)
				}
				eventually(t, "the three have it", func() bool {
					return !slices.ContainsFunc(quickIDs, func(id uint64) bool {
						return statsOf(b, id).SentMessages < uint64(1+i)*burst
					})
				})
			}
			if statsOf(b, id).DroppedMessages == 0 {
				t.Error("nothing was dropped: the test stops nobody")
			}

			slow.Continue(t)
			job := stopped.StartGather(t, zmqtest.Gather{Marker: "end"})
			eventually(t, "it gets on", func() bool {
				p := statsOf(b, id)
				return p.QueuedMessages == 0 && !p.Isolated
			})
			pub.Publish(t, "end", "")
			for _, j := range jobs {
				j.Wait(t).Complete(t, count, "publisher")
			}
			seq := job.Wait(t).Senders["publisher"]
			lost := statsOf(b, id).DroppedMessages
			if uint64(seq.Count)+lost != count || seq.Backward != 0 {
				t.Errorf("it received %d, %d are counted as dropped, of %d: %+v", seq.Count, lost, count, seq)
			}
			// And all is well after that.
			jobs = nil
			for _, s := range append(all, stopped) {
				jobs = append(jobs, s.StartGather(t, zmqtest.Gather{Count: 500}))
			}
			pub.XPUB.SendLoad(t, zmqtest.Load{Topics: []string{"t"}, Sender: "publisher", Count: 500, First: count, Size: size})
			for _, j := range jobs {
				j.Wait(t).Complete(t, 500, "publisher")
			}
		})
	}
}

// peersWith counts the peers that hold that many subscriptions.
func peersWith(b *node.Broker, subs int) (n int) {
	for _, p := range b.XPUB().Peers() {
		if p.Subscriptions == subs {
			n++
		}
	}
	return n
}

func statsOf(b *node.Broker, id uint64) sockets.PeerStats {
	list := b.XPUB().Peers()
	i := slices.IndexFunc(list, func(p sockets.PeerStats) bool { return p.Peer.ID == id })
	if i < 0 {
		return sockets.PeerStats{}
	}
	return list[i]
}

// TestNoDropAgainstProxy stops a subscriber for as long as it takes, with a grace
// that never ends: as with zmq_proxy the publisher is held back, and nothing is
// lost when the subscriber goes on.
func TestNoDropAgainstProxy(t *testing.T) {
	t.Parallel()
	b := startBroker(t, func(o *node.BrokerOptions) { o.XPUB.SndBuf, o.XSUB.RcvBuf = 64<<10, 64<<10 })
	broker := zmqtest.Start(t)
	z := broker.Broker(t)
	for _, endpoints := range [][2]string{{b.XSUBEndpoint(), b.XPUBEndpoint()}, {z.XSUBEndpoint, z.XPUBEndpoint}} {
		slow, quick := zmqtest.Start(t), zmqtest.Start(t)
		s := slow.Node(t, "slow")
		s.XSUB.SetInt(t, zmqtest.RCVBUF, 64<<10)
		s.Join(t, endpoints[0], endpoints[1])
		s.Subscribe(t, "t")
		s.Sync(t)
		q := quick.Node(t, "quick")
		q.Join(t, endpoints[0], endpoints[1])
		q.Subscribe(t, "t")
		q.Sync(t)
		slow.Stop(t)
		// More than all queues and buffers on the way hold.
		const count = 12_000
		job := q.XPUB.StartLoad(t, zmqtest.Load{Topics: []string{"t"}, Sender: "quick", Count: count, Size: 2000})
		gather := q.XSUB.StartGather(t, zmqtest.Gather{Count: count})
		if endpoints[0] == b.XSUBEndpoint() {
			eventually(t, "the stopped one is waited for", func() bool {
				p := b.XPUB().Peers()
				return p[0].QueuedMessages >= 1000 && p[0].DroppedMessages == 0
			})
		}
		slow.Continue(t)
		both := s.XSUB.StartGather(t, zmqtest.Gather{Count: count})
		both.Wait(t).Complete(t, count, "quick")
		gather.Wait(t).Complete(t, count, "quick")
		job.Wait(t)
	}
	for _, p := range b.XPUB().Peers() {
		if p.DroppedMessages > 0 {
			t.Errorf("%d dropped", p.DroppedMessages)
		}
	}
}

// TestNodeDies: when a node is killed its subscriptions are gone, everywhere, and
// so is what was queued for it.
func TestNodeDies(t *testing.T) {
	t.Parallel()
	b := startBroker(t, nil)
	p := zmqtest.Start(t)
	watcher := p.Node(t, "watcher")
	watcher.Join(t, b.XSUBEndpoint(), b.XPUBEndpoint())
	watcher.Subscribe(t, "shared")
	watcher.Sync(t)
	for round := range 3 {
		victim := zmqtest.Start(t)
		n := victim.Node(t, "victim")
		n.Join(t, b.XSUBEndpoint(), b.XPUBEndpoint())
		own := fmt.Sprintf("zeek.cluster.nodeid.victim-%d.", round)
		for _, prefix := range []string{"shared", own, "twice", "twice"} {
			n.Subscribe(t, prefix)
		}
		n.Sync(t)
		watcher.Sync(t)
		victim.Stop(t)
		for range 1500 { // some of it is under way when the node dies
			watcher.Publish(t, own, "x")
		}
		victim.Kill(t)
		var got []string
		for !slices.Contains(got, "-twice") || !slices.Contains(got, "-"+own) {
			got = append(got, watcher.Sync(t)...)
		}
		if slices.Contains(got, "-shared") {
			t.Error("a prefix that the watcher holds was cancelled")
		}
		eventually(t, "the victim is gone", func() bool {
			left := b.XPUB().Peers()
			return len(left) == 1 && left[0].QueuedMessages == 0
		})
		if held := b.XPUB().Prefixes(); slices.Contains(held, own) || slices.Contains(held, "twice") {
			t.Errorf("still held: %q", held)
		}
	}
}

// TestBrokerRestarts: nodes of libzmq's come back by themselves; what they
// subscribe to and publish works as before, and no node sees a cancellation.
func TestBrokerRestarts(t *testing.T) {
	t.Parallel()
	p := zmqtest.Start(t)
	// Paths, since another process may take a port that is free for a moment.
	dir := t.TempDir()
	xsub, xpub := "ipc://"+filepath.Join(dir, "xsub"), "ipc://"+filepath.Join(dir, "xpub")
	at := func(o *node.BrokerOptions) { o.ListenXSUBEndpoint, o.ListenXPUBEndpoint = xsub, xpub }
	b := startBroker(t, at)
	var all []*zmqtest.Node
	for i := range 3 {
		n := p.Node(t, fmt.Sprintf("n%d", i))
		n.Join(t, xsub, xpub)
		n.Subscribe(t, fmt.Sprintf("to.n%d", i))
		n.Subscribe(t, "to.all")
		n.Sync(t)
		all = append(all, n)
	}
	for round := range 2 {
		for _, n := range all {
			n.Sync(t)
		}
		if round == 1 {
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
			b = startBroker(t, at)
			eventually(t, "all have come back", func() bool {
				for _, n := range all {
					n.XSUB.TryRecv(t) // libzmq attends to its connections when it is used
				}
				return b.XSUB().Connected() == 3 && peersWith(b, 2) == 3
			})
			for _, n := range all {
				for _, change := range n.Sync(t) {
					if change[0] == '-' {
						t.Errorf("node %s sees %q", n.ID, change)
					}
				}
			}
		}
		for i, n := range all {
			n.Publish(t, fmt.Sprintf("to.n%d", (i+1)%3), fmt.Sprint("round ", round))
			n.Publish(t, "to.all", fmt.Sprint("round ", round))
		}
		for i, events := range zmqtest.RecvFromAll(t, all) {
			var got []string
			for _, m := range events {
				got = append(got, m[0]+" from "+m[1]+" in "+m[3])
			}
			var want []string
			for j := range all {
				want = append(want, fmt.Sprintf("to.all from n%d in round %d", j, round))
			}
			want = append(want, fmt.Sprintf("to.n%d from n%d in round %d", i, (i+2)%3, round))
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("round %d: node %d received %q, want %q", round, i, got, want)
			}
		}
	}
}
