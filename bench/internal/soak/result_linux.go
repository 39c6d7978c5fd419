package soak

import (
	"fmt"
	"io"
	"time"
)

// Result is what a run has shown.
type Result struct {
	Took    time.Duration
	Rounds  int
	Actions []string // what was done between rounds

	Published, Refused int64 // events that members and dying peers sent; that members could not
	Delivered          int64 // to members
	DroppedForMembers  int64 // by the broker
	DeliveredSlow      int64 // to slow subscribers
	DroppedSlow        int64
	DyingPeers         int64
	BadPeers           int64
	BadBatches         int64 // sent, and refused by the loggers
	Batches            int64 // sent and read, bad ones too
	Records            uint64
	RecordsLogged      uint64
	RecordsDropped     uint64
	LogFiles           int
	Flaws              []string // what is wrong; nothing, if all is well

	histories []*history
	finished  bool
}

// maxFlaws bounds what is told of one run.
const maxFlaws = 50

func (r *Result) flaw(format string, args ...any) {
	if len(r.Flaws) < maxFlaws {
		r.Flaws = append(r.Flaws, fmt.Sprintf(format, args...))
	}
}

// add records a sample of each resource of a process.
func (r *Result) add(process string, samples ...float64) {
	var h *history
	for _, known := range r.histories {
		if known.process == process {
			h = known
		}
	}
	if h == nil {
		h = &history{process: process, samples: make([][]float64, len(resources))}
		r.histories = append(r.histories, h)
	}
	for i, v := range samples {
		h.samples[i] = append(h.samples[i], v)
	}
}

// judge looks for growth.
func (r *Result) judge() {
	for _, h := range r.histories {
		for _, g := range h.growth() {
			r.flaw("has grown: %s", g)
		}
	}
}

// Write writes the result for people.
func (r *Result) Write(w io.Writer) error {
	p := func(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
	p("%d rounds in %v; between them: %v", r.Rounds, r.Took.Round(time.Second), r.Actions)
	p("events:  %d published, %d more refused by a full queue and counted", r.Published, r.Refused)
	p("         members: %d delivered, %d dropped by the broker and counted", r.Delivered, r.DroppedForMembers)
	p("         slow subscribers: %d delivered, %d dropped and counted", r.DeliveredSlow, r.DroppedSlow)
	p("records: %d written, %d in %d log files, %d dropped and counted", r.Records, r.RecordsLogged, r.LogFiles, r.RecordsDropped)
	p("batches: %d sent and read, of them %d bad ones, refused and counted", r.Batches, r.BadBatches)
	p("peers:   %d died, %d were bad", r.DyingPeers, r.BadPeers)
	for _, h := range r.histories {
		p("%s", h)
	}
	switch {
	case len(r.Flaws) > 0:
		for _, f := range r.Flaws {
			p("FLAW: %s", f)
		}
	case !r.finished:
		p("not finished: nothing is shown")
	case r.Rounds < leastRounds:
		p("conservation: exact; growth: not judged, that takes %d rounds", leastRounds)
	default:
		p("conservation: exact; memory, goroutines and descriptors: flat")
	}
	return nil
}
