package ring

import (
	"runtime"
	"slices"
	"sync"
	"testing"
)

// TestSPSCCapacity fills and empties queues of all small capacities in every
// position of the ring.
func TestSPSCCapacity(t *testing.T) {
	for capacity := -1; capacity <= 70; capacity++ {
		want := max(capacity, 1)
		q := NewSPSC[int](capacity)
		dst := make([]int, want+1)
		put, got := 0, 0
		for range 3 * (want + 1) {
			for q.Offer(put) {
				put++
			}
			if q.Len() != want {
				t.Fatalf("capacity %d: full at %d", capacity, q.Len())
			}
			n := q.Drain(dst[:1+got%len(dst)])
			for _, v := range dst[:n] {
				if v != got {
					t.Fatalf("capacity %d: got %d, want %d", capacity, v, got)
				}
				got++
			}
			if q.Len() != want-n {
				t.Fatalf("capacity %d: length %d after taking %d", capacity, q.Len(), n)
			}
		}
	}
}

func TestSPSCBatch(t *testing.T) {
	q := NewSPSC[int](5)
	items, dst := []int{0, 1, 2, 3, 4, 5, 6}, make([]int, 7)
	for shift := range 16 { // over the end of the slots in every way
		if n := q.OfferBatch(nil); n != 0 {
			t.Fatalf("OfferBatch(nil) = %d", n)
		}
		if n := q.OfferBatch(items[:3]); n != 3 {
			t.Fatalf("shift %d: OfferBatch = %d, want 3", shift, n)
		}
		if n := q.OfferBatch(items[3:]); n != 2 {
			t.Fatalf("shift %d: OfferBatch = %d, want 2", shift, n)
		}
		if n := q.OfferBatch(items); n != 0 {
			t.Fatalf("shift %d: OfferBatch = %d on a full queue", shift, n)
		}
		if n := q.Drain(dst); n != 5 || !slices.Equal(dst[:n], items[:5]) {
			t.Fatalf("shift %d: Drain = %d %v", shift, n, dst[:n])
		}
		q.Offer(9)
		q.Drain(dst)
	}
}

// TestSPSCOrder checks order and presence of every item with random lengths
// of batch, each side parking when it cannot go on.
func TestSPSCOrder(t *testing.T) {
	rnd := newRand(t)
	atProcs(t, func(t *testing.T) {
		for _, capacity := range []int{1, 2, 3, 7, 64, 1000} {
			n := rounds(min(capacity*4000, 400_000))
			q := NewSPSC[sent](capacity)
			sizes := make([]int, 64)
			for i := range sizes {
				sizes[i] = 1 + rnd.IntN(2*capacity)
			}
			var wg sync.WaitGroup
			wg.Go(func() {
				batch := make([]sent, 2*capacity)
				for seq, i := 0, 0; seq < n; i++ {
					size := min(sizes[i%len(sizes)], n-seq)
					for k := range size {
						batch[k] = sent{0, seq + k}
					}
					if size == 1 && q.Offer(batch[0]) {
						seq++
					} else {
						seq += q.OfferBatch(batch[:size])
					}
					if q.Len() == capacity && !q.WaitRoom() {
						t.Error("WaitRoom is false on an open queue")
					}
				}
				q.Close()
			})
			l, dst := newLedger(t, 1), make([]sent, 2*capacity)
			for i := 0; q.Wait(); i++ {
				k := q.Drain(dst[:sizes[i*7%len(sizes)]])
				if k == 0 {
					t.Fatal("Drain found nothing after Wait")
				}
				l.enter(dst[:k])
			}
			wg.Wait()
			if l.total() != n {
				t.Fatalf("capacity %d: %d items, want %d", capacity, l.total(), n)
			}
		}
	})
}

// TestSPSCCloseRace closes from a third goroutine. What was accepted is
// drained, nothing else, and the slot of a refused item is empty.
func TestSPSCCloseRace(t *testing.T) {
	rnd := newRand(t)
	atProcs(t, func(t *testing.T) {
		for range rounds(2000) {
			q := NewSPSC[sent]([]int{1, 8, 300}[rnd.IntN(3)])
			yields, batched, late := rnd.IntN(20), rnd.IntN(2) == 0, rnd.IntN(2) == 0
			accepted := 0
			var wg sync.WaitGroup
			wg.Go(func() {
				for !q.Closed() {
					n, batch := 0, []sent{{0, accepted}, {0, accepted + 1}, {0, accepted + 2}}
					if batched {
						n = q.OfferBatch(batch)
					} else if q.Offer(batch[0]) {
						n = 1
					}
					accepted += n
					if n == 0 {
						runtime.Gosched()
					}
				}
			})
			wg.Go(func() {
				for range yields {
					runtime.Gosched()
				}
				q.Close()
			})
			if late {
				wg.Wait()
			}
			l, dst := newLedger(t, 1), make([]sent, 3)
			for q.Wait() {
				l.enter(dst[:q.Drain(dst)])
			}
			wg.Wait()
			if l.total() != accepted {
				t.Fatalf("drained %d, accepted %d", l.total(), accepted)
			}
			for i, item := range q.slots {
				if item != (sent{}) {
					t.Fatalf("slot %d still holds %v", i, item)
				}
			}
		}
	})
}

// TestSPSCCloseWakes closes a queue with both sides asleep or about to be.
func TestSPSCCloseWakes(t *testing.T) {
	atProcs(t, func(t *testing.T) {
		for i := range rounds(2000) {
			q, full := NewSPSC[int](1), NewSPSC[int](1)
			full.Offer(1)
			var wg sync.WaitGroup
			wg.Go(func() {
				if q.Wait() {
					t.Error("Wait found something in an empty queue")
				}
			})
			wg.Go(func() {
				if full.WaitRoom() {
					t.Error("WaitRoom found room in a full queue")
				}
			})
			for range i % 3 {
				runtime.Gosched()
			}
			q.Close()
			full.Close()
			wg.Wait()
			if full.Ended() || !q.Ended() {
				t.Fatal("ended with an item left, or not ended with none")
			}
		}
	})
}

// TestSPSCRoom checks that a producer is woken at half of the capacity.
func TestSPSCRoom(t *testing.T) {
	for _, capacity := range []int{1, 2, 5, 8} {
		q, dst := NewSPSC[int](capacity), make([]int, 1)
		for q.Offer(0) {
		}
		room := q.Room()
		for q.Len() > capacity/2 {
			select {
			case <-room:
				t.Fatalf("capacity %d: woken at length %d", capacity, q.Len())
			default:
			}
			q.Drain(dst)
		}
		<-room
		<-q.Room() // at once while there is room
		for q.Offer(0) {
		}
		q.Close()
		<-q.Room() // and once closed
		if q.WaitRoom() {
			t.Fatalf("capacity %d: room in a closed queue", capacity)
		}
	}
}
