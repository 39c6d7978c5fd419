// Package gobench runs the module's own benchmarks, those of go test -bench, and
// makes groups of a report of them.
//
// Benchmarks are named as benchstat has it, in key=value pairs. One key of a
// [Suite] tells the sides that are compared, such as queue=ring and queue=chan;
// the others tell the task. A round runs all sides after each other, so that
// ratios are of the same time; there are as many rounds as are asked for.
//
// Files in reading order: suite.go, parse.go, run_linux.go.
package gobench
