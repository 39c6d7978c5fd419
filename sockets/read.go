package sockets

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"

	"github.com/go-zeromq/zmq4"
)

const (
	// maxBatch bounds the messages of one batch, so that whoever is to run
	// between two batches gets its turn.
	maxBatch = 1024
	// firstRead and maxRead bound the size of one read. It grows while reads
	// come back full and shrinks while they come back nearly empty, so that a
	// quiet connection never holds much. What one read brings goes out in one or
	// two writes to each receiver, and a system call with the wake-up that it
	// causes costs more than what is lost when half a MiB leaves the processor's
	// nearer caches.
	firstRead = 16 << 10
	maxRead   = 512 << 10
	// largeMessage is the size from which on a message is not to be moved.
	largeMessage = 16 << 10
	// A message of more than aloneMessage bytes, up to maxAlone, has a chunk of its
	// own: it is read into its place and is not moved.
	aloneMessage = 128 << 10
	maxAlone     = 1 << 20
	// busyRead is the size from which on a read is taken as one of many.
	busyRead = 8 << 10
	// maxCommand bounds a command between messages, but for what an XPUB is sent.
	maxCommand = 64 << 10
)

// A reader finds the messages in what a connection receives. Its chunk is laid
// out so:
//
//	0        start         scan                 fill          len
//	| handed  | frames of a  | a frame that is    | room to read |
//	| over    | message that | not complete       | into         |
//	|         | is not       |                    |              |
//
// With a FrameCodec what lies before scan is opened and what lies behind it is
// still sealed.
type reader struct {
	c     *conn
	chunk *chunk // nil while there is nothing to hold
	start int    // start of the first message not handed over
	scan  int    // start of the first frame not parsed
	fill  int    // end of what was received
	want  int    // bytes behind start that the incomplete frame is known to need
	size  int    // bytes to ask for in a read
	alone int    // size of the last message if it had a chunk of its own, as the next may have, else 0
	asked int    // bytes asked for in the last read
	busy  bool   // the last read brought so much that there is more
	turn  turn

	beats      bool // heartbeat wants to know that something came
	limit      int  // messages per batch
	maxCommand int  // bytes of a command
	first      int  // start of the batch being collected
	bodies     int64
	frames     int64 // body bytes of the incomplete message
	ends       []uint32
	firsts     []uint32 // of runs of one topic in the batch being collected
	topic      []byte   // of the last run; it lies in the chunk
	topics     bool     // firsts are wanted
}

func (r *reader) init(c *conn) {
	r.c = c
	r.size = firstRead
	r.limit = maxBatch
	r.beats = c.sock.opt.HeartbeatInterval > 0
	r.topics = c.sock.typ == zmq4.XSub
	r.maxCommand = maxCommand
	if c.sock.typ == zmq4.XPub {
		// libzmq sends a subscription as a message first, and as a command when
		// it comes back: what is taken the one way has to be taken the other.
		r.maxCommand = max(maxCommand, min(c.sock.opt.MaxMessageSize, c.sock.opt.MaxSubscriptionBytes+len("\x09SUBSCRIBE")))
	}
	if hwm := c.sock.opt.RcvHWM; hwm > 0 && hwm < maxBatch {
		r.limit = hwm
	}
}

