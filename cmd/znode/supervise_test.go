package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

var errBroken = errors.New("broken")

func quiet(signals <-chan os.Signal) hooks {
	return hooks{signals: signals, reload: func() {}, log: slog.New(slog.DiscardHandler)}
}

// untilDone drains at once.
func untilDone(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

func TestSuperviseEnds(t *testing.T) {
	t.Parallel()
	for _, want := range []error{nil, errBroken} {
		err := supervise(t.Context(), func(context.Context) error { return want }, quiet(nil))
		if !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
}

func TestSuperviseDrains(t *testing.T) {
	t.Parallel()
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
		signals := make(chan os.Signal, 1)
		signals <- s
		if err := supervise(t.Context(), untilDone, quiet(signals)); err != nil {
			t.Errorf("%v: %v", s, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := supervise(ctx, untilDone, quiet(nil)); err != nil {
		t.Errorf("cancelled from outside: %v", err)
	}
	signals := make(chan os.Signal, 1)
	signals <- syscall.SIGTERM
	failing := func(ctx context.Context) error {
		<-ctx.Done()
		return errBroken
	}
	if err := supervise(t.Context(), failing, quiet(signals)); !errors.Is(err, errBroken) {
		t.Errorf("a drain that fails gives %v", err)
	}
}

// A drain that hangs must not keep a second signal from ending the process.
func TestSuperviseSecondSignal(t *testing.T) {
	t.Parallel()
	for second, want := range map[os.Signal]exitStatus{syscall.SIGINT: 130, syscall.SIGTERM: 143} {
		signals := make(chan os.Signal, 2)
		signals <- syscall.SIGTERM
		signals <- second
		release, ended := make(chan struct{}), make(chan struct{})
		stuck := func(context.Context) error {
			defer close(ended)
			<-release
			return nil
		}
		err := supervise(t.Context(), stuck, quiet(signals))
		close(release)
		<-ended
		if err != want {
			t.Errorf("second signal %v gives %v, want %v", second, err, want)
		}
	}
}

func TestSuperviseReloads(t *testing.T) {
	t.Parallel()
	signals := make(chan os.Signal, 3)
	signals <- syscall.SIGHUP
	signals <- syscall.SIGHUP
	signals <- syscall.SIGINT
	var reloads atomic.Int32
	h := quiet(signals)
	h.reload = func() { reloads.Add(1) }
	if err := supervise(t.Context(), untilDone, h); err != nil || reloads.Load() != 2 {
		t.Errorf("%d reloads, %v", reloads.Load(), err)
	}
}

func TestNewLog(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	level := new(slog.LevelVar)
	log := newLog(&out, level)
	log.Debug("hidden")
	level.Set(slog.LevelDebug)
	log.Debug("shown", "peer", "a")
	if got := out.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, `"msg":"shown","peer":"a"}`) {
		t.Errorf("logged %s", got)
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if _, isText := newLog(null, level).Handler().(*slog.TextHandler); !isText {
		t.Error("a character device gets no text")
	}
}
