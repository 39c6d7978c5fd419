package ring_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/znode/znode/ring"
)

// Producers offer; one goroutine takes what is there in one go and sleeps when
// nothing is.
func ExampleMPSC() {
	q := ring.NewMPSC[string](10_000)
	var producers sync.WaitGroup
	for _, name := range []string{"a", "b", "c"} {
		producers.Go(func() {
			q.Offer("event from " + name)
			q.Force("log batch from " + name) // also above the mark
		})
	}
	producers.Wait()
	q.Close()

	counts := map[byte]int{}
	batch := make([]string, 256)
	for q.Wait() {
		n := q.Drain(batch)
		for i := range batch[:n] {
			counts[batch[i][0]]++
		}
	}
	fmt.Println(counts['e'], "events,", counts['l'], "log batches")
	// Output: 3 events, 3 log batches
}

// A loop that also has a timer and a context selects on Ready, which it asks
// for when it has found nothing.
func ExampleMPSC_Ready() {
	q := ring.NewMPSC[int](0)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()

	go func() {
		for i := range 3 {
			q.Force(i)
		}
		q.Close()
	}()

	batch := make([]int, 2)
	for !q.Ended() {
		n := q.Drain(batch)
		for _, item := range batch[:n] {
			fmt.Println("item", item)
		}
		if n > 0 {
			continue
		}
		select {
		case <-q.Ready():
		case <-tick.C:
			fmt.Println("flush")
		case <-ctx.Done():
			return
		}
	}
	// Output:
	// item 0
	// item 1
	// item 2
}

// A producer that must not lose anything waits for room.
func ExampleSPSC() {
	q := ring.NewSPSC[int](4)
	go func() {
		defer q.Close()
		for i := range 10 {
			for !q.Offer(i) {
				if !q.WaitRoom() {
					return // closed by the other side
				}
			}
		}
	}()

	sum, batch := 0, make([]int, 4)
	for q.Wait() {
		n := q.Drain(batch)
		for _, item := range batch[:n] {
			sum += item
		}
	}
	fmt.Println(sum)
	// Output: 45
}
