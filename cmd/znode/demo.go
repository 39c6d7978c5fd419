package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/znode/znode/cmd/znode/internal/option"
	"github.com/znode/znode/node"
)

func demoCommand() *command {
	return &command{
		name:    "demo",
		summary: "see a broker and a logger at work",
		text: "Runs a broker, a logger and a few simulated sensors in one process. The sensors\n" +
			"publish events and log records as Zeek nodes do, over TCP on ports that the\n" +
			"kernel chooses. Prints figures every second, and a summary at SIGINT.",
		examples: []string{
			"znode demo",
			"znode demo --log-format json --log-dir /tmp/demo --duration 10s",
		},
		use: option.Demo,
		prepare: func() ([]option.Flag, action) {
			d := demo{sensors: 4}
			flags := []option.Flag{{
				Name: "duration", Kind: runTime, Dst: &d.duration,
				Help: "how long to run; without it until a signal",
			}}
			return flags, func(ctx context.Context, p process, s *option.Settings) error {
				if err := noArguments("demo", s); err != nil {
					return err
				}
				return d.command(ctx, p, s)
			}
		},
	}
}

var runTime = option.NewKind("DURATION", "a duration above 0 such as 10s", func(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err == nil && d <= 0 {
		err = errors.New("not above 0")
	}
	return d, err
}, time.Duration.String)

// demo is one run of znode demo.
type demo struct {
	duration time.Duration // 0 means until a signal
	sensors  int

	broker *node.Broker
	logger *node.Logger
	out    io.Writer
	live   bool // the output is a terminal: one line is written over and over
}

func (d *demo) command(ctx context.Context, p process, s *option.Settings) error {
	log := newLog(p.stderr, s.Config.LogLevel+4) // the demo's own lines tell the rest
	signals, stop := notifySignals()
	defer stop()
	d.out, d.live = p.stdout, isTerminal(p.stdout)
	return supervise(ctx, func(ctx context.Context) error {
		cfg := s.Config
		cfg.ListenXSUBEndpoint, cfg.ListenXPUBEndpoint = anyPort, anyPort
		cfg.ListenLogEndpoint = anyPort
		if !s.Given("metrics_address") {
			cfg.MetricsAddress = "127.0.0.1:0"
		}
		cfg.RotationInterval = 0 // the logs stay where the summary says that they are
		r, err := startRoles(&cfg, option.Broker|option.Logger, log)
		if err != nil {
			return err
		}
		d.broker, d.logger = r.broker, r.logger
		if r.metrics != nil {
			fmt.Fprintf(d.out, "metrics are at http://%s/metrics\n", r.metrics.Addr())
		}
		err = d.run(ctx, cfg.LogDir)
		if stopped := r.stop(); err == nil {
			err = stopped
		}
		if err == nil {
			d.summary(cfg.LogDir)
		}
		return err
	}, hooks{signals: signals, oneRequest: oneRequest, reload: func() {}, log: log})
}

const anyPort = "tcp://127.0.0.1:0"

// run lets the sensors work until ctx is done, and stops them.
func (d *demo) run(ctx context.Context, dir string) (err error) {
	var team []*sensor
	defer func() {
		for _, s := range team {
			if stopped := s.stop(); err == nil {
				err = stopped
			}
		}
	}()
	for i := range d.sensors {
		s, err := startSensor(i+1, d.broker, d.logger)
		if err != nil {
			return err
		}
		team = append(team, s)
	}
	if where, err := filepath.Abs(dir); err == nil {
		dir = where
	}
	fmt.Fprintf(d.out, "%d sensors publish to %s, subscribe at %s and log to %s\nlogs are in %s; Ctrl-C ends the demo\n",
		d.sensors, d.broker.XSUBEndpoint(), d.broker.XPUBEndpoint(), d.logger.Endpoint(), dir)
	if d.duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d.duration)
		defer cancel()
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var before figures
	for at := time.Now(); ; {
		select {
		case <-ctx.Done():
			if before == (figures{}) { // it was too short for a line
				d.line(d.figures(team), before, time.Since(at).Seconds())
			}
			return nil
		case now := <-tick.C:
			f := d.figures(team)
			d.line(f, before, now.Sub(at).Seconds())
			before, at = f, now
		}
	}
}

// figures are what the live line shows.
type figures struct {
	published, delivered, records, drops uint64
	files                                int
}

func (d *demo) figures(team []*sensor) figures {
	logged := d.logger.Stats()
	f := figures{
		published: d.broker.Stats().FrontendMessagesReceived,
		records:   logged.Records,
		drops:     logged.Refused,
		files:     logged.Files,
	}
	for _, s := range team {
		f.delivered += s.received.Load()
		f.drops += s.dropped.Load()
	}
	for _, p := range d.broker.XPUB().Peers() {
		f.drops += p.DroppedMessages
	}
	return f
}

func (d *demo) line(f, before figures, seconds float64) {
	rate := func(now, then uint64) float64 { return float64(now-then) / seconds }
	start, end := "", "\n"
	if d.live {
		start, end = "\r\x1b[K", ""
	}
	fmt.Fprintf(d.out, "%s%.0f events/s published, %.0f events/s delivered, %.0f records/s, %d drops, %d files%s",
		start, rate(f.published, before.published), rate(f.delivered, before.delivered), rate(f.records, before.records), f.drops, f.files, end)
}

// summary is printed when everything has been drained.
func (d *demo) summary(dir string) {
	if d.live {
		fmt.Fprintln(d.out)
	}
	proxy, logged := d.broker.Stats(), d.logger.Stats()
	fmt.Fprintf(d.out, "summary: %d events (%.1f MB) and %d subscriptions through the broker; %d log batches with %d records written, %d refused; logs are in %s\n",
		proxy.FrontendMessagesReceived, float64(proxy.FrontendBytesReceived)/1e6, proxy.BackendMessagesReceived,
		logged.Messages, logged.Records, logged.Refused, dir)
}
