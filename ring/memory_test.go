package ring

import (
	"runtime"
	"testing"
	"weak"
)

// held counts the slots of a queue, spare segments included, that are not
// empty.
func held(q *MPSC[*int]) (n int) {
	seen := map[*segment[*int]]bool{}
	visit := func(seg *segment[*int]) {
		if seg == nil || seen[seg] {
			return
		}
		seen[seg] = true
		for _, p := range seg.items {
			if p != nil {
				n++
			}
		}
	}
	for i := range q.segs.recent {
		visit(q.segs.recent[i].Load())
	}
	for _, seg := range q.segs.table {
		visit(seg)
	}
	for seg := q.segs.spares; seg != nil; seg = seg.spare {
		visit(seg)
	}
	return n
}

// TestMPSCClearsSlots takes items in portions of all kinds and counts what the
// queue still refers to.
func TestMPSCClearsSlots(t *testing.T) {
	q, dst := NewMPSC[*int](0), make([]*int, 3*segmentItems)
	const total = 5 * segmentItems
	for i := range total {
		q.Force(&i)
	}
	left := total
	for size := 1; left > 0; size = size*3%len(dst) + 1 {
		left -= q.Drain(dst[:size])
		if got := held(q); got != left {
			t.Fatalf("queue of %d items refers to %d", left, got)
		}
	}
}

// TestTakenItemsAreCollected lets the collector say what the queues keep
// alive: nothing that was taken, everything that was not.
func TestTakenItemsAreCollected(t *testing.T) {
	const total, taken = 2*segmentItems + 100, 2*segmentItems - 7
	m, s := NewMPSC[*[64]byte](0), NewSPSC[*[64]byte](total)
	watch := func(put func(*[64]byte) bool) (ws []weak.Pointer[[64]byte]) {
		for range total {
			p := new([64]byte)
			put(p)
			ws = append(ws, weak.Make(p))
		}
		return ws
	}
	for name, q := range map[string]struct {
		watched []weak.Pointer[[64]byte]
		drain   func([]*[64]byte) int
	}{
		"MPSC": {watch(m.Force), m.Drain},
		"SPSC": {watch(s.Offer), s.Drain},
	} {
		for left := taken; left > 0; {
			left -= q.drain(make([]*[64]byte, min(left, 100)))
		}
		runtime.GC()
		runtime.GC()
		for i, w := range q.watched {
			if alive := w.Value() != nil; alive != (i >= taken) {
				t.Errorf("%s: item %d of which %d are taken: alive is %v", name, i, taken, alive)
			}
		}
	}
	runtime.KeepAlive(m)
	runtime.KeepAlive(s)
}

// TestSegmentsAreReused fills and empties a queue up to its mark again and
// again: it must get by with the segments of the first lap.
func TestSegmentsAreReused(t *testing.T) {
	const hwm, most = 10_000, 10_000/segmentItems + 2
	q, dst := NewMPSC[int](hwm), make([]int, 300)
	made := map[*segment[int]]bool{}
	for range 50 {
		for q.Offer(0) {
			made[q.segs.find((q.state.Load()/oneItem-1)/segmentItems)] = true
		}
		for q.Drain(dst) > 0 {
		}
	}
	if len(made) > most {
		t.Fatalf("%d segments for a mark of %d, want at most %d", len(made), hwm, most)
	}
}

// TestBurstIsGivenBack forces far more through a queue than its mark and
// checks that it keeps only so many segments afterwards.
func TestBurstIsGivenBack(t *testing.T) {
	q, dst := NewMPSC[int](1), make([]int, 1000)
	const burst = 2 * maxSpares * segmentItems
	for i := range burst {
		q.Force(i)
	}
	for want := 0; want < burst; {
		for _, v := range dst[:q.Drain(dst)] {
			if v != want {
				t.Fatalf("got %d, want %d", v, want)
			}
			want++
		}
	}
	spares := 0
	for seg := q.segs.spares; seg != nil; seg = seg.spare {
		spares++
	}
	if spares != maxSpares || q.segs.nspares != spares {
		t.Errorf("%d spare segments (counted as %d), want %d", spares, q.segs.nspares, maxSpares)
	}
	for at, seg := range q.segs.table {
		if seg != nil {
			t.Errorf("entry %d of the table still holds a segment", at)
		}
	}
}

// TestSegmentNumbersNeverRepeat is what finding a segment by number rests on.
func TestSegmentNumbersNeverRepeat(t *testing.T) {
	var s segments[int]
	s.init()
	uses := map[*segment[int]]int{}
	for n := range uint64(20) {
		seg := s.find(n)
		if got := seg.number.Load(); got != n {
			t.Fatalf("segment %d has number %d", n, got)
		}
		if s.findSlow(n) != seg {
			t.Fatalf("segment %d is found twice", n)
		}
		uses[seg]++
		if n >= 2 { // two in use
			s.retire()
		}
	}
	if len(uses) != 3 {
		t.Errorf("%d segments made for two in use at a time, want 3", len(uses))
	}
}

func TestNoAllocations(t *testing.T) {
	const hwm = 4000
	m, s := NewMPSC[[]byte](hwm), NewSPSC[[]byte](hwm)
	dst := make([][]byte, hwm)
	for name, f := range map[string]func(){
		"MPSC single": func() {
			for range hwm / 2 {
				m.Offer(dst[0])
				m.Force(dst[0])
			}
			m.Drain(dst)
		},
		"MPSC batch": func() {
			m.OfferBatch(dst[:hwm/3])
			m.ForceBatch(dst[:hwm/3])
			m.Drain(dst)
		},
		"MPSC refused": func() {
			m.OfferBatch(dst)
			m.Offer(dst[0])
			m.Drain(dst)
		},
		"MPSC waiting": func() {
			m.Ready()
			m.Force(dst[0])
			<-m.Ready()
			m.Wait()
			m.Drain(dst)
		},
		"SPSC": func() {
			for s.Offer(dst[0]) {
			}
			s.Room()
			s.Drain(dst)
			s.WaitRoom()
			s.OfferBatch(dst)
			s.Wait()
			s.Drain(dst)
		},
	} {
		f() // the segments of the first lap
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations per run of up to %d items", name, n, hwm)
		}
	}
}
