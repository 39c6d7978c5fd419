package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"
)

// Report is one run of a benchmark.
type Report struct {
	Title   string    `json:"title"`
	Started time.Time `json:"started"`
	Machine Machine   `json:"machine"`
	Rounds  int       `json:"rounds"`
	Margin  float64   `json:"margin"` // spread above which samples are called noisy
	Groups  []Group   `json:"groups"`
}

// Group compares sides on one task.
type Group struct {
	Name     string   `json:"name"`  // key=value pairs joined by "/", as benchstat has them
	Title    string   `json:"title"` // for people
	Series   []Series `json:"series"`
	Wants    []Want   `json:"wants,omitempty"`
	Verdicts []string `json:"verdicts,omitempty"` // one per want, see Judge
	Warnings []string `json:"warnings,omitempty"` // why not to trust the figures
}

// Series is what one side achieved.
type Series struct {
	Side    string   `json:"side"`
	Missing string   `json:"missing,omitempty"` // why there are no or too few samples
	Failed  bool     `json:"failed,omitempty"`  // it was there, but did not get through
	Values  []Values `json:"values"`
}

// Values are the samples of one metric, one per round.
type Values struct {
	Metric
	Samples []float64 `json:"samples"`
}

// Metric says what a number means.
type Metric struct {
	Name   string `json:"name"`
	Unit   Unit   `json:"unit"`
	Better Better `json:"better,omitempty"`
	Plot   bool   `json:"plot,omitempty"` // gets a plot of its own
	Hidden bool   `json:"-"`              // not in tables and plots, only in JSON
}

// Unit is the unit of a metric; it decides how numbers are written.
type Unit string

// Units.
const (
	PerSecond Unit = "1/s"
	Seconds   Unit = "s"
	Bytes     Unit = "B"
	Count     Unit = "1"
	Share     Unit = "%" // samples are fractions of 1
)

// Better tells which way a metric improves.
type Better string

// Directions.
const (
	More Better = "more"
	Less Better = "less"
)

// Add appends one round's sample of a metric.
func (s *Series) Add(m Metric, sample float64) {
	for i := range s.Values {
		if s.Values[i].Name == m.Name {
			s.Values[i].Samples = append(s.Values[i].Samples, sample)
			return
		}
	}
	s.Values = append(s.Values, Values{Metric: m, Samples: []float64{sample}})
}

// Find returns the values of a metric, or nil.
func (s *Series) Find(metric string) *Values {
	for i := range s.Values {
		if s.Values[i].Name == metric {
			return &s.Values[i]
		}
	}
	return nil
}

// Find returns the series of a side, or nil.
func (g *Group) Find(side string) *Series {
	for i := range g.Series {
		if g.Series[i].Side == side {
			return &g.Series[i]
		}
	}
	return nil
}

// Median returns the middle sample, or the mean of the two middle ones.
func (v *Values) Median() float64 { return median(v.Samples) }

// Spread returns the distance between the smallest and the largest sample as a
// share of the median, 0 when all are equal.
func (v *Values) Spread() float64 { return spread(v.Samples) }

func median(samples []float64) float64 {
	s := slices.Sorted(slices.Values(samples))
	switch n := len(s); {
	case n == 0:
		return 0
	case n%2 == 1:
		return s[n/2]
	default:
		return (s[n/2-1] + s[n/2]) / 2
	}
}

func spread(samples []float64) float64 {
	if len(samples) == 0 {
		return 0
	}
	low, high := slices.Min(samples), slices.Max(samples)
	if low == high {
		return 0
	}
	mid := median(samples)
	if mid < 0 {
		mid = -mid
	}
	// Around zero a share means nothing; the distance itself then has to do.
	return (high - low) / cmp.Or(mid, 1)
}

// WriteJSON writes the report for programs, and for [ReadJSON].
func (r *Report) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}

// ReadJSON reads what WriteJSON wrote.
func ReadJSON(from io.Reader) (*Report, error) {
	var r Report
	dec := json.NewDecoder(from)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&r); err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	return &r, nil
}

// Replace puts groups into the report, in the place of those of the same name.
func (r *Report) Replace(groups []Group) {
	for _, g := range groups {
		at := slices.IndexFunc(r.Groups, func(old Group) bool { return old.Name == g.Name })
		if at < 0 {
			r.Groups = append(r.Groups, g)
		} else {
			r.Groups[at] = g
		}
	}
}

// Failed returns how many sides that were there did not get through.
func (g *Group) Failed() (n int) {
	for _, s := range g.Series {
		if s.Failed {
			n++
		}
	}
	return n
}
