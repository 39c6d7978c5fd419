//go:build !linux

package node

import "time"

// renameNew renames a file, unless the new name is taken.
func renameNew(from, to string) error { return linkNew(from, to) }

// birthTime is not known.
func birthTime(string) (time.Time, bool) { return time.Time{}, false }
