//go:build !unix || solaris || illumos || aix

package node

import "os"

// lockFile does nothing where there are no such locks.
func lockFile(*os.File) error { return nil }
