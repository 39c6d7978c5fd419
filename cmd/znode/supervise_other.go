//go:build !unix

package main

import "os"

var rotateSignals []os.Signal // the system has none to spare
