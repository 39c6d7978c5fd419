package node

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestShortage: the spool is for files that are slow, not for lanes that have much to
// do, and not for files that are as fast as it is.
func TestShortage(t *testing.T) {
	const mib = 1 << 20
	for _, c := range []struct {
		name  string
		share time.Duration // of each millisecond, waited for the file
		bytes int64         // written in each
		want  bool
	}{
		{"slow but steady", 950 * time.Microsecond, 20e3, true},
		{"stuck", time.Millisecond, 0, true},
		{"formatting", 500 * time.Microsecond, 20e3, false},
		{"fast, and more to write", 800 * time.Microsecond, mib, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var h shortage
				var sink time.Duration
				var bytes int64
				got := false
				for range 2 * sinkLook / time.Millisecond {
					got = h.forFile(sink, bytes) || got
					time.Sleep(time.Millisecond)
					sink, bytes = sink+c.share, bytes+c.bytes
				}
				if got != c.want {
					t.Errorf("the file is what is short: %v, want %v", got, c.want)
				}
			})
		})
	}
}
