package scenario

import (
	"fmt"
	"slices"
	"time"

	"github.com/znode/znode/bench/internal/load"
)

// inflight is how many connections of a joining cluster are opened and not yet
// greeted: fewer than the 100 that libzmq lets wait to be accepted.
const inflight = 64

// join returns the measurement of so many nodes that join at the same time. When
// not all get to see all, the time is the one of the last subscription that any
// of them saw.
func join(count int) func(*trial) error {
	return func(t *trial) error {
		c, err := t.start(t.env.Load, nodesConfig(count))
		if err != nil {
			return err
		}
		before, err := t.usage()
		if err != nil {
			return err
		}
		s, err := c.DoWithin("join", 5*time.Minute)
		if err != nil {
			return err
		}
		after, err := t.usage()
		if err != nil {
			return err
		}
		t.add(metricJoin, time.Duration(s.Took).Seconds())
		t.add(metricJoined, float64(s.Count))
		t.add(metricJoinCPU, (after.broker - before.broker).Seconds())
		if err := t.memory(metricRSS, metricJoinPeak); err != nil {
			return err
		}
		return t.idle()
	}
}

const (
	// idleAfter is how long a cluster that has joined may take to become quiet.
	idleAfter = time.Second
	// idleFor is how long it is then looked at.
	idleFor = 2 * time.Second
)

// idle records what the broker costs while all nodes are connected and say
// nothing.
func (t *trial) idle() error {
	time.Sleep(idleAfter)
	before, err := t.usage()
	if err != nil {
		return err
	}
	time.Sleep(idleFor)
	after, err := t.usage()
	if err != nil {
		return err
	}
	rss, _, err := t.broker.Memory()
	if err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	t.add(metricIdleCores, (after.broker-before.broker).Seconds()/after.at.Sub(before.at).Seconds())
	t.add(metricIdleRSS, float64(rss))
	return nil
}

func nodesConfig(count int) load.Config {
	return load.Config{Role: load.RoleNodes, Size: 200, Topics: 1, Select: load.SelectAny, Nodes: count, Inflight: inflight}
}

// honestJoins is how many joins of a single node a figure is the median of.
const honestJoins = 9

// silent returns the measurement of an honest node's join while so many
// connections are held open that never say anything.
func silent(count int) func(*trial) error {
	return func(t *trial) error {
		honest, err := t.start(t.env.Load, nodesConfig(1))
		if err != nil {
			return err
		}
		alone, err := medianJoin(honest)
		if err != nil {
			return err
		}
		before, _, err := t.broker.Memory()
		if err != nil {
			return err
		}
		held, err := t.start(t.env.Load, load.Config{
			Role: load.RoleSilent, Size: 200, Topics: 1, Select: load.SelectAny, Inflight: inflight, Silent: count,
		})
		if err != nil {
			return err
		}
		among, err := medianJoin(honest)
		if err != nil {
			return err
		}
		after, _, err := t.broker.Memory()
		if err != nil {
			return err
		}
		s, err := held.Do("snap")
		if err != nil {
			return err
		}
		if s.Count == 0 {
			return fmt.Errorf("none of %d silent connections was held", count)
		}
		t.add(metricJoin, among.Seconds())
		t.add(metricDelay, (among - alone).Seconds())
		t.add(metricPerSilent, float64(after-before)/float64(count))
		t.add(metricHeld, float64(s.Count))
		t.add(metricRSS, float64(after))
		return nil
	}
}

func medianJoin(node *load.Child) (time.Duration, error) {
	var took []time.Duration
	for range honestJoins {
		s, err := node.Do("join")
		if err != nil {
			return 0, err
		}
		took = append(took, time.Duration(s.Took))
	}
	slices.Sort(took)
	return took[len(took)/2], nil
}
