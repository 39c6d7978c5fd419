// Command soak runs a cluster under load and trouble for a given time, and checks
// that every event and every record is delivered, counted as dropped, or in a
// log, and that no process grows.
//
//	go run ./bench/soak                     # ten minutes
//	go run ./bench/soak -duration 24h -round 1m
//	go run ./bench/soak -seed 7 -keep       # the same trouble again; the logs stay
//
// What happens in it is said in package soak, bench/internal/soak. It needs Linux.
// Exit status: 0 when all is well, 1 when something is lost, repeated, out of
// order or growing, or the run could not go on, 2 for a wrong flag.
package main
