package sockets

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/go-zeromq/zmq4"
)

// EventKind says what an [Event] is about.
type EventKind int

// The kinds of events. Those of libzmq's monitor in brackets.
const (
	EventConnected       EventKind = iota // a handshake succeeded (HANDSHAKE_SUCCEEDED)
	EventDisconnected                     // a connection ended (DISCONNECTED)
	EventHandshakeFailed                  // (HANDSHAKE_FAILED_*)
	EventDialFailed                       // a connecting socket is refused or gets no answer (CONNECT_RETRIED)
	EventRefused                          // an accepted connection beyond MaxConnections was closed
	EventAcceptFailed                     // the system gives no more connections (ACCEPT_FAILED)
	EventIsolated                         // a slow subscriber is not waited for any more
	EventRejoined                         // an isolated subscriber has caught up
	EventLeft                             // an isolated subscriber has left before it could
)

var eventNames = [...]string{
	"connected", "disconnected", "handshake failed", "dial failed", "connection refused",
	"accept failed", "slow subscriber isolated", "slow subscriber caught up", "slow subscriber left",
}

// String returns the kind in words.
func (k EventKind) String() string {
	if k < 0 || int(k) >= len(eventNames) {
		return fmt.Sprintf("EventKind(%d)", int(k))
	}
	return eventNames[k]
}

// Event is something that happened to a connection of a socket.
type Event struct {
	Kind     EventKind
	Socket   zmq4.SocketType // ours
	Endpoint string          // ours, or the one dialled
	Addr     string          // the peer's, "" when there is none
	Peer     *Peer           // nil before a handshake has succeeded
	Reason   Reason          // why a connection ended or failed, else ""
	Err      error           // the same in detail, else nil
	Dropped  uint64          // EventRejoined, EventLeft: messages dropped for the peer meanwhile
	Prefixes []string        // EventIsolated and those two: some of what the peer subscribes to

	dialled bool // a failed handshake was of a connection that we opened
}

// maxPendingEvents bounds the events waiting to be logged and told; beyond, they
// are dropped, so that a stuck log never stops traffic.
const maxPendingEvents = 1024

// Lines of one kind and reason are logged at most logBurst at a time and then
// one in logEvery.
const (
	logBurst = 10
	logEvery = time.Second
)

// monitor logs and tells a socket's events, in order, on a goroutine of its own.
type monitor struct {
	s       *socket
	pending chan Event
	done    chan struct{}
	limits  map[limitKey]*limit
	lost    atomic.Uint64
}

type limitKey struct {
	kind   EventKind
	reason Reason
}

type limit struct {
	left       int
	at         time.Time
	suppressed int
}

func newMonitor(s *socket) *monitor {
	return &monitor{
		s:       s,
		pending: make(chan Event, maxPendingEvents),
		done:    make(chan struct{}),
		limits:  make(map[limitKey]*limit),
	}
}

// tell hands over an event; it never blocks.
func (m *monitor) tell(e Event) {
	select {
	case m.pending <- e:
	default:
		m.lost.Add(1)
	}
}

// run is the monitor's goroutine; it ends when pending is closed.
func (m *monitor) run() {
	defer close(m.done)
	for e := range m.pending {
		e.Socket = m.s.typ
		if e.Kind == EventIsolated || e.Kind == EventRejoined {
			e.Prefixes = m.s.kind.prefixes(e.Peer)
		}
		m.log(e)
		if m.s.opt.OnEvent != nil {
			m.s.opt.OnEvent(e)
		}
	}
}

func (m *monitor) log(e Event) {
	level := slog.LevelInfo
	switch {
	case e.dialled && e.Kind == EventHandshakeFailed && e.Reason == ReasonClosed && !errors.Is(e.Err, net.ErrClosed):
		// Not by our Disconnect. Whoever listens there does not want us, and will not next time: with
		// CURVE this is all that a client with a wrong server key ever sees.
		level = slog.LevelWarn
	case e.Kind == EventConnected,
		e.Reason == ReasonClosed,
		e.Reason == ReasonShutdown:
		level = slog.LevelDebug
	case e.Kind != EventRejoined && e.Kind != EventLeft:
		level = slog.LevelWarn
	}
	logger := m.s.opt.Log
	if !logger.Enabled(context.Background(), level) {
		return
	}
	ok, suppressed := m.allow(limitKey{e.Kind, e.Reason}, time.Now())
	if !ok {
		return
	}
	attrs := []slog.Attr{slog.String("socket", string(e.Socket)), slog.String("endpoint", e.Endpoint)}
	if e.Addr != "" {
		attrs = append(attrs, slog.String("peer", e.Addr))
	}
	if e.Reason != "" {
		attrs = append(attrs, slog.String("reason", string(e.Reason)))
	}
	if e.Err != nil {
		attrs = append(attrs, slog.String("error", e.Err.Error()))
	}
	if e.Kind >= EventIsolated {
		attrs = append(attrs, slog.Any("subscriptions", e.Prefixes))
	}
	if e.Kind > EventIsolated {
		attrs = append(attrs, slog.Uint64("dropped", e.Dropped))
	}
	if suppressed > 0 {
		attrs = append(attrs, slog.Int("suppressed", suppressed))
	}
	logger.LogAttrs(context.Background(), level, e.Kind.String(), attrs...)
}

// allow says whether a line may be logged and how many were not since the last.
func (m *monitor) allow(k limitKey, now time.Time) (ok bool, suppressed int) {
	l := m.limits[k]
	if l == nil {
		l = &limit{left: logBurst, at: now}
		m.limits[k] = l
	}
	if refill := int(now.Sub(l.at) / logEvery); refill > 0 {
		l.left = min(logBurst, l.left+refill)
		l.at = now
	}
	if l.left == 0 {
		l.suppressed++
		return false, 0
	}
	l.left--
	suppressed, l.suppressed = l.suppressed, 0
	return true, suppressed
}
