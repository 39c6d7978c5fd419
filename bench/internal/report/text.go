package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// WriteText writes the report for a terminal.
func (r *Report) WriteText(w io.Writer) error {
	if err := r.WriteHeader(w); err != nil {
		return err
	}
	for i := range r.Groups {
		if err := r.Groups[i].WriteText(w); err != nil {
			return err
		}
	}
	return nil
}

// WriteHeader writes what WriteText begins with.
func (r *Report) WriteHeader(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%s, %s\n%s\nmedians of %d rounds, sides in turn; +- is (largest - smallest) / median\n",
		r.Title, r.Started.Format("2006-01-02 15:04 MST"), r.Machine, r.Rounds)
	return err
}

// WriteText writes one group's table, verdicts and warnings.
func (g *Group) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s: %s\n", g.Name, g.Title)
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	columns, rows := g.table()
	fmt.Fprintln(table, "\t"+strings.Join(columns, "\t")+"\t")
	for _, row := range rows {
		fmt.Fprintln(table, "\t"+strings.Join(row, "\t")+"\t")
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, s := range g.Series {
		if s.Missing != "" {
			fmt.Fprintf(&b, "  %s: %s\n", s.Side, s.Missing)
		}
	}
	for _, v := range g.Verdicts {
		fmt.Fprintf(&b, "  %s\n", v)
	}
	for _, v := range g.Warnings {
		fmt.Fprintf(&b, "  ! %s\n", v)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// table returns the medians with their spreads, a row per side that has any.
func (g *Group) table() (columns []string, rows [][]string) {
	columns = []string{"side"}
	var metrics []string
	for _, s := range g.Series {
		for _, v := range s.Values {
			if !v.Hidden && !slices.Contains(metrics, v.Name) {
				metrics = append(metrics, v.Name)
			}
		}
	}
	columns = append(columns, metrics...)
	for _, s := range g.Series {
		if len(s.Values) == 0 {
			continue
		}
		row := []string{s.Side}
		for _, m := range metrics {
			cell := "-"
			if v := s.Find(m); v != nil {
				cell = FormatValue(v.Median(), v.Unit)
				if at := v.Spread(); at > 0 && v.Plot {
					cell += fmt.Sprintf(" +-%.0f%%", 100*at)
				}
			}
			row = append(row, cell)
		}
		rows = append(rows, row)
	}
	return columns, rows
}
