package sockets

import (
	"math/bits"
	"sync"

	"go.uber.org/atomic"
)

// A chunk is a piece of pooled memory that connections read into and queues
// hold. It is shared by count: it returns to its pool when the last reference
// goes. Bytes that somebody else may hold a reference to are never written again.
type chunk struct {
	buf  []byte // length is the capacity
	refs atomic.Int32
}

// The sizes of chunks are powers of two, so a chunk taken for n bytes is less than
// twice as large (but for the smallest). Larger ones than the last are left to the
// garbage collector.
const (
	minChunkBits  = 12 // 4 KiB
	chunkClasses  = 13 // 4 KiB, 8 KiB, ... 16 MiB
	minChunk      = 1 << minChunkBits
	largestPooled = minChunk << (chunkClasses - 1)
)

var chunkPools [chunkClasses]sync.Pool

// poison makes released chunks unreadable; see [PoisonReleased].
var poison atomic.Bool

// PoisonReleased is for tests: when on, a chunk is filled with 0xDD as its last
// reference goes, so that whoever still looks at it sees garbage at once.
func PoisonReleased(on bool) { poison.Store(on) }

// chunkClass returns the pool whose chunks hold at least n bytes; it is
// chunkClasses when none does.
func chunkClass(n int) int {
	if n <= minChunk {
		return 0
	}
	return bits.Len(uint(n-1)) - minChunkBits
}

// newChunk returns a chunk of at least n bytes with one reference.
func newChunk(n int) *chunk {
	class := chunkClass(n)
	if class >= chunkClasses {
		c := &chunk{buf: make([]byte, n)}
		c.refs.Store(1)
		return c
	}
	c, _ := chunkPools[class].Get().(*chunk)
	if c == nil {
		c = &chunk{buf: make([]byte, minChunk<<class)}
	}
	c.refs.Store(1)
	return c
}

// hold adds a reference.
func (c *chunk) hold() *chunk {
	c.refs.Inc()
	return c
}

// shared reports whether anybody besides the caller, who has a reference, has
// one. Only the caller can add the next, so false stays true.
func (c *chunk) shared() bool { return c.refs.Load() > 1 }

// release gives up a reference.
func (c *chunk) release() {
	switch n := c.refs.Dec(); {
	case n > 0:
		return
	case n < 0:
		panic("sockets: internal error: chunk released twice")
	}
	if poison.Load() {
		for i := range c.buf {
			c.buf[i] = 0xDD
		}
	}
	if len(c.buf) <= largestPooled {
		chunkPools[chunkClass(len(c.buf))].Put(c)
	}
}

// keepsTooMuch reports whether n bytes inside a chunk are too few to keep all of
// it alive for them.
func (c *chunk) keepsTooMuch(n int) bool { return 4*n < len(c.buf) }
