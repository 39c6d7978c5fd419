// Package rawsock is TCP over IPv4 loopback by bare system calls: descriptors,
// reads, writes and epoll, without Go's poller between. A load generator and a
// byte pump must cost as little as possible, and must be able to keep many
// thousand connections in one goroutine.
//
// Linux only. Functions retry EINTR; would-block is a return value, not an error.
//
// Files: rawsock_linux.go, poller_linux.go.
package rawsock
