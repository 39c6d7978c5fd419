package ring

import (
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/puzpuzpuz/xsync/v4"
)

// benchItem has the shape of what sockets hand over: some bytes and where they
// are from.
type benchItem struct {
	_ []byte
	_ int
}

const (
	// benchWindow is how many items may be under way, Zeek's default for the
	// onloop queue. Beyond that producers park, with every queue in the same
	// way, so that no queue is measured by how much memory it can fill.
	benchWindow = 10_000
	benchCredit = 500 // items a producer may put without asking again

	// benchDrain is the length of the consumer's slice, for queues that have
	// a use for one.
	benchDrain = 256
)

// benchQueue is a queue under measurement. put accepts all of items; take
// returns how many items it has moved to dst, at least one, and parks or
// yields until there are any.
type benchQueue struct {
	name string
	put  func(items []benchItem)
	take func(dst []benchItem) int
}

// transfer moves b.N items through q and measures until the last has arrived.
func transfer(b *testing.B, q benchQueue, producers, batch int) {
	credits := make(chan struct{}, b.N/benchCredit+benchWindow/benchCredit+producers)
	for range benchWindow / benchCredit {
		credits <- struct{}{}
	}
	var wg sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	for p := range producers {
		share := (b.N + p) / producers
		wg.Go(func() {
			items := make([]benchItem, batch)
			for left := share; left > 0; left -= benchCredit {
				<-credits
				for granted := min(left, benchCredit); granted > 0; {
					n := min(granted, batch)
					q.put(items[:n])
					granted -= n
				}
			}
		})
	}
	dst := make([]benchItem, benchDrain)
	for arrived, granted := 0, 0; arrived < b.N; {
		arrived += q.take(dst)
		for ; arrived-granted >= benchCredit; granted += benchCredit {
			credits <- struct{}{}
		}
	}
	b.StopTimer()
	close(credits) // for the last, partly used credit of each producer
	wg.Wait()
}

// BenchmarkMPSC compares MPSC with a channel and with xsync's queue, per item.
// batch is what a producer hands over in one call; the others take one at a
// time. The channel's capacity and the mark are the window.
func BenchmarkMPSC(b *testing.B) {
	queues := []func() benchQueue{benchMPSCOffer, benchMPSCForce, benchUMPSC, benchChannel}
	for _, producers := range []int{1, 2, 4, 8} {
		for _, batch := range []int{1, 4, 16, 64, 256} {
			for _, newQueue := range queues {
				q := newQueue()
				b.Run(fmt.Sprintf("queue=%s/producers=%d/batch=%d", q.name, producers, batch), func(b *testing.B) {
					transfer(b, q, producers, batch)
				})
			}
		}
	}
}

func benchMPSCOffer() benchQueue {
	q := NewMPSC[benchItem](benchWindow)
	return benchQueue{"ring", func(items []benchItem) {
		if len(items) == 1 {
			mustAll(flag(q.Offer(items[0])), 1)
			return
		}
		mustAll(q.OfferBatch(items), len(items))
	}, func(dst []benchItem) int {
		q.Wait()
		return q.Drain(dst)
	}}
}

func benchMPSCForce() benchQueue {
	q := NewMPSC[benchItem](1)
	return benchQueue{"ring-force", func(items []benchItem) {
		if len(items) == 1 {
			mustAll(flag(q.Force(items[0])), 1)
			return
		}
		mustAll(flag(q.ForceBatch(items)), 1)
	}, func(dst []benchItem) int {
		q.Wait()
		return q.Drain(dst)
	}}
}

func benchUMPSC() benchQueue {
	q := xsync.NewUMPSCQueue[benchItem]()
	return benchQueue{"xsync", func(items []benchItem) {
		for i := range items {
			q.Enqueue(items[i])
		}
	}, func(dst []benchItem) int {
		dst[0] = q.Dequeue()
		return 1
	}}
}

func benchChannel() benchQueue {
	q := make(chan benchItem, benchWindow)
	return benchQueue{"chan", func(items []benchItem) {
		for i := range items {
			q <- items[i]
		}
	}, func(dst []benchItem) int {
		dst[0] = <-q
		return 1
	}}
}

// BenchmarkSPSC compares SPSC with a channel and with xsync's queue, per item.
// xsync's has no way to park; its consumer yields.
func BenchmarkSPSC(b *testing.B) {
	queues := []func() benchQueue{benchSPSC, benchXSPSC, benchChannel}
	for _, batch := range []int{1, 4, 16, 64, 256} {
		for _, newQueue := range queues {
			q := newQueue()
			b.Run(fmt.Sprintf("queue=%s/batch=%d", q.name, batch), func(b *testing.B) {
				transfer(b, q, 1, batch)
			})
		}
	}
}

func benchSPSC() benchQueue {
	q := NewSPSC[benchItem](benchWindow)
	return benchQueue{"ring", func(items []benchItem) {
		if len(items) == 1 {
			mustAll(flag(q.Offer(items[0])), 1)
			return
		}
		mustAll(q.OfferBatch(items), len(items))
	}, func(dst []benchItem) int {
		q.Wait()
		return q.Drain(dst)
	}}
}

func benchXSPSC() benchQueue {
	q := xsync.NewSPSCQueue[benchItem](benchWindow)
	return benchQueue{"xsync", func(items []benchItem) {
		for i := range items {
			mustAll(flag(q.TryEnqueue(items[i])), 1)
		}
	}, func(dst []benchItem) int {
		for {
			if item, ok := q.TryDequeue(); ok {
				dst[0] = item
				return 1
			}
			runtime.Gosched()
		}
	}}
}

// mustAll stops a benchmark that would count items which were not transferred.
func mustAll(n, want int) {
	if n != want {
		panic(fmt.Sprintf("%d of %d items accepted", n, want))
	}
}

// BenchmarkMPSCRefused is an Offer at the mark, what an overloaded node does
// with most events.
func BenchmarkMPSCRefused(b *testing.B) {
	q := NewMPSC[benchItem](1)
	q.Force(benchItem{})
	b.ReportAllocs()
	for b.Loop() {
		if q.Offer(benchItem{}) {
			b.Fatal("accepted at the mark")
		}
	}
}
