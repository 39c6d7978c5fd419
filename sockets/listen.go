package sockets

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
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
		if errors.Is(l.s.serveAccepted(nc, l.endpoint), ErrClosed) {
			return
		}
	}
}

// Attach serves a connection that came to be elsewhere, such as what systemd or a
// TLS listener hands over, as if the socket had accepted it; endpoint is what
// [Peer.Endpoint] and events say. It does not wait for the handshake. The socket
// owns nc from now on, and has closed it when Attach returns an error: ErrClosed,
// or that MaxConnections are there.
//
// What is not itself a connection of the operating system costs a buffer while it
// waits. Its Read and Write must return when it is closed. Both sides of a
// handshake begin by sending: a peer on the other end of a net.Pipe has to read
// while it writes.
func (s *socket) Attach(nc net.Conn, endpoint string) error {
	return s.serveAccepted(nc, endpoint)
}

// serveAccepted starts the goroutine of an accepted connection, or closes it.
func (s *socket) serveAccepted(accepted net.Conn, endpoint string) error {
	nc := &link{Conn: accepted}
	if !s.enter(nc) {
		nc.Close()
		return ErrClosed
	}
	if int(s.nconns.Load()) > s.opt.MaxConnections {
		defer s.wg.Done()
		s.failed.count(ReasonConnections)
		s.tell(Event{Kind: EventRefused, Endpoint: endpoint, Addr: remoteAddr(nc), Reason: ReasonConnections})
		s.leave(nc)
		return fmt.Errorf("attach to %s: %d connections are there, which is option MaxConnections", endpoint, s.opt.MaxConnections)
	}
	go func() {
		defer s.wg.Done()
		s.accepted(nc, endpoint)
	}()
	return nil
}

// accepted is the goroutine of one accepted connection: first its handshake,
// then its reader.
func (s *socket) accepted(nc net.Conn, endpoint string) {
	defer s.leave(nc)
	sec, typ, err := s.establish(nc, endpoint, true)
	if err != nil {
		return
	}
	p := newPipe(s, endpoint)
	s.open(p)
	_ = s.serve(nc, sec, typ, p)
	s.end(p)
}

// listenAddress is what net.Listen takes. A wildcard means all IPv4 addresses,
// as in libzmq, or with ipv6 all addresses.
func (e Endpoint) listenAddress(ipv6 bool) (network, address string) {
	if e.Network == "unix" {
		return e.Network, e.Host
	}
	port := strconv.Itoa(int(e.Port))
	if ip, err := netip.ParseAddr(e.Host); err == nil && ip.Is4() {
		// Package net would take 0.0.0.0 of network tcp for IPv6 too.
		return "tcp4", net.JoinHostPort(e.Host, port)
	}
	if e.Host != "*" {
		return "tcp", net.JoinHostPort(e.Host, port)
	}
	if ipv6 {
		return "tcp", net.JoinHostPort("", port)
	}
	return "tcp4", net.JoinHostPort("0.0.0.0", port)
}

// boundTo is the endpoint with the address a listener really got.
func (e Endpoint) boundTo(a net.Addr) Endpoint {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return e
	}
	e.Host = tcp.IP.String()
	if tcp.Zone != "" {
		e.Host += "%" + tcp.Zone
	}
	e.Port = uint16(tcp.Port)
	return e
}
