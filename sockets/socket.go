package sockets

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-zeromq/zmq4"
	uatomic "go.uber.org/atomic"
)

// kind is what distinguishes the socket types. Its methods are called by the
// goroutine of the connection concerned.
type kind interface {
	// opened: a pipe exists, with or without a connection.
	opened(p *pipe)
	// attached: the pipe has a connection.
	attached(p *pipe)
	// received: messages came. The batch is valid until the return. An error
	// ends the connection.
	received(p *pipe, b Batch) error
	// subscription: a SUBSCRIBE or CANCEL command came.
	subscription(p *pipe, prefix []byte, subscribe bool) error
	// lost: the pipe's connection ended and the pipe lives on.
	lost(p *pipe)
	// ended: the pipe has ended.
	ended(p *pipe)
	// prefixes returns some of what the peer subscribes to, for the log.
	prefixes(p *Peer) []string
}

// socket is what all socket types share: endpoints, connections, their life.
//
//	New --> open --Close--> closing (linger) --> closed
//
// Once closed, always closed.
type socket struct {
	typ      zmq4.SocketType
	opt      Options
	kind     kind
	monitor  *monitor
	wg       sync.WaitGroup // accept loops, dial loops, readers, writers, heartbeat
	closing  chan struct{}  // closed when Close has lingered
	draining uatomic.Bool   // set by drain: connections end when nothing is left to read
	drainC   chan struct{}  // closed by drain
	left     chan struct{}  // a connection has ended; of use to drain
	hurried  chan struct{}  // closed by hurry: nobody is waited for any more
	hurry    func()
	failed   failures
	nconns   uatomic.Int32

	dropped, lostMessages atomic.Uint64 // of all peers

	mu        sync.Mutex
	listeners map[string]*listener // by the endpoint bound
	dialers   map[string]*dialer   // by the endpoint as given
	pipes     map[*pipe]struct{}
	nets      map[net.Conn]struct{} // every connection, in its handshake or after
	poll      *poller               // made for the first connection; nil where there is none
	pollTried bool
	closed    bool
	finished  chan struct{} // closed when Close is done
}

func (s *socket) init(typ zmq4.SocketType, opt Options, k kind) error {
	if err := opt.Validate(); err != nil {
		return err
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Mechanism == nil {
		opt.Mechanism = NewNull
	}
	s.typ, s.opt, s.kind = typ, opt, k
	s.closing = make(chan struct{})
	s.hurried = make(chan struct{})
	s.drainC = make(chan struct{})
	s.left = make(chan struct{}, 1)
	s.hurry = sync.OnceFunc(func() { close(s.hurried) })
	s.finished = make(chan struct{})
	s.failed = newFailures()
	s.listeners = make(map[string]*listener)
	s.dialers = make(map[string]*dialer)
	s.pipes = make(map[*pipe]struct{})
	s.nets = make(map[net.Conn]struct{})
	s.monitor = newMonitor(s)
	go s.monitor.run()
	if opt.HeartbeatInterval > 0 {
		s.wg.Go(s.heartbeat)
	}
	return nil
}

func (s *socket) tell(e Event) { s.monitor.tell(e) }

// Close stops accepting and dialling, waits up to Options.Linger for queued
// messages to be taken by the kernel, closes all connections and waits for the
// socket's goroutines, handlers included: it must not be called by a handler.
// Later calls wait for the first.
func (s *socket) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		<-s.finished
		return nil
	}
	s.closed = true
	listeners := s.listeners
	s.listeners = nil // Unbind finds none of them any more
	pipes := make([]*pipe, 0, len(s.pipes))
	for p := range s.pipes {
		pipes = append(pipes, p)
	}
	s.mu.Unlock()

	for _, l := range listeners {
		l.close()
	}
	s.linger(pipes)
	close(s.closing)
	s.hurry()
	s.mu.Lock()
	for _, d := range s.dialers {
		d.cancel()
	}
	nets := slices.Collect(maps.Keys(s.nets))
	s.mu.Unlock()
	// Not under the lock: closing waits for the handler, which may ask the
	// socket for its figures.
	for _, nc := range nets {
		nc.Close()
	}
	s.wg.Wait()
	for _, p := range pipes {
		p.detach(true, true)
	}
	if s.poll != nil {
		s.poll.close()
	}
	close(s.monitor.pending)
	<-s.monitor.done
	close(s.finished)
	return nil
}

