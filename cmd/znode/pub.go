package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/znode/znode/cmd/znode/internal/option"
	"github.com/znode/znode/codec"
	"github.com/znode/znode/sockets"
)

func pubCommand() *command {
	return &command{
		name:      "pub",
		arguments: "TOPIC EVENT [ARG...]",
		summary:   "publish an event to a cluster's nodes",
		text: "Waits until it knows what all nodes are subscribed to, publishes the event, says\n" +
			"on stderr which subscriptions match, and ends with status 0 when the broker has\n" +
			"taken the event, with 1 when it has not or nobody is subscribed.\n\n" +
			"An argument is type:value with Zeek's type (bool, count, int, double, string,\n" +
			"enum, addr, subnet, port, time, interval), text in quotes or plain text, none for\n" +
			"an unset field, or @FILE or json:VALUE in broker-json-v1 for all else.",
		examples: []string{
			`znode pub zeek.cluster.worker Config::changed '"threshold"' count:5`,
			"znode pub zeek.cluster.node.worker-1. Block::host addr:10.0.0.1 port:80/tcp interval:1h",
			"znode pub zeek/intel Intel::insert_item @item.json",
		},
		use: option.Pub,
		prepare: func() ([]option.Flag, action) {
			o := pubOptions{timeout: 10 * time.Second, serializer: codec.BrokerBinV1}
			flags := []option.Flag{
				{Name: "timeout", Kind: runTime, Dst: &o.timeout, Help: "how long to wait for the broker (default 10s)"},
				{Name: "serializer", Kind: option.Enum(codec.BrokerBinV1, codec.BrokerJSONV1), Dst: &o.serializer,
					Help: "form of the event, which must be that of the cluster's nodes (default broker-bin-v1)"},
			}
			return flags, func(ctx context.Context, p process, s *option.Settings) error {
				return o.run(ctx, p, s)
			}
		},
	}
}

// pubOptions are the flags of znode pub.
type pubOptions struct {
	timeout    time.Duration
	serializer string
}

func (o *pubOptions) run(ctx context.Context, p process, s *option.Settings) error {
	if len(s.Args) < 2 {
		return usageErrorf("znode pub takes a topic, an event and its arguments; got %d of the first two", len(s.Args))
	}
	if err := s.Check(option.Pub); err != nil {
		return err
	}
	topic := s.Args[0]
	payload, err := o.encode(s.Args[1], s.Args[2:])
	if err != nil {
		return err
	}
	log := slog.New(slog.DiscardHandler)
	if s.Config.LogLevel < slog.LevelInfo {
		log = newLog(p.stderr, s.Config.LogLevel)
	}
	c, err := newClient(&s.Config, log, clientHandlers{})
	if err != nil {
		return err
	}
	defer c.close()
	if err := c.connect(&s.Config); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	own, ready, returned := c.own()
	if err := c.await(ctx, ready, fmt.Sprintf("not ready to publish after %v", o.timeout)); err != nil {
		return err
	}
	matching := c.matching(topic)
	if len(matching) == 0 {
		return fmt.Errorf("nobody is subscribed to %s or a beginning of it, so the event was not sent", quoteBytes([]byte(topic)))
	}
	fmt.Fprintf(p.stderr, "%s matches the subscriptions %s\n", option.Quote(topic), strings.Join(matching, ", "))
	// What goes to our own topic comes back when the broker has read it, and so
	// has what went before it.
	marker, err := o.encode("Znode::published", nil)
	if err == nil {
		err = errors.Join(c.publish(topic, o.serializer, payload), c.publish(own, o.serializer, marker))
	}
	if err != nil {
		return err
	}
	return c.await(ctx, returned, fmt.Sprintf("sent, but the broker has not taken it after %v", o.timeout))
}

// publish hands a message to the XPUB.
func (c *client) publish(topic, serializer string, payload []byte) error {
	err := c.xpub.Publish([]byte(topic), []byte(c.id), []byte(serializer), payload)
	if errors.Is(err, sockets.ErrAgain) {
		return errors.New("the broker does not read")
	}
	return err
}

// encode makes the event.
func (o *pubOptions) encode(name string, args []string) ([]byte, error) {
	now, event := time.Now(), &codec.Event{Name: name}
	for i, arg := range args {
		d, err := parseArg(arg)
		if err != nil {
			return nil, usageErrorf("argument %d: %s", i+1, strings.TrimPrefix(err.Error(), "argument "))
		}
		event.Args = append(event.Args, d)
	}
	event.Metadata = []codec.Metadata{{ID: codec.MetadataNetworkTimestamp, Value: codec.TimestampData(now)}}
	if o.serializer == codec.BrokerJSONV1 {
		return codec.AppendEventJSON(nil, event)
	}
	return codec.AppendEvent(nil, event)
}

// maxMatching bounds the prefixes that are named.
const maxMatching = 20

// matching are the nodes' subscriptions that bring them a topic, fit to print.
func (c *client) matching(topic string) []string {
	var list []string
	more := 0
	for _, prefix := range c.prefixes() {
		switch {
		case !strings.HasPrefix(topic, prefix):
		case len(list) == maxMatching:
			more++
		default:
			list = append(list, option.Quote(prefix))
		}
	}
	if more > 0 {
		list = append(list, fmt.Sprintf("and %d more", more))
	}
	return list
}
