package load

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/znode/znode/bench/internal/hist"
	"github.com/znode/znode/bench/internal/zmtp"
)

func layoutOf(t testing.TB, size int) *zmtp.Layout {
	t.Helper()
	l, err := zmtp.NewLayout(size)
	if err != nil {
		t.Fatal(err)
	}
	return &l
}

// feedAll gives the stream a wire in pieces as cut returns their lengths.
func feedAll(t *testing.T, s *stream, wire []byte, cut func() int) {
	t.Helper()
	buf := make([]byte, len(wire)+s.layout.Head)
	for len(wire) > 0 {
		start := s.begin(buf)
		n := copy(buf[start:], wire[:min(cut(), len(wire))])
		wire = wire[n:]
		if err := s.feed(buf[:start+n], 1000); err != nil {
			t.Fatal(err)
		}
	}
}

func TestStreamCountsAtEverySplit(t *testing.T) {
	for _, size := range []int{50, 300} {
		l := layoutOf(t, size)
		b := newBatch(l, 5, 3)
		b.stamp(7)
		wire := append(b.probes(3), b.bytes[:4*l.Size]...)
		for cut := 1; cut <= 2*l.Size; cut++ {
			s := newStream(l, new(hist.Histogram))
			feedAll(t, s, wire, func() int { return cut })
			if s.received != 4 || s.misordered != 0 || !reflect.DeepEqual(s.probed, map[int]bool{5: true}) {
				t.Fatalf("size %d, pieces of %d: %d received, %d misordered, probes of %v", size, cut, s.received, s.misordered, s.probed)
			}
		}
	}
}

func TestStreamCountsRandomPieces(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 2))
	l := layoutOf(t, 2000)
	b := newBatch(l, 0, 8)
	s := newStream(l, new(hist.Histogram))
	var sent uint64
	for range 20 {
		b.stamp(sent)
		sent += uint64(b.messages)
		feedAll(t, s, b.bytes, func() int { return 1 + r.IntN(10_000) })
	}
	if s.received != sent || s.misordered != 0 {
		t.Errorf("%d of %d received, %d misordered", s.received, sent, s.misordered)
	}
}

func TestStreamSeesOrderAndLatency(t *testing.T) {
	l := layoutOf(t, 50)
	var latency hist.Histogram
	s := newStream(l, &latency)
	var wire []byte
	for _, seq := range []uint64{0, 1, 5, 4, 5, 6} { // a gap is loss; 4 is late, the second 5 a duplicate
		msg := l.AppendMessage(nil, 0, 2)
		l.Stamp(msg, 2, seq, 900)
		wire = append(wire, msg...)
	}
	feedAll(t, s, wire, func() int { return len(wire) })
	if s.received != 6 || s.misordered != 2 {
		t.Errorf("%d received, %d misordered", s.received, s.misordered)
	}
	if latency.Count() != 6 || latency.Quantile(0.5) != 100 {
		t.Errorf("%d latencies, median %d", latency.Count(), latency.Quantile(0.5))
	}
}

func TestStreamNoticesDamage(t *testing.T) {
	l := layoutOf(t, 200)
	b := newBatch(l, 0, 1)
	s := newStream(l, new(hist.Histogram))
	whole := b.bytes[:3*l.Size]
	damaged := append(append([]byte(nil), whole[:l.Size]...), whole[l.Size+1:]...)
	if err := s.feed(damaged, 0); err == nil {
		t.Error("a lost byte was not noticed")
	}
}

func TestExpectedCountsEachTopic(t *testing.T) {
	for _, topics := range []int{1, 3, 8} {
		c := Config{Topics: topics, Select: SelectOne}
		for sent := range uint64(50) {
			want := make([]uint64, topics)
			for i := range sent {
				want[i%uint64(topics)]++
			}
			for sub := range 2 * topics {
				if got := c.Expected(sub, []uint64{sent}); got != want[sub%topics] {
					t.Fatalf("%d topics, %d sent: subscriber %d expects %d, want %d", topics, sent, sub, got, want[sub%topics])
				}
			}
		}
	}
	all := Config{Topics: 8}
	if got := all.Expected(3, []uint64{10, 20}); got != 30 {
		t.Errorf("all topics: %d", got)
	}
}

func TestConfigSurvivesItsFlags(t *testing.T) {
	c := Config{
		Role: RoleStream, PubAddr: "127.0.0.1:1", SubAddr: "127.0.0.1:2", Pubs: 3, FirstPub: 4, Subs: 5, FirstSub: 6,
		Size: 70, Topics: 8, Select: SelectAll, Rate: 9, Nodes: 10, Inflight: 11, Silent: 12,
	}
	got, err := ParseConfig(c.Args())
	if err != nil || got != c {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, bad := range [][]string{{"-size", "15"}, {"-topics", "0"}, {"-role", "x"}, {"-pubs", "1000"}, {"-nope"}, {"-select", "none"}} {
		if _, err := ParseConfig(bad); err == nil {
			t.Errorf("%v was accepted", bad)
		}
	}
}

func TestStreamDoesNotAllocate(t *testing.T) {
	l := layoutOf(t, 200)
	b := newBatch(l, 0, 1)
	s := newStream(l, new(hist.Histogram))
	var seq uint64
	if n := testing.AllocsPerRun(50, func() {
		b.stamp(seq)
		seq += uint64(b.messages)
		if err := s.feed(b.bytes, 1); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations per batch", n)
	}
}

func BenchmarkStream(b *testing.B) {
	l := layoutOf(b, 200)
	batch := newBatch(l, 0, 1)
	s := newStream(l, new(hist.Histogram))
	b.ReportAllocs()
	var seq uint64
	for b.Loop() {
		batch.stamp(seq)
		seq += uint64(batch.messages)
		if err := s.feed(batch.bytes, 0); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch.messages), "ns/msg")
}
