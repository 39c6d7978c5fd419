package sockets

import "net"

// inlineBytes bounds what a reader writes of other readers' messages before it
// leaves the rest to the writer goroutine.
const inlineBytes = 512 << 10

// A writer writes a connection's queue. Whoever set the pipe's flushing flag
// uses it: a goroutine that has something to send writes without waiting, and
// when the kernel takes no more the connection's writer goroutine, started at the
// first such time, takes over until the queue is empty.
type writer struct {
	c       *conn
	kick    chan struct{} // tells the writer goroutine that flushing is its
	started bool          // under pipe.mu
	ended   chan struct{} // closed when the writer goroutine has ended
}

func (w *writer) init(c *conn) {
	w.c = c
	w.kick = make(chan struct{}, 1)
	w.ended = make(chan struct{})
}

// wake hands flushing to the writer goroutine. The caller holds pipe.mu and has
// set flushing.
func (w *writer) wake() {
	if !w.started {
		if w.c.st != nil && !w.c.st.hold() {
			return // the connection is ending; detach comes next
		}
		w.started = true
		w.c.sock.wg.Go(w.run)
	}
	select {
	case w.kick <- struct{}{}:
	default:
	}
}

// wait waits for the end of the writer goroutine, if it runs. The connection is
// closed, so that does not take long.
func (w *writer) wait() {
	w.c.pipe.mu.Lock()
	started := w.started
	w.c.pipe.mu.Unlock()
	if started {
		<-w.ended
	}
}

// neverStarted reports that there is no writer goroutine, and sees to it that there
// will be none. The connection is ending.
func (w *writer) neverStarted() bool {
	w.c.pipe.mu.Lock()
	defer w.c.pipe.mu.Unlock()
	never := !w.started
	w.started = true
	return never
}

// run is the writer goroutine, the only one that seals.
func (w *writer) run() {
	defer close(w.ended)
	if wiper, ok := w.c.codec.(Wiper); ok {
		defer wiper.WipeSeal()
	}
	if w.c.st != nil {
		defer w.c.st.release()
	}
	for {
		select {
		case <-w.kick:
			w.drain()
		case <-w.c.done:
			return
		}
	}
}

// direct reports whether try can write anything.
func (w *writer) direct() bool { return w.c.st != nil && w.c.codec == nil }

// try writes what the kernel takes of p now.
func (w *writer) try(p []byte) (int, error) {
	if !w.c.st.hold() {
		return 0, net.ErrClosed
	}
	defer w.c.st.release()
	return w.c.st.write(p)
}

// write writes all of p, waiting as needed. It is the writer goroutine's.
func (w *writer) write(p []byte) (n int, err error) {
	if w.c.st == nil {
		return w.c.nc.Write(p)
	}
	for !w.c.closed.Load() {
		m, err := w.c.st.write(p[n:])
		if n += m; err != nil || n == len(p) {
			return n, err
		}
		w.c.st.waitWritable(w.c.done)
	}
	return n, net.ErrClosed
}

// drain writes until the queue is empty, waiting as needed.
func (w *writer) drain() {
	var err error
	if w.c.codec != nil {
		err = w.drainSealed()
	} else {
		err = w.drainPlain()
	}
	if err != nil {
		w.c.failed(err)
	}
}

func (w *writer) drainPlain() error {
	for {
		chunk, data := w.c.pipe.next(w.c)
		if chunk == nil {
			return nil
		}
		var n int
		var err error
		if w.c.st == nil {
			n, err = w.c.nc.Write(data)
		} else {
			n, err = w.c.st.write(data)
		}
		w.c.pipe.wrote(w.c, chunk, n)
		switch {
		case err != nil:
			return err
		case n < len(data):
			w.c.st.waitWritable(w.c.done)
		}
		if w.c.closed.Load() {
			return net.ErrClosed
		}
	}
}

// sealedBytes is how much is sealed before it is written.
const sealedBytes = 64 << 10

// drainSealed is drainPlain for a FrameCodec. The memory for sealed frames is
// borrowed, so that an idle connection holds none.
func (w *writer) drainSealed() error {
	mem := newChunk(sealedBytes + sealedBytes/4)
	defer mem.release()
	sealed := mem.buf[:0]
	for {
		chunk, data := w.c.pipe.next(w.c)
		if chunk == nil {
			return nil
		}
		sealed = sealed[:0]
		at := 0
		var err error
		for at < len(data) && len(sealed) < sealedBytes && err == nil {
			f := trustedFrame(data, at)
			sealed, err = w.c.codec.Seal(sealed, f.flags&(flagMore|flagCommand), data[f.body:f.end])
			at = f.end
		}
		if err == nil {
			_, err = w.write(sealed)
		}
		if err != nil {
			at = 0
		}
		w.c.pipe.wrote(w.c, chunk, at)
		if err != nil {
			return err
		}
	}
}

// next returns the unwritten part of the front segment with a reference to its
// chunk, or nil when the queue is empty (flushing has ended then) or the pipe
// has another connection by now.
func (p *pipe) next(c *conn) (*chunk, []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn != c {
		return nil, nil
	}
	if p.q.empty() {
		p.flushing = false
		p.becameEmpty()
		return nil, nil
	}
	s := p.q.front()
	return s.chunk.hold(), s.chunk.buf[s.off:s.end]
}

// wrote takes note that n bytes of the front segment were written, and gives
// back the reference that next gave. What was written counts also when the
// connection was lost meanwhile, or it would be sent again over the next one.
func (p *pipe) wrote(c *conn, held *chunk, n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer held.release()
	lost := p.conn != c
	if lost && (p.conn != nil || p.q.empty() || p.q.front().chunk != held) {
		return
	}
	s := p.q.front()
	s.off += n
	start, msgs := s.start, s.msgs
	if s.off < s.end {
		msgs = 0
		for {
			end := s.start + messageEnd(s.chunk.buf[s.start:s.end], 0)
			if end > s.off {
				break
			}
			s.start = end
			msgs++
		}
		s.msgs -= msgs
	} else {
		s.start = s.end
	}
	p.msgs -= msgs
	p.peer.ctr.sent(msgs, s.start-start)
	if s.start == s.end {
		p.bytes -= len(s.chunk.buf)
		s.chunk.release()
		p.q.pop()
	}
	p.relax()
	if lost && p.q.empty() {
		p.becameEmpty()
	}
}

// flushInline writes queued segments without waiting, then leaves the rest to
// the writer goroutine. The caller has set flushing and does not hold p.mu.
func (p *pipe) flushInline(c *conn) {
	if !c.wr.direct() {
		p.handOver(c)
		return
	}
	for budget := inlineBytes; budget > 0; {
		chunk, data := p.next(c)
		if chunk == nil {
			return
		}
		n, err := c.wr.try(data)
		p.wrote(c, chunk, n)
		if err != nil {
			c.failed(err)
			return
		}
		if n < len(data) {
			break
		}
		budget -= n
	}
	p.handOver(c)
}

// handOver gives flushing, which the caller has, to the writer goroutine.
func (p *pipe) handOver(c *conn) {
	p.mu.Lock()
	if p.conn == c {
		c.wr.wake()
	}
	p.mu.Unlock()
}
