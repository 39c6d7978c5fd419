package rawsock

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Events a [Poller] can wait for.
const (
	In  = unix.EPOLLIN
	Out = unix.EPOLLOUT
)

// Poller waits for many descriptors at once, level-triggered. It belongs to one
// goroutine.
type Poller struct {
	fd     int
	events []unix.EpollEvent
}

// NewPoller returns a poller that hands out up to 256 events at a time.
func NewPoller() (*Poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	return &Poller{fd: fd, events: make([]unix.EpollEvent, 256)}, nil
}

// Add watches a descriptor. The token, any number of the caller's, comes back
// with its events.
func (p *Poller) Add(fd int, events uint32, token int) error {
	return p.control(unix.EPOLL_CTL_ADD, fd, events, token)
}

// Set changes what a watched descriptor is watched for.
func (p *Poller) Set(fd int, events uint32, token int) error {
	return p.control(unix.EPOLL_CTL_MOD, fd, events, token)
}

func (p *Poller) control(op, fd int, events uint32, token int) error {
	ev := unix.EpollEvent{Events: events, Fd: int32(token)}
	if err := unix.EpollCtl(p.fd, op, fd, &ev); err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	return nil
}

// Wait calls f for each descriptor with events, after at most the given time in
// milliseconds (-1: for ever), and returns how many there were. An error of f
// ends the round.
func (p *Poller) Wait(milliseconds int, f func(token int, events uint32) error) (int, error) {
	n, err := unix.EpollWait(p.fd, p.events, milliseconds)
	if errors.Is(err, unix.EINTR) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("epoll: %w", err)
	}
	for _, ev := range p.events[:n] {
		if err := f(int(ev.Fd), ev.Events); err != nil {
			return n, err
		}
	}
	return n, nil
}

// Close ends the poller; what it watched stays open.
func (p *Poller) Close() { Close(p.fd) }