// drainGrace is how long a connection that is not known to be silent may be so
// before drain ends it.
const drainGrace = 200 * time.Millisecond

// drain is the part of Close for what was not read yet. See [PULL.Drain].
func (s *socket) drain(ctx context.Context) error {
	s.mu.Lock()
	if !s.draining.Swap(true) {
		for _, l := range s.listeners {
			l.close()
		}
		close(s.drainC)
		for nc := range s.nets {
			hasten(nc)
		}
	}
	s.mu.Unlock()
	for s.nconns.Load() > 0 {
		select {
		case <-s.left:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// hasten bounds the reading of a connection that drain waits for: of one in its
// handshake, and where all reading is done through package net.
func hasten(nc net.Conn) { _ = nc.SetReadDeadline(time.Now().Add(drainGrace)) }

// setDeadline bounds a handshake, or ends that with the zero time. What drain wants
// holds, whoever was first.
func (s *socket) setDeadline(nc net.Conn, deadline time.Time) error {
	err := nc.SetDeadline(deadline)
	if s.draining.Load() {
		hasten(nc)
	}
	return err
}

// linger waits until the pipes are empty or the time is up.
func (s *socket) linger(pipes []*pipe) {
	if s.opt.Linger == 0 {
		return
	}
	var expired <-chan time.Time
	if s.opt.Linger > 0 {
		t := time.NewTimer(s.opt.Linger)
		defer t.Stop()
		expired = t.C
	}
	for _, p := range pipes {
		if empty := p.untilEmpty(); empty != nil {
			select {
			case <-empty:
			case <-expired:
				return
			}
		}
	}
}

// enter registers a connection so that Close can end it, and its goroutine in
// s.wg; false when it is too late for that.
func (s *socket) enter(nc net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.nets[nc] = struct{}{}
	s.nconns.Inc()
	s.wg.Add(1) // under the lock, so that Close waits for it
	return true
}

func (s *socket) leave(nc net.Conn) {
	s.mu.Lock()
	delete(s.nets, nc)
	s.mu.Unlock()
	s.nconns.Dec()
	nc.Close()
	select {
	case s.left <- struct{}{}:
	default:
	}
}

// polled returns the socket's poller, nil if it cannot have one.
func (s *socket) polled() *poller {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.pollTried {
		s.pollTried = true
		s.poll, _ = newPoller()
	}
	return s.poll
}

// open registers a pipe.
func (s *socket) open(p *pipe) {
	s.mu.Lock()
	s.pipes[p] = struct{}{}
	s.mu.Unlock()
	s.kind.opened(p)
}

// end ends a pipe.
func (s *socket) end(p *pipe) {
	p.detach(true, true)
	p.tellLeft()
	s.kind.ended(p)
	s.mu.Lock()
	delete(s.pipes, p)
	s.mu.Unlock()
}

// establish runs the handshake on a new connection and returns it attached to
// nothing yet.
func (s *socket) establish(nc net.Conn, endpoint string, server bool) (zmq4.Security, zmq4.SocketType, error) {
	tune(nc, &s.opt)
	sec := s.opt.Mechanism(server)
	var typ zmq4.SocketType
	err := s.setDeadline(nc, time.Now().Add(s.opt.HandshakeTimeout))
	if err == nil {
		typ, err = handshake(nc, s.typ, sec, server)
	}
	if err == nil {
		err = s.setDeadline(nc, time.Time{})
	}
	if err != nil {
		reason := reasonOf(err)
		if s.isClosing() {
			reason, err = ReasonShutdown, ErrClosed
		}
		s.failed.count(reason)
		s.tell(Event{Kind: EventHandshakeFailed, Endpoint: endpoint, Addr: remoteAddr(nc), Reason: reason, Err: err, dialled: !server})
		return nil, "", err
	}
	return sec, typ, nil
}

// serve runs a connection whose handshake is done until it ends.
func (s *socket) serve(nc net.Conn, sec zmq4.Security, typ zmq4.SocketType, p *pipe) error {
	addr := remoteAddr(nc)
	p.peer.addr.Store(&addr)
	p.peer.typ.Store(&typ)
	p.peer.identify(sec)
	codec, _ := sec.(FrameCodec)
	c := newConn(s, nc, codec, p)
	p.attach(c)
	// Asked only now, when Readmit finds the connection, so that nobody slips
	// in between.
	if s.admits(p) {
		s.kind.attached(p)
		s.tell(Event{Kind: EventConnected, Endpoint: p.peer.Endpoint, Addr: addr, Peer: p.peer})
	} else {
		c.expel()
	}
	err := c.run()
	reason := reasonOf(err)
	s.failed.count(reason)
	s.tell(Event{Kind: EventDisconnected, Endpoint: p.peer.Endpoint, Addr: addr, Peer: p.peer, Reason: reason, Err: plainEOF(err)})
	return err
}

// plainEOF drops the errors that say no more than that the peer has gone.
func plainEOF(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, ErrClosed) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (s *socket) isHurried() bool {
	select {
	case <-s.hurried:
		return true
	default:
		return false
	}
}

func (s *socket) isClosing() bool {
	select {
	case <-s.closing:
		return true
	default:
		return false
	}
}

// remoteAddr is the peer's address; Unix domain peers have none.
func remoteAddr(nc net.Conn) string {
	if a := nc.RemoteAddr(); a != nil && a.String() != "" && a.String() != "@" {
		return a.String()
	}
	return "ipc"
}

// allPipes returns the pipes there are now.
func (s *socket) allPipes() []*pipe {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.pipes))
}

// Peers returns the figures of all peers, in the order of their IDs.
func (s *socket) Peers() []PeerStats {
	s.mu.Lock()
	list := make([]PeerStats, 0, len(s.pipes))
	for p := range s.pipes {
		list = append(list, p.stats())
	}
	s.mu.Unlock()
	slices.SortFunc(list, func(a, b PeerStats) int { return int(int64(a.Peer.ID - b.Peer.ID)) })
	return list
}

// Stats returns the socket's figures.
func (s *socket) Stats() Stats {
	st := Stats{Failures: make(map[Reason]uint64), LostEvents: s.monitor.lost.Load()}
	for r, n := range s.failed {
		st.Failures[r] = n.Load()
	}
	st.Connections = int(s.nconns.Load())
	st.Dropped, st.Lost = s.dropped.Load(), s.lostMessages.Load()
	return st
}

// Endpoints returns the endpoints bound, with the real addresses and ports.
func (s *socket) Endpoints() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]string, 0, len(s.listeners))
	for e := range s.listeners {
		list = append(list, e)
	}
	slices.Sort(list)
	return list
}

// Type returns the socket's type.
func (s *socket) Type() zmq4.SocketType { return s.typ }

// noSubscription is kind.subscription for sockets that have no subscribers.
func noSubscription(typ zmq4.SocketType, subscribe bool) error {
	name := "CANCEL"
	if subscribe {
		name = "SUBSCRIBE"
	}
	return protocolErrorf(ReasonCommand, "command %s on a %s socket", name, typ)
}

// endpointError adds what was done to an error that names only the address.
func endpointError(verb, endpoint string, err error) error {
	var op *net.OpError
	if errors.As(err, &op) && op.Err != nil {
		err = op.Err
	}
	return fmt.Errorf("%s %s: %w", verb, endpoint, err)
}
