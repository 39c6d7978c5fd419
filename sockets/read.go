package sockets

import (
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
