// Package side starts the brokers that are compared: znode's, libzmq's proxy,
// and the byte pump, each a process of its own with an address for publishers
// (its XSUB) and one for subscribers (its XPUB).
//
// libzmq's side and the libzmq peers are small C programs, kept in c/ and
// compiled when they are needed; where there is no C compiler or no libzmq,
// [Side.Missing] says so and the others still run.
//
// Linux only. Files: side_linux.go, build_linux.go, ports_linux.go.
package side
