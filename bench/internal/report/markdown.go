package report

import (
	"fmt"
	"io"
	"strings"
)

// WriteMarkdown writes the report for a repository, with the plots that
// [Report.WritePlots] made beside it, light or dark as the reader's page is.
func (r *Report) WriteMarkdown(w io.Writer, plots []string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s. %s.\n\nMedians of %d rounds, sides in turn; ± is (largest - smallest) / median; ratios are medians of the rounds' ratios.\n",
		r.Title, r.Started.Format("2006-01-02 15:04 MST"), r.Machine, r.Rounds)
	for _, p := range plots {
		fmt.Fprintf(&b, "\n<picture><source media=\"(prefers-color-scheme: dark)\" srcset=\"%[1]s-dark.svg\"><img alt=\"%[1]s\" src=\"%[1]s-light.svg\"></picture>\n", p)
	}
	for i := range r.Groups {
		r.Groups[i].markdown(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (g *Group) markdown(b *strings.Builder) {
	columns, rows := g.table()
	fmt.Fprintf(b, "\n## %s\n\n%s.\n\n| %s |\n|%s\n", g.Name, g.Title, strings.Join(columns, " | "), strings.Repeat(" --- |", len(columns)))
	for _, row := range rows {
		fmt.Fprintf(b, "| %s |\n", strings.ReplaceAll(strings.Join(row, " | "), "+-", "±"))
	}
	b.WriteString("\n")
	for _, s := range g.Series {
		if s.Missing != "" {
			fmt.Fprintf(b, "- %s: %s\n", s.Side, s.Missing)
		}
	}
	for _, v := range g.Verdicts {
		fmt.Fprintf(b, "- %s\n", v)
	}
	for _, v := range g.Warnings {
		fmt.Fprintf(b, "- **%s**\n", v)
	}
}
