//go:build unix && !solaris && !illumos && !aix

package node

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// lockFile locks an open file or directory until it is closed, the process's
// death included. A file system without locks is taken as it is.
func lockFile(f *os.File) error {
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); errors.Is(err, unix.EWOULDBLOCK) {
		return errors.New("in use by another logger")
	}
	return nil
}
