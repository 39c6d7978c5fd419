//go:build unix

package main

import (
	"os"
	"syscall"
	"testing"
)

func TestNotifySignals(t *testing.T) { // not parallel: the signals are the process's
	signals, stop := notifySignals()
	defer stop()
	for _, s := range []syscall.Signal{syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGTERM, syscall.SIGINT} {
		if err := syscall.Kill(os.Getpid(), s); err != nil {
			t.Fatal(err)
		}
		if got := <-signals; got != s {
			t.Errorf("sent %v, got %v", s, got)
		}
	}
}
