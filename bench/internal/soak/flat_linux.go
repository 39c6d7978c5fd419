package soak

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
)

// Kinds of resources. Growth is judged beyond a slack, relative and absolute:
// memory is what the collector has not given back yet.
var resources = []resource{
	{name: "memory", share: 0.1, slack: 8 << 20},
	{name: "goroutines", slack: 2},
	{name: "descriptors", slack: 2},
}

type resource struct {
	name         string
	share, slack float64
}

// history is what a process used at the end of each round, by resource.
type history struct {
	process string
	samples [][]float64 // one for each resource
}

// leastRounds is how many rounds it takes to judge growth: the first is for
// warming up, and each half of the others needs some.
const leastRounds = 7

// growth says what has grown: a resource of which even the least of the later
// half of the rounds is more than the most of the earlier half.
func (h *history) growth() (grown []string) {
	for i, r := range resources {
		v := h.samples[i]
		if len(v) < leastRounds {
			continue
		}
		v = v[1:]
		early, late := slices.Max(v[:len(v)/2]), slices.Min(v[len(v)/2:])
		if late > early*(1+r.share)+r.slack {
			grown = append(grown, fmt.Sprintf("%s of %s: at most %.0f in the first rounds, at least %.0f in the last", r.name, h.process, early, late))
		}
	}
	return grown
}

// String is a line for people.
func (h *history) String() string {
	parts := make([]string, len(resources))
	for i, r := range resources {
		v := h.samples[i]
		scale, unit := 1.0, ""
		if r.name == "memory" {
			scale, unit = 1<<20, " MiB"
		}
		parts[i] = fmt.Sprintf("%s first %.0f, last %.0f, %.0f to %.0f%s", r.name,
			v[0]/scale, v[len(v)-1]/scale, slices.Min(v)/scale, slices.Max(v)/scale, unit)
	}
	return fmt.Sprintf("%-9s %s", h.process, strings.Join(parts, "; "))
}

// note records what all processes use now.
func (s *soak) note(r *Result) error {
	for _, p := range append([]*server{s.broker}, s.loggers...) {
		f, err := p.scrape()
		if err != nil {
			return err
		}
		r.add(p.name, f.sum("process_resident_memory_bytes"), f.sum("go_goroutines"), f.sum("process_open_fds"))
	}
	memory, fds, err := own()
	if err != nil {
		return err
	}
	r.add("members", memory, float64(runtime.NumGoroutine()), fds)
	return nil
}

// own returns the resident set and the open descriptors of this process.
func own() (memory, fds float64, err error) {
	debug.FreeOSMemory() // the members' memory, not their garbage nor what it left
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, 0, err
	}
	fields := strings.Fields(string(statm))
	if len(fields) < 2 {
		return 0, 0, fmt.Errorf("/proc/self/statm is %q", statm)
	}
	pages, err := strconv.ParseFloat(fields[1], 64)
	if err != nil {
		return 0, 0, err
	}
	open, err := os.ReadDir("/proc/self/fd")
	return pages * float64(os.Getpagesize()), float64(len(open)), err
}
