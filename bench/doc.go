// Command bench runs all benchmarks and writes one report of them, or compares
// two reports.
//
//	go run ./bench                                # everything, some twenty minutes
//	go run ./bench -parts ring,codec -rounds 3    # some of it
//	go run ./bench -quick -parts broker -add      # again, in the same report
//	go run ./bench compare                        # the last run with the baseline
//	go run ./bench compare -margin 0.2 OLD NEW    # two directories or report.json
//
// The parts: broker and curve (znode's broker against libzmq's proxy and a byte
// pump, see bench/broker), logger, node (from the socket to the handler), ring
// (against a channel and xsync's queue), codec (against encoding/json). What is
// compared is measured in turn, round by round, so ratios hold on any machine;
// medians are printed with their spread, and figures that are too noisy are said
// to be. A report is report.json, report.md and SVG plots, light and dark, in the
// directory -out names, dist/bench at first.
//
// bench/baseline holds a report. compare fails when a ratio is worse than in the
// old report by more than the margin, or when an operation allocates more than it
// did; times alone are not compared, since they are the machine's.
//
// It runs in a network namespace of its own where the system allows one, with a
// TCP that does not pace (cubic, or reno): see bench/internal/netns.
//
// It needs Linux; without a C compiler and libzmq those sides are reported as
// missing. Exit status: 0 when everything ran, 1 when something failed or is
// worse, 2 for a wrong flag.
//
// Files in reading order: main_linux.go, parts_linux.go, compare_linux.go.
package main
