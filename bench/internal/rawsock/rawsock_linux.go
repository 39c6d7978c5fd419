package rawsock

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// Connect starts a non-blocking connection to addr, an IPv4 "host:port". The
// descriptor becomes writable when it is established; see [ConnectError].
func Connect(addr string) (fd int, err error) {
	to, err := sockaddr(addr)
	if err != nil {
		return -1, err
	}
	fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("socket for %s: %w", addr, err)
	}
	if err := noDelay(fd); err != nil {
		return -1, err
	}
	if err := unix.Connect(fd, to); err != nil && !errors.Is(err, unix.EINPROGRESS) {
		Close(fd)
		return -1, fmt.Errorf("connect %s: %w", addr, err)
	}
	return fd, nil
}

// ConnectError returns how a connection begun by Connect ended.
func ConnectError(fd int) error {
	n, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && n != 0 {
		err = unix.Errno(n)
	}
	return err
}

// Dial is Connect that waits, and tries again while nobody listens, until the
// deadline has passed.
func Dial(addr string, deadline time.Time) (fd int, err error) {
	for {
		if fd, err = Connect(addr); err != nil {
			return -1, err
		}
		if err = Wait(fd, unix.POLLOUT, deadline); err == nil {
			err = ConnectError(fd)
		}
		if err == nil {
			return fd, nil
		}
		Close(fd)
		if !errors.Is(err, unix.ECONNREFUSED) || time.Now().After(deadline) {
			return -1, fmt.Errorf("connect %s: %w", addr, err)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// Listen opens a non-blocking listener on addr, an IPv4 "host:port".
func Listen(addr string) (fd int, err error) {
	at, err := sockaddr(addr)
	if err != nil {
		return -1, err
	}
	fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("socket for %s: %w", addr, err)
	}
	err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	if err == nil {
		err = unix.Bind(fd, at)
	}
	if err == nil {
		err = unix.Listen(fd, 4096)
	}
	if err != nil {
		Close(fd)
		return -1, fmt.Errorf("listen on %s: %w", addr, err)
	}
	return fd, nil
}

// Accept takes one connection, non-blocking; ok is false when none waits.
func Accept(listener int) (fd int, ok bool, err error) {
	for {
		fd, _, err = unix.Accept4(listener, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		switch {
		case err == nil:
			return fd, true, noDelay(fd)
		case errors.Is(err, unix.EAGAIN):
			return -1, false, nil
		case !errors.Is(err, unix.EINTR):
			return -1, false, fmt.Errorf("accept: %w", err)
		}
	}
}

func noDelay(fd int) error {
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		Close(fd)
		return fmt.Errorf("TCP_NODELAY: %w", err)
	}
	return nil
}

func sockaddr(addr string) (*unix.SockaddrInet4, error) {
	ap, err := netip.ParseAddrPort(addr)
	if err != nil || !ap.Addr().Is4() {
		return nil, fmt.Errorf("address %q: want an IPv4 address and a port", addr)
	}
	return &unix.SockaddrInet4{Port: int(ap.Port()), Addr: ap.Addr().As4()}, nil
}

// Read reads what is there: n is 0 when the read would block, and err is io.EOF
// when the peer has closed.
func Read(fd int, b []byte) (n int, err error) {
	for {
		n, err = unix.Read(fd, b)
		switch {
		case err == nil && n == 0:
			return 0, io.EOF
		case err == nil:
			return n, nil
		case errors.Is(err, unix.EAGAIN):
			return 0, nil
		case !errors.Is(err, unix.EINTR):
			return 0, err
		}
	}
}

// Write writes what fits: n is 0 when the write would block.
func Write(fd int, b []byte) (n int, err error) {
	for {
		n, err = unix.Write(fd, b)
		switch {
		case err == nil:
			return n, nil
		case errors.Is(err, unix.EAGAIN):
			return 0, nil
		case !errors.Is(err, unix.EINTR):
			return 0, err
		}
	}
}

// WriteAll writes all of b, waiting for room until the deadline.
func WriteAll(fd int, b []byte, deadline time.Time) error {
	for len(b) > 0 {
		n, err := Write(fd, b)
		if err != nil {
			return err
		}
		if n == 0 {
			if err := Wait(fd, unix.POLLOUT, deadline); err != nil {
				return err
			}
		}
		b = b[n:]
	}
	return nil
}

// Wait waits for one of the poll events on a descriptor.
func Wait(fd int, events int16, deadline time.Time) error {
	for {
		left := time.Until(deadline)
		if left <= 0 {
			return unix.ETIMEDOUT
		}
		fds := []unix.PollFd{{Fd: int32(fd), Events: events}}
		n, err := unix.Poll(fds, int(left.Milliseconds())+1)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
		if n > 0 {
			return nil
		}
	}
}

// Close closes a descriptor; there is nothing to be done about an error.
func Close(fd int) { _ = unix.Close(fd) }

// Clock returns the machine's monotonic clock in nanoseconds. All processes of
// a run see the same one.
func Clock() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic("rawsock: no monotonic clock: " + err.Error())
	}
	return ts.Nano()
}
