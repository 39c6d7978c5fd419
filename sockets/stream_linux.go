package sockets

import (
	"net"
	"os"
	"sync"
	"syscall"

	"go.uber.org/atomic"
	"golang.org/x/sys/unix"
)

// A stream is the file descriptor of an established connection, waited for with
// the socket's own poller.
//
// The Go runtime's poller is edge triggered: it is woken by all that arrives, also
// while the connection is being read anyway, which costs a busy broker a third of
// its time. Here the kernel is asked to tell of a descriptor only when somebody is
// about to wait for it, and once. That is level triggered, so a short read is as
// good a reason to wait as an empty one.
type stream struct {
	fd   int
	poll *poller
	refs atomic.Int32 // whoever is in a system call with fd; closed at 0

	mu     sync.Mutex
	closed bool // fd is closed
	armed  uint32

	readable, writable chan struct{}
}

const (
	pollIn  = unix.EPOLLIN | unix.EPOLLRDHUP
	pollOut = unix.EPOLLOUT
)

// openStream takes the descriptor out of nc, which is closed for that; nil if it
// cannot be had. The caller holds the one reference.
func openStream(nc net.Conn, poll *poller) *stream {
	sc, ok := nc.(syscall.Conn)
	if !ok || poll == nil {
		return nil
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil
	}
	fd := -1
	if err := raw.Control(func(from uintptr) {
		fd, err = unix.FcntlInt(from, unix.F_DUPFD_CLOEXEC, 0)
	}); err != nil || fd < 0 {
		return nil
	}
	st := &stream{fd: fd, poll: poll, readable: make(chan struct{}, 1), writable: make(chan struct{}, 1)}
	st.refs.Store(1)
	if err := poll.add(st); err != nil {
		unix.Close(fd)
		return nil
	}
	// Closing takes the connection out of the runtime's poller; it lives on in
	// the new descriptor.
	nc.Close()
	return st
}

// hold adds a reference unless the descriptor is closed.
func (st *stream) hold() bool {
	for {
		n := st.refs.Load()
		if n == 0 {
			return false
		}
		if st.refs.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// release gives a reference back.
func (st *stream) release() {
	if st.refs.Dec() > 0 {
		return
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	st.closed = true
	st.poll.remove(st)
	unix.Close(st.fd)
}

// shutdown ends the connection: reads and writes fail, and who waits is woken.
func (st *stream) shutdown() {
	st.mu.Lock()
	defer st.mu.Unlock()
	if !st.closed {
		_ = unix.Shutdown(st.fd, unix.SHUT_RDWR)
	}
}

// read reads what is there; again says that there was nothing. n is 0 without
// an error at the end of the stream.
func (st *stream) read(p []byte) (n int, again bool, err error) {
	for {
		n, err := readFD(st.fd, p)
		switch err {
		case nil:
			return n, false, nil
		case syscall.EAGAIN:
			return 0, true, nil
		case syscall.EINTR:
		default:
			return 0, false, os.NewSyscallError("read", err)
		}
	}
}

// write writes what the kernel takes now; n < len(p) without an error means that
// it takes no more.
func (st *stream) write(p []byte) (n int, err error) {
	for n < len(p) {
		m, err := writeFD(st.fd, p[n:])
		switch err {
		case nil:
			n += m
		case syscall.EAGAIN:
			return n, nil
		case syscall.EINTR:
		default:
			return n, os.NewSyscallError("write", err)
		}
	}
	return n, nil
}

// waitReadable waits until there is something to read or one of the channels is
// closed.
func (st *stream) waitReadable(done, drain <-chan struct{}) {
	st.arm(pollIn)
	select {
	case <-st.readable:
	case <-done:
	case <-drain:
	}
}

// waitWritable waits until the kernel takes something or done is closed.
func (st *stream) waitWritable(done <-chan struct{}) {
	st.arm(pollOut)
	select {
	case <-st.writable:
	case <-done:
	}
}

// arm asks the poller to tell of events, once.
func (st *stream) arm(events uint32) {
	st.mu.Lock()
	st.armed |= events
	st.poll.arm(st, st.armed)
	st.mu.Unlock()
}

// fired is called by the poller. It never blocks: one wake-up is enough.
func (st *stream) fired(events uint32) {
	const broken = unix.EPOLLHUP | unix.EPOLLERR
	st.mu.Lock()
	got := events & st.armed
	if events&broken != 0 {
		got = st.armed
	}
	in, out := got&pollIn != 0, got&pollOut != 0
	if in {
		st.armed &^= pollIn
	}
	if out {
		st.armed &^= pollOut
	}
	if st.armed != 0 && !st.closed {
		st.poll.arm(st, st.armed)
	}
	st.mu.Unlock()
	if in {
		signal(st.readable)
	}
	if out {
		signal(st.writable)
	}
}

func signal(ch chan<- struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// yield lets another thread that waits for this processor run first. The goroutine
// keeps its place among the runtime's processors meanwhile: that is a matter of
// microseconds.
func yield() { _, _, _ = syscall.RawSyscall(syscall.SYS_SCHED_YIELD, 0, 0, 0) }
