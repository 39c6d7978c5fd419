package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// A slowDisk is a file system that takes so many bytes a second: an ext4 in a file,
// mounted so that every write waits for its device, which the kernel throttles for
// the processes of a control group. All of that takes root.
type slowDisk struct {
	dir   string // where it is mounted
	image string
	group string // directory of the control group
	procs string // file that processes are moved to the group with
}

// errNoDisk is why there is none here.
var errNoDisk = errors.New("no throttled disk")

// newSlowDisk makes one for so many bytes of files.
func newSlowDisk(dir string, size, perSecond int64) (_ *slowDisk, err error) {
	if os.Geteuid() != 0 {
		return nil, fmt.Errorf("%w: needs root", errNoDisk)
	}
	d := &slowDisk{dir: filepath.Join(dir, "slow"), image: filepath.Join(dir, "slow.img")}
	defer func() {
		if err != nil {
			// What stays behind is worse than having no disk, and not the same.
			if left := d.remove(); left != nil {
				err = fmt.Errorf("a disk was not to be had (%w) and cannot be taken down: %w", err, left)
			} else {
				err = fmt.Errorf("%w: %w", errNoDisk, err)
			}
		}
	}()
	f, err := os.Create(d.image)
	if err != nil {
		return nil, err
	}
	// The file system has use for some of it, and files that are deleted while
	// they are open stay for a while.
	err = errors.Join(f.Truncate(2*size+64<<20), f.Close(), os.Mkdir(d.dir, 0o755))
	if err != nil {
		return nil, err
	}
	if err := command("mkfs.ext4", "-q", "-F", "-O", "^has_journal", d.image); err != nil {
		return nil, err
	}
	if err := command("mount", "-o", "loop,sync,noatime", d.image, d.dir); err != nil {
		return nil, err
	}
	var st unix.Stat_t
	if err := unix.Stat(d.dir, &st); err != nil {
		return nil, err
	}
	device := fmt.Sprintf("%d:%d", unix.Major(uint64(st.Dev)), unix.Minor(uint64(st.Dev)))
	return d, d.throttle(device, perSecond)
}

// throttle makes the control group, of version 1 or 2.
func (d *slowDisk) throttle(device string, perSecond int64) error {
	const v1, v2 = "/sys/fs/cgroup/blkio", "/sys/fs/cgroup"
	root, limits, line := v1, "blkio.throttle.write_bps_device", fmt.Sprintf("%s %d", device, perSecond)
	if _, err := os.Stat(v1); err != nil {
		root, limits, line = v2, "io.max", fmt.Sprintf("%s wbps=%d", device, perSecond)
		if err := os.WriteFile(filepath.Join(v2, "cgroup.subtree_control"), []byte("+io"), 0); err != nil {
			return err
		}
	}
	d.group = filepath.Join(root, "znode-bench-"+strconv.Itoa(os.Getpid()))
	if err := os.Mkdir(d.group, 0o755); err != nil {
		return err
	}
	d.procs = filepath.Join(d.group, "cgroup.procs")
	return os.WriteFile(filepath.Join(d.group, limits), []byte(line), 0)
}

// join has a process write at the disk's rate.
func (d *slowDisk) join(pid int) error {
	return os.WriteFile(d.procs, []byte(strconv.Itoa(pid)), 0)
}

// remove takes everything down; no process uses it any more.
func (d *slowDisk) remove() error {
	var errs []error
	if err := unix.Unmount(d.dir, 0); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, os.ErrNotExist) {
		errs = append(errs, fmt.Errorf("unmount %s: %w", d.dir, err))
	}
	for _, path := range []string{d.group, d.dir, d.image} {
		if path == "" {
			continue
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func command(name string, args ...string) error {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(string(out)))
	}
	return nil
}
