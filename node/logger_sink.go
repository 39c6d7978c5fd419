package node

import (
	"sync/atomic"
	"time"
)

// What holds a lane up: its file, which is its sink, or the CPU?

const (
	// usualWrite is how long a write takes at most when nothing is wrong.
	usualWrite = 20 * time.Millisecond
	// sinkLook is after how long the router judges what a lane waits for; see
	// shortage.
	sinkLook = 100 * time.Millisecond
	// sinkShare is the part of its time that a lane spends waiting for its file
	// from which on that file is what holds it up, in percent.
	sinkShare = 60
	// sinkByte is how long a file takes for a byte at least when it is slow. The
	// spool takes about as long, for compressing, writing and reading it back: there
	// is nothing to be gained by it when the file is faster.
	sinkByte = 4 * time.Nanosecond
)

// sinkClock knows how long a lane has waited for its file in all, and for what.
type sinkClock struct {
	bytes atomic.Int64 // written
	total atomic.Int64 // nanoseconds of the waits that are over
	since atomic.Int64 // when the present one began, in nanoseconds since 1970; 0 if there is none
}

func (c *sinkClock) begin() { c.since.Store(time.Now().UnixNano()) }

func (c *sinkClock) end() {
	c.total.Add(time.Now().UnixNano() - c.since.Swap(0))
}

// waits reports whether the lane waits for its file longer than usual.
func (ln *lane) waits() bool {
	since := ln.sink.since.Load()
	return since > 0 && time.Now().UnixNano()-since > int64(usualWrite)
}

// sinkTime returns how long the lane has waited for its file.
func (ln *lane) sinkTime() time.Duration {
	total := ln.sink.total.Load()
	if since := ln.sink.since.Load(); since > 0 {
		total += time.Now().UnixNano() - since
	}
	return time.Duration(total)
}

// A shortage is a time in which the router waits for a lane again and again. A file
// that is written slowly but steadily makes room every now and then, so one wait
// alone says little.
type shortage struct {
	began, last time.Time     // of the time that is looked at, and the last wait in it
	sink        time.Duration // how long the lane had waited for its file when it began
	bytes       int64         // how much it had written
}

// forFile reports whether the lane's file is what is short, and slower than the
// spool, once enough time has passed to tell. sink is how long the lane has waited
// for it in all, and bytes is how much it has written.
func (h *shortage) forFile(sink time.Duration, bytes int64) bool {
	now := time.Now()
	if now.Sub(h.last) > sinkLook { // there was room meanwhile
		h.began, h.sink, h.bytes = now, sink, bytes
	}
	h.last = now
	took := now.Sub(h.began)
	if took < sinkLook {
		return false
	}
	waited, wrote := sink-h.sink, bytes-h.bytes
	h.began, h.sink, h.bytes = now, sink, bytes
	return waited*100 >= took*sinkShare && waited >= time.Duration(wrote)*sinkByte
}
