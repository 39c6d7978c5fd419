// Package netns lets a benchmark run in a network namespace of its own, so that it
// measures the same on every machine: with nobody else on its loopback and with a
// TCP that does not pace. BBR, which some systems have as their default, spreads
// what is sent by timers; between processes of one machine that makes rates two
// times lower and very uneven, whoever sends.
package netns
