package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/znode/znode/cmd/znode/internal/option"
	"github.com/znode/znode/sockets"
)

func subCommand() *command {
	return &command{
		name:      "sub",
		arguments: "[TOPIC...]",
		summary:   "print what a cluster's nodes publish, subscribe to, or log",
		text: "Subscribes to topics that begin with TOPIC, or to all, and prints each event as a\n" +
			"line until a signal. The cluster's nodes do not notice. With --subscriptions or\n" +
			"--logs and without a TOPIC no events are subscribed to.",
		examples: []string{
			"znode sub",
			"znode sub zeek.cluster.worker zeek/intel --format pretty",
			"znode sub --subscriptions --count 10",
			"znode sub --logs 'tcp://*:5557' | jq .record",
		},
		use: option.Sub,
		prepare: func() ([]option.Flag, action) {
			o := subOptions{form: formJSON}
			flags := []option.Flag{
				{Name: "format", Kind: option.Enum(formJSON, formPretty, formRaw), Dst: &o.form,
					Help: "JSON lines, lines for people, or frames behind their lengths for znode decode (default json)"},
				{Name: "count", Kind: countKind, Dst: &o.count,
					Help: "end after so many events, records and lines"},
				{Name: "subscriptions", Kind: option.Switch, Dst: &o.subscriptions,
					Help: "print prefixes that nodes subscribe to and cancel"},
				{Name: "logs", Kind: option.ListenEndpoint, Dst: &o.logs,
					Help: "listen here as a logger and print the records that come"},
			}
			return flags, func(ctx context.Context, p process, s *option.Settings) error {
				if err := o.check(s.Args); err != nil {
					return err
				}
				return o.run(ctx, p, s)
			}
		},
	}
}

var countKind = option.NewKind("N", "a whole number above 0", func(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err == nil && n < 1 {
		err = errors.New("not above 0")
	}
	return n, err
}, func(n int64) string { return strconv.FormatInt(n, 10) })

// subOptions are the flags of znode sub.
type subOptions struct {
	form, logs    string
	count         int64 // 0 means no end
	subscriptions bool
}

func (o *subOptions) check(topics []string) error {
	for _, t := range topics {
		if strings.HasPrefix(t, nodeIDTopic) {
			return usageErrorf("topic %s: nodes greet whoever subscribes to topics of node ids, and complain when it stays silent; a shorter topic such as %s is safe",
				option.Printable(t), strings.TrimSuffix(nodeIDTopic, "."))
		}
	}
	if o.subscriptions && o.form == formRaw {
		return usageErrorf("--subscriptions has no frames to print; leave out --format raw")
	}
	return nil
}

// subscriber is a run of znode sub.
type subscriber struct {
	out      *printer
	log      *slog.Logger
	internal bool // topics of that kind were asked for

	done chan error // has room for one
}

func (o *subOptions) run(ctx context.Context, p process, s *option.Settings) (err error) {
	if err := s.Check(option.Sub); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	sub := &subscriber{
		out:  newPrinter(p.stdout, o.form),
		log:  newLog(p.stderr, s.Config.LogLevel),
		done: make(chan error, 1),
	}
	if o.count > 0 {
		sub.out.left = o.count
	}
	for _, hint := range s.Hints {
		sub.log.Warn(hint)
	}
	closers, err := o.start(&s.Config, s.Args, sub)
	defer func() {
		for _, c := range closers {
			c.Close()
		}
	}()
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		stop() // a second signal ends a process whose output nobody takes
		return nil
	case err := <-sub.done:
		if errors.Is(err, errEnough) {
			return nil
		}
		return err
	}
}

// start opens the sockets that the flags ask for.
func (o *subOptions) start(cfg *option.Config, topics []string, sub *subscriber) (open []io.Closer, err error) {
	if o.logs != "" {
		so := sockets.DefaultOptions()
		if err := secureLogs(cfg, sub.log, &so); err != nil {
			return open, err
		}
		so.Log = sub.log
		pull, err := sockets.NewPULL(so, sub.batch)
		if err != nil {
			return open, err
		}
		open = append(open, pull)
		bound, err := pull.Bind(o.logs)
		if err != nil {
			return open, fmt.Errorf("--logs: %w", err)
		}
		sub.log.Info("listening for logs", "endpoint", bound)
	}
	events := len(topics) > 0 || o.logs == "" && !o.subscriptions
	if !events && !o.subscriptions {
		return open, nil
	}
	h := clientHandlers{batch: sub.batch}
	if o.subscriptions {
		h.subscription = sub.subscription
	}
	c, err := newClient(cfg, sub.log, h)
	if err != nil {
		return open, err
	}
	open = append(open, closeFunc(c.close))
	if events {
		if len(topics) == 0 {
			topics = []string{""}
		}
		for _, t := range topics {
			sub.internal = sub.internal || strings.HasPrefix(t, internalTopic)
			c.xsub.Subscribe([]byte(t))
		}
		if err := c.xsub.Connect(cfg.ConnectXSUBEndpoint); err != nil {
			return open, fmt.Errorf("connect_xsub_endpoint: %w", err)
		}
	}
	if o.subscriptions {
		if err := c.xpub.Connect(cfg.ConnectXPUBEndpoint); err != nil {
			return open, fmt.Errorf("connect_xpub_endpoint: %w", err)
		}
	}
	return open, nil
}

// closeFunc makes a function an io.Closer.
type closeFunc func()

// Close calls f.
func (f closeFunc) Close() error { f(); return nil }

// batch prints what came over one connection. While nobody reads what is printed
// it does not return, and the connection is not read.
func (s *subscriber) batch(b sockets.Batch) {
	now := time.Now()
	err := s.out.print(func(yield func(message) bool) {
		for msg := range b.Messages() {
			topic, sender, serializer, payload, frames := msg.Split()
			if frames != 4 {
				s.log.Warn("message is no event and no batch", "frames", frames, "peer", b.Peer().Addr())
				continue
			}
			// Questions of nodes to themselves, such as znode pub asks.
			if !s.internal && strings.HasPrefix(string(topic), internalTopic) {
				continue
			}
			if !yield(message{now, topic, sender, serializer, payload}) {
				return
			}
		}
	}, func(m message, err error) {
		s.log.Warn("message cannot be read", "topic", string(quoteName(m.topic)), "sender", string(quoteName(m.sender)), "error", err.Error())
	})
	s.ended(err)
}

// subscription prints a prefix that has come or gone.
func (s *subscriber) subscription(sub sockets.Subscription) {
	now := time.Now()
	verb, sign := "unsubscribe", byte('-')
	if sub.Subscribe {
		verb, sign = "subscribe", '+'
	}
	s.ended(s.out.line(func(dst []byte) []byte {
		dst = appendMember(append(dst, '{'), "time", now.UTC().AppendFormat(nil, timeForm))
		return append(appendMember(dst, verb, sub.Prefix), '}')
	}, func(dst []byte) []byte {
		dst = append(now.AppendFormat(dst, "15:04:05.000000"), ' ', sign)
		return append(dst, quoteName(sub.Prefix)...)
	}))
}

// ended ends the command when everything is printed or nothing can be.
func (s *subscriber) ended(err error) {
	if err != nil {
		select {
		case s.done <- err:
		default:
		}
	}
}
