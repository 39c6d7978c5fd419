package node

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
)

// usage is what a process has used so far.
type usage struct {
	User, System time.Duration
	RSS, PeakRSS int64 // bytes; 0 where the system does not tell
}

func ownUsage() usage {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return usage{}
	}
	u := usage{User: time.Duration(r.Utime.Nano()), System: time.Duration(r.Stime.Nano())}
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return u
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		key, value, _ := strings.Cut(s.Text(), ":")
		var kib int64
		switch key {
		case "VmRSS":
			fmt.Sscan(value, &kib)
			u.RSS = kib << 10
		case "VmHWM":
			fmt.Sscan(value, &kib)
			u.PeakRSS = kib << 10
		}
	}
	return u
}
