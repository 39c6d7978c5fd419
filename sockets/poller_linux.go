package sockets

import (
	"fmt"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// pollBatch is how many descriptors one wake-up of the poller tells of.
const pollBatch = 128

// A poller tells streams when they can be read or written. It is one goroutine of
// one socket, in epoll_wait(2) most of its life.
type poller struct {
	epfd  int
	event int // eventfd(2) that ends the goroutine
	done  chan struct{}

	mu      sync.RWMutex
	streams map[int]*stream // by descriptor
}

func newPoller() (*poller, error) {
	epfd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll_create: %w", err)
	}
	event, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err == nil {
		err = unix.EpollCtl(epfd, unix.EPOLL_CTL_ADD, event, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(event)})
	}
	if err != nil {
		if event > 0 {
			unix.Close(event)
		}
		unix.Close(epfd)
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	p := &poller{epfd: epfd, event: event, done: make(chan struct{}), streams: make(map[int]*stream)}
	go p.run()
	return p, nil
}

// run is the poller's goroutine.
func (p *poller) run() {
	defer close(p.done)
	var events [pollBatch]unix.EpollEvent
	for {
		n, err := unix.EpollWait(p.epfd, events[:], -1)
		if err != nil && err != unix.EINTR {
			panic("sockets: internal error: epoll_wait: " + err.Error())
		}
		for _, e := range events[:max(n, 0)] {
			if int(e.Fd) == p.event {
				return
			}
			p.mu.RLock()
			st := p.streams[int(e.Fd)]
			p.mu.RUnlock()
			if st != nil {
				st.fired(e.Events)
			}
		}
		// Those that were woken run here and now, instead of waiting until
		// another thread takes them over from one that sits in epoll_wait.
		runtime.Gosched()
	}
}

// close ends the goroutine. No stream is left by then.
func (p *poller) close() {
	one := [8]byte{7: 1} // any number but 0 and 2^64-1, in either byte order
	_, _ = unix.Write(p.event, one[:])
	<-p.done
	unix.Close(p.event)
	unix.Close(p.epfd)
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
