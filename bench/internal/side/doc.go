// Package side starts the brokers that are compared: znode's, libzmq's proxy,
// and the byte pump, each a process of its own with an address for publishers
// (its XSUB) and one for subscribers (its XPUB).
//
// libzmq's side, the libzmq peers and the pump are small C programs, kept in c/
// and compiled when they are needed. Where there is no C compiler or no libzmq,
// [Side.Missing] says so and the others still run, the pump in Go.
//
// Linux only. Files: side_linux.go, build_linux.go, ports_linux.go.
package side
