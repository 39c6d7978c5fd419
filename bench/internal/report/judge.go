package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Want is a figure that a side should reach: of a metric, itself or, with a
// base, as a multiple of another side's.
type Want struct {
	Side   string  `json:"side"`
	Metric string  `json:"metric"`
	Unit   Unit    `json:"unit"`           // of the metric
	Base   string  `json:"base,omitempty"` // the side to compare with; empty: the figure itself
	Bound  Bound   `json:"bound"`
	Limit  float64 `json:"limit"`
}

// Bound is the direction of a want.
type Bound string

// Bounds.
const (
	AtLeast Bound = ">="
	AtMost  Bound = "<="
	Below   Bound = "<"
	Above   Bound = ">"
)

// Holds reports whether a figure is within the bound.
func (b Bound) Holds(got, limit float64) bool {
	switch b {
	case AtLeast:
		return got >= limit
	case AtMost:
		return got <= limit
	case Below:
		return got < limit
	case Above:
		return got > limit
	}
	return false
}

// Verdicts begin with one of these words.
const (
	Met     = "met"
	Missed  = "MISSED"
	Unknown = "unknown"
)

// Judge fills in the verdicts and warnings of all groups, and returns how many
// wants were not met.
func (r *Report) Judge() (missed int) {
	for i := range r.Groups {
		g := &r.Groups[i]
		g.Verdicts = g.Verdicts[:0]
		for _, w := range g.Wants {
			verdict, ok := g.judge(w)
			g.Verdicts = append(g.Verdicts, verdict)
			if !ok {
				missed++
			}
		}
		g.Warnings = append(g.Warnings, g.noise(r.Margin)...)
	}
	return missed
}

// judge returns the verdict on one want, and whether it is not missed.
func (g *Group) judge(w Want) (string, bool) {
	got, why := g.figures(w)
	if why != "" {
		return fmt.Sprintf("%s: %s: %s", Unknown, w, why), true
	}
	format := func(v float64) string {
		if w.Base != "" {
			return fmt.Sprintf("%.3gx", v)
		}
		return FormatValue(v, w.Unit)
	}
	mid := median(got)
	text := fmt.Sprintf("%s: %s", w, format(mid))
	if len(got) > 1 {
		text += fmt.Sprintf(" (%s to %s)", format(slices.Min(got)), format(slices.Max(got)))
	}
	if w.Bound.Holds(mid, w.Limit) {
		return Met + ": " + text, true
	}
	return Missed + ": " + text, false
}

// figures returns what a want is judged by, one number per round, or why there
// is nothing.
func (g *Group) figures(w Want) (got []float64, why string) {
	values := func(side string) []float64 {
		s := g.Find(side)
		switch {
		case s == nil:
			why = side + " was not measured"
		case s.Missing != "":
			why, _, _ = strings.Cut(side+": "+s.Missing, "\n")
		case s.Find(w.Metric) == nil:
			why = side + " has no such figure"
		default:
			return s.Find(w.Metric).Samples
		}
		return nil
	}
	own := values(w.Side)
	if w.Base == "" || why != "" {
		return own, why
	}
	base := values(w.Base)
	if why != "" {
		return nil, why
	}
	for i := range min(len(own), len(base)) {
		ratio := own[i] / base[i]
		if math.IsNaN(ratio) || math.IsInf(ratio, 0) {
			return nil, fmt.Sprintf("%s is %v at %s", w.Metric, base[i], w.Base)
		}
		got = append(got, ratio)
	}
	return got, ""
}

// String says what is wanted.
func (w Want) String() string {
	if w.Base == "" {
		return fmt.Sprintf("%s of %s %s %s", w.Metric, w.Side, w.Bound, FormatValue(w.Limit, w.Unit))
	}
	return fmt.Sprintf("%s of %s %s %.4g x %s", w.Metric, w.Side, w.Bound, w.Limit, w.Base)
}

// noise names the plotted metrics whose samples lie too far apart.
func (g *Group) noise(margin float64) []string {
	var wide []string
	for _, s := range g.Series {
		for _, v := range s.Values {
			if at := v.Spread(); v.Plot && at > margin {
				wide = append(wide, fmt.Sprintf("%s of %s (%.0f %%)", v.Name, s.Side, 100*at))
			}
		}
	}
	if wide == nil {
		return nil
	}
	return []string{fmt.Sprintf("%s above %.0f %% of the median: %s", spreadWarning, 100*margin, strings.Join(wide, ", "))}
}

// spreadWarning begins the warnings that Judge adds.
const spreadWarning = "too noisy: spread"

// IsSpread reports whether a warning is one of those that Judge adds.
func IsSpread(warning string) bool { return strings.HasPrefix(warning, spreadWarning) }
