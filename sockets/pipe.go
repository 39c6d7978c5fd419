package sockets

import "sync"

// A segment is a run of whole messages waiting to be written.
type segment struct {
	chunk *chunk
	start int // of the first message not wholly written
	off   int // of the first byte not written
	end   int
	msgs  int
	own   bool // the chunk is the queue's: messages can be added behind end
}

// segments is a queue that can also be pushed at the front.
type segments struct {
	list []segment
	head int
}

func (q *segments) empty() bool     { return q.head == len(q.list) }
func (q *segments) front() *segment { return &q.list[q.head] }
func (q *segments) back() *segment  { return &q.list[len(q.list)-1] }

// spare returns how many bytes can be added behind the last message.
func (q *segments) spare() int {
	if q.empty() || !q.back().own {
		return 0
	}
	return len(q.back().chunk.buf) - q.back().end
}

func (q *segments) push(s segment) {
	if q.head > 0 && len(q.list) == cap(q.list) {
		n := copy(q.list, q.list[q.head:])
		clear(q.list[n:])
		q.list, q.head = q.list[:n], 0
	}
	q.list = append(q.list, s)
}

func (q *segments) pushFront(s segment) {
	if q.head == 0 {
		q.list = append(q.list, segment{})
		copy(q.list[1:], q.list)
		q.list[0] = s
		return
	}
	q.head--
	q.list[q.head] = s
}

func (q *segments) pop() {
	q.list[q.head] = segment{}
	q.head++
	if q.head == len(q.list) {
		q.list, q.head = q.list[:0], 0
	}
}

// A pipe is the way to one peer: the queue of what is to be sent to it and the
// connection it is sent over. A pipe of a bound socket ends with its connection;
// one of a connecting socket lives on, with its queue, until Disconnect or Close.
type pipe struct {
	sock *socket
	peer *Peer
	slot int // XPUB: index into a router's stages

	subs     map[string]struct{} // XPUB: prefixes held; under XPUB.mu
	refused  map[string]struct{} // XPUB: prefixes that may not be held; nil for none; under XPUB.mu
	subBytes int                 // XPUB: the bytes of both; under XPUB.mu

	view view // XSUB: what the peer is told; under XSUB.mu

	mu       sync.Mutex
	conn     *conn // nil while there is none
	q        segments
	msgs     int  // queued and not wholly written
	bytes    int  // queued, by the memory kept alive
	flushing bool // somebody is writing: only he touches the front of the queue
	full     bool // a bound was reached; cleared when half is free again
	gone     bool // the pipe has ended
	emptied  chan struct{}
	slow     slowness

	turn       *turn // the last one that owes a flush, and its number then
	turnNumber uint64

	pongs    int    // answers queued since the last of them was sent
	pongMark uint64 // messages sent when the last answer will have been
}

func newPipe(s *socket, endpoint string) *pipe {
	return &pipe{sock: s, peer: newPeer(endpoint)}
}

// attach gives the pipe its connection and starts sending what waits.
func (p *pipe) attach(c *conn) {
	p.mu.Lock()
	p.conn = c
	p.flushing = false
	p.rewind()
	p.startWriter()
	p.mu.Unlock()
}

// detach takes the connection away. With end, the pipe has ended: its queue is
// lost and whoever waits for room is released. With forget, only the queue goes.
func (p *pipe) detach(end, forget bool) {
	p.mu.Lock()
	p.conn = nil
	p.flushing = false
	if end {
		p.gone = true
	}
	if end || forget {
		p.discard()
	}
	if end {
		p.wake()
	}
	p.mu.Unlock()
}

// rewind makes sending start at a message again: what a lost connection was
// given of a message was never received whole.
func (p *pipe) rewind() {
	if !p.q.empty() {
		s := p.q.front()
		s.off = s.start
	}
}

// discard empties the queue. What it held counts as lost.
func (p *pipe) discard() {
	for !p.q.empty() {
		s := p.q.front()
		p.lose(s.msgs)
		s.chunk.release()
		p.q.pop()
	}
	p.msgs, p.bytes = 0, 0
	p.becameEmpty()
	if !p.gone {
		p.relax()
	}
}

// lose counts n messages that will not be sent.
func (p *pipe) lose(n int) {
	p.peer.ctr.lost.Add(uint64(n))
	p.sock.lostMessages.Add(uint64(n))
}

// room returns how many more messages the queue takes; 0 when it is full, and
// then until half of it is free again.
func (p *pipe) room() int {
	const unbounded = 1 << 30
	opt := &p.sock.opt
	switch {
	case p.full:
		return 0
	case opt.QueueBytes > 0 && p.bytes >= opt.QueueBytes, opt.SndHWM > 0 && p.msgs >= opt.SndHWM:
		p.setFull(true)
		return 0
	case opt.SndHWM == 0:
		return unbounded
	}
	return opt.SndHWM - p.msgs
}

// setFull notes whether the queue takes anything.
func (p *pipe) setFull(full bool) {
	if p.slow.waiting > 0 {
		p.settle() // time is counted otherwise from now on
	}
	p.full = full
}

