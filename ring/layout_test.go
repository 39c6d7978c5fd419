package ring

import (
	"testing"
	"unsafe"

	"golang.org/x/sys/cpu"
)

const cacheLine = unsafe.Sizeof(cpu.CacheLinePad{})

// span is where a group of fields begins and ends.
type span struct {
	name       string
	start, end uintptr
}

// checkApart fails unless no two groups can share a cache line, wherever the
// struct begins, and the struct keeps its neighbours away too.
func checkApart(t *testing.T, size uintptr, groups []span) {
	t.Helper()
	for i, g := range groups {
		next := size
		if i+1 < len(groups) {
			next = groups[i+1].start
		}
		if next < g.end+cacheLine {
			t.Errorf("%s ends at %d, less than %d bytes before %d", g.name, g.end, cacheLine, next)
		}
	}
}

func TestMPSCLayout(t *testing.T) {
	var q MPSC[[3]byte]
	checkApart(t, unsafe.Sizeof(q), []span{
		{"never written", 0, unsafe.Offsetof(q.hwm) + unsafe.Sizeof(q.hwm)},
		{"producers'", unsafe.Offsetof(q.state), unsafe.Offsetof(q.limit) + unsafe.Sizeof(q.limit)},
		{"consumer's", unsafe.Offsetof(q.head), unsafe.Offsetof(q.seg) + unsafe.Sizeof(q.seg)},
		{"rarely written", unsafe.Offsetof(q.segs), unsafe.Offsetof(q.items) + unsafe.Sizeof(q.items)},
	})
	checkAligned(t, map[string]uintptr{
		"state": unsafe.Offsetof(q.state),
		"limit": unsafe.Offsetof(q.limit),
		"head":  unsafe.Offsetof(q.head),
	})
	var seg segment[[3]byte]
	checkApart(t, unsafe.Sizeof(seg)+cacheLine, []span{ // the allocator keeps neighbours of that size away
		{"marks", 0, unsafe.Offsetof(seg.filled) + unsafe.Sizeof(seg.filled)},
		{"items", unsafe.Offsetof(seg.number), unsafe.Sizeof(seg)},
	})
	checkAligned(t, map[string]uintptr{
		"number": unsafe.Offsetof(seg.number),
		"filled": unsafe.Offsetof(seg.filled),
	})
}

func TestSPSCLayout(t *testing.T) {
	var q SPSC[[3]byte]
	checkApart(t, unsafe.Sizeof(q), []span{
		{"never written", 0, unsafe.Offsetof(q.limit) + unsafe.Sizeof(q.limit)},
		{"producer's", unsafe.Offsetof(q.state), unsafe.Offsetof(q.headSeen) + unsafe.Sizeof(q.headSeen)},
		{"consumer's", unsafe.Offsetof(q.head), unsafe.Offsetof(q.tailSeen) + unsafe.Sizeof(q.tailSeen)},
		{"rarely written", unsafe.Offsetof(q.items), unsafe.Offsetof(q.space) + unsafe.Sizeof(q.space)},
	})
	checkAligned(t, map[string]uintptr{
		"state": unsafe.Offsetof(q.state),
		"head":  unsafe.Offsetof(q.head),
	})
}

// checkAligned fails for a 64-bit word that 32-bit machines could not access
// atomically.
func checkAligned(t *testing.T, offsets map[string]uintptr) {
	t.Helper()
	for name, at := range offsets {
		if at%8 != 0 {
			t.Errorf("%s is at offset %d, not a multiple of 8", name, at)
		}
	}
}
