package netns

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// marker tells a process that it runs in such a namespace: "new" the first one,
// which has to furnish it, "ready" those that it starts.
const marker = "ZNODE_BENCH_NETNS"

// unfurnished is the exit status of a process in a namespace that it cannot use.
const unfurnished = 125

// control is the file of the congestion control that new connections get.
const control = "/proc/sys/net/ipv4/tcp_congestion_control"

// unpaced are the congestion controls to measure with, the best first. A namespace
// may be refused what the system does not allow to everybody.
var unpaced = []string{"cubic", "reno"}

// Enter runs this command once more in a namespace of its own and returns its exit
// status; done is false when the caller is to go on itself: it is that process, or
// one started by it, or the system refuses a namespace, which is said on stderr.
func Enter() (status int, done bool) {
	var err error
	switch os.Getenv(marker) {
	case "ready":
		return 0, false
	case "new":
		if err = furnish(); err == nil {
			return 0, false
		}
		fmt.Fprintln(os.Stderr, "bench: cannot furnish a network namespace:", err)
		return unfurnished, true
	}
	// There is no network in there to fetch modules from when programs are built.
	// Whoever needs one that cannot be had says so.
	_ = exec.Command("go", "mod", "download").Run()
	if status, err = again(); err == nil {
		return status, true
	}
	_ = os.Setenv(marker, "ready") // for those that we start
	fmt.Fprintf(os.Stderr, "bench: no network namespace of our own (%v); on the system's, with TCP %s\n", err, congestionControl())
	return 0, false
}

// again starts this command in a new namespace and waits for it.
func again() (status int, err error) {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), marker+"=new")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET, Pdeathsig: unix.SIGKILL}
	if uid := os.Getuid(); uid != 0 {
		cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: uid, Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	// An interrupt reaches both; the other one ends then.
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	defer signal.Stop(interrupts)
	err = cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		if exit.ExitCode() == unfurnished {
			return 0, errors.New("it cannot be furnished")
		}
		return max(exit.ExitCode(), 1), nil
	}
	return 0, err
}

// furnish brings up the namespace's loopback and chooses its congestion control.
func furnish() error {
	if err := loopbackUp(); err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	if !slices.Contains(unpaced, congestionControl()) {
		var err error
		for _, name := range unpaced {
			if err = os.WriteFile(control, []byte(name), 0); err == nil {
				break
			}
		}
		if err != nil {
			return err
		}
	}
	return os.Setenv(marker, "ready")
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	req, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFFLAGS, req); err != nil {
		return err
	}
	req.SetUint16(req.Uint16() | unix.IFF_UP)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, req)
}

// congestionControl returns what new connections of this process get; empty when
// the system does not tell.
func congestionControl() string {
	b, _ := os.ReadFile(control)
	return strings.TrimSpace(string(b))
}
