//go:build unix

package main

import (
	"os"
	"syscall"
)

// rotateSignals are those that rotate the log files.
var rotateSignals = []os.Signal{syscall.SIGUSR1}
