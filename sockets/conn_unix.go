//go:build unix

package sockets

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

// rawConn returns the connection's file descriptor for reads that wait without
// holding a buffer and writes that never wait; nil if it has none.
func rawConn(nc net.Conn) syscall.RawConn {
	sc, ok := nc.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}

// readable reads until there is nothing left. The runtime's poller is edge
// triggered, so a short read does not end it: an end of file that came with the
// last bytes would be missed.
func (r *reader) readable(fd uintptr) bool {
	for !r.c.closed.Load() {
		n, err := syscall.Read(int(fd), r.room())
		switch {
		case n > 0:
			if r.err = r.received(n); r.err != nil {
				return true
			}
		case err == nil:
			r.err = io.EOF
			return true
		case errors.Is(err, syscall.EAGAIN):
			r.idle()
			return false
		case errors.Is(err, syscall.EINTR):
		default:
			r.err = os.NewSyscallError("read", err)
			return true
		}
	}
	r.err = net.ErrClosed
	return true
}

// writeSome writes what the kernel takes of p without waiting; n < len(p)
// without an error means that it takes no more now.
func writeSome(fd uintptr, p []byte) (n int, err error) {
	for n < len(p) {
		m, err := syscall.Write(int(fd), p[n:])
		switch {
		case m > 0:
			n += m
		case errors.Is(err, syscall.EAGAIN):
			return n, nil
		case errors.Is(err, syscall.EINTR):
		default:
			return n, os.NewSyscallError("write", err)
		}
	}
	return n, nil
}
