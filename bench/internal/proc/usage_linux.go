package proc

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// CPU returns the processor time, user and system, that the process and all its
// threads, ended ones too, have used.
func (p *Process) CPU() (time.Duration, error) {
	// The kernel's id of a process's CPU clock: the inverted pid, and 2 for the
	// clock that the scheduler counts (see clock_getcpuclockid(3)).
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^p.PID<<3|2), &ts); err != nil {
		return 0, errors.Join(fmt.Errorf("CPU time of %s: %w", p.name, err), p.Ended())
	}
	return time.Duration(ts.Nano()), nil
}

// Modes returns what of CPU was spent in user and in system mode. The kernel
// apportions it by sampling, so it is good for long stretches only.
func (p *Process) Modes() (user, system time.Duration, err error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.PID))
	if err != nil {
		return 0, 0, errors.Join(fmt.Errorf("CPU time of %s: %w", p.name, err), p.Ended())
	}
	return parseModes(string(stat))
}

// parseModes reads the 14th and 15th field of /proc/<pid>/stat. The second one is
// the program's name in parentheses and may hold anything.
func parseModes(stat string) (user, system time.Duration, err error) {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return 0, 0, fmt.Errorf("/proc/<pid>/stat is %.80q", stat)
	}
	var n [2]int64
	for i := range n {
		if n[i], err = strconv.ParseInt(fields[11+i], 10, 64); err != nil {
			return 0, 0, fmt.Errorf("/proc/<pid>/stat: %w", err)
		}
	}
	return time.Duration(n[0]) * time.Second / ticks, time.Duration(n[1]) * time.Second / ticks, nil
}

// Memory returns the resident set now and at its highest, in bytes.
func (p *Process) Memory() (now, peak int64, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID))
	if err != nil {
		return 0, 0, errors.Join(fmt.Errorf("memory of %s: %w", p.name, err), p.Ended())
	}
	now, peak = kilobytes(string(status), "VmRSS:"), kilobytes(string(status), "VmHWM:")
	if now == 0 {
		return 0, 0, fmt.Errorf("memory of %s: no VmRSS", p.name)
	}
	return now, peak, nil
}

func kilobytes(status, key string) int64 {
	_, rest, ok := strings.Cut(status, key)
	if !ok {
		return 0
	}
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	n, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil {
		return 0
	}
	return n << 10
}

// Busy is how much processor time all processes of the machine have used, and
// how much other machines on the same hardware have taken away. Interrupts are
// left out: loopback traffic is carried in them, so they are ours too.
func Busy() (time.Duration, error) {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	return parseBusy(string(stat))
}

// ticks is USER_HZ, the unit of /proc/stat, which is the same on all of Linux's
// architectures that Go knows.
const ticks = 100

func parseBusy(stat string) (time.Duration, error) {
	line, _, _ := strings.Cut(stat, "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return 0, fmt.Errorf("/proc/stat begins with %.80q", line)
	}
	var sum int64
	for _, i := range []int{1, 2, 3, 8} { // user, nice, system, steal
		n, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			return 0, fmt.Errorf("/proc/stat: %w", err)
		}
		sum += n
	}
	return time.Duration(sum) * time.Second / ticks, nil
}
