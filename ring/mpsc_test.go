package ring

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
)

func TestMPSCMark(t *testing.T) {
	q := NewMPSC[int](3)
	for i := range 3 {
		if !q.Offer(i) {
			t.Fatalf("Offer %d refused at length %d", i, q.Len())
		}
	}
	if q.Offer(3) {
		t.Fatal("Offer accepted above the mark")
	}
	if !q.Force(3) || !q.ForceBatch([]int{4, 5}) {
		t.Fatal("Force refused on an open queue")
	}
	if got := q.Len(); got != 6 {
		t.Fatalf("Len = %d, want 6", got)
	}
	if n := q.OfferBatch([]int{9, 9}); n != 0 {
		t.Fatalf("OfferBatch accepted %d above the mark", n)
	}
	dst := make([]int, 4)
	if n := q.Drain(dst); n != 4 || !slices.Equal(dst, []int{0, 1, 2, 3}) {
		t.Fatalf("Drain = %d %v", n, dst)
	}
	if n := q.OfferBatch([]int{6, 7}); n != 1 {
		t.Fatalf("OfferBatch = %d at length 2 of 3, want 1", n)
	}
	if n := q.Drain(dst); n != 3 || !slices.Equal(dst[:n], []int{4, 5, 6}) {
		t.Fatalf("Drain = %d %v", n, dst[:n])
	}
	if n := q.Drain(dst); n != 0 {
		t.Fatalf("Drain of an empty queue = %d", n)
	}
}

func TestMPSCNoMark(t *testing.T) {
	for _, hwm := range []int{0, -1} {
		q := NewMPSC[int](hwm)
		const n = 3 * segmentItems
		for i := range n {
			if !q.Offer(i) {
				t.Fatalf("hwm %d: Offer refused at length %d", hwm, i)
			}
		}
		if got := q.OfferBatch(make([]int, n)); got != n {
			t.Fatalf("hwm %d: OfferBatch = %d, want %d", hwm, got, n)
		}
	}
}

func TestMPSCEmptyArguments(t *testing.T) {
	q := NewMPSC[int](1)
	if n := q.OfferBatch(nil); n != 0 {
		t.Errorf("OfferBatch(nil) = %d", n)
	}
	if !q.ForceBatch(nil) {
		t.Error("ForceBatch(nil) on an open queue is false")
	}
	q.Force(1)
	if n := q.Drain(nil); n != 0 || q.Len() != 1 {
		t.Errorf("Drain(nil) = %d, length %d", n, q.Len())
	}
	q.Close()
	if q.ForceBatch(nil) {
		t.Error("ForceBatch(nil) on a closed queue is true")
	}
}

// TestMPSCMarkExact lets many producers run against a mark with nobody
// draining: exactly as many Offers succeed as the mark allows.
func TestMPSCMarkExact(t *testing.T) {
	atProcs(t, func(t *testing.T) {
		const producers = 8
		for hwm := 1; hwm < rounds(300); hwm++ {
			q := NewMPSC[sent](hwm)
			var wg sync.WaitGroup
			accepted := make([]int, producers)
			for p := range producers {
				wg.Go(func() {
					for q.Offer(sent{p, accepted[p]}) {
						accepted[p]++
					}
				})
			}
			wg.Wait()
			if got := q.Len(); got != hwm {
				t.Fatalf("length %d with mark %d", got, hwm)
			}
			l, dst := newLedger(t, producers), make([]sent, hwm+1)
			l.enter(dst[:q.Drain(dst)])
			if !slices.Equal(l.next, accepted) {
				t.Fatalf("drained %v, accepted %v", l.next, accepted)
			}
		}
	})
}

// produce puts n items with every method in turn. With a mark that refuses it
// tries again until the queue is closed.
func produce(q *MPSC[sent], rnd *rand.Rand, from, n int, force bool) {
	batch := make([]sent, 0, 2*segmentItems)
	for seq := 0; seq < n; {
		size := 1 + rnd.IntN(8)
		if rnd.IntN(64) == 0 {
			size = 1 + rnd.IntN(cap(batch))
		}
		batch = batch[:0]
		for i := range min(size, n-seq) {
			batch = append(batch, sent{from, seq + i})
		}
		seq += len(batch)
		switch method := rnd.IntN(4); {
		case force && method == 0:
			q.ForceBatch(batch)
		case force && method == 1:
			for _, item := range batch {
				q.Force(item)
			}
		case method == 2:
			for left := batch; len(left) > 0 && !q.Closed(); runtime.Gosched() {
				left = left[q.OfferBatch(left):]
			}
		default:
			for _, item := range batch {
				for !q.Offer(item) && !q.Closed() {
					runtime.Gosched()
				}
			}
		}
	}
}

// TestMPSCOrder checks order and presence of every item, at all lengths of
// batch on both sides, with small and large marks and with none.
func TestMPSCOrder(t *testing.T) {
	rnd := newRand(t)
	atProcs(t, func(t *testing.T) {
		for _, hwm := range []int{1, 100, 10_000, 0} {
			for _, producers := range []int{1, 2, 3, 8} {
				for _, force := range []bool{false, true} {
					checkMPSCOrder(t, rnd, hwm, producers, force)
				}
			}
		}
	})
}

