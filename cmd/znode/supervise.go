package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"
)

// work is what a process does until ctx is done or it cannot go on. It returns
// when everything it started has ended; nil after a clean drain.
type work func(ctx context.Context) error

// hooks are what [supervise] reacts with.
type hooks struct {
	signals <-chan os.Signal
	reload  func() // on SIGHUP
	rotate  func() // on SIGUSR1, where there is such a signal; nil ignores it
	log     *slog.Logger

	// oneRequest is how long after a signal another one is taken for the same
	// request: timeout(1) and others signal both a process and its group.
	oneRequest time.Duration

	// started gets a function when w has started, which returns as long as what
	// runs is alive. manager is told of it. Both may be nil.
	started <-chan func()
	manager *serviceManager
}

// notifySignals delivers the signals that supervise knows until stop is called.
func notifySignals() (signals <-chan os.Signal, stop func()) {
	c := make(chan os.Signal, 4) // room for two while a reload is under way
	signal.Notify(c, append(rotateSignals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)...)
	// A reader of stderr that goes away must not take a broker with it.
	signal.Ignore(syscall.SIGPIPE)
	return c, func() { signal.Stop(c) }
}

// oneRequest is hooks.oneRequest for the signals that people and programs send.
const oneRequest = 100 * time.Millisecond

// supervise runs w to its end. The first SIGINT or SIGTERM cancels w's context,
// which lets it drain. A second one, when hooks.oneRequest has passed, returns at
// once, leaving w behind for the process to take along as it exits.
//
//	running --signal--> draining --signal--> gone (128 + signal)
//	   |                   |
//	   w returns           w returns: its error, or status 0
func supervise(ctx context.Context, w work, h hooks) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1) // w may end after we have left
	go func() { done <- w(ctx) }()

	var ticks <-chan time.Time
	probe, draining := func() {}, false
	var since time.Time // the first signal came
	for {
		select {
		case err := <-done:
			return err
		case probe = <-h.started:
			h.manager.tell(stateReady)
			var stop func()
			ticks, stop = h.manager.ticks()
			defer stop()
		case <-ticks:
			if !draining {
				probe()
			}
			h.manager.tell(stateAlive)
		case s := <-h.signals:
			switch {
			case s == syscall.SIGHUP:
				h.manager.tell(stateReloading)
				h.reload()
				h.manager.tell(stateReady)
			case slices.Contains(rotateSignals, s):
				if h.rotate != nil {
					h.rotate()
				}
			case draining && time.Since(since) < h.oneRequest:
			case draining:
				h.log.Warn("second signal, leaving at once", "signal", s.String())
				return exitStatus(128 + signalNumber(s))
			default:
				h.log.Info("draining; a second signal leaves at once", "signal", s.String())
				draining, since = true, time.Now()
				h.manager.tell(stateStopping)
				cancel()
			}
		}
	}
}

func signalNumber(s os.Signal) int {
	n, _ := s.(syscall.Signal)
	return int(n)
}
