package hist

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestBucketsCoverEveryValueOnce(t *testing.T) {
	next := int64(0)
	for i := range Buckets {
		low, high := Bounds(i)
		if low != next {
			t.Fatalf("bucket %d starts at %d, want %d", i, low, next)
		}
		if Bucket(low) != i || Bucket(high) != i {
			t.Fatalf("bucket %d holds %d..%d, but these go to %d and %d", i, low, high, Bucket(low), Bucket(high))
		}
		if high > 4*subs && float64(high-low) > float64(low)/subs {
			t.Fatalf("bucket %d is %d wide at %d", i, high-low, low)
		}
		next = high + 1
	}
	if last := next - 1; last != math.MaxInt64 {
		t.Fatalf("the last bucket ends at %d", last)
	}
	if Bucket(-5) != 0 {
		t.Fatalf("a negative value goes to bucket %d", Bucket(-5))
	}
}

func TestQuantileAgreesWithSorting(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	var h Histogram
	values := make([]int64, 10_000)
	for i := range values {
		values[i] = int64(math.Exp(r.Float64() * 20))
		h.Record(values[i])
	}
	slices.Sort(values)
	for _, q := range []float64{0, 0.01, 0.5, 0.9, 0.99, 0.999, 1} {
		rank := max(int(math.Ceil(q*float64(len(values)))), 1)
		want, got := float64(values[rank-1]), float64(h.Quantile(q))
		if math.Abs(got-want) > want/subs+1 {
			t.Errorf("quantile %v is %v, want %v", q, got, want)
		}
	}
}

func TestQuantileOfNothingIsZero(t *testing.T) {
	var h Histogram
	if got := h.Quantile(0.5); got != 0 {
		t.Errorf("got %d", got)
	}
}

func TestJSONKeepsTheCounts(t *testing.T) {
	var h, back, sum Histogram
	for v := range int64(3000) {
		h.Record(v * v)
	}
	data, err := json.Marshal(&h)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if back != h {
		t.Error("the histogram changed on its way through JSON")
	}
	sum.Add(&h)
	sum.Add(&back)
	if sum.Count() != 6000 || sum.Quantile(0.5) != h.Quantile(0.5) {
		t.Errorf("twice the histogram has %d values, median %d", sum.Count(), sum.Quantile(0.5))
	}
	sum.Sub(&h)
	if sum != h {
		t.Error("adding and taking away is not nothing")
	}
}

func TestJSONRefusesUnknownBuckets(t *testing.T) {
	var h Histogram
	for _, text := range []string{`[[3712,1]]`, `{"a":1}`, `[[-1,1]]`} {
		if err := json.Unmarshal([]byte(text), &h); err == nil {
			t.Errorf("%s was accepted", text)
		}
	}
}

func BenchmarkRecord(b *testing.B) {
	b.ReportAllocs()
	var h Histogram
	v := int64(1)
	for b.Loop() {
		h.Record(v)
		v = (v*7 + 13) & 0xfffff
	}
}
