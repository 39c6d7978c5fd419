// Command logger measures what znode's logger uses for each record of a conn log,
// beside the bare cost of reading and writing the same bytes.
//
//	go run ./bench/logger                               # everything, a few minutes
//	go run ./bench/logger -scenario json,tsv -rounds 3  # some of it
//	go run ./bench/logger -list                         # what there is, and what is wanted
//	go run ./bench/logger -dir /var/tmp                 # on a disk instead of a tmpfs
//
// A sender, which is a process of its own, sends batches as fast as the logger's
// socket takes them. The other side, bare, is a process that reads them from its
// socket and writes as many bytes to a file as the logger would, and looks at
// none. Both are measured from outside, from the first batch until all text is in
// the file: time, processor time in user and system mode, and the memory that was
// resident, at most and in the end.
//
// One scenario, for root, has the logs on a disk that the kernel throttles: what
// the disk does not take waits in the spool.
//
// It runs in a network namespace of its own where the system allows one, with a
// TCP that does not pace: see bench/internal/netns.
//
// It prints a table with what is wanted and whether that is reached, and writes
// report.json, report.md and SVG plots into -out. Exit status: 0 when everything
// ran, 1 when something failed or, with -strict, a want was missed, 2 for a wrong
// flag.
//
// Files: main, flags, scenario, trial, disk, sender, bare, records.
package main
