// Command broker measures znode's broker against libzmq's proxy and against a
// bare byte pump.
//
//	go run ./bench/broker                                   # everything, some ten minutes
//	go run ./bench/broker -scenario 1to1,4to8 -rounds 3     # some of it
//	go run ./bench/broker -list                             # what there is, and what is wanted
//	go run ./bench/broker -scenario grid -pubs 1,4,16 -subs 1,8,64 -sizes 50,2000
//
// Every side is a process of its own that gets the same load: raw ZMTP peers
// that cost as little as they can, or libzmq peers (-peers). It prints a table
// with the ratios that are wanted and whether they are reached, and writes
// report.json, report.md and SVG plots into -out. Figures whose spread over the
// rounds is above -margin, or while whose measurement other processes used the
// machine, are called noisy.
//
// It runs in a network namespace of its own where the system allows one, with a
// TCP that does not pace: see bench/internal/netns.
//
// It needs Linux; without a C compiler and libzmq that side is reported as
// missing. Exit status: 0 when everything ran, 1 when something failed or, with
// -strict, a want was missed, 2 for a wrong flag.
//
// Files: main, flags.
package main
