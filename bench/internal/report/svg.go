package report

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Theme is the colours of a plot.
type Theme struct {
	Name                    string
	Ground, Ink, Faint, Bar string   // page, text, secondary text, the bars' background
	Sides                   []string // colours of the sides in order of appearance
}

// Themes are the two that a README needs.
var Themes = []Theme{
	{"light", "#ffffff", "#1f2328", "#59636e", "#eff2f5", []string{"#0b6e4f", "#c2410c", "#8c959f", "#6d28d9", "#b91c1c"}},
	{"dark", "#0d1117", "#f0f6fc", "#9198a1", "#1b222b", []string{"#2dd4a0", "#fb923c", "#848d97", "#a78bfa", "#f87171"}},
}

// Sizes of a plot, in pixels.
const (
	plotWidth  = 720
	plotMargin = 16
	labelWidth = 150 // of the sides' names
	valueWidth = 150 // of the numbers
	barHeight  = 16
	barStep    = 22
	titleStep  = 30 // from a group's title to its first bar
	textSize   = 13
)

// WritePlots writes one plot per plotted metric and theme into a directory, as
// <metric>-<theme>.svg, and returns the metrics.
func (r *Report) WritePlots(dir string) ([]string, error) {
	var metrics []Metric
	for _, g := range r.Groups {
		for _, s := range g.Series {
			for _, v := range s.Values {
				if v.Plot && !slices.ContainsFunc(metrics, func(m Metric) bool { return m.Name == v.Name }) {
					metrics = append(metrics, v.Metric)
				}
			}
		}
	}
	var names []string
	for _, m := range metrics {
		for _, theme := range Themes {
			var b strings.Builder
			r.plot(&b, m, theme)
			if err := os.WriteFile(filepath.Join(dir, m.Name+"-"+theme.Name+".svg"), []byte(b.String()), 0o644); err != nil {
				return nil, fmt.Errorf("report: %w", err)
			}
		}
		names = append(names, m.Name)
	}
	return names, nil
}

// plot draws a metric: a block of horizontal bars for each group that has it,
// each block with a scale of its own, since the numbers stand beside the bars.
func (r *Report) plot(w io.Writer, m Metric, theme Theme) {
	var body strings.Builder
	sides := r.sides()
	y := plotMargin + textSize
	fmt.Fprintf(&body, `<text x="%d" y="%d" font-weight="600" fill="%s">%s</text>`+"\n", plotMargin, y, theme.Ink, escape(caption(m)))
	for i := range r.Groups {
		g := &r.Groups[i]
		top := g.largest(m.Name)
		if top <= 0 {
			continue
		}
		y += titleStep
		fmt.Fprintf(&body, `<text x="%d" y="%d" fill="%s">%s</text>`+"\n", plotMargin, y, theme.Faint, escape(g.Title))
		y += barStep - textSize
		for _, s := range g.Series {
			if v := s.Find(m.Name); v != nil {
				colour := theme.Sides[slices.Index(sides, s.Side)%len(theme.Sides)]
				bar(&body, y, s.Side, v, top, colour, theme)
				y += barStep
			}
		}
	}
	height := y + plotMargin
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="system-ui, sans-serif" font-size="%d">`+"\n",
		plotWidth, height, plotWidth, height, textSize)
	fmt.Fprintf(w, `<rect width="%d" height="%d" rx="6" fill="%s"/>`+"\n%s</svg>\n", plotWidth, height, theme.Ground, body.String())
}

// bar draws one side: its name, a bar up to the median, a line from the smallest
// to the largest sample, and the median as a number.
func bar(w io.Writer, y int, side string, v *Values, top float64, colour string, theme Theme) {
	const left, full = plotMargin + labelWidth, plotWidth - 2*plotMargin - labelWidth - valueWidth
	at := func(sample float64) float64 { return max(sample, 0) / top * full }
	base := y + barHeight - 4
	fmt.Fprintf(w, `<text x="%d" y="%d" text-anchor="end" fill="%s">%s</text>`, left-10, base, theme.Ink, escape(side))
	fmt.Fprintf(w, `<rect x="%d" y="%d" width="%d" height="%d" rx="3" fill="%s"/>`, left, y, full, barHeight, theme.Bar)
	fmt.Fprintf(w, `<rect x="%d" y="%d" width="%.1f" height="%d" rx="3" fill="%s"/>`, left, y, max(at(v.Median()), 1), barHeight, colour)
	if low, high := at(slices.Min(v.Samples)), at(slices.Max(v.Samples)); high-low >= 1 {
		fmt.Fprintf(w, `<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" stroke="%s" stroke-width="2"/>`, left+low, left+high, y+barHeight/2, y+barHeight/2, theme.Ink)
	}
	fmt.Fprintf(w, `<text x="%d" y="%d" fill="%s">%s</text>`+"\n", left+full+10, base, theme.Ink, escape(FormatValue(v.Median(), v.Unit)))
}

// largest returns the largest sample of a metric in the group.
func (g *Group) largest(metric string) (top float64) {
	for i := range g.Series {
		if v := g.Series[i].Find(metric); v != nil && len(v.Samples) > 0 {
			top = max(top, slices.Max(v.Samples))
		}
	}
	return top
}

// sides returns all sides in order of appearance, so that each has one colour.
func (r *Report) sides() (sides []string) {
	for _, g := range r.Groups {
		for _, s := range g.Series {
			if !slices.Contains(sides, s.Side) {
				sides = append(sides, s.Side)
			}
		}
	}
	return sides
}

func caption(m Metric) string {
	text := strings.ReplaceAll(m.Name, "-", " ")
	switch m.Better {
	case More:
		return text + " (more is better)"
	case Less:
		return text + " (less is better)"
	}
	return text
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")

func escape(s string) string { return escaper.Replace(s) }
