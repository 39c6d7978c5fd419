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
		stuck bool          // for all the time after the first look
		want  bool
	}{
		{"slow but steady", 950 * time.Microsecond, 20e3, false, true},
		{"stuck", time.Millisecond, 0, false, true},
		{"formatting", 500 * time.Microsecond, 20e3, false, false},
		{"fast, and more to write", 800 * time.Microsecond, mib, false, false},
		{"fast, then stuck", 800 * time.Microsecond, mib, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var h shortage
				var sink time.Duration
				var bytes int64
				got := false
				for at := range 3 * sinkLook / time.Millisecond {
					got = h.forFile(sink, bytes) || got
					time.Sleep(time.Millisecond)
					if c.stuck && at > sinkLook/time.Millisecond {
						sink += time.Millisecond
					} else {
						sink, bytes = sink+c.share, bytes+c.bytes
					}
				}
				if got != c.want {
					t.Errorf("the file is what is short: %v, want %v", got, c.want)
				}
			})
		})
	}
}
