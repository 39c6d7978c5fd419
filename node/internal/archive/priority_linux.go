package archive

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// lowerPriority gives the calling goroutine a thread of its own that runs when no
// other wants to. The thread ends with the goroutine.
func lowerPriority() {
	const lowest = 19
	runtime.LockOSThread()
	_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), lowest)
	// The idle class for the disk: who, the calling thread, class 3.
	const whoProcess, classIdle, classShift = 1, 3, 13
	_, _, _ = unix.Syscall(unix.SYS_IOPRIO_SET, whoProcess, 0, classIdle<<classShift)
}
