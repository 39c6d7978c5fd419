package report

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
)

// Comparison says what has changed from one report to another: of ratios between
// sides, which hold on any machine, and of allocations, which are exact. Times
// alone are not compared.
type Comparison struct {
	Old, New string // where and what of
	Margin   float64
	Lines    []Change
	Gone     []string // groups that the new report lacks
}

// Change is one figure.
type Change struct {
	Group, Figure string
	Old, New      float64
	Worse         bool   // beyond the margin
	Noisy         bool   // it would be, but the machine was too noisy
	Note          string // why it was not judged
}

// allocations is what metrics of allocations have in their names.
const allocations = "allocs"

// Compare compares the figures that both reports have. A ratio is worse when its
// median is, by more than the margin, and none of its rounds is as good as the
// old median: noise has one that is. Where a report says that the machine was too
// noisy it is not judged. Allocations of our own sides are worse when there are
// more.
func Compare(was, is *Report, margin float64) *Comparison {
	c := &Comparison{Old: was.describe(), New: is.describe(), Margin: margin}
	for i := range was.Groups {
		g := &was.Groups[i]
		at := slices.IndexFunc(is.Groups, func(n Group) bool { return n.Name == g.Name })
		if at < 0 {
			c.Gone = append(c.Gone, g.Name)
			continue
		}
		c.ratios(g, &is.Groups[at])
		c.allocations(g, &is.Groups[at])
	}
	return c
}

func (r *Report) describe() string {
	return fmt.Sprintf("%s, %s", r.Started.Format("2006-01-02 15:04 MST"), r.Machine)
}

// ratios compares those that something is wanted of.
func (c *Comparison) ratios(was, is *Group) {
	for _, w := range is.Wants {
		if w.Base == "" {
			continue
		}
		line := Change{Group: is.Name, Figure: fmt.Sprintf("%s of %s : %s", w.Metric, w.Side, w.Base)}
		old, why := was.figures(w)
		now, whyNow := is.figures(w)
		if len(old) == 0 || len(now) == 0 {
			line.Note = strings.Trim(why+"; "+whyNow, "; ")
			c.Lines = append(c.Lines, line)
			continue
		}
		line.Old, line.New = median(old), median(now)
		if w.Bound == AtLeast || w.Bound == Above {
			line.Worse = line.New < line.Old*(1-c.Margin) && slices.Max(now) < line.Old
		} else {
			line.Worse = line.New > line.Old*(1+c.Margin) && slices.Min(now) > line.Old
		}
		line.Noisy = line.Worse && len(was.Warnings)+len(is.Warnings) > 0
		line.Worse = line.Worse && !line.Noisy
		c.Lines = append(c.Lines, line)
	}
}

// allocations compares those of every side that has some in both reports, but for
// what others allocate that ours are only compared with.
func (c *Comparison) allocations(was, is *Group) {
	for _, s := range is.Series {
		before := was.Find(s.Side)
		other := slices.ContainsFunc(is.Wants, func(w Want) bool { return w.Base == s.Side })
		if before == nil || other {
			continue
		}
		for _, v := range s.Values {
			old := before.Find(v.Name)
			if old == nil || !strings.Contains(v.Name, allocations) {
				continue
			}
			// The least of the rounds: what is set up once may be counted in another.
			line := Change{Group: is.Name, Figure: v.Name + " of " + s.Side, Old: least(old.Samples), New: least(v.Samples)}
			line.Worse = line.New > line.Old
			c.Lines = append(c.Lines, line)
		}
	}
}

func least(samples []float64) float64 {
	if len(samples) == 0 {
		return math.NaN()
	}
	return slices.Min(samples)
}

// Worse returns how many figures are.
func (c *Comparison) Worse() (n int) {
	for _, l := range c.Lines {
		if l.Worse {
			n++
		}
	}
	return n
}

// Write writes the comparison for a terminal: all ratios, and the allocations
// that have changed.
func (c *Comparison) Write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "old: %s\nnew: %s\nworse: a ratio by more than %.0f %%, allocations by any\n\n", c.Old, c.New, 100*c.Margin)
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	same := 0
	for _, l := range c.Lines {
		verdict := ""
		switch {
		case l.Note != "":
			fmt.Fprintf(table, "%s\t%s\t\t\tnot compared: %s\n", l.Group, l.Figure, l.Note)
			continue
		case l.Worse:
			verdict = "WORSE"
		case l.Noisy:
			verdict = "not judged: too noisy"
		case strings.Contains(l.Figure, allocations) && l.Old == l.New:
			same++
			continue
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", l.Group, l.Figure, three(l.Old), three(l.New), verdict)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, g := range c.Gone {
		fmt.Fprintf(&b, "%s: not in the new report\n", g)
	}
	fmt.Fprintf(&b, "%d figures, %d allocations the same, %d worse\n", len(c.Lines), same, c.Worse())
	_, err := io.WriteString(w, b.String())
	return err
}
