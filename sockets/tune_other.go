//go:build !linux

package sockets

import (
	"net"
	"syscall"
	"time"
)

// controlBuffers leaves the buffer sizes to tune on this system.
func controlBuffers(*Options) func(network, address string, raw syscall.RawConn) error { return nil }

// setUserTimeout does nothing: only Linux has the option.
func setUserTimeout(*net.TCPConn, time.Duration) {}