// relax ends fullness, and isolation with it, once half of each bound is free.
func (p *pipe) relax() {
	if p.full && p.halfFree() {
		p.setFull(false)
		p.rejoin()
		p.wake()
	}
}

func (p *pipe) halfFree() bool {
	opt := &p.sock.opt
	return (opt.SndHWM == 0 || p.msgs <= opt.SndHWM/2) && (opt.QueueBytes == 0 || p.bytes <= opt.QueueBytes/2)
}

// pushShared queues messages that lie in a chunk others use too.
//
// When they are copied, it is into a piece of memory that has room for at least
// ahead bytes.
func (p *pipe) pushShared(c *chunk, data []byte, start, msgs, ahead int) {
	if c.keepsTooMuch(len(data)) || len(data) < copyBelow {
		copy(p.grow(len(data), msgs, ahead), data)
		return
	}
	p.q.push(segment{chunk: c.hold(), start: start, off: start, end: start + len(data), msgs: msgs})
	p.msgs += msgs
	p.bytes += len(c.buf)
}

// copyBelow is the size under which copying messages together is cheaper than
// one more write for them.
const copyBelow = 16 << 10

// maxGrow bounds the pieces of memory that a queue grows by.
const maxGrow = 128 << 10

// pushCopy queues a copy of messages.
func (p *pipe) pushCopy(data []byte, msgs int) {
	copy(p.grow(len(data), msgs, 0), data)
}

// grow adds msgs messages of n bytes to the queue and returns the memory for
// them, which the caller fills before it unlocks the pipe. A new piece of memory
// has room for ahead bytes, these included.
func (p *pipe) grow(n, msgs, ahead int) []byte {
	if p.q.spare() >= n {
		s := p.q.back()
		s.end += n
		s.msgs += msgs
		p.msgs += msgs
		return s.chunk.buf[s.end-n : s.end]
	}
	// The more waits, the larger the next piece, so that a short queue is small
	// and a long one is written in few calls.
	c := newChunk(max(n, ahead, min(p.bytes, maxGrow)))
	p.q.push(segment{chunk: c, end: n, msgs: msgs, own: true})
	p.msgs += msgs
	p.bytes += len(c.buf)
	return c.buf[:n]
}

// send queues one message of these frames whatever the bounds; the caller has
// asked for room. It holds p.mu.
func (p *pipe) send(frames [][]byte, size int) {
	buf := p.grow(size, 1, 0)[:0]
	for i, f := range frames {
		flags := byte(flagMore)
		if i == len(frames)-1 {
			flags = 0
		}
		buf = appendFrame(buf, flags, f)
	}
}

// messageSize is the wire size of a message.
func messageSize(frames [][]byte) int {
	n := 0
	for _, f := range frames {
		n += frameSize(len(f))
	}
	return n
}

// maxPongs bounds the answers queued for a peer that asks and does not read.
const maxPongs = 1000

// sendCommand queues the answer to a command.
func (p *pipe) sendCommand(name string, data []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone || p.conn == nil {
		return nil
	}
	sent := p.peer.ctr.sentMessages.Load()
	if sent >= p.pongMark {
		p.pongs = 0
	}
	if p.pongs++; p.pongs > maxPongs {
		return protocolErrorf(ReasonUnread, "the peer asks for answers and does not read them")
	}
	p.pongMark = sent + uint64(p.msgs) + 1
	var buf [64]byte
	cmd := append(buf[:0], flagCommand, byte(1+len(name)+len(data)), byte(len(name)))
	cmd = append(append(cmd, name...), data...)
	copy(p.grow(len(cmd), 1, 0), cmd)
	p.startWriter()
	return nil
}

// sendForced queues messages beyond the high-water mark, as subscriptions are. A
// peer that leaves more than QueueBytes of them unread loses its connection: it is
// told everything anew when it comes back.
func (p *pipe) sendForced(data []byte, msgs int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone || p.conn == nil || msgs == 0 {
		return
	}
	if limit := p.sock.opt.QueueBytes; limit > 0 && p.bytes > limit {
		p.conn.closeFor(protocolErrorf(ReasonUnread, "the peer leaves more than %d bytes of subscriptions unread", limit))
		return
	}
	p.pushCopy(data, msgs)
	p.startWriter()
}

// startWriter hands the queue to the connection's writer goroutine if nobody is
// writing. The caller holds p.mu.
func (p *pipe) startWriter() {
	if p.flushing || p.conn == nil || p.q.empty() {
		return
	}
	p.flushing = true
	p.conn.wr.wake()
}

// becameEmpty tells those who linger. The caller holds p.mu.
func (p *pipe) becameEmpty() {
	if p.emptied != nil {
		close(p.emptied)
		p.emptied = nil
	}
}

// untilEmpty returns a channel that is closed when nothing is queued, nil if
// that is so already.
func (p *pipe) untilEmpty() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.q.empty() && !p.flushing {
		return nil
	}
	if p.emptied == nil {
		p.emptied = make(chan struct{})
	}
	return p.emptied
}
