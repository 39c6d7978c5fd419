//go:build !linux

package node

import (
	"errors"
	"io/fs"
	"os"
	"time"
)

// renameNew renames a file, unless the new name is taken. Where the file system
// knows no links, the name was found free just before.
func renameNew(from, to string) error {
	err := os.Link(from, to)
	switch {
	case err == nil:
		return os.Remove(from)
	case errors.Is(err, fs.ErrExist):
		return err
	}
	return os.Rename(from, to)
}

// birthTime is not known.
func birthTime(string) (time.Time, bool) { return time.Time{}, false }
