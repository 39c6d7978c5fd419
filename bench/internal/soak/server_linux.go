package soak

import (
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"github.com/znode/znode/bench/internal/proc"
)

// host is where the servers listen. Connections made on the loopback have
// 127.0.0.1 at their own end, so none takes the port of a server that is away.
const host = "127.0.0.2"

// server is a znode process that can be ended and started again where it was.
type server struct {
	name     string
	program  string
	args     []string
	pub, sub string // of a broker
	addr     string // of a logger
	metrics  string
	dir      string // of a logger
	p        *proc.Process
	starts   int

	received int64 // messages that earlier processes of a logger have read
	refused  int64 // and refused
}

// freeAddrs returns addresses with ports that the kernel chose.
func freeAddrs(n int) (addrs []string, err error) {
	for range n {
		l, err := net.Listen("tcp4", host+":0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		addrs = append(addrs, l.Addr().String())
	}
	return addrs, nil
}

func newBroker(program string) (*server, error) {
	a, err := freeAddrs(3)
	if err != nil {
		return nil, err
	}
	return &server{
		name: "broker", program: program, pub: a[0], sub: a[1], metrics: a[2],
		args: []string{
			"run", "broker", "--node", "soak-broker", "--metrics-address", a[2], "--log-level", "error",
			"--listen-xsub-endpoint", "tcp://" + a[0], "--listen-xpub-endpoint", "tcp://" + a[1],
			// Tight, so that the load of a short round reaches every bound.
			"--max-message-size", "64KiB",
			"--listen-xpub-sndbuf", "64KiB", "--slow-subscriber-grace", "300ms",
		},
	}, nil
}

func newLogger(program, name, dir string, flags ...string) (*server, error) {
	a, err := freeAddrs(2)
	if err != nil {
		return nil, err
	}
	return &server{
		name: name, program: program, addr: a[0], metrics: a[1], dir: dir,
		args: append([]string{
			"run", "logger", "--node", "soak-" + name, "--metrics-address", a[1], "--log-level", "error",
			"--listen-log-endpoint", "tcp://" + a[0], "--log-dir", dir,
			"--memory-limit", "16MiB", "--rotation-size", "1MiB", "--flush-interval", "300ms",
		}, flags...),
	}, nil
}

// start starts the process and waits until it serves its figures, which comes
// last.
func (s *server) start() (err error) {
	if s.p, err = proc.Start(s.program, s.args...); err != nil {
		return err
	}
	s.starts++
	return await(s.name+" starts", func() (bool, error) {
		if err := s.p.Ended(); err != nil {
			return false, err
		}
		_, err := s.scrape()
		return err == nil, nil
	})
}

// stop asks the process to end, which it must do by itself and without an error.
func (s *server) stop() error { return s.end(syscall.SIGTERM) }

// kill ends it at once.
func (s *server) kill() error { return s.end(syscall.SIGKILL) }

func (s *server) end(signal syscall.Signal) error {
	if err := errors.Join(s.p.Ended(), s.p.Signal(signal)); err != nil {
		return err
	}
	select {
	case <-s.p.Done():
	case <-time.After(patience):
		s.p.Stop()
		return fmt.Errorf("%s did not end within %v after %v", s.name, patience, signal)
	}
	s.p.Stop() // closes what is left of it
	if signal == syscall.SIGKILL {
		return nil
	}
	if err := s.p.Exit(); err != nil {
		return fmt.Errorf("%s: after %v: %w: %w", s.name, signal, err, s.p.Ended())
	}
	return nil
}

// running reports whether there is a process.
func (s *server) running() bool { return s.p != nil && s.p.Ended() == nil }

// carry keeps what the process has counted, for it is going to end.
func (s *server) carry() error {
	f, err := s.scrape()
	if err != nil {
		return err
	}
	s.received += int64(f.sum("znode_logger_received_messages_total"))
	s.refused += int64(f.sum("znode_logger_refused_messages_total"))
	return nil
}
