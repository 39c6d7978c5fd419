// Package report is what a benchmark leaves: samples of several sides in
// several rounds, judged against what was wanted, as text, Markdown, JSON and
// SVG plots.
//
// It knows nothing of brokers; a [Group] may as well compare two queues. A group
// holds one [Series] per side, a series one list of samples per [Metric], with
// the i-th samples of all sides measured right after each other, so that ratios
// are taken per round and drift of the machine cancels out. [Report.Judge]
// fills in the verdicts and says where the machine was too noisy to trust them.
//
// [Compare] compares two reports.
//
// Files in reading order: report.go, judge.go, compare.go, format.go, text.go, markdown.go,
// svg.go, files.go, machine.go.
package report
