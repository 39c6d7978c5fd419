package node

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/znode/znode/codec"
	"github.com/znode/znode/sockets"
	"github.com/znode/znode/sockets/zmqtest"
)

// endpoints are a broker's, in a directory of the test's own, so that nodes can
// be told before there is a broker.
type endpoints struct{ xsub, xpub string }

func testEndpoints(t testing.TB) endpoints {
	dir := t.TempDir()
	return endpoints{"ipc://" + filepath.Join(dir, "s"), "ipc://" + filepath.Join(dir, "p")}
}

// broker starts znode's broker there.
func (e endpoints) broker(t testing.TB) *Broker {
	return testBroker(t, func(o *BrokerOptions) { o.ListenXSUBEndpoint, o.ListenXPUBEndpoint = e.xsub, e.xpub })
}

// A zeek does what Zeek's cluster script does, with libzmq sockets and with the
// greetings that a real Zeek sent.
type zeek struct {
	*zmqtest.Node
	name, id             string
	zeromq, cluster      []byte            // its greetings
	subscribed, greeted  map[string]bool   // by id
	up                   map[string]string // ids by name
	ups, downs, complain []string
	raw                  int // events that are no greetings
}

// newZeek makes a zeek, not connected yet.
func newZeek(t testing.TB, p *zmqtest.Process, name string) *zeek {
	t.Helper()
	z := &zeek{name: name, subscribed: map[string]bool{}, greeted: map[string]bool{}, up: map[string]string{}}
	z.zeromq, z.id = greetingOf(t, name, zeromqHello)
	z.cluster, _ = greetingOf(t, name, clusterHello)
	z.Node = p.Node(t, z.id)
	return z
}

// join connects the zeek and subscribes as a node of its type does.
func (z *zeek) join(t testing.TB, at endpoints) {
	t.Helper()
	z.Join(t, at.xsub, at.xpub)
	for _, topic := range []string{zeekIDTopic(z.id), "zeek.cluster.node." + z.name + ".", "zeek.cluster.manager", "zeek/supervisor", "zeek/table/"} {
		z.Subscribe(t, topic)
	}
}

func zeekIDTopic(id string) string { return "zeek.cluster.nodeid." + id + "." }

// step reacts to what has come.
func (z *zeek) step(t testing.TB) {
	t.Helper()
	for {
		frames, ok := z.XPUB.TryRecv(t)
		if !ok {
			break
		}
		prefix := string(frames[0][1:])
		id, nodeID := strings.CutPrefix(prefix, "zeek.cluster.nodeid.")
		if id = strings.TrimSuffix(id, "."); !nodeID || id == z.id {
			continue
		}
		if frames[0][0] == 1 {
			z.onSubscription(t, prefix, id)
		} else {
			z.onCancellation(id)
		}
	}
	for {
		frames, ok := z.XSUB.TryRecv(t)
		if !ok {
			return
		}
		if len(frames) != 4 || string(frames[2]) != BrokerBinV1 {
			t.Fatalf("a Zeek cannot read %q", frames)
		}
		e, err := codec.DecodeEvent(frames[3])
		if err != nil {
			t.Fatalf("a Zeek cannot read %q: %v", frames[3], err)
		}
		if e.Name != zeromqHello && e.Name != clusterHello {
			z.raw++
			continue
		}
		var name, id string
		if err := scanStrings(e, &name, &id); err != nil {
			t.Fatal(err)
		}
		if id != string(frames[1]) {
			t.Fatalf("node %s says hello as %s", frames[1], id)
		}
		if e.Name == zeromqHello {
			z.onZeroMQHello(t, name, id)
		} else {
			z.onClusterHello(name, id)
		}
	}
}

func (z *zeek) say(t testing.TB, id string, greeting []byte) {
	t.Helper()
	z.XPUB.Send(t, []byte(zeekIDTopic(id)), []byte(z.id), []byte(BrokerBinV1), greeting)
}

func (z *zeek) onSubscription(t testing.TB, _, id string) {
	t.Helper()
	z.say(t, id, z.zeromq)
	if z.greeted[id] {
		z.say(t, id, z.cluster)
		delete(z.greeted, id)
	} else {
		z.subscribed[id] = true
	}
}

func (z *zeek) onZeroMQHello(t testing.TB, name, id string) {
	t.Helper()
	switch z.up[name] {
	case "":
	case id:
		z.complain = append(z.complain, name+" says hello twice")
		return
	default:
		z.complain = append(z.complain, name+" never said goodbye")
		z.downs = append(z.downs, z.up[name])
		delete(z.up, name)
	}
	if z.subscribed[id] {
		z.say(t, id, z.cluster)
		delete(z.subscribed, id)
	} else {
		z.greeted[id] = true
	}
}

func (z *zeek) onClusterHello(name, id string) {
	if old := z.up[name]; old == "" {
		z.ups = append(z.ups, id)
	} else if old != id {
		z.complain = append(z.complain, name+" is there twice")
	}
	z.up[name] = id
}

func (z *zeek) onCancellation(id string) {
	for name, known := range z.up {
		if known == id {
			z.downs = append(z.downs, id)
			delete(z.up, name)
			return
		}
	}
	z.complain = append(z.complain, "unsubscription of "+id)
}

// until lets the zeek react until something has come true.
func (z *zeek) until(t testing.TB, what string, done func() bool) {
	t.Helper()
	await(t, what, func() bool {
		z.step(t)
		return done()
	})
}

// greetingTo is the wire form of a greeting to a node, for a raw peer to send.
func greetingTo(t testing.TB, to, event, name, id string) []byte {
	t.Helper()
	payload, err := codec.AppendEventArgs(nil, event, name, id)
	if err != nil {
		t.Fatal(err)
	}
	return sockets.AppendMessage(nil, []byte(zeekIDTopic(to)), []byte(id), []byte(BrokerBinV1), payload)
}
