package main

import (
	"context"
	"os"
)

func main() {
	os.Exit(run(context.Background(), process{
		args:    os.Args[1:],
		environ: os.Environ(),
		stdin:   os.Stdin,
		stdout:  os.Stdout,
		stderr:  os.Stderr,
	}))
}
