package sockets_test

import (
	"testing"

	"golang.org/x/sys/unix"
)

// fillBacklog listens at a path, accepts nothing, and connects until the kernel
// takes no more.
func fillBacklog(t *testing.T, path string) {
	t.Helper()
	open := func() int {
		fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(fd) })
		return fd
	}
	l := open()
	if err := unix.Bind(l, &unix.SockaddrUnix{Name: path}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(l, 0); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if err := unix.Connect(open(), &unix.SockaddrUnix{Name: path}); err == unix.EAGAIN {
			return
		}
	}
	t.Fatal("the backlog is never full")
}
