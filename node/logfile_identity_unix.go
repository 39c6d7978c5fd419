//go:build unix

package node

import (
	"os"
	"syscall"

	"github.com/znode/znode/node/internal/ledger"
)

// identity returns the device and inode of a file.
func identity(info os.FileInfo) (dev, ino uint64) {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Dev), uint64(st.Ino)
	}
	return 0, 0
}

// sameFile reports whether a file is the one known by info, or by the ledger when
// info is nil.
func sameFile(now, info os.FileInfo, f *ledger.File) bool {
	if info != nil {
		return os.SameFile(now, info)
	}
	dev, ino := identity(now)
	return dev == f.Dev && ino == f.Ino
}

// linkCount returns how many names an open file has; 1 if that is not known.
func linkCount(f *os.File) uint64 {
	info, err := f.Stat()
	if err != nil {
		return 1
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Nlink)
	}
	return 1
}
