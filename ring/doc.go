// Package ring holds the lock-free queues between goroutines: [MPSC] from many
// producers to one consumer, as between socket readers and a node's loop, and
// [SPSC] between two goroutines that need a fixed amount of memory.
//
// Both keep the order of every producer, hand over in batches, clear the slots
// they have handed over, and allocate nothing per item. Nobody spins while a
// queue is empty or full: who has to wait parks. Closing loses nothing: a
// producer that was told true finds its item at the consumer, one that was
// told false does not.
//
// The usual loop of a consumer:
//
//	for q.Wait() {
//		n := q.Drain(batch)
//		for i := range batch[:n] {
//			handle(&batch[i])
//		}
//	}
//
// One that also has timers or a context selects on Ready instead.
//
// # Cost
//
// A producer's call costs two locked instructions (one in SPSC), a Drain one,
// and each moves as many items as it is given (in MPSC with one more for each 64
// of them): hand over what a read from a
// socket has brought as one batch, and drain into a slice of some hundred
// items. A refused Offer hardly ever writes anything. While the consumer is awake nobody
// pays for waking it.
//
// Processors that put single items into an MPSC by turns would be slowed down by
// each other several times over. So a producer that meets another inside its
// call stands back for some microseconds, and the other one's next hundred items
// cost no more than if it were alone.
//
// # Memory order
//
// What a producer did before it put an item happens before what the consumer
// does after it took it, and what the consumer did before it made room happens
// before what the producer does with that room.
//
// # What lock-free means here
//
// Neither queue has a lock on the path of an item. MPSC takes a mutex about
// three times per segment of 512 items, to add a segment and to take it back.
// As in every queue that gives out places first and fills them afterwards, a
// producer that loses the CPU between the two delays the consumer, and whoever
// takes the next place by some microseconds, but stops no other producer.
//
// # Sources
//
// SPSC is the ring buffer of L. Lamport ("Proving the correctness of
// multiprocess programs", 1977) with the cached indices of E. Rigtorp
// ("Optimizing a ring buffer for throughput"). MPSC gives out places by one
// counter and marks them filled as D. Vyukov's bounded queue does, over
// segments instead of one array and with a bit for each place instead of a
// word. The rules for ordinary and forced items are those of Zeek's onloop queue
// (src/cluster/OnLoop.h).
//
// # Files
//
// mpsc.go is the queue of many producers, segment.go its memory; spsc.go is
// the queue of one producer; waker.go is how either side sleeps.
package ring
