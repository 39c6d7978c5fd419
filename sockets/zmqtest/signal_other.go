//go:build !unix

package zmqtest

import (
	"errors"
	"os"
	"os/exec"
)

// ownGroup does nothing where there are no process groups.
func ownGroup(*exec.Cmd) {}

// freeze always fails: this system has no SIGSTOP.
func freeze(*os.Process) error { return errors.ErrUnsupported }

// thaw always fails: this system has no SIGCONT.
func thaw(*os.Process) error { return errors.ErrUnsupported }
