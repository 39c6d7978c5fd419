package node

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/znode/znode/sockets"
	"github.com/znode/znode/sockets/curve"
)

// ClientRights says what a client of a [CurveServer] may do. Topics are inside of
// a right when they begin with one of its prefixes, the empty prefix being all of
// them; so are subscriptions.
//
// A client that may not publish and subscribe to everything is told only of those
// subscriptions of others that concern what it publishes: those that begin with,
// or are the beginning of, one of its prefixes. All the same it can find out when
// the broker has caught up, as every Zeek node does: subscriptions below
// zeek.zeromq.internal. are always taken, and shown to the client that they are of.
type ClientRights struct {
	// Name is the client's in metrics and log lines. No two have the same.
	Name string
	// Key is by what the client is known. No two have the same.
	Key curve.Public
	// Publish and Subscribe are prefixes of topics.
	Publish, Subscribe []string
	// Log is whether the client may connect to loggers.
	Log bool
}

// AllRights is a client that may do everything, as Zeek's own nodes do.
func AllRights(name string, key curve.Public) ClientRights {
	return ClientRights{Name: name, Key: key, Publish: []string{""}, Subscribe: []string{""}, Log: true}
}

// internalPrefix begins the subscriptions by which a node finds out that the
// broker has caught up (internal_topic_prefix).
const internalPrefix = "zeek.zeromq.internal."

// rights are what a client may do now. They never change.
type rights struct {
	name               string
	publish, subscribe []string
	anything, log      bool // anything: to publish, and to subscribe to
}

func (r *ClientRights) compile() *rights {
	c := &rights{name: r.Name, log: r.Log}
	c.publish = append(c.publish, r.Publish...)
	c.subscribe = append(c.subscribe, r.Subscribe...)
	c.anything = inside(nil, c.publish) && inside(nil, c.subscribe)
	return c
}

// inside reports whether text begins with one of the prefixes.
func inside(text []byte, prefixes []string) bool {
	for _, p := range prefixes {
		if len(text) >= len(p) && string(text[:len(p)]) == p {
			return true
		}
	}
	return false
}

// concerns reports whether somebody who subscribes to prefix may get what the
// client publishes.
func (r *rights) concerns(prefix []byte) bool {
	for _, p := range r.publish {
		if n := min(len(p), len(prefix)); string(prefix[:n]) == p[:n] {
			return true
		}
	}
	return false
}

// What a client is refused.
const (
	refusedPublish = iota
	refusedSubscribe
	refusedLog
	refusedKinds
)

var refusedNames = [refusedKinds]string{"publish", "subscribe", "log"}

var refusedLines = [refusedKinds]string{
	"client may not publish this, its event is not forwarded",
	"client may not subscribe to this, it gets nothing of it",
	"client may not log, it is turned away",
}

// A client is one who may enter: the identity of its peers. It stays the same
// while its key is in the list.
type client struct {
	rights  atomic.Pointer[rights] // nil: not in the list any more
	refused [refusedKinds]denial
	log     *slog.Logger
	publish func(topic []byte) bool // mayPublish
}

func newClient(log *slog.Logger) *client {
	c := &client{log: log}
	c.publish = c.mayPublish
	return c
}

// outcast is who is nobody's client.
var outcast = &client{log: slog.New(slog.DiscardHandler)}

// clientOf is the client that a peer has proved to be.
func clientOf(p *sockets.Peer) *client {
	if c, ok := p.Identity().(*client); ok && c != nil {
		return c
	}
	return outcast
}

var noRights = &rights{}

// may is what the client may do at the moment.
func (c *client) may() *rights {
	if r := c.rights.Load(); r != nil {
		return r
	}
	return noRights
}

func (c *client) listed() bool { return c.rights.Load() != nil }

func (c *client) mayPublish(topic []byte) bool { return inside(topic, c.may().publish) }

func (c *client) maySubscribe(prefix []byte) bool {
	return bytes.HasPrefix(prefix, []byte(internalPrefix)) && c.listed() || inside(prefix, c.may().subscribe)
}

// A denial is what a client was refused of one kind. Refusals that follow each
// other within denialEpisode are an episode, of which only the first is logged.
type denial struct {
	count  atomic.Uint64
	last   atomic.Int64 // of an episode, in nanoseconds since 1970
	logged atomic.Uint64
}

const denialEpisode = time.Minute

// refuse counts n things that the client may not do, of which the first was about
// topic. It returns what logs that, nil when there is nothing to log.
func (c *client) refuse(kind, n int, topic []byte, addr string) (log func()) {
	r := &c.refused[kind]
	count := r.count.Add(uint64(n))
	now := time.Now().UnixNano()
	if last := r.last.Swap(now); last != 0 && now-last < int64(denialEpisode) {
		return nil
	}
	since := count - r.logged.Swap(count)
	attrs := []any{"client", c.may().name}
	if addr != "" {
		attrs = append(attrs, "peer", addr)
	}
	if kind != refusedLog {
		attrs = append(attrs, "topic", shortTopic(topic))
	}
	if since > uint64(n) {
		attrs = append(attrs, "since_last_line", since-uint64(n))
	}
	return func() { c.log.Warn(refusedLines[kind], attrs...) }
}

// lateLog writes log lines for those who must not wait for it, on a goroutine of
// its own. A nil lateLog has nothing to write.
type lateLog struct {
	done chan struct{} // closed when the goroutine has ended

	mu    sync.Mutex
	lines chan func() // nil when closed
}

// maxLateLines bounds the lines that wait; further ones are left out.
const maxLateLines = 64

func newLateLog() *lateLog {
	lines := make(chan func(), maxLateLines)
	l := &lateLog{done: make(chan struct{}), lines: lines}
	go func() {
		defer close(l.done)
		for line := range lines {
			line()
		}
	}()
	return l
}

// add hands over a line, which may be nil. It does not wait.
func (l *lateLog) add(line func()) {
	if line == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.lines <- line: // a nil channel takes none
	default:
	}
}

// close waits until what was handed over is written.
func (l *lateLog) close() {
	if l == nil {
		return
	}
	l.mu.Lock()
	if l.lines != nil {
		close(l.lines)
		l.lines = nil
	}
	l.mu.Unlock()
	<-l.done
}

// shortTopic is a topic from outside for a log line.
func shortTopic(topic []byte) string {
	const most = 128
	if len(topic) > most {
		return strings.ToValidUTF8(string(topic[:most]), "\ufffd") + "..."
	}
	return strings.ToValidUTF8(string(topic), "\ufffd")
}
