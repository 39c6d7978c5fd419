package main

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// serviceManager is systemd, or whoever else asks to be notified (sd_notify(3)).
// A nil one is told nothing.
type serviceManager struct {
	conn net.Conn
	// every is how often it wants to hear that the process lives; 0 for never.
	every    time.Duration
	patience time.Duration // for a state
}

// newServiceManager finds the service manager in the environment: NOTIFY_SOCKET,
// WATCHDOG_USEC and WATCHDOG_PID (sd_watchdog_enabled(3)). There may be none.
func newServiceManager(environ []string) (*serviceManager, error) {
	var vars struct{ socket, usec, pid string }
	for _, entry := range environ {
		switch name, value, _ := strings.Cut(entry, "="); name {
		case "NOTIFY_SOCKET":
			vars.socket = value
		case "WATCHDOG_USEC":
			vars.usec = value
		case "WATCHDOG_PID":
			vars.pid = value
		}
	}
	if vars.socket == "" {
		return nil, nil
	}
	// Package net takes a leading @ for an abstract name, as systemd does.
	conn, err := net.Dial("unixgram", vars.socket)
	if err != nil {
		return nil, fmt.Errorf("NOTIFY_SOCKET: %w", err)
	}
	m := &serviceManager{conn: conn, patience: time.Second}
	if vars.usec != "" && (vars.pid == "" || vars.pid == strconv.Itoa(os.Getpid())) {
		usec, err := strconv.ParseInt(vars.usec, 10, 64)
		if err != nil || usec <= 0 || usec > int64(maxWatchdog/time.Microsecond) {
			conn.Close()
			return nil, fmt.Errorf("WATCHDOG_USEC: %q is no number of microseconds above 0", vars.usec)
		}
		m.every = max(time.Duration(usec)*time.Microsecond/2, time.Millisecond)
	}
	return m, nil
}

// maxWatchdog keeps the time between two signs of life far from overflow.
const maxWatchdog = 365 * 24 * time.Hour

// ticks come when the service manager wants to hear something; stop ends them.
func (m *serviceManager) ticks() (c <-chan time.Time, stop func()) {
	if m == nil || m.every == 0 {
		return nil, func() {}
	}
	t := time.NewTicker(m.every)
	return t.C, t.Stop
}

// States of a service.
const (
	stateReady     = "READY=1"
	stateReloading = "RELOADING=1"
	stateStopping  = "STOPPING=1"
	stateAlive     = "WATCHDOG=1"
)

// tell sends a state. One that gets lost is the service manager's to miss, and one
// that does not read holds nothing up for long.
func (m *serviceManager) tell(state string) {
	if m != nil {
		_ = m.conn.SetWriteDeadline(time.Now().Add(m.patience))
		_, _ = m.conn.Write([]byte(state))
	}
}

func (m *serviceManager) close() {
	if m != nil {
		m.conn.Close()
	}
}
