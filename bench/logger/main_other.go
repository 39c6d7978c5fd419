//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "bench/logger: needs Linux: it reads /proc")
	os.Exit(1)
}
