package pump

import (
	"testing"

	"github.com/znode/znode/bench/internal/zmtp"
)

func TestCutFindsTheLastBoundary(t *testing.T) {
	var wire []byte
	ends := []int{0}
	for _, size := range []int{20, 255, 256, 1000, 16} {
		l, err := zmtp.NewLayout(size)
		if err != nil {
			t.Fatal(err)
		}
		wire = l.AppendMessage(wire, 1, 1)
		ends = append(ends, len(wire))
	}
	for n := range len(wire) + 1 {
		want := 0
		for _, end := range ends {
			if end <= n {
				want = end
			}
		}
		for _, from := range ends {
			if from > n {
				continue
			}
			got, err := cut(wire[:n], from)
			if err != nil || got != max(want, from) {
				t.Fatalf("%d bytes from %d: %d, %v, want %d", n, from, got, err, want)
			}
		}
	}
}

func TestCutRefusesHugeFrames(t *testing.T) {
	if _, err := cut([]byte{2, 0, 0, 0, 1, 0, 0, 0, 0, 0}, 0); err == nil {
		t.Error("a frame of 4 GiB was accepted")
	}
}
