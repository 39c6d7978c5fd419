package sockets

import (
	"bytes"
	"encoding/binary"
)

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
	headBodies, total := 0, 0
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
		start, alike := r.start, same && at-r.start == total
		total = at - r.start
		if err := r.message(at); err != nil {
			return 0, err
		}
		if alike && len(r.ends) > 0 {
			if err := r.alike(buf, buf[start:at-size], total, bodies); err != nil {
				return 0, err
			}
		}
	}
}

// alike takes the messages that follow and have the same shape as the last one: the
// same bytes before the last body, and so the same size. A sender's messages often
// come like that. That they are as long as the one before is then a guess that the
// processor makes too: it goes on to the next before it has seen this one's size,
// instead of waiting for one cache line after the other.
func (r *reader) alike(buf, shape []byte, total, bodies int) error {
	at, ends := r.start, r.ends
	for len(ends) < r.limit && len(buf)-at >= total && bytes.Equal(buf[at:at+len(shape)], shape) {
		at += total
		ends = append(ends, uint32(at-r.first))
	}
	r.bodies += int64(len(ends)-len(r.ends)) * int64(bodies)
	r.start, r.ends = at, ends
	if len(ends) >= r.limit {
		return r.handOver()
	}
	return nil
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
	r.alone = 0
	if end-r.start > aloneMessage {
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
