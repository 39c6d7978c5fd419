package ring

import (
	"math/bits"
	"sync"
	"sync/atomic"

	uatomic "go.uber.org/atomic"
	"golang.org/x/sys/cpu"
)

const (
	// segmentItems is the number of items in a segment. Work per segment (the
	// mutex, three times) is spread over that many items; larger segments
	// measured no faster and cost an idle queue memory.
	segmentItems = 512

	// wordBits is the number of items whose marks share a word.
	wordBits = 64

	// recentSegments is how many of the newest segments are found without the
	// mutex. Two would do for producers on both sides of a border; four also
	// cover a batch longer than a segment.
	recentSegments = 4

	// maxSpares bounds the memory that an emptied queue keeps for its next
	// burst. It covers three times Zeek's default mark of 10,000.
	maxSpares = 64
)

// segment is the memory of items number*segmentItems and following.
//
// A bit of filled tells that the item in its place is there to be taken. They
// fill no more than one cache line: where producer and consumer are far apart, each
// line that changes hands costs as much as several items.
type segment[T any] struct {
	filled [segmentItems / wordBits]atomic.Uint64

	_      cpu.CacheLinePad
	number atomic.Uint64
	spare  *segment[T] // next in the list of spare segments; guarded by segments.mu
	items  [segmentItems]T
}

// fill marks the item in place at as filled.
func (s *segment[T]) fill(at uint64) { s.filled[at/wordBits].Or(1 << (at % wordBits)) }

// fillUp marks the items in the places from start to end as filled, from the
// first on.
func (s *segment[T]) fillUp(start, end uint64) {
	for start < end {
		from := start % wordBits
		n := min(wordBits-from, end-start)
		s.filled[start/wordBits].Or(^uint64(0) >> (wordBits - n) << from)
		start += n
	}
}

// isFilled reports whether the item in place at is filled in.
func (s *segment[T]) isFilled(at uint64) bool {
	return s.filled[at/wordBits].Load()>>(at%wordBits)&1 != 0
}

// filledFrom returns how many items are filled in from place at on without a
// gap, if that is less than want, and else want or somewhat more.
func (s *segment[T]) filledFrom(at, want uint64) uint64 {
	for end := at; ; {
		ahead := wordBits - end%wordBits
		n := uint64(bits.TrailingZeros64(^(s.filled[end/wordBits].Load() >> (end % wordBits))))
		end += min(n, ahead)
		if n < ahead || end-at >= want || end == segmentItems {
			return end - at
		}
	}
}

// segments finds the segment with a given number.
//
// Nobody asks for a segment that can be retired meanwhile: a producer asks for
// one in which it has an item reserved but not yet filled in, the consumer for
// one it has not taken everything from. Together with numbers that never come
// again this rules out the ABA problem: a pointer kept from an earlier use
// shows another number, or leads to the segment that was asked for.
type segments[T any] struct {
	// recent holds segment n at n%recentSegments, or an older or newer one.
	recent [recentSegments]uatomic.Pointer[segment[T]]

	mu      sync.Mutex
	table   []*segment[T] // segments in use, n at n modulo its length
	oldest  uint64        // number of the first segment in use
	next    uint64        // number of the next segment to be added
	spares  *segment[T]   // emptied segments for reuse, a list
	nspares int           // length of the list, at most maxSpares
}

// init makes the first segment.
func (s *segments[T]) init() {
	s.table = make([]*segment[T], recentSegments)
	first := s.addLocked() // no lock needed: nobody else knows s yet
	for i := range s.recent {
		s.recent[i].Store(first)
	}
}

// find returns segment n, which it adds if it is not there yet.
func (s *segments[T]) find(n uint64) *segment[T] {
	if seg := s.recent[n%recentSegments].Load(); seg.number.Load() == n {
		return seg
	}
	return s.findSlow(n)
}

func (s *segments[T]) findSlow(n uint64) *segment[T] {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.next <= n {
		s.addLocked()
	}
	return s.table[n%uint64(len(s.table))]
}

// addLocked appends a segment. Its number is stored last but for the tables:
// find trusts a segment by its number alone.
func (s *segments[T]) addLocked() *segment[T] {
	if s.next-s.oldest == uint64(len(s.table)) {
		s.growLocked()
	}
	seg := s.spares
	if seg != nil {
		s.spares, seg.spare = seg.spare, nil
		s.nspares--
		for i := range seg.filled {
			seg.filled[i].Store(0)
		}
	} else {
		seg = new(segment[T])
	}
	seg.number.Store(s.next)
	s.table[s.next%uint64(len(s.table))] = seg
	s.recent[s.next%recentSegments].Store(seg)
	s.next++
	return seg
}

func (s *segments[T]) growLocked() {
	table := make([]*segment[T], 2*len(s.table))
	for n := s.oldest; n < s.next; n++ {
		table[n%uint64(len(table))] = s.table[n%uint64(len(s.table))]
	}
	s.table = table
}

// retire takes back the oldest segment, everything in it having been taken and
// cleared.
func (s *segments[T]) retire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.oldest % uint64(len(s.table))
	seg := s.table[at]
	s.table[at] = nil
	s.oldest++
	if s.nspares < maxSpares {
		seg.spare, s.spares = s.spares, seg
		s.nspares++
	}
}
