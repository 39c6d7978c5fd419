package hist

import (
	"encoding/json"
	"fmt"
	"math"
	"math/bits"
)

const (
	// subBits gives 64 buckets for each power of two: a bucket is at most
	// 1/64 (1.6 %) of its value wide.
	subBits = 6
	subs    = 1 << subBits

	// Buckets is the number of buckets: enough for every non-negative int64.
	Buckets = (64 - subBits) * subs
)

// Histogram counts values of one unit, here nanoseconds, in buckets whose width
// grows with the value. The zero value is empty and ready. It is not safe for
// concurrent use.
//
// Its JSON form is a list of [bucket, count] pairs of the buckets in use.
type Histogram struct {
	counts [Buckets]uint64
	total  uint64
}

// Bucket returns the index of the bucket that counts v. Negative values, which
// only a clock that stepped back can make, count as zero.
func Bucket(v int64) int {
	if v < subs {
		return int(max(v, 0))
	}
	shift := bits.Len64(uint64(v)) - subBits - 1
	return shift*subs + int(uint64(v)>>shift)
}

// Bounds returns the smallest and the largest value that bucket i counts.
func Bounds(i int) (low, high int64) {
	if i < 2*subs {
		return int64(i), int64(i)
	}
	shift := i/subs - 1
	low = int64(i%subs+subs) << shift
	return low, low + (1<<shift - 1)
}

// Record counts one value.
func (h *Histogram) Record(v int64) {
	h.counts[Bucket(v)]++
	h.total++
}

// Add counts all values of other as well.
func (h *Histogram) Add(other *Histogram) {
	for i, n := range other.counts {
		h.counts[i] += n
	}
	h.total += other.total
}

// Sub takes the values of an earlier state of the same histogram away, which
// leaves what was recorded since.
func (h *Histogram) Sub(earlier *Histogram) {
	for i, n := range earlier.counts {
		h.counts[i] -= n
	}
	h.total -= earlier.total
}

// Count returns how many values were recorded.
func (h *Histogram) Count() uint64 { return h.total }

// Quantile returns the value below or at which the share q (0 to 1) of all
// values lies, as the middle of its bucket, and 0 when nothing was recorded.
func (h *Histogram) Quantile(q float64) int64 {
	if h.total == 0 {
		return 0
	}
	rank := uint64(math.Ceil(q * float64(h.total)))
	rank = min(max(rank, 1), h.total)
	var seen uint64
	for i, n := range h.counts {
		if seen += n; seen >= rank {
			low, high := Bounds(i)
			return low + (high-low)/2
		}
	}
	return 0
}

// MarshalJSON implements [json.Marshaler].
func (h *Histogram) MarshalJSON() ([]byte, error) {
	pairs := [][2]uint64{}
	for i, n := range h.counts {
		if n > 0 {
			pairs = append(pairs, [2]uint64{uint64(i), n})
		}
	}
	return json.Marshal(pairs)
}

// UnmarshalJSON implements [json.Unmarshaler]. A bucket that does not exist is
// an error.
func (h *Histogram) UnmarshalJSON(data []byte) error {
	var pairs [][2]uint64
	if err := json.Unmarshal(data, &pairs); err != nil {
		return fmt.Errorf("hist: %w", err)
	}
	*h = Histogram{}
	for _, p := range pairs {
		if p[0] >= Buckets {
			return fmt.Errorf("hist: bucket %d of %d", p[0], Buckets)
		}
		h.counts[p[0]] += p[1]
		h.total += p[1]
	}
	return nil
}
