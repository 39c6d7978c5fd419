package sockets

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

	// Of whoever has flushing: what try is to write, and what came of it.
	buf []byte
	n   int
	err error

	// Of the writer goroutine: when drain's last look at the queue has ended
	// flushing, somebody else may be in try already.
	drainErr error
	sealed   []byte // FrameCodec only: sealed frames

	onTry      func(fd uintptr) bool // bound once: a method value allocates
	onWritable func(fd uintptr) bool
}

func (w *writer) init(c *conn) {
	w.c = c
	w.kick = make(chan struct{}, 1)
	w.onTry = w.tryFD
	w.onWritable = w.drainFD
}

// wake hands flushing to the writer goroutine. The caller holds pipe.mu and has
// set flushing.
func (w *writer) wake() {
	if !w.started {
		w.started = true
		w.c.sock.wg.Go(w.run)
	}
	select {
	case w.kick <- struct{}{}:
	default:
	}
}

// run is the writer goroutine.
func (w *writer) run() {
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
func (w *writer) direct() bool { return w.c.raw != nil && w.c.codec == nil }

// try writes what the kernel takes of p now.
func (w *writer) try(p []byte) (int, error) {
	w.buf, w.n, w.err = p, 0, nil
	err := w.c.raw.Write(w.onTry)
	w.buf = nil
	if w.err != nil {
		err = w.err
	}
	return w.n, err
}

func (w *writer) tryFD(fd uintptr) bool {
	w.n, w.err = writeSome(fd, w.buf)
	return true
}

// drain writes until the queue is empty, waiting as needed.
func (w *writer) drain() {
	var err error
	switch {
	case w.c.codec != nil:
		err = w.drainSealed()
	case w.c.raw != nil:
		w.drainErr = nil
		if err = w.c.raw.Write(w.onWritable); w.drainErr != nil {
			err = w.drainErr
		}
	default:
		err = w.drainConn()
	}
	if err != nil {
		w.c.close() // the reader says why
	}
}

// drainFD writes until the queue is empty (true) or the kernel takes no more.
func (w *writer) drainFD(fd uintptr) bool {
	for !w.c.closed.Load() {
		chunk, data := w.c.pipe.next(w.c)
		if chunk == nil {
			return true
		}
		n, err := writeSome(fd, data)
		w.c.pipe.wrote(w.c, chunk, n)
		if err != nil {
			w.drainErr = err
			return true
		}
		if n < len(data) {
			return false
		}
	}
	return true
}

func (w *writer) drainConn() error {
	for {
		chunk, data := w.c.pipe.next(w.c)
		if chunk == nil {
			return nil
		}
		n, err := w.c.nc.Write(data)
		w.c.pipe.wrote(w.c, chunk, n)
		if err != nil {
			return err
		}
	}
}

// sealedBytes is how much is sealed before it is written.
const sealedBytes = 64 << 10

func (w *writer) drainSealed() error {
	for {
		chunk, data := w.c.pipe.next(w.c)
		if chunk == nil {
			w.sealed = nil // an idle connection holds no buffer
			return nil
		}
		w.sealed = w.sealed[:0]
		at := 0
		var err error
		for at < len(data) && len(w.sealed) < sealedBytes && err == nil {
			f := trustedFrame(data, at)
			w.sealed, err = w.c.codec.Seal(w.sealed, f.flags&(flagMore|flagCommand), data[f.body:f.end])
			at = f.end
		}
		if err == nil {
			_, err = w.c.nc.Write(w.sealed)
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
// back the reference that next gave.
func (p *pipe) wrote(c *conn, held *chunk, n int) {
	held.release()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn != c {
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
			c.close()
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
