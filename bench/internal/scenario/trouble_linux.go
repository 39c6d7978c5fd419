package scenario

import (
	"fmt"
	"syscall"
	"time"

	"github.com/znode/znode/bench/internal/load"
	"github.com/znode/znode/bench/internal/side"
)

const (
	stopFor  = 5 * time.Second // how long a subscriber is stopped
	resumeIn = 10 * time.Second
	onset    = 5 * time.Second // from when a subscriber becomes slow to the steady state
	slowFor  = 5 * time.Second
)

// fan starts one publisher and four subscribers, each in a process of its own,
// publishing at full speed. The publisher is the first child, the fourth
// subscriber the last.
func (t *trial) fan(size int) error {
	for i := range 5 {
		cfg := load.Config{Role: load.RoleStream, Size: size, Topics: 1, Select: load.SelectAny, Inflight: 1}
		if i == 0 {
			cfg.Pubs = 1
		} else {
			cfg.Subs, cfg.FirstSub = 1, i-1
		}
		if _, err := t.start(t.program, cfg); err != nil {
			return err
		}
	}
	if err := load.Settle(settleTimeout, t.children...); err != nil {
		return err
	}
	if _, err := t.children[0].Do("go"); err != nil {
		return err
	}
	time.Sleep(t.env.Warmup)
	return nil
}

// stoppedSubscriber stops one of four subscribers: how long do the others
// pause, what do they lose, does the stopped one get on, and does the broker
// know what that one lost?
func stoppedSubscriber(t *trial) error {
	if err := t.fan(200); err != nil {
		return err
	}
	others, stopped := t.children[1:4], t.children[4]
	for _, c := range others {
		if _, err := c.Do("mark"); err != nil {
			return err
		}
	}
	if err := stopped.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	time.Sleep(stopFor)
	var pause int64
	for _, c := range others {
		s, err := c.Do("snap")
		if err != nil {
			return err
		}
		pause = max(pause, s.Gaps[0])
	}
	t.add(metricPause, time.Duration(pause).Seconds())
	if err := stopped.Signal(syscall.SIGCONT); err != nil {
		return err
	}
	if err := t.resumed(t.children[0], stopped); err != nil {
		return err
	}
	if _, err := t.children[0].Do("pause"); err != nil {
		return err
	}
	all, err := t.drain()
	if err != nil {
		return err
	}
	return t.accountStopped(all)
}

// resumed measures how much of what is published after the end of the stop
// reaches the stopped one: messages younger than everything that can have
// waited for it.
func (t *trial) resumed(publisher, stopped *load.Child) error {
	s, err := publisher.Do("snap")
	if err != nil {
		return err
	}
	mark := load.Total(s.Sent)
	for deadline := time.Now().Add(resumeIn); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if s, err = stopped.Do("snap"); err != nil {
			return err
		}
		if s.Newest > mark {
			t.add(metricResumed, float64(s.Newest-mark))
			return nil
		}
	}
	t.add(metricResumed, 0)
	return nil
}

func (t *trial) accountStopped(all []load.Snap) error {
	lost := func(i int) float64 {
		return float64(t.expected(all, i, 0)) - float64(all[i].Received[0])
	}
	t.add(metricOthersLost, lost(1)+lost(2)+lost(3))
	t.add(metricStoppedLost, lost(4))
	misordered := 0.0
	for _, s := range all {
		misordered += float64(s.Misordered)
	}
	t.add(metricMisordered, misordered)
	if t.side.Name != side.Znode {
		return nil
	}
	dropped, err := t.broker.Dropped()
	if err != nil {
		return fmt.Errorf("the broker's drop counter: %w", err)
	}
	t.add(metricMiscounted, lost(1)+lost(2)+lost(3)+lost(4)-dropped)
	return nil
}

// slowSubscriber lets one of four subscribers read at half the rate that it had,
// and compares the others' rate with what they have before and after.
func slowSubscriber(t *trial) error {
	if err := t.fan(200); err != nil {
		return err
	}
	free, slow := max(t.env.Duration, 2*time.Second), t.children[4]
	before, err := t.watch(free)
	if err != nil {
		return err
	}
	if _, err := slow.Do(fmt.Sprintf("limit %d", int(before.othersRate()/2))); err != nil {
		return err
	}
	first, err := t.watch(onset)
	if err != nil {
		return err
	}
	steady, err := t.watch(slowFor)
	if err != nil {
		return err
	}
	if _, err := slow.Do("limit 0"); err != nil {
		return err
	}
	time.Sleep(t.env.Warmup)
	after, err := t.watch(free)
	if err != nil {
		return err
	}
	// Both, so that a machine that gets busier or idler meanwhile counts less.
	rate := (before.othersRate() + after.othersRate()) / 2
	t.add(metricOthersRate, rate)
	t.add(metricKeptOnset, first.othersRate()/rate)
	t.add(metricKept, steady.othersRate()/rate)
	t.add(metricForeign, (before.foreign+first.foreign+steady.foreign+after.foreign)/4)
	if _, err := t.children[0].Do("pause"); err != nil {
		return err
	}
	all, err := t.drain()
	if err != nil {
		return err
	}
	return t.accountStopped(all)
}

// othersRate returns the messages per second that each of a fan's first three
// subscribers received.
func (w *window) othersRate() float64 {
	n := 0.0
	for i := 1; i <= 3; i++ {
		n += float64(load.Total(w.to[i].Received) - load.Total(w.from[i].Received))
	}
	return n / 3 / w.seconds
}
