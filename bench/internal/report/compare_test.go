package report

import (
	"strings"
	"testing"
)

// compared is a report of one group in which ring takes half of chan's time.
func compared(ring, chans, allocs []float64) *Report {
	side := func(name string, times []float64) Series {
		s := Series{Side: name}
		for i := range times {
			s.Add(Metric{Name: "time", Unit: Seconds, Better: Less}, times[i])
			if name == "ring" {
				s.Add(Metric{Name: "allocs-per-op", Unit: Count, Better: Less}, allocs[i])
			}
		}
		return s
	}
	return &Report{Groups: []Group{{
		Name:   "bench=queue",
		Series: []Series{side("ring", ring), side("chan", chans)},
		Wants: []Want{
			{Side: "ring", Metric: "time", Unit: Seconds, Base: "chan", Bound: AtMost, Limit: 1},
			{Side: "ring", Metric: "time", Unit: Seconds, Bound: AtMost, Limit: 1}, // a time alone
		},
	}}}
}

func TestCompare(t *testing.T) {
	ten, none := []float64{10, 10, 10}, []float64{0, 0, 0}
	was := compared([]float64{5, 5, 5}, ten, none)
	for _, c := range []struct {
		name  string
		is    *Report
		worse int
	}{
		{"the same", compared([]float64{5, 5, 5}, ten, none), 0},
		{"a machine half as fast", compared(ten, []float64{20, 20, 20}, none), 0},
		{"within the margin", compared([]float64{6, 6, 6}, ten, none), 0},
		{"beyond the margin", compared([]float64{7, 8, 9}, ten, none), 1},
		{"beyond, but noise", compared([]float64{4, 8, 9}, ten, none), 0},
		{"better", compared([]float64{1, 1, 1}, ten, none), 0},
		{"one allocation", compared([]float64{5, 5, 5}, ten, []float64{1, 1, 1}), 1},
		{"an allocation once", compared([]float64{5, 5, 5}, ten, []float64{1, 0, 0}), 0},
		{"both", compared(ten, ten, []float64{2, 2, 2}), 2},
	} {
		got := Compare(was, c.is, 0.25)
		var text strings.Builder
		if err := got.Write(&text); err != nil {
			t.Fatal(err)
		}
		if got.Worse() != c.worse || strings.Count(text.String(), "WORSE") != c.worse || len(got.Lines) != 2 {
			t.Errorf("%s: %d worse, want %d\n%s", c.name, got.Worse(), c.worse, text.String())
		}
	}
	more := compared([]float64{5, 5, 5}, ten, none)
	more.Groups[0].Wants[0].Bound = AtLeast
	if got := Compare(was, more, 0.25); got.Worse() != 0 {
		t.Errorf("more is better, and it is the same: %+v", got.Lines)
	}
	more.Groups[0].Series[0].Values[0].Samples = []float64{3, 3, 3}
	if got := Compare(was, more, 0.25); got.Worse() != 1 {
		t.Errorf("more is better, and it is less: %+v", got.Lines)
	}
	noisy := compared([]float64{7, 8, 9}, ten, none)
	noisy.Groups[0].Warnings = []string{"too noisy"}
	if got := Compare(was, noisy, 0.25); got.Worse() != 0 || !got.Lines[0].Noisy {
		t.Errorf("a noisy machine: %+v", got.Lines)
	}
	others := compared([]float64{5, 5, 5}, ten, none)
	others.Groups[0].Series[1].Add(Metric{Name: "allocs-per-op", Unit: Count, Better: Less}, 1)
	if got := Compare(others, others, 0.25); len(got.Lines) != 2 {
		t.Errorf("what chan allocates is compared: %+v", got.Lines)
	}
	gone := &Report{}
	if got := Compare(was, gone, 0.25); len(got.Gone) != 1 {
		t.Errorf("a group is gone: %+v", got)
	}
	missing := compared([]float64{5}, ten[:1], none[:1])
	missing.Groups[0].Series[1] = Series{Side: "chan", Missing: "not here"}
	if got := Compare(was, missing, 0.25); got.Lines[0].Note == "" || got.Worse() != 0 {
		t.Errorf("a side is missing: %+v", got.Lines)
	}
}
