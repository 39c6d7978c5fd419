package scenario

import (
	"fmt"
	"time"

	"github.com/znode/znode/bench/internal/hist"
	"github.com/znode/znode/bench/internal/load"
)

// stream returns the measurement of steady traffic, in one load process.
func stream(cfg load.Config) func(*trial) error {
	cfg.Role, cfg.Inflight = load.RoleStream, 1
	return func(t *trial) error {
		c, err := t.start(t.program, cfg)
		if err != nil {
			return err
		}
		if err := load.Settle(settleTimeout, c); err != nil {
			return err
		}
		if _, err := c.Do("go"); err != nil {
			return err
		}
		time.Sleep(t.env.Warmup)
		w, err := t.watch(t.env.Duration)
		if err != nil {
			return err
		}
		if _, err := c.Do("pause"); err != nil {
			return err
		}
		all, err := t.drain()
		if err != nil {
			return err
		}
		if w.received() == 0 {
			return fmt.Errorf("nothing was delivered within %v", t.env.Duration)
		}
		t.rates(w, cfg.Rate == 0)
		if cfg.Rate > 0 {
			t.latency(w)
		}
		lost, misordered := t.losses(all)
		t.add(metricLost, lost)
		t.add(metricMisordered, misordered)
		return t.memory(metricRSS, metricPeakRSS)
	}
}

// rates records what a window's traffic amounts to; a rate that was given is not
// worth a plot.
func (t *trial) rates(w *window, free bool) {
	deliveries := float64(w.received())
	metric := metricDeliveries
	metric.Plot = free
	t.add(metric, deliveries/w.seconds)
	t.add(metricMessages, float64(w.sent())/w.seconds)
	t.add(metricCPU, w.broker.Seconds()/deliveries)
	t.add(metricCores, w.broker.Seconds()/w.seconds)
	t.add(metricLoadCores, w.load.Seconds()/w.seconds)
	t.add(metricForeign, w.foreign)
}

// latency records the quantiles of the messages that arrived in the window.
func (t *trial) latency(w *window) {
	var sum hist.Histogram
	for i := range w.to {
		if w.to[i].Latency != nil {
			sum.Add(w.to[i].Latency)
			sum.Sub(w.from[i].Latency)
		}
	}
	t.add(metricP50, time.Duration(sum.Quantile(0.5)).Seconds())
	t.add(metricP99, time.Duration(sum.Quantile(0.99)).Seconds())
}

// losses adds up what did not arrive and what arrived in the wrong order.
func (t *trial) losses(all []load.Snap) (lost, misordered float64) {
	for i, s := range all {
		misordered += float64(s.Misordered)
		for sub, received := range s.Received {
			lost += float64(t.expected(all, i, sub)) - float64(received)
		}
	}
	return lost, misordered
}
