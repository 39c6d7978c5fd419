//go:build !linux

package node

import (
	"os"
	"time"
)

// renameNew renames a file. The name was found free just before.
func renameNew(from, to string) error { return os.Rename(from, to) }

// birthTime is not known.
func birthTime(string) (time.Time, bool) { return time.Time{}, false }
