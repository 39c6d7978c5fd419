// Package proc starts the processes of a benchmark and measures them from
// outside: CPU time to the nanosecond, memory, and how much of the machine went
// to somebody else meanwhile.
//
// Linux only. [Process] has one goroutine, which waits for the process and ends
// with it.
//
// Files: process_linux.go, usage_linux.go.
package proc
