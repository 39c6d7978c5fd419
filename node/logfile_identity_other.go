//go:build !unix

package node

import (
	"os"

	"github.com/znode/znode/node/internal/ledger"
)

// identity is not known where files have no inodes.
func identity(os.FileInfo) (dev, ino uint64) { return 0, 0 }

// sameFile reports whether a file is the one known by info; a file that is known
// by its name only is.
func sameFile(now, info os.FileInfo, _ *ledger.File) bool {
	return info == nil || os.SameFile(now, info)
}

// linkCount is not known.
func linkCount(*os.File) uint64 { return 1 }
