package sockets

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"
)

// A listener accepts connections at one endpoint.
type listener struct {
	s        *socket
	endpoint string
	nl       net.Listener
	quit     chan struct{}
}

// close stops accepting; connections live on.
func (l *listener) close() {
	select {
	case <-l.quit:
	default:
		close(l.quit)
	}
	l.nl.Close()
}

// Bind listens at an endpoint, tcp://host:port or ipc://path, and returns the
// endpoint with the address and port really bound. A socket may bind several.
// A stale Unix domain socket that nobody listens at is replaced.
func (s *socket) Bind(endpoint string) (bound string, err error) {
	e, err := ParseEndpoint(endpoint)
	if err != nil {
		return "", fmt.Errorf("bind: %w", err)
	}
	network, address := e.listenAddress(s.opt.IPv6)
	if network == "unix" {
		removeStale(address)
	}
	nl, err := listenConfig(&s.opt).Listen(context.Background(), network, address)
	if err != nil {
		return "", endpointError("bind", endpoint, err)
	}
	l := &listener{s: s, endpoint: e.boundTo(nl.Addr()).String(), nl: nl, quit: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		nl.Close()
		return "", ErrClosed
	}
	s.listeners[l.endpoint] = l
	s.wg.Go(l.run)
	return l.endpoint, nil
}

// Unbind stops listening at an endpoint as Bind returned it. Connections that
// came through it live on.
func (s *socket) Unbind(endpoint string) error {
	s.mu.Lock()
	l := s.listeners[endpoint]
	delete(s.listeners, endpoint)
	s.mu.Unlock()
	if l == nil {
		return fmt.Errorf("unbind %s: not bound", endpoint)
	}
	l.close()
	return nil
}

// removeStale removes a Unix domain socket that a dead process left behind. Only
// a refusal says so: a live process that is too busy to accept gives EAGAIN.
func removeStale(path string) {
	if fi, err := os.Lstat(path); err != nil || fi.Mode()&os.ModeSocket == 0 {
		return
	}
	nc, err := net.DialTimeout("unix", path, time.Second)
	switch {
	case err == nil:
		nc.Close()
	case errors.Is(err, syscall.ECONNREFUSED):
		os.Remove(path)
	}
}

// acceptRetry is the pause after the system gave no connection, mostly for want
// of file descriptors.
const acceptRetry = 100 * time.Millisecond

// run is the accept loop. It never waits for a peer.
func (l *listener) run() {
	for {
		nc, err := l.nl.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			l.s.tell(Event{Kind: EventAcceptFailed, Endpoint: l.endpoint, Err: err})
			select {
			case <-time.After(acceptRetry):
				continue
			case <-l.quit:
				return
			}
		}
		nc = &link{Conn: nc}
		if int(l.s.nconns.Load()) >= l.s.opt.MaxConnections {
			l.s.failed.count(ReasonConnections)
			l.s.tell(Event{Kind: EventRefused, Endpoint: l.endpoint, Addr: remoteAddr(nc), Reason: ReasonConnections})
			nc.Close()
			continue
		}
		if !l.s.enter(nc) {
			nc.Close()
			return
		}
		l.s.wg.Go(func() { l.accepted(nc) })
	}
}

// accepted is the goroutine of one accepted connection: first its handshake,
// then its reader.
func (l *listener) accepted(nc net.Conn) {
	defer l.s.leave(nc)
	sec, typ, err := l.s.establish(nc, l.endpoint, true)
	if err != nil {
		return
	}
	p := newPipe(l.s, l.endpoint)
	l.s.open(p)
	_ = l.s.serve(nc, sec, typ, p)
	l.s.end(p)
}
