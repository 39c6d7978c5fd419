// Package scenario is what brokers are put through, by name: rates and CPU per
// delivery for several shapes of traffic, paced latency, clusters that join,
// subscribers that stop or are slow, and connections that say nothing.
//
// A [Scenario] runs for several rounds. In each, every side has its turn with a
// fresh broker and fresh peers, and the side that begins changes, so that what
// the machine does meanwhile meets all alike.
//
// Linux only. Files in reading order: scenario, presets, trial, stream (rates
// and latency), trouble (stopped and slow subscribers), cluster (joins and
// silent connections), metrics.
package scenario
