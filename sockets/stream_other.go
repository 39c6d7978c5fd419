//go:build !linux

package sockets

import (
	"errors"
	"net"
)

// On this system connections are read and written through package net: a
// connection that waits holds a chunk of the size of its last reads, and all writes
// are the writer goroutine's.

type stream struct{}

type poller struct{}

func newPoller() (*poller, error) { return nil, errors.ErrUnsupported }

func (*poller) close() {}

func openStream(net.Conn, *poller) *stream { return nil }

func (*stream) hold() bool                        { return false }
func (*stream) release()                          {}
func (*stream) shutdown()                         {}
func (*stream) read([]byte) (int, bool, error)    { return 0, false, errors.ErrUnsupported }
func (*stream) write([]byte) (int, error)         { return 0, errors.ErrUnsupported }
func (*stream) waitReadable(_, _ <-chan struct{}) {}
func (*stream) waitWritable(<-chan struct{})      {}

func yield() {}
