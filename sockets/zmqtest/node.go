package zmqtest

import (
	"fmt"
	"strings"
	"testing"
)

// barrierPrefix begins the topics by which a node knows that the broker has
// caught up; Zeek's name for them is internal_topic_prefix.
const barrierPrefix = "zeek.zeromq.internal."

// A Node is what a Zeek node has towards the broker: an XPUB that publishes and
// sees everybody's subscriptions, and an XSUB that subscribes and receives. The
// sockets may be used directly too.
type Node struct {
	ID   string // the sender in what it publishes
	XPUB *Socket
	XSUB *Socket

	barriers int
}

// Node makes a node with Zeek's socket options, not connected yet, so that
// HWMs and keys can be set.
func (p *Process) Node(tb testing.TB, id string) *Node {
	tb.Helper()
	n := &Node{ID: id, XPUB: p.Socket(tb, "XPUB"), XSUB: p.Socket(tb, "XSUB")}
	n.XPUB.SetInt(tb, XPUB_VERBOSE, 1)
	n.XPUB.SetInt(tb, XPUB_NODROP, 1)
	n.XPUB.SetInt(tb, LINGER, 500)
	n.XSUB.SetInt(tb, LINGER, 0)
	return n
}

// Join connects the node to a broker: its XPUB to the broker's XSUB endpoint,
// its XSUB to the broker's XPUB endpoint.
func (n *Node) Join(tb testing.TB, xsubEndpoint, xpubEndpoint string) {
	tb.Helper()
	n.XPUB.Connect(tb, xsubEndpoint)
	n.XSUB.Connect(tb, xpubEndpoint)
}

// Subscribe subscribes to a prefix.
func (n *Node) Subscribe(tb testing.TB, prefix string) {
	tb.Helper()
	n.XSUB.Subscribe(tb, prefix)
}

// Unsubscribe cancels a subscription.
func (n *Node) Unsubscribe(tb testing.TB, prefix string) {
	tb.Helper()
	n.XSUB.Unsubscribe(tb, prefix)
}

// Publish sends an event with this payload. It is discarded silently while the
// node's XPUB knows of no subscription for the topic; see [Node.Sync].
func (n *Node) Publish(tb testing.TB, topic, payload string) {
	tb.Helper()
	n.XPUB.SendText(tb, topic, n.ID, loadSerializer, payload)
}

// Recv returns the next event's four frames.
func (n *Node) Recv(tb testing.TB) []string {
	tb.Helper()
	return n.XSUB.RecvText(tb)
}

// Sync waits until this node has seen everything that the broker handled
// before, and returns the subscriptions ("+prefix") and cancellations
// ("-prefix") that its XPUB saw since the last Sync, all nodes' barriers left
// out. It works as Zeek does: the node subscribes to a topic of its own and
// waits for that subscription on its XPUB.
//
// So after a.Subscribe, a.Sync, b.Sync the node b knows of a's subscription and
// what it publishes will not be discarded.
func (n *Node) Sync(tb testing.TB) []string {
	tb.Helper()
	n.barriers++
	barrier := fmt.Sprintf("%s%s.%d.", barrierPrefix, n.ID, n.barriers)
	n.XSUB.Subscribe(tb, barrier)
	var seen []string
	for {
		message := n.XPUB.RecvText(tb)
		if len(message) != 1 || message[0] == "" || message[0][0] > 1 {
			tb.Fatalf("zmqtest: node %s: no subscription on its XPUB: %q", n.ID, message)
		}
		switch prefix := message[0][1:]; {
		case prefix == barrier && message[0][0] == 1:
			n.XSUB.Unsubscribe(tb, barrier)
			return seen
		case !strings.HasPrefix(prefix, barrierPrefix):
			seen = append(seen, string("-+"[message[0][0]])+prefix)
		}
	}
}

// RecvFromAll returns for each of these nodes the events that come before a
// marker from every one of them: all that they have published so far. A node's
// own marker, as RecvUntilSync uses it, may overtake what others have sent.
func RecvFromAll(tb testing.TB, all []*Node) [][][]string {
	tb.Helper()
	const marker = barrierPrefix + "all."
	for _, n := range all {
		n.XSUB.Subscribe(tb, marker)
		n.Sync(tb)
	}
	for _, n := range all {
		n.Sync(tb) // now each knows the subscriptions of all
		n.Publish(tb, marker, "")
	}
	events := make([][][]string, len(all))
	for i, n := range all {
		for markers := 0; markers < len(all); {
			if frames := n.XSUB.RecvText(tb); frames[0] == marker {
				markers++
			} else {
				events[i] = append(events[i], frames)
			}
		}
		n.XSUB.Unsubscribe(tb, marker)
	}
	return events
}

// RecvUntilSync returns the events, as [Socket.RecvUntil] does, that come
// before the marker that this node now publishes to itself through the broker.
// So everything that the broker sent it before is there.
func (n *Node) RecvUntilSync(tb testing.TB) [][]string {
	tb.Helper()
	marker := fmt.Sprintf("%s%s.marker.%d.", barrierPrefix, n.ID, n.barriers)
	n.XSUB.Subscribe(tb, marker)
	n.Sync(tb)
	n.Publish(tb, marker, "")
	var events [][]string
	for _, frames := range n.XSUB.RecvUntil(tb, marker) {
		events = append(events, Text(frames))
	}
	n.XSUB.Unsubscribe(tb, marker)
	return events
}
