//go:build linux && !race

package sockets

import (
	"syscall"
	"unsafe"
)

// readFD and writeFD are read(2) and write(2) on a descriptor that never blocks.
// They leave out what package syscall does around a call that may block: handing
// the processor to another thread when a call takes longer than 20 us, as moving
// some hundred KiB does, costs more than it gains.

func readFD(fd int, p []byte) (int, error) {
	n, _, errno := syscall.RawSyscall(syscall.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

func writeFD(fd int, p []byte) (int, error) {
	n, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
