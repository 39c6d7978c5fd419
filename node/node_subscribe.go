package node

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

var (
	// ErrNodeIDTopic is returned for a subscription to the topics of single node
	// ids. Other nodes would take the subscriber for a member, greet it, and
	// complain when it does not answer.
	ErrNodeIDTopic = errors.New("node: topics of node ids are not to be subscribed to")
	// ErrNotSubscribed is returned by Unsubscribe for a prefix that the node is
	// not subscribed to.
	ErrNotSubscribed = errors.New("node: not subscribed")
)

// maxPrefix bounds a prefix, in bytes, well below what brokers take.
const maxPrefix = 32 << 10

// subscriptions is what a node is subscribed to, and who wants to know when.
type subscriptions struct {
	n      *Node
	marker string // what the node's barriers begin with

	mu       sync.Mutex
	held     map[string]int // by prefix, how often
	barriers map[string]func()
	last     uint64 // number of the last barrier
}

func (s *subscriptions) init(n *Node) {
	s.n = n
	s.marker = n.opt.InternalTopicPrefix + n.id + "."
	s.held = make(map[string]int)
	s.barriers = make(map[string]func())
}

// Subscribe subscribes to the events whose topic begins with prefix; the empty
// one is that of all. A prefix may be subscribed to several times, and each takes
// an Unsubscribe. It works before Start too, and outlives lost connections.
//
// active, if not nil, is called on the loop, once, when the broker knows of the
// subscription: events published after that arrive. It is not called if the node
// is closed before.
func (n *Node) Subscribe(prefix string, active func()) error {
	switch {
	case n.closed.Load():
		return ErrClosed
	case n.isNodeIDTopic(prefix):
		return fmt.Errorf("%w: %s", ErrNodeIDTopic, quoted([]byte(prefix)))
	case len(prefix) > maxPrefix:
		return fmt.Errorf("node: prefix of %d bytes, the most is %d", len(prefix), maxPrefix)
	}
	n.subs.add(prefix, active)
	return nil
}

func (s *subscriptions) add(prefix string, active func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[prefix]++; s.held[prefix] == 1 {
		s.n.xsub.Subscribe([]byte(prefix))
	}
	if active != nil {
		s.barrier(active)
	}
}

// Unsubscribe takes back one Subscribe. Events that are under way may still
// come.
func (n *Node) Unsubscribe(prefix string) error {
	s := &n.subs
	s.mu.Lock()
	defer s.mu.Unlock()
	switch s.held[prefix] {
	case 0:
		return fmt.Errorf("%w to %s", ErrNotSubscribed, quoted([]byte(prefix)))
	case 1:
		delete(s.held, prefix)
		n.xsub.Cancel([]byte(prefix))
	default:
		s.held[prefix]--
	}
	return nil
}

// ReadyToPublish has ready called on the loop, once, when the node knows of all
// subscriptions that other nodes had at the time of the call: what is published
// after that reaches them. It is not called if the node is closed before.
func (n *Node) ReadyToPublish(ready func()) error {
	if n.closed.Load() {
		return ErrClosed
	}
	n.subs.mu.Lock()
	defer n.subs.mu.Unlock()
	n.subs.barrier(ready)
	return nil
}

// WaitReady waits until the node is ready to publish, or for the end of ctx,
// whose error it then returns. Handlers must not call it: they would wait for
// themselves.
func (n *Node) WaitReady(ctx context.Context) error {
	ready := make(chan struct{})
	if err := n.ReadyToPublish(func() { close(ready) }); err != nil {
		return err
	}
	select {
	case <-ready:
		return nil
	case <-n.looped:
		return ErrClosed
	case <-ctx.Done():
		return fmt.Errorf("node: waiting to be ready to publish: %w", ctx.Err())
	}
}

// barrier has passed called when everything sent before it has passed the
// broker: it subscribes to a topic that is this node's alone, and waits for the
// subscription to come back. A subscription to the prefix itself would not do,
// because another node's looks the same. The caller holds s.mu.
func (s *subscriptions) barrier(passed func()) {
	s.last++
	topic := fmt.Sprintf("%s%d.", s.marker, s.last)
	s.barriers[topic] = passed
	s.n.xsub.Subscribe([]byte(topic))
}

// seen is called by the loop with every subscription.
func (s *subscriptions) seen(prefix []byte) {
	if len(prefix) < len(s.marker) || string(prefix[:len(s.marker)]) != s.marker {
		return
	}
	s.mu.Lock()
	passed := s.barriers[string(prefix)]
	if passed != nil {
		delete(s.barriers, string(prefix))
		s.n.xsub.Cancel(prefix)
	}
	s.mu.Unlock()
	if passed != nil {
		passed()
	}
}
