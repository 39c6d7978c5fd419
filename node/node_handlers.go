package node

import (
	"errors"
	"log/slog"
	"slices"
	"strings"

	"github.com/znode/znode/sockets"
)

var errSerializer = errors.New("unknown serializer")

// handlers is who is to be called. It is replaced, not changed, so that the loop
// reads it without a lock.
type handlers struct {
	names    map[string][]*handler[*Event]
	prefixes []prefixHandler
	subs     []*handler[Subscription]
	logs     []*handler[*LogWrite]
}

type handler[T any] struct{ call func(T) }

type prefixHandler struct {
	prefix string
	*handler[*Event]
}

// Subscription is a change of what the nodes of the cluster, this one included,
// are subscribed to. It is told for every subscription, also to a prefix that
// another node has already, but of cancellations only for the last.
type Subscription struct {
	Prefix    []byte // valid until the handler returns
	Subscribe bool   // false: nobody is subscribed to the prefix any more
}

// Handle has h called with every event of this name, such as "SSH::login", that
// the node's subscriptions bring. The function it returns removes h; events that
// the loop has in hand may still reach it.
func (n *Node) Handle(event string, h func(*Event)) (remove func()) {
	e := &handler[*Event]{h}
	set := func(t *handlers, list []*handler[*Event]) {
		names := make(map[string][]*handler[*Event], len(t.names)+1)
		for name, l := range t.names {
			names[name] = l
		}
		if names[event] = list; len(list) == 0 {
			delete(names, event)
		}
		t.names = names
	}
	n.changeHandlers(func(t *handlers) { set(t, with(t.names[event], e)) })
	return func() {
		n.changeHandlers(func(t *handlers) { set(t, without(t.names[event], e)) })
	}
}

// HandleTopic has h called with every event whose topic begins with prefix. It
// does not subscribe to it. Handlers of topics are called before those of names,
// all in the order in which they were registered.
func (n *Node) HandleTopic(prefix string, h func(*Event)) (remove func()) {
	e := prefixHandler{prefix, &handler[*Event]{h}}
	n.changeHandlers(func(t *handlers) { t.prefixes = with(t.prefixes, e) })
	return func() {
		n.changeHandlers(func(t *handlers) { t.prefixes = without(t.prefixes, e) })
	}
}

// HandleSubscriptions has h called with what nodes subscribe to and cancel.
func (n *Node) HandleSubscriptions(h func(Subscription)) (remove func()) {
	e := &handler[Subscription]{h}
	n.changeHandlers(func(t *handlers) { t.subs = with(t.subs, e) })
	return func() {
		n.changeHandlers(func(t *handlers) { t.subs = without(t.subs, e) })
	}
}

// HandleLogs has h called with the batches of log writes that come to
// Options.ListenLogEndpoint.
func (n *Node) HandleLogs(h func(*LogWrite)) (remove func()) {
	e := &handler[*LogWrite]{h}
	n.changeHandlers(func(t *handlers) { t.logs = with(t.logs, e) })
	return func() {
		n.changeHandlers(func(t *handlers) { t.logs = without(t.logs, e) })
	}
}

func (n *Node) changeHandlers(change func(*handlers)) {
	for {
		old := n.handlers.Load()
		changed := *old
		change(&changed)
		if n.handlers.CompareAndSwap(old, &changed) {
			return
		}
	}
}

// with and without return a copy.
func with[E comparable](list []E, e E) []E { return append(slices.Clone(list), e) }

func without[E comparable](list []E, e E) []E {
	return slices.DeleteFunc(slices.Clone(list), func(o E) bool { return o == e })
}

// handleEvent calls the handlers of an event.
func (l *loop) handleEvent(h *handlers, m sockets.Message) {
	n, e := l.n, &l.event
	if err := e.decode(m); err != nil {
		n.undecodable.Add(1)
		if log, ok := n.decodeComplaint.allow(n.log); ok {
			log.Warn("event that cannot be read", "topic", quoted(e.topic), "sender", quoted(e.sender),
				"serializer", quoted(e.serializer), "error", err)
		}
		return
	}
	n.core.incoming(e.topic, e.Name(), len(e.payload))
	if n.member != nil {
		n.member.event(e)
	}
	for _, p := range h.prefixes {
		if len(e.topic) >= len(p.prefix) && string(e.topic[:len(p.prefix)]) == p.prefix {
			p.call(e)
		}
	}
	for _, t := range h.names[string(e.Name())] {
		t.call(e)
	}
	e.drop()
}

// handleSubscription reacts to a subscription or cancellation.
func (l *loop) handleSubscription(h *handlers, w *work) {
	n := l.n
	prefix := []byte(w.msg)
	subscribe := w.kind == workSubscribed
	if subscribe {
		n.subs.seen(prefix)
	}
	if n.member != nil {
		if subscribe {
			n.member.subscribed(prefix, w.conn)
		} else {
			n.member.cancelled(prefix)
		}
	}
	for _, t := range h.subs {
		t.call(Subscription{prefix, subscribe})
	}
}

// handleLog calls the handlers of a log batch.
func (l *loop) handleLog(h *handlers, m sockets.Message) {
	n, w := l.n, &l.write
	_, sender, serializer, payload, frames := m.Split()
	refuse := func(what string, attrs ...slog.Attr) {
		n.logRefused.Add(1)
		if log, ok := n.decodeComplaint.allow(n.log); ok {
			log.LogAttrs(n.stop, slog.LevelWarn, what, attrs...)
		}
	}
	switch {
	case frames != 4:
		n.msgErrors.Add(1)
		refuse("log batch with a wrong number of frames", slog.Int("frames", frames), slog.Int("want", 4))
		return
	case string(serializer) != logSerializer:
		refuse("log batch with an unknown serializer", slog.String("sender", quoted(sender)), slog.String("serializer", quoted(serializer)))
		return
	case len(h.logs) == 0:
		return
	}
	if err := w.Decode(payload); err != nil {
		refuse("log batch that cannot be read", slog.String("sender", quoted(sender)), slog.Any("error", err))
		return
	}
	w.sender, w.payload = sender, payload
	for _, t := range h.logs {
		t.call(w)
	}
	w.sender, w.payload = nil, nil
}

// isNodeIDTopic reports whether a prefix names the topics of single nodes, by
// which nodes tell each other that they are there.
func (n *Node) isNodeIDTopic(prefix string) bool {
	return strings.HasPrefix(prefix, n.opt.NodeIDTopicPrefix+".")
}
