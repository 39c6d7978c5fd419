package sockets

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// pollBatch is how many descriptors one wake-up of the poller tells of.
const pollBatch = 128

// A poller tells streams when they can be read or written. It is one goroutine of
// one socket.
//
// It does not sit in epoll_wait(2): for each goroutine that comes to sit in a system
// call the Go runtime's monitor wakes every 20 us for milliseconds to come, which
// costs a busy broker more than its parsing. An epoll descriptor can itself be
// waited for, so the goroutine waits for it as for any other file.
type poller struct {
	epfd int
	file *os.File // owns epfd
	raw  syscall.RawConn
	done chan struct{}

	mu      sync.RWMutex
	streams map[int]*stream // by descriptor
}

func newPoller() (*poller, error) {
	epfd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll_create: %w", err)
	}
	if err := unix.SetNonblock(epfd, true); err != nil { // or the runtime's poller would not take it
		unix.Close(epfd)
		return nil, fmt.Errorf("epoll descriptor: %w", err)
	}
	file := os.NewFile(uintptr(epfd), "epoll")
	raw, err := file.SyscallConn()
	if err != nil {
		file.Close()
		return nil, err
	}
	p := &poller{epfd: epfd, file: file, raw: raw, done: make(chan struct{}), streams: make(map[int]*stream)}
	go p.run()
	return p, nil
}

// run is the poller's goroutine.
func (p *poller) run() {
	defer close(p.done)
	events := make([]unix.EpollEvent, pollBatch)
	_ = p.raw.Read(func(uintptr) bool { // until the file is closed
		for p.tell(events) {
			// Those that were woken run here and now, instead of waiting until
			// another thread takes them over.
			runtime.Gosched()
		}
		return false
	})
}

// tell wakes those who wait for what has happened, and reports whether anything had.
func (p *poller) tell(events []unix.EpollEvent) bool {
	n, err := unix.EpollWait(p.epfd, events, 0)
	if err != nil && err != unix.EINTR {
		panic("sockets: internal error: epoll_wait: " + err.Error())
	}
	for _, e := range events[:max(n, 0)] {
		p.mu.RLock()
		st := p.streams[int(e.Fd)]
		p.mu.RUnlock()
		if st != nil {
			st.fired(e.Events)
		}
	}
	return n != 0
}

// close ends the goroutine. No stream is left by then.
func (p *poller) close() {
	p.file.Close()
	<-p.done
}

func (p *poller) add(st *stream) error {
	p.mu.Lock()
	p.streams[st.fd] = st
	p.mu.Unlock()
	err := unix.EpollCtl(p.epfd, unix.EPOLL_CTL_ADD, st.fd, &unix.EpollEvent{Events: unix.EPOLLONESHOT, Fd: int32(st.fd)})
	if err != nil {
		p.remove(st)
	}
	return err
}

// remove is called before the descriptor is closed, so that a new one with its
// number is never taken for it.
func (p *poller) remove(st *stream) {
	_ = unix.EpollCtl(p.epfd, unix.EPOLL_CTL_DEL, st.fd, nil)
	p.mu.Lock()
	delete(p.streams, st.fd)
	p.mu.Unlock()
}

func (p *poller) arm(st *stream, events uint32) {
	_ = unix.EpollCtl(p.epfd, unix.EPOLL_CTL_MOD, st.fd, &unix.EpollEvent{Events: events | unix.EPOLLONESHOT, Fd: int32(st.fd)})
}
