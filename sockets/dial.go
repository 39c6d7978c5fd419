package sockets

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"
)

// maxRetry bounds the pause that grows while a peer breaks the protocol. libzmq
// gives such a connection up for good; we try again, but not often.
const maxRetry = 5 * time.Second

// A dialer keeps one connecting pipe connected.
type dialer struct {
	s        *socket
	endpoint string
	to       Endpoint
	pipe     *pipe
	ctx      context.Context // this dialer's life
	cancel   context.CancelFunc
	done     chan struct{}
}

// Connect starts connecting to an endpoint, tcp://host:port or ipc://path, and
// keeps at it until Disconnect or Close. It does not wait for the connection;
// only an endpoint that cannot be parsed or is connected already is an error.
func (s *socket) Connect(endpoint string) error {
	e, err := ParseEndpoint(endpoint)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	if e.Network == "tcp" && e.Port == 0 {
		return fmt.Errorf("connect: endpoint %q: a port is needed", endpoint)
	}
	d := &dialer{s: s, endpoint: endpoint, to: e, pipe: newPipe(s, endpoint), done: make(chan struct{})}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		d.cancel()
		return ErrClosed
	}
	if s.dialers[endpoint] != nil {
		s.mu.Unlock()
		d.cancel()
		return fmt.Errorf("connect %s: connected already", endpoint)
	}
	s.dialers[endpoint] = d
	// Counted under the lock, so that Close waits for it.
	s.wg.Add(1)
	s.mu.Unlock()
	s.open(d.pipe)
	go d.run()
	return nil
}

// Disconnect ends the connection to an endpoint given to Connect, with what is
// queued for it.
func (s *socket) Disconnect(endpoint string) error {
	s.mu.Lock()
	d := s.dialers[endpoint]
	delete(s.dialers, endpoint)
	s.mu.Unlock()
	if d == nil {
		return fmt.Errorf("disconnect %s: not connected", endpoint)
	}
	d.cancel()
	<-d.done
	return nil
}

// run is the dial loop, and the reader of the connections it makes.
func (d *dialer) run() {
	defer d.s.wg.Done()
	defer close(d.done)
	defer d.cancel()
	defer d.s.end(d.pipe)
	failures := 0
	for d.ctx.Err() == nil {
		err := d.once()
		var p *ProtocolError
		if errors.As(err, &p) {
			failures++
		} else {
			failures = 0
		}
		pause := min(d.s.opt.ReconnectInterval<<min(failures, 16), max(maxRetry, d.s.opt.ReconnectInterval))
		select {
		case <-time.After(pause):
		case <-d.ctx.Done():
		case <-d.s.drainC:
			return
		case <-d.s.closing:
			return
		}
	}
}

// once dials, shakes hands and serves one connection until it ends.
func (d *dialer) once() error {
	ctx, cancel := context.WithTimeout(d.ctx, d.s.opt.HandshakeTimeout)
	network, address := d.to.dialAddress()
	nc, err := netDialer(&d.s.opt).DialContext(ctx, network, address)
	cancel()
	if err != nil {
		if d.ctx.Err() == nil {
			d.s.tell(Event{Kind: EventDialFailed, Endpoint: d.endpoint, Err: endpointError("connect", d.endpoint, err)})
		}
		return err
	}
	nc = &link{Conn: nc}
	if !d.s.enterDialled(nc) {
		nc.Close()
		return ErrClosed
	}
	defer d.s.leave(nc)
	// Disconnect must end the connection too.
	stop := context.AfterFunc(d.ctx, func() { nc.Close() })
	defer stop()
	sec, typ, err := d.s.establish(nc, d.endpoint, false)
	if err != nil {
		return err
	}
	err = d.s.serve(nc, sec, typ, d.pipe)
	d.pipe.detach(false, d.s.opt.Immediate)
	d.s.kind.lost(d.pipe)
	return err
}

// enterDialled is enter for a connection of ours: a socket that lingers still
// makes them, to bring what is queued to its peer.
func (s *socket) enterDialled(nc net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isClosing() || s.draining.Load() {
		return false
	}
	s.nets[nc] = struct{}{}
	s.nconns.Inc()
	return true
}

// dialAddress is what net.Dialer takes. A wildcard means this host.
func (e Endpoint) dialAddress() (network, address string) {
	if e.Network == "unix" {
		return e.Network, e.Host
	}
	host := e.Host
	if host == "*" {
		host = "127.0.0.1"
	}
	return "tcp", net.JoinHostPort(host, strconv.Itoa(int(e.Port)))
}