func checkMPSCOrder(t *testing.T, rnd *rand.Rand, hwm, producers int, force bool) {
	t.Helper()
	perProducer := rounds(30_000) / producers
	if hwm == 1 {
		perProducer /= 10
	}
	q := NewMPSC[sent](hwm)
	var wg sync.WaitGroup
	for p := range producers {
		mine := rand.New(rand.NewPCG(rnd.Uint64(), 0))
		wg.Go(func() { produce(q, mine, p, perProducer, force) })
	}
	defer wg.Wait()
	defer q.Close()
	l, dst := newLedger(t, producers), make([]sent, 3*segmentItems)
	for l.total() < producers*perProducer {
		if got := q.Len(); got < 0 || hwm > 0 && !force && got > hwm {
			t.Fatalf("length %d with mark %d", got, hwm)
		}
		if !q.Wait() {
			t.Fatal("Wait is false on an open queue")
		}
		n := q.Drain(dst[:1+rnd.IntN(len(dst))])
		if n == 0 {
			t.Fatal("Drain found nothing after Wait")
		}
		l.enter(dst[:n])
	}
	if n := q.Drain(dst); n != 0 || q.Len() != 0 {
		t.Fatalf("%d items too many", n+q.Len())
	}
}

// TestMPSCBatchesStayTogether checks that nobody gets in between the items of
// a batch, also over the border of a segment.
func TestMPSCBatchesStayTogether(t *testing.T) {
	atProcs(t, func(t *testing.T) {
		const producers, length = 4, 37 // never divides a segment
		batches := rounds(3000)
		q := NewMPSC[sent](0)
		var wg sync.WaitGroup
		for p := range producers {
			wg.Go(func() {
				var batch [length]sent
				for b := range batches {
					for i := range batch {
						batch[i] = sent{p, b*length + i}
					}
					q.ForceBatch(batch[:])
				}
			})
		}
		l, dst, last := newLedger(t, producers), make([]sent, 100), sent{}
		for l.total() < producers*batches*length {
			q.Wait()
			got := dst[:q.Drain(dst)]
			l.enter(got)
			for _, item := range got {
				if item.seq%length != 0 && item.from != last.from {
					t.Fatalf("producer %d got between the items of producer %d", last.from, item.from)
				}
				last = item
			}
		}
		wg.Wait()
	})
}

// TestMPSCStalledProducer stops a producer between taking its place and
// filling it. Others are not held up; the consumer gets what is before the
// place, does not wake for what is behind it, and gets that in order.
func TestMPSCStalledProducer(t *testing.T) {
	for _, stall := range []int{0, 1, 5, segmentItems - 1, segmentItems, 2*segmentItems + 3} {
		q := NewMPSC[int](0)
		for i := range stall {
			q.Force(i)
		}
		place := q.state.Add(oneItem)/oneItem - 1
		end := stall + 3*segmentItems
		for i := stall + 1; i < end; i++ {
			q.Force(i)
		}
		dst, got := make([]int, end), 0
		for got < stall {
			got += q.Drain(dst[got:])
		}
		select {
		case <-q.Ready():
			t.Fatalf("stalled at %d: Ready with nothing to take", stall)
		default:
		}
		if q.Len() != end-stall {
			t.Fatalf("stalled at %d: length %d, want %d", stall, q.Len(), end-stall)
		}
		q.Close()
		<-q.items.c // by Close, as the consumer had gone to sleep
		select {
		case <-q.Ready():
			t.Fatalf("stalled at %d: Ready after Close with nothing to take", stall)
		default:
		}
		q.fill(place, []int{stall})
		<-q.Ready()
		for q.Wait() {
			got += q.Drain(dst[got:])
		}
		for i, v := range dst[:got] {
			if v != i {
				t.Fatalf("stalled at %d: item %d is %d", stall, i, v)
			}
		}
		if got != end {
			t.Fatalf("stalled at %d: %d items, want %d", stall, got, end)
		}
	}
}

// TestMPSCDrainAwaitsPlace checks that Drain does not take a place given out
// for an empty queue: it waits for the producer.
func TestMPSCDrainAwaitsPlace(t *testing.T) {
	atProcs(t, func(t *testing.T) {
		for range rounds(200) {
			q := NewMPSC[int](0)
			place := q.state.Add(oneItem)/oneItem - 1
			var wg sync.WaitGroup
			wg.Go(func() { q.fill(place, []int{7}) })
			dst := make([]int, 2)
			if n := q.Drain(dst); n != 1 || dst[0] != 7 {
				t.Fatalf("Drain = %d %v", n, dst)
			}
			wg.Wait()
		}
	})
}

// TestLenWithinBounds has a bystander ask for the length of queues that are
// filled and emptied all the time.
func TestLenWithinBounds(t *testing.T) {
	atProcs(t, func(t *testing.T) {
		const limit = 2
		m, s := NewMPSC[int](limit), NewSPSC[int](limit)
		var wg sync.WaitGroup
		for _, q := range []queue{m, s} {
			wg.Go(func() {
				for !q.Closed() {
					if !q.Offer(1) {
						runtime.Gosched()
					}
				}
			})
			wg.Go(func() {
				dst := make([]int, limit)
				for !q.Ended() {
					if q.Drain(dst) == 0 {
						runtime.Gosched()
					}
				}
			})
		}
		defer wg.Wait()
		defer m.Close()
		defer s.Close()
		for _, q := range []queue{m, s} {
			for i := range rounds(1_000_000) {
				if n := q.Len(); n < 0 || n > limit {
					t.Fatalf("%T: length %d with a limit of %d", q, n, limit)
				}
				if i%256 == 0 {
					runtime.Gosched()
				}
			}
		}
	})
}
