package ring

import (
	"math/rand/v2"
	"runtime"
	"strconv"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// atProcs runs f as a subtest at each setting of GOMAXPROCS that matters: all
// goroutines take turns, the two sides run side by side, more threads than
// processors.
func atProcs(t *testing.T, f func(t *testing.T)) {
	for _, n := range []int{1, 2, 8} {
		t.Run("procs="+strconv.Itoa(n), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(n))
			f(t)
		})
	}
}

// newRand returns a source of random numbers whose seed the test's log tells.
func newRand(t testing.TB) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("seed %#x", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// rounds is n, or a tenth of it in a short run.
func rounds(n int) int {
	if testing.Short() {
		return max(n/10, 1)
	}
	return n
}

// sent is an item that tells where it is from, so that a test can check order
// and presence of each single one.
type sent struct {
	from int // producer
	seq  int // counts the producer's items from 0
}

// ledger checks what a consumer gets: of every producer the items 0, 1, 2 and
// so on, none missing and none twice.
type ledger struct {
	t    *testing.T
	next []int // by producer
}

func newLedger(t *testing.T, producers int) *ledger {
	return &ledger{t: t, next: make([]int, producers)}
}

func (l *ledger) enter(items []sent) {
	l.t.Helper()
	for _, item := range items {
		if item.seq != l.next[item.from] {
			l.t.Fatalf("producer %d: got item %d, want %d", item.from, item.seq, l.next[item.from])
		}
		l.next[item.from]++
	}
}

// total is the number of items entered.
func (l *ledger) total() (n int) {
	for _, k := range l.next {
		n += k
	}
	return n
}
