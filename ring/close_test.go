package ring

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"
)

func TestMPSCClose(t *testing.T) {
	q := NewMPSC[int](2)
	q.Offer(1)
	if q.Closed() || q.Ended() {
		t.Fatal("closed before Close")
	}
	q.Close()
	q.Close()
	if !q.Closed() || q.Ended() {
		t.Fatalf("closed %v, ended %v; want true, false", q.Closed(), q.Ended())
	}
	if q.Offer(2) || q.Force(2) || q.ForceBatch([]int{2}) || q.OfferBatch([]int{2}) != 0 {
		t.Fatal("accepted after Close")
	}
	dst := make([]int, 2)
	if !q.Wait() || q.Drain(dst) != 1 || dst[0] != 1 {
		t.Fatalf("what was accepted before Close is lost: %v", dst)
	}
	if q.Wait() || !q.Ended() || q.Drain(dst) != 0 || q.Len() != 0 {
		t.Fatal("not ended after the last item")
	}
	<-q.Ready() // yields for ever
	<-q.Ready()
}

// TestMPSCCloseRace has one of the producers close the queue under the others
// and the consumer. Every call that said true must have its items drained, no
// call that said false.
func TestMPSCCloseRace(t *testing.T) {
	rnd := newRand(t)
	atProcs(t, func(t *testing.T) {
		const producers = 4
		for range rounds(800) {
			q := NewMPSC[sent](rnd.IntN(3) * 40)
			calls, late := rnd.IntN(segmentItems), rnd.IntN(2) == 0
			accepted := make([]int, producers)
			var wg sync.WaitGroup
			for p := range producers {
				wg.Go(func() {
					for i := 0; !q.Closed(); i++ {
						if p == 0 && i == calls {
							q.Close()
						}
						n := putSome(q, p, accepted[p])
						accepted[p] += n
						if n == 0 || i%16 == 0 {
							runtime.Gosched()
						}
					}
				})
			}
			if late {
				wg.Wait()
			}
			l, dst := newLedger(t, producers), make([]sent, 64)
			for q.Wait() {
				l.enter(dst[:q.Drain(dst)])
			}
			wg.Wait()
			if !slices.Equal(l.next, accepted) {
				t.Fatalf("drained %v, accepted %v", l.next, accepted)
			}
			if q.Drain(dst) != 0 || !q.Ended() {
				t.Fatal("items after the end")
			}
		}
	})
}

// putSome puts items of producer from, numbered from seq on, by one method or
// another, and returns how many were accepted.
func putSome(q *MPSC[sent], from, seq int) int {
	batch := []sent{{from, seq}, {from, seq + 1}, {from, seq + 2}}
	switch seq % 4 {
	case 0:
		if q.Offer(batch[0]) {
			return 1
		}
	case 1:
		if q.Force(batch[0]) {
			return 1
		}
	case 2:
		return q.OfferBatch(batch)
	case 3:
		if q.ForceBatch(batch) {
			return len(batch)
		}
	}
	return 0
}

// TestMPSCCloseWakes closes an empty queue whose consumer is asleep or about
// to be.
func TestMPSCCloseWakes(t *testing.T) {
	atProcs(t, func(t *testing.T) {
		for i := range rounds(2000) {
			q := NewMPSC[int](0)
			var wg sync.WaitGroup
			wg.Go(func() {
				if q.Wait() {
					t.Error("Wait found something in an empty queue")
				}
			})
			for range i % 3 {
				runtime.Gosched()
			}
			q.Close()
			wg.Wait()
		}
	})
}

// TestMPSCWakeUps passes one item at a time to and fro, so that each side
// sleeps for each item: a lost wake-up ends in the test's timeout.
func TestMPSCWakeUps(t *testing.T) {
	atProcs(t, func(t *testing.T) {
		there, back := NewMPSC[int](1), NewMPSC[int](1)
		var wg sync.WaitGroup
		wg.Go(func() {
			defer back.Close()
			var dst [1]int
			for there.Wait() {
				there.Drain(dst[:])
				back.Offer(dst[0])
			}
		})
		var dst [1]int
		for i := range rounds(20_000) {
			there.Force(i)
			if !back.Wait() || back.Drain(dst[:]) != 1 || dst[0] != i {
				t.Fatalf("got %v, want %d", dst, i)
			}
		}
		there.Close()
		if back.Wait() {
			t.Error("an item after the last")
		}
		wg.Wait()
	})
}

// TestReadyInSelect waits on a context, a timer and the queue, leaves by each
// of them in turn, and misses nothing after having left by another.
func TestReadyInSelect(t *testing.T) {
	q := NewMPSC[int](0)
	dst := make([]int, 4)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	select {
	case <-q.Ready():
		t.Fatal("Ready on an empty queue")
	case <-ctx.Done():
	}
	q.Force(1) // leaves a wake-up behind for the sleep that has ended
	if q.items.armed.Load() {
		t.Error("every further item would wake the consumer again")
	}
	if n := q.Drain(dst); n != 1 {
		t.Fatalf("Drain = %d", n)
	}
	<-q.Ready() // early, as documented
	if n := q.Drain(dst); n != 0 {
		t.Fatalf("Drain = %d", n)
	}
	select {
	case <-q.Ready():
		t.Fatal("Ready twice for one item")
	case <-time.After(0):
	}
	q.Force(2)
	<-q.Ready()
	if n := q.Drain(dst); n != 1 || dst[0] != 2 {
		t.Fatalf("Drain = %d %v", n, dst)
	}
}
