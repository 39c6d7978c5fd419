package load

import "github.com/znode/znode/bench/internal/hist"

// Snap is what a load process has done up to one moment.
type Snap struct {
	Clock int64 `json:"clock"` // monotonic, in nanoseconds, the same in all processes

	Sent     []uint64 `json:"sent"`     // messages completely written, per publisher
	Received []uint64 `json:"received"` // complete messages, per subscriber
	Probed   []int    `json:"probed"`   // publishers whose probes have come, per subscriber
	Gaps     []int64  `json:"gaps"`     // longest time without a message since "mark", per subscriber, in nanoseconds

	Newest     uint64          `json:"newest"`     // highest sequence number received, plus one, of any publisher
	Misordered uint64          `json:"misordered"` // messages behind a later one of their publisher, or twice
	Latency    *hist.Histogram `json:"latency,omitempty"`

	Took  int64  `json:"took,omitempty"`  // nodes: time until all had seen all, in nanoseconds
	Count int    `json:"count,omitempty"` // nodes: complete ones; silent: connections held
	Note  string `json:"note,omitempty"`
	Error string `json:"error,omitempty"` // the process cannot go on
}

// Total adds up counts.
func Total(counts []uint64) (sum uint64) {
	for _, n := range counts {
		sum += n
	}
	return sum
}
