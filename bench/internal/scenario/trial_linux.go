package scenario

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/znode/znode/bench/internal/load"
	"github.com/znode/znode/bench/internal/proc"
	"github.com/znode/znode/bench/internal/report"
	"github.com/znode/znode/bench/internal/side"
)

const (
	// settleTimeout is how long subscriptions may take to be in place.
	settleTimeout = time.Minute
	// quiet is how many times, lookEvery apart, nothing may have arrived before what
	// is missing is called lost. It is no time: where all processes stand still
	// together, that passes too.
	quiet     = 100
	lookEvery = 10 * time.Millisecond
)

// trial is one run: one side, one round. It owns the processes of the run.
type trial struct {
	env      *Env
	side     *side.Side
	args     []string // further flags for znode
	program  []string // of stream peers
	environ  []string // of all processes, beside our own
	broker   *side.Broker
	children []*load.Child
	samples  []sample
}

type sample struct {
	metric report.Metric
	value  float64
}

// run starts the broker, measures, and ends every process.
func (t *trial) run(measure func(*trial) error) error {
	var err error
	if t.broker, err = t.side.Start(t.environ, t.args...); err != nil {
		return err
	}
	defer t.broker.Stop()
	defer func() {
		for _, c := range t.children {
			c.Stop()
		}
	}()
	if err := measure(t); err != nil {
		return errors.Join(err, t.broker.Ended())
	}
	return t.broker.Ended()
}

// start starts a load process against the broker.
func (t *trial) start(program []string, cfg load.Config) (*load.Child, error) {
	cfg.PubAddr, cfg.SubAddr = t.broker.PubAddr, t.broker.SubAddr
	c, err := load.Start(program, cfg, t.environ...)
	if err != nil {
		return nil, err
	}
	t.children = append(t.children, c)
	return c, nil
}

func (t *trial) add(m report.Metric, value float64) {
	t.samples = append(t.samples, sample{m, value})
}

// outcome is a line for people who wait.
func (t *trial) outcome(err error) string {
	if err != nil {
		return err.Error()
	}
	var parts []string
	for _, s := range t.samples {
		parts = append(parts, s.metric.Name+" "+report.FormatValue(s.value, s.metric.Unit))
	}
	return strings.Join(parts, ", ")
}

// window is what happened between two moments.
type window struct {
	from, to []load.Snap // of the children, in their order
	seconds  float64
	broker   time.Duration // CPU
	load     time.Duration // CPU
	foreign  float64       // share of the machine that others used
}

// usage is processor time up to now.
type usage struct {
	at                       time.Time
	broker, load, self, busy time.Duration
}

func (t *trial) usage() (u usage, err error) {
	u.at = time.Now()
	if u.broker, err = t.broker.CPU(); err != nil {
		return u, err
	}
	for _, c := range t.children {
		cpu, err := c.CPU()
		if err != nil {
			return u, err
		}
		u.load += cpu
	}
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		return u, err
	}
	u.self = time.Duration(own.Utime.Nano() + own.Stime.Nano())
	u.busy, err = proc.Busy()
	return u, err
}

// watch measures for so long; where that was no time for everybody to run, for as
// many times as it takes.
func (t *trial) watch(d time.Duration) (*window, error) {
	w := &window{}
	var err error
	if w.from, err = t.snaps(); err != nil {
		return nil, err
	}
	before, err := t.usage()
	if err != nil {
		return nil, err
	}
	var after usage
	for ran := false; !ran; ran = ran || after.at.Sub(before.at) > settleTimeout {
		time.Sleep(d)
		if w.to, err = t.snaps(); err != nil {
			return nil, err
		}
		if after, err = t.usage(); err != nil {
			return nil, err
		}
		ran = w.sent() > 0 && w.received() > 0 && after.broker > before.broker
	}
	w.seconds = float64(w.to[0].Clock-w.from[0].Clock) / 1e9
	w.broker, w.load = after.broker-before.broker, after.load-before.load
	total := after.at.Sub(before.at).Seconds() * float64(runtime.NumCPU())
	others := (after.busy - before.busy) - w.broker - w.load - (after.self - before.self)
	w.foreign = max(others.Seconds()/total, 0)
	return w, nil
}

// snaps asks every child.
func (t *trial) snaps() ([]load.Snap, error) {
	all := make([]load.Snap, len(t.children))
	for i, c := range t.children {
		var err error
		if all[i], err = c.Do("snap"); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (w *window) sent() (n uint64) {
	for i := range w.to {
		n += load.Total(w.to[i].Sent) - load.Total(w.from[i].Sent)
	}
	return n
}

func (w *window) received() (n uint64) {
	for i := range w.to {
		n += load.Total(w.to[i].Received) - load.Total(w.from[i].Received)
	}
	return n
}

// drain waits, after publishing has ended, until all has arrived or nothing
// comes any more, and returns the last counts.
func (t *trial) drain() ([]load.Snap, error) {
	var last uint64
	for looks := 0; ; time.Sleep(lookEvery) {
		all, err := t.snaps()
		if err != nil {
			return nil, err
		}
		var received, expected uint64
		for i, s := range all {
			received += load.Total(s.Received)
			for sub := range s.Received {
				expected += t.expected(all, i, sub)
			}
		}
		if looks++; received != last {
			last, looks = received, 0
		}
		if received == expected || looks > quiet {
			return all, nil
		}
	}
}

// expected returns how many messages the sub-th subscriber of the i-th child
// should have received.
func (t *trial) expected(all []load.Snap, i, sub int) (n uint64) {
	cfg := &t.children[i].Config
	for _, s := range all {
		n += cfg.Expected(cfg.FirstSub+sub, s.Sent)
	}
	return n
}

// memory records the broker's.
func (t *trial) memory(now, peak report.Metric) error {
	rss, high, err := t.broker.Memory()
	if err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	t.add(now, float64(rss))
	t.add(peak, float64(high))
	return nil
}
