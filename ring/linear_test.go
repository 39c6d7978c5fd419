package ring

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// call is what went into one call of a queue's method in a history.
type call struct {
	op    string
	items []int // to be put
	room  int   // of dst, for Drain
}

// reply is what came out of it.
type reply struct {
	n     int   // items accepted, or the length; 0 or 1 for a bool
	items []int // drained
}

// content is the state of the model: a plain slice and a flag.
type content struct {
	items  []int
	closed bool
}

func (c content) put(items []int) content {
	return content{append(slices.Clone(c.items), items...), c.closed}
}

// queueModel is what the documentation of the queues promises, one call at a
// time. Drain may leave items behind one whose producer is still in its call,
// but never comes back empty from a queue that is not.
func queueModel(hwm int) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return content{} },
		Step: func(state, in, out any) (bool, any) {
			c, want, got := state.(content), in.(call), out.(reply)
			switch want.op {
			case "offer":
				n := len(want.items)
				if hwm > 0 {
					n = min(n, max(hwm-len(c.items), 0))
				}
				if c.closed {
					n = 0
				}
				// A part of a batch may be less than there is room for by then.
				part := 0 < got.n && got.n < n
				return got.n == n || part, c.put(want.items[:min(got.n, n)])
			case "force":
				if c.closed {
					return got.n == 0, c
				}
				return got.n == len(want.items), c.put(want.items)
			case "drain":
				n := len(got.items)
				if n > len(c.items) || n > want.room || n == 0 && len(c.items) > 0 {
					return false, c
				}
				return slices.Equal(got.items, c.items[:n]), content{c.items[n:], c.closed}
			case "len":
				return got.n == len(c.items), c
			case "closed":
				return got.n == flag(c.closed), c
			case "ended":
				return got.n == flag(c.closed && len(c.items) == 0), c
			case "close":
				return true, content{c.items, true}
			}
			panic("unknown call " + want.op)
		},
		Equal: func(a, b any) bool {
			x, y := a.(content), b.(content)
			return x.closed == y.closed && slices.Equal(x.items, y.items)
		},
		DescribeOperation: func(in, out any) string { return fmt.Sprintf("%+v -> %+v", in, out) },
	}
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// history collects calls with the time they took. Each client writes its own
// part, so that recording orders nothing that the queue does not.
type history struct {
	start time.Time
	parts [][]porcupine.Operation
}

func newHistory(clients int) *history {
	return &history{time.Now(), make([][]porcupine.Operation, clients)}
}

func (h *history) record(client int, in call, do func() reply) {
	from := time.Since(h.start)
	out := do()
	to := time.Since(h.start)
	h.parts[client] = append(h.parts[client], porcupine.Operation{
		ClientId: client, Input: in, Call: int64(from), Output: out, Return: int64(to),
	})
}

func (h *history) check(t *testing.T, model porcupine.Model) {
	t.Helper()
	ops := slices.Concat(h.parts...)
	switch result := porcupine.CheckOperationsTimeout(model, ops, time.Minute); result {
	case porcupine.Ok:
	case porcupine.Illegal:
		slices.SortFunc(ops, func(a, b porcupine.Operation) int { return int(a.Call - b.Call) })
		for _, op := range ops {
			t.Logf("client %d [%d, %d] %s", op.ClientId, op.Call, op.Return, model.DescribeOperation(op.Input, op.Output))
		}
		t.Fatal("history is not linearizable")
	default:
		t.Fatalf("checker gave up: %v", result)
	}
}

// queue is what both queues offer to a client of the linearizability tests.
type queue interface {
	Offer(int) bool
	OfferBatch([]int) int
	Drain([]int) int
	Len() int
	Close()
	Closed() bool
	Ended() bool
}

// observe makes the calls of a consumer and those that anybody may make.
func (h *history) observe(client int, q queue, what string, room int) {
	h.record(client, call{op: what, room: room}, func() reply {
		switch what {
		case "drain":
			dst := make([]int, room)
			n := q.Drain(dst)
			return reply{items: dst[:n]}
		case "len":
			return reply{n: q.Len()}
		case "closed":
			return reply{n: flag(q.Closed())}
		case "ended":
			return reply{n: flag(q.Ended())}
		}
		q.Close()
		return reply{}
	})
}

