package sockets

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// pollBatch is how many descriptors one wake-up of the poller tells of.
const pollBatch = 128

// soon is how long the poller sits in epoll_wait(2) for the next event.
const soon = 5 * time.Millisecond

// A poller tells streams when they can be read or written. It is one goroutine of
// one socket.
//
// While events follow each other within a few milliseconds it sits in epoll_wait,
// which wakes it soonest. Otherwise it waits for the epoll descriptor as for any
// other file, with the runtime's poller: a goroutine that comes to sit in a system
// call makes the runtime's monitor look around every 20 us for a while, which costs
// a broker whose connections are hardly ever silent more than all its parsing.
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
	if err == nil {
		err = file.SetReadDeadline(time.Time{}) // fails when the runtime's poller did not take it
	}
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
	var timeout time.Duration
	var last time.Time
	_ = p.raw.Read(func(uintptr) bool { // until the file is closed
		for {
			if p.tell(events, timeout) {
				now := time.Now()
				timeout = 0
				if now.Sub(last) < soon {
					timeout = soon
				}
				last = now
				// Those that were woken run here and now, instead of waiting until
				// another thread takes them over.
				runtime.Gosched()
			} else if timeout == 0 {
				return false
			} else {
				timeout = 0
			}
		}
	})
}

// tell waits at most so long for events and wakes those who wait for them. It
// reports whether there were any.
func (p *poller) tell(events []unix.EpollEvent, timeout time.Duration) bool {
	n, err := unix.EpollWait(p.epfd, events, int(timeout.Milliseconds()))
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

// close ends the goroutine, which takes as long as it sits in epoll_wait at most.
// Nobody waits for a stream any more; one that is released later finds nothing to
// remove.
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