// run reads until an error. It returns io.EOF when the peer closed.
func (r *reader) run() error {
	defer r.drop()
	if r.c.st != nil {
		return r.runStream()
	}
	for {
		n, err := r.c.nc.Read(r.room())
		if n > 0 {
			if err := r.received(n); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
	}
}

// runStream reads as long as reads come back full, then gives back its memory
// and waits.
func (r *reader) runStream() error {
	defer r.turn.end()
	for reads := 1; !r.c.closed.Load(); reads++ {
		room := r.room()
		n, again, err := r.c.st.read(room)
		// While much was handed over, more has come from a busy peer: trying is
		// cheaper than waiting. From a quiet one a short read was all.
		r.busy = n == len(room) || n >= busyRead
		if r.busy && n < len(room)/2 {
			// It is quicker to read than its peer to send. Where both want the
			// same processor, reading on would only bring small pieces.
			yield()
		}
		switch {
		case err != nil:
			return err
		case n > 0:
			if err := r.received(n); err != nil {
				return err
			}
		case !again:
			return io.EOF
		}
		if !r.busy || reads%turnReads == 0 {
			r.turn.end()
		}
		if !r.busy {
			if again && r.c.sock.draining.Load() {
				return net.ErrClosed // nothing is left
			}
			r.idle()
			r.c.st.waitReadable(r.c.done, r.c.sock.drainC)
		}
	}
	return net.ErrClosed
}

// drop lets go of the chunk at the end.
func (r *reader) drop() {
	if r.chunk != nil {
		r.chunk.release()
		r.chunk = nil
	}
}

// room returns where the next read goes; it is never empty.
func (r *reader) room() []byte {
	if r.chunk == nil {
		r.chunk = newChunk(max(r.size, r.alone))
		r.start, r.scan, r.fill, r.want = 0, 0, 0, 0
	}
	pending, free := r.fill-r.start, len(r.chunk.buf)-r.fill
	switch {
	case pending == 0 && !r.chunk.shared() && len(r.chunk.buf) >= max(r.size, r.alone):
		r.start, r.scan, r.fill = 0, 0, 0
	case pending == 0 && free < r.alone:
		r.move(max(r.size, r.alone))
	case pending <= r.start && free < r.size/2:
		// No more is moved than was consumed before it.
		r.move(r.capacity(pending))
	case free <= min(r.size/4, pending/2):
		r.move(r.capacity(pending))
	}
	end := len(r.chunk.buf)
	if last := r.start + r.want; r.want >= largeMessage && last > r.fill && last <= end && last+r.want > end {
		// The next message of that size would not fit behind this one: it had
		// better begin in another chunk than be moved there.
		end = last
	} else if r.alone > 0 && pending == 0 {
		end = min(end, r.fill+r.alone)
	}
	r.asked = end - r.fill
	return r.chunk.buf[r.fill:end]
}

// capacity is the size of chunk for a message of which pending bytes are there.
// Memory grows with what was really received, not with what a header promises.
// It at least doubles, so that a message that comes in small pieces is moved a
// few times only.
func (r *reader) capacity(pending int) int {
	n := max(r.size, 2*pending)
	if r.want > n {
		n = min(r.want, max(n, 4*pending))
	}
	return n
}

// move brings the incomplete message to the front of a chunk of n bytes or more.
func (r *reader) move(n int) {
	held := r.chunk.buf[r.start:r.fill]
	if len(r.chunk.buf) >= n && !r.chunk.shared() {
		copy(r.chunk.buf, held)
	} else {
		to := newChunk(n)
		copy(to.buf, held)
		r.chunk.release()
		r.chunk = to
	}
	r.scan -= r.start
	r.fill -= r.start
	r.start = 0
}

// idle is called when there is nothing more to read now: it gives back memory.
func (r *reader) idle() {
	switch pending := r.fill - r.start; {
	case r.chunk == nil:
	case pending == 0:
		r.drop()
	case len(r.chunk.buf) > idleFactor*max(pending, minChunk/idleFactor):
		to := newChunk(2 * pending)
		copy(to.buf, r.chunk.buf[r.start:r.fill])
		r.chunk.release()
		r.chunk = to
		r.scan -= r.start
		r.fill -= r.start
		r.start = 0
	}
}

// idleFactor is how much larger than what it holds the chunk of a waiting
// connection may be. It is more than what a chunk grows by, so that a message
// that comes in small pieces does not make it shrink and grow in turn.
const idleFactor = 16

// adapt chooses the size of the next reads.
func (r *reader) adapt(n int) {
	switch {
	case n == r.asked && r.size < maxRead:
		r.size *= 2
	case n < r.size/16 && r.size > firstRead:
		r.size /= 2
	}
}

// received parses n more bytes and hands over the messages that are complete.
func (r *reader) received(n int) error {
	r.adapt(n)
	r.fill += n
	r.first = r.start
	if r.beats {
		r.c.handling.Store(true)
		defer r.handled()
	}
	var err error
	if r.c.codec == nil {
		err = r.parse()
	} else {
		err = r.parseSealed()
	}
	if herr := r.handOver(); err == nil {
		err = herr
	}
	return err
}

// handled tells heartbeat that what came has been handled.
func (r *reader) handled() {
	r.c.heard.Store(true) // first, or there would be a time with neither
	r.c.handling.Store(false)
}

// parse walks the frames that are complete.
func (r *reader) parse() error {
	buf := r.chunk.buf[:r.fill]
	limit := uint64(r.c.sock.opt.MaxMessageSize)
	at := r.scan
	for r.fill-at >= shortHeader {
		if at == r.start {
			next, err := r.messages(buf, limit)
			if err != nil {
				return err
			}
			if next > at {
				at = next
				continue
			}
		}
		flags := buf[at]
		if flags > flagsKnown {
			return protocolErrorf(ReasonFrame, "frame with reserved flags %#02x", flags)
		}
		body, size := at+shortHeader, uint64(buf[at+1])
		if flags&flagLong != 0 {
			if r.fill-at < longHeader {
				break
			}
			body, size = at+longHeader, binary.BigEndian.Uint64(buf[at+1:])
		}
		if flags&flagCommand != 0 {
			next, err := r.command(at, body, size)
			if err != nil {
				return err
			}
			if next < 0 {
				break
			}
			at = next
			continue
		}
		if size > limit || uint64(body-r.start)+size > limit {
			return protocolErrorf(ReasonMessageSize, "a message of more than %d bytes", limit)
		}
		if uint64(r.fill-body) < size {
			r.want = body - r.start + int(size)
			break
		}
		at = body + int(size)
		r.frames += int64(size)
		if flags&flagMore == 0 {
			r.about(Message(buf[r.start:at]).First())
			if err := r.message(at); err != nil {
				return err
			}
		}
	}
	r.scan = at
	return nil
}

// maxHead bounds the part of a message that is compared with the one before.
const maxHead = 256

// messages takes all messages from start on that are whole and plain, and returns
// where they end. What else there is to a frame is left to parse: a command, a flag
// that is not known, a size that is not allowed, a frame that is not complete.
//
// A message of a node mostly begins as the one before it, with the same topic,
// sender and serializer. To compare that is far cheaper than to go from frame to
// frame, where each size is needed to find the next.
func (r *reader) messages(buf []byte, limit uint64) (int, error) {
	var head, topic []byte // all frames but the last, and the first, of the message before
	headBodies := 0
	for {
		at, bodies := r.start, 0
		same := len(head) > 0 && len(buf)-at > len(head) && bytes.Equal(buf[at:at+len(head)], head)
		if same {
			at, bodies = at+len(head), headBodies
		}
		last, size := at, 0
		for more := true; more; {
			if len(buf)-at < shortHeader {
				return r.start, nil
			}
			flags, body := buf[at], at+shortHeader
			last, size = at, int(buf[at+1])
			if flags > flagMore {
				if flags > flagMore|flagLong || len(buf)-at < longHeader {
					return r.start, nil
				}
				long := binary.BigEndian.Uint64(buf[at+1:])
				if long > limit {
					return r.start, nil
				}
				body, size = at+longHeader, int(long)
			}
			if size > len(buf)-body {
				return r.start, nil
			}
			if at == r.start {
				topic = buf[body : body+size]
			}
			at = body + size
			bodies += size
			more = flags&flagMore != 0
		}
		if uint64(at-r.start) > limit {
			return r.start, nil
		}
		if !same {
			head, headBodies = nil, 0
			if last-r.start <= maxHead {
				head, headBodies = buf[r.start:last], bodies-size
			}
		}
		if !same || len(r.ends) == 0 {
			r.about(topic)
		}
		r.frames = int64(bodies)
		if err := r.message(at); err != nil {
			return 0, err
		}
	}
}

// about takes note of the topic of the message that comes next in the batch.
func (r *reader) about(topic []byte) {
	if r.topics && (len(r.ends) == 0 || !bytes.Equal(topic, r.topic)) {
		r.firsts = append(r.firsts, uint32(len(r.ends)))
		r.topic = topic
	}
}

// message adds the message that ends at end to the batch.
func (r *reader) message(end int) error {
	r.ends = append(r.ends, uint32(end-r.first))
	if r.alone = 0; end-r.start > aloneMessage {
		r.expectAlike(end - r.start)
	}
	r.bodies += r.frames
	r.frames = 0
	r.start, r.want = end, 0
	if len(r.ends) >= r.limit {
		return r.handOver()
	}
	return nil
}

// expectAlike prepares for another message of n bytes.
func (r *reader) expectAlike(n int) {
	if r.c.codec != nil {
		n += sealedMore
	}
	if n <= maxAlone {
		r.alone = n
	}
}

// sealedMore is roughly what the frames of a message grow by when they are sealed.
const sealedMore = 256

// handOver gives the collected batch to the socket.
func (r *reader) handOver() error {
	n := len(r.ends)
	if n == 0 {
		r.first = r.start
		return nil
	}
	end := r.first + int(r.ends[n-1])
	b := Batch{
		chunk:  r.chunk,
		data:   r.chunk.buf[r.first:end:end],
		off:    r.first,
		n:      n,
		bodies: r.bodies,
		peer:   r.c.pipe.peer,
		ends:   r.ends,
		firsts: r.firsts,
	}
	if r.busy {
		b.turn = &r.turn
	}
	r.c.pipe.peer.ctr.received(b)
	err := r.c.sock.kind.received(r.c.pipe, b)
	r.ends = r.ends[:0]
	r.firsts = r.firsts[:0]
	r.topic = nil
	r.bodies = 0
	r.first = r.start
	return err
}

// command handles a frame that is no part of a message. It returns where to go on,
// or -1 if the frame is not complete.
func (r *reader) command(at, body int, size uint64) (next int, err error) {
	buf := r.chunk.buf
	if buf[at]&flagMore != 0 {
		return 0, protocolErrorf(ReasonFrame, "command with the MORE flag")
	}
	if size > uint64(r.maxCommand) {
		return 0, protocolErrorf(ReasonCommand, "command of %d bytes, at most %d are taken", size, r.maxCommand)
	}
	if uint64(r.fill-body) < size {
		r.want = body - r.start + int(size)
		return -1, nil
	}
	end := body + int(size)
	// The batch cannot include the command, and whoever reacts to the command
	// must have seen what came before it.
	incomplete := at - r.start
	if err := r.handOver(); err != nil {
		return 0, err
	}
	if err := r.c.command(buf[body:end]); err != nil {
		return 0, err
	}
	// libzmq may send a PING between the frames of a message: the frames before
	// it are moved up to stay in one piece with the rest.
	copy(buf[end-incomplete:end], buf[r.start:at])
	r.start = end - incomplete
	r.first = r.start
	r.want = 0
	return end, nil
}

// parseSealed opens the frames that are complete. A plain frame is shorter than
// its sealed form, so plain frames are laid down one behind the other in front of
// what is still sealed; at the end the gap between them is closed.
func (r *reader) parseSealed() error {
	buf := r.chunk.buf
	limit := uint64(r.c.sock.opt.MaxMessageSize)
	plain, at := r.scan, r.scan
	for r.fill-at >= shortHeader {
		flags := buf[at]
		if flags > flagsKnown {
			return protocolErrorf(ReasonFrame, "frame with reserved flags %#02x", flags)
		}
		body, size := at+shortHeader, uint64(buf[at+1])
		if flags&flagLong != 0 {
			if r.fill-at < longHeader {
				break
			}
			body, size = at+longHeader, binary.BigEndian.Uint64(buf[at+1:])
		}
		sealedLimit := limit + uint64(r.c.codec.Overhead())
		if size > sealedLimit || uint64(plain-r.start)+size > sealedLimit {
			return protocolErrorf(ReasonMessageSize, "a message of more than %d bytes", limit)
		}
		if uint64(r.fill-body) < size {
			r.want = plain - r.start + body - at + int(size)
			break
		}
		end := body + int(size)
		plainFlags, opened, err := r.c.codec.Open(flags, buf[body:end])
		if err != nil {
			return err
		}
		at = end
		if plainFlags&flagCommand != 0 {
			if len(opened) > r.maxCommand {
				return protocolErrorf(ReasonCommand, "command of %d bytes, at most %d are taken", len(opened), r.maxCommand)
			}
			if err := r.handOver(); err != nil {
				return err
			}
			if err := r.c.command(opened); err != nil {
				return err
			}
			continue
		}
		to := plain + frameSize(len(opened))
		copy(buf[to-len(opened):to], opened)
		appendHeader(buf[plain:plain], plainFlags&flagMore, len(opened))
		plain = to
		r.frames += int64(len(opened))
		if plainFlags&flagMore == 0 {
			r.about(Message(buf[r.start:plain]).First())
			if err := r.message(plain); err != nil {
				return err
			}
		}
	}
	copy(buf[plain:], buf[at:r.fill])
	r.fill -= at - plain
	r.scan = plain
	return nil
}

// appendHeader appends a frame header for a body of n bytes.
func appendHeader(dst []byte, flags byte, n int) []byte {
	if n > maxShort {
		return binary.BigEndian.AppendUint64(append(dst, flags|flagLong), uint64(n))
	}
	return append(dst, flags, byte(n))
}

// command reacts to a command between messages.
func (c *conn) command(body []byte) error {
	name, data, ok := cutCommand(body)
	if !ok {
		return protocolErrorf(ReasonFrame, "malformed command %s", quoted(body))
	}
	switch string(name) {
	case "PING":
		return c.pong(data)
	case "PONG":
		return nil
	case "ERROR":
		return ExpectCommand("ERROR", data, "traffic")
	case "SUBSCRIBE":
		return c.sock.kind.subscription(c.pipe, data, true)
	case "CANCEL":
		return c.sock.kind.subscription(c.pipe, data, false)
	}
	return protocolErrorf(ReasonCommand, "command %s", quoted(name))
}

// pong answers a PING (RFC 37, "The PING and PONG commands"): 2 bytes of TTL, at
// most 16 of context, which the answer repeats.
func (c *conn) pong(data []byte) error {
	const ttl, maxContext = 2, 16
	if len(data) < ttl || len(data) > ttl+maxContext {
		return protocolErrorf(ReasonFrame, "PING with %d bytes", len(data))
	}
	return c.pipe.sendCommand("PONG", data[ttl:])
}