// put makes one call of a producer.
func (h *history) put(client int, q queue, items []int, force bool) {
	op := "offer"
	if force {
		op = "force"
	}
	h.record(client, call{op: op, items: items}, func() reply {
		switch m, _ := q.(*MPSC[int]); {
		case force && len(items) == 1:
			return reply{n: flag(m.Force(items[0]))}
		case force:
			return reply{n: len(items) * flag(m.ForceBatch(items))}
		case len(items) == 1:
			return reply{n: flag(q.Offer(items[0]))}
		}
		return reply{n: q.OfferBatch(items)}
	})
}

// TestMPSCLinearizable checks short, dense histories of three producers, the
// consumer and a bystander against the model, some across the border of two
// segments, some with Close in the middle.
func TestMPSCLinearizable(t *testing.T) {
	rnd := newRand(t)
	atProcs(t, func(t *testing.T) {
		const producers, calls = 3, 5
		for round := range rounds(600) {
			hwm := []int{0, 1, 2, 4}[rnd.IntN(4)]
			q := NewMPSC[int](hwm)
			advance(t, q, []int{0, segmentItems - 4}[round%2])
			h, script := newHistory(producers+2), rnd.Perm(64)
			closeAt := rnd.IntN(3 * calls) // often never
			spawn(
				func() {
					for i := range 2 * calls {
						h.observe(producers, q, []string{"drain", "drain", "ended"}[script[i]%3], 1+script[i]%5)
					}
				},
				func() {
					for i := range calls {
						if i == closeAt {
							h.observe(producers+1, q, "close", 0)
						}
						h.observe(producers+1, q, []string{"len", "closed"}[script[20+i]%2], 0)
					}
				},
				func() { h.produce(0, q, script[30:30+calls], true) },
				func() { h.produce(1, q, script[40:40+calls], true) },
				func() { h.produce(2, q, script[50:50+calls], true) },
			)
			h.observe(producers, q, "drain", 100) // what is left
			h.check(t, queueModel(hwm))
		}
	})
}

// TestSPSCLinearizable does the same for one producer and one consumer.
func TestSPSCLinearizable(t *testing.T) {
	rnd := newRand(t)
	atProcs(t, func(t *testing.T) {
		const calls = 12
		for range rounds(600) {
			capacity := 1 + rnd.IntN(4)
			q := NewSPSC[int](capacity)
			h, script := newHistory(3), rnd.Perm(64)
			closeAt := rnd.IntN(2 * calls)
			spawn(
				func() { h.produce(0, q, script[:calls], false) },
				func() {
					for i := range calls {
						h.observe(1, q, []string{"drain", "drain", "ended"}[script[20+i]%3], 1+script[20+i]%5)
					}
				},
				func() {
					for i := range calls / 2 {
						if i == closeAt {
							h.observe(2, q, "close", 0)
						}
						h.observe(2, q, []string{"len", "closed"}[script[40+i]%2], 0)
					}
				},
			)
			h.observe(1, q, "drain", 100)
			h.check(t, queueModel(capacity))
		}
	})
}

// produce makes a producer's calls as the numbers of its script say.
func (h *history) produce(client int, q queue, script []int, force bool) {
	for i, s := range script {
		items := make([]int, 1+s%3)
		for k := range items {
			items[k] = client*1000 + i*10 + k
		}
		h.put(client, q, items, force && s%4 == 0)
	}
}

// advance passes n items through q, so that the next is number n.
func advance(t *testing.T, q *MPSC[int], n int) {
	dst := make([]int, 1)
	for range n {
		q.Force(0)
		if q.Drain(dst) != 1 {
			t.Fatal("an item put is not there")
		}
	}
}

// spawn runs functions at once, from a common start, until all are done.
func spawn(fs ...func()) {
	var ready, done sync.WaitGroup
	ready.Add(len(fs))
	for _, f := range fs {
		done.Go(func() {
			ready.Done()
			ready.Wait()
			runtime.Gosched()
			f()
		})
	}
	done.Wait()
}
