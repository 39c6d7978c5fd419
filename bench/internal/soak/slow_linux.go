package soak

import (
	"sync"
	"time"

	"github.com/znode/znode/bench/internal/zmtp"
	"github.com/znode/znode/codec"
)

// slow is a subscriber that does not read, or not fast enough, as long as it is
// held back.
type slow struct {
	name  string
	c     *conn
	tally *tally
	wg    sync.WaitGroup

	mu    sync.Mutex
	cond  *sync.Cond
	stop  bool          // do not read
	every time.Duration // a message; 0: as fast as they come
	ended bool
}

// smallBuffer keeps what waits in the kernel small, so that the broker notices
// soon.
const smallBuffer = 64 << 10

// newSlow connects and subscribes; for now it reads as fast as it can.
func newSlow(name, xpub string) (*slow, error) {
	c, err := dialAs(xpub, zmtp.XSUB)
	if err != nil {
		return nil, err
	}
	c.SetReadBuffer(smallBuffer)
	if _, err := c.Write(zmtp.AppendSubscribe(nil, prefix)); err != nil {
		c.Close()
		return nil, err
	}
	s := &slow{name: name, c: c, tally: newTally()}
	s.cond = sync.NewCond(&s.mu)
	s.wg.Go(s.read)
	return s, nil
}

// addr is how the broker knows it.
func (s *slow) addr() string { return s.c.LocalAddr().String() }

// read is its goroutine; it ends with the connection.
func (s *slow) read() {
	var view codec.EventView
	var frames [][]byte
	for s.ready() {
		var err error
		if frames, err = s.c.message(frames); err != nil {
			return
		}
		e, ok := event{}, false
		if len(frames) == 4 && view.Decode(frames[3]) == nil {
			e, ok = decodeEvent(&view)
		}
		s.tally.add(e, ok)
	}
}

// ready waits until the next message may be read; false says that it is over.
func (s *slow) ready() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.stop && !s.ended {
		s.cond.Wait()
	}
	if every := s.every; every > 0 {
		s.mu.Unlock()
		time.Sleep(every)
		s.mu.Lock()
	}
	return !s.ended
}

// hold lets it stop, or read one message in each interval; hold(false, 0) frees
// it.
func (s *slow) hold(stop bool, every time.Duration) {
	s.mu.Lock()
	s.stop, s.every = stop, every
	s.mu.Unlock()
	s.cond.Broadcast()
}

// close ends it, in order.
func (s *slow) close() {
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.cond.Broadcast()
	s.c.Close()
	s.wg.Wait()
}
