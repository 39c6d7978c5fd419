package pump

import (
	"fmt"
	"io"
	"runtime"
)

// Main is the pump as a process: its arguments are the two addresses. It
// returns the exit status, or is ended by a signal.
func Main(args []string, stderr io.Writer) int {
	if len(args) != 2 {
		fmt.Fprintln(stderr, "pump: want the addresses for publishers and for subscribers")
		return 2
	}
	runtime.GOMAXPROCS(1)
	if err := Run(args[0], args[1]); err != nil {
		fmt.Fprintln(stderr, "pump:", err)
		return 1
	}
	return 0
}
