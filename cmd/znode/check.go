package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/go-zeromq/zmq4"

	"github.com/znode/znode/cmd/znode/internal/layout"
	"github.com/znode/znode/cmd/znode/internal/option"
	"github.com/znode/znode/codec"
	"github.com/znode/znode/node"
	"github.com/znode/znode/sockets"
)

func checkCommand() *command {
	return &command{
		name:    "check",
		summary: "see whether a cluster's broker and loggers work, and who is there",
		text: "Connects to the broker and to the loggers, sends an event through the broker and\n" +
			"back, and lists the nodes that are connected. Each problem comes with what to do\n" +
			"about it. The cluster's nodes do not notice. The status is 0 when all is well and\n" +
			"1 when something is not. With --layout it knows who ought to be there, and where\n" +
			"the loggers are.",
		examples: []string{
			"znode check",
			"znode check --layout cluster-layout.zeek",
			"znode check --connect-log-endpoints tcp://192.0.2.1:5557 --json",
		},
		use: option.Check,
		prepare: func() ([]option.Flag, action) {
			o := checkOptions{timeout: 5 * time.Second}
			flags := []option.Flag{
				{Name: "json", Kind: option.Switch, Dst: &o.json, Help: "print one JSON object"},
				{Name: "timeout", Kind: runTime, Dst: &o.timeout, Help: "how long to wait for everything (default 5s)"},
			}
			return flags, func(ctx context.Context, p process, s *option.Settings) error {
				if err := noArguments("check", s); err != nil {
					return err
				}
				return o.run(ctx, p, s)
			}
		},
	}
}

// checkOptions are the flags of znode check.
type checkOptions struct {
	timeout time.Duration
	json    bool
}

// checker is a run of znode check.
type checker struct {
	cfg     *option.Config
	layout  *layout.Layout // nil when there is none
	timeout time.Duration
	report  report
}

func (o *checkOptions) run(ctx context.Context, p process, s *option.Settings) error {
	if err := s.Check(option.Check); err != nil {
		return err
	}
	c := &checker{cfg: &s.Config, timeout: o.timeout}
	c.report.curve = !s.Config.CurveServerPublicKey.IsZero()
	if s.Config.Layout != "" {
		var err error
		if c.layout, err = layout.Read(s.Config.Layout); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	loggers := c.startLoggers()
	defer loggers.close()
	if err := c.broker(ctx); err != nil {
		return err
	}
	if err := c.loggers(ctx, loggers); err != nil {
		return err
	}
	c.absent()
	if err := c.report.write(p.stdout, o.json); err != nil {
		return err
	}
	if !c.report.ok() {
		return exitStatus(statusFailure)
	}
	return nil
}

// broker checks both ends of the broker, the way through it, and who is there.
func (c *checker) broker(ctx context.Context) error {
	visitor, err := newClient(c.cfg, slog.New(slog.DiscardHandler), clientHandlers{})
	if err != nil {
		return err
	}
	defer visitor.close()
	own, ready, returned := visitor.own()
	if err := visitor.connect(c.cfg); err != nil {
		return err
	}
	up := c.linked(ctx, visitor, zmq4.XSub, "broker XPUB", c.cfg.ConnectXSUBEndpoint)
	up = c.linked(ctx, visitor, zmq4.XPub, "broker XSUB", c.cfg.ConnectXPUBEndpoint) && up
	if !up {
		c.report.skip("subscriptions", "round trip", "nodes")
		return nil
	}
	select {
	case <-ready:
	case <-ctx.Done():
		c.report.fail("subscriptions", "", "a subscription does not come back within "+c.timeout.String(),
			"The two endpoints may belong to different brokers, or the broker is paused or overloaded.")
		c.report.skip("round trip", "nodes")
		return nil
	}
	prefixes := visitor.prefixes()
	c.report.pass("subscriptions", "", fmt.Sprintf("%d prefixes known", len(prefixes)))
	if err := c.roundTrip(ctx, visitor, own, returned); err != nil {
		return err
	}
	c.nodes(prefixes)
	return nil
}

// linked waits for a socket of the visitor to connect or to fail.
func (c *checker) linked(ctx context.Context, visitor *client, socket zmq4.SocketType, check, endpoint string) bool {
	e, ok := visitor.first(ctx, socket)
	return c.report.link(check, endpoint, e, ok)
}

// roundTrip sends an event through the broker and takes the time.
func (c *checker) roundTrip(ctx context.Context, visitor *client, own string, returned <-chan struct{}) error {
	payload, err := codec.AppendEventArgs(nil, "Znode::check")
	if err == nil {
		err = visitor.publish(own, codec.BrokerBinV1, payload)
	}
	if err != nil {
		return err
	}
	begin := time.Now()
	select {
	case <-returned:
		c.report.pass("round trip", "", "an event came back after "+time.Since(begin).Round(10*time.Microsecond).String())
	case <-ctx.Done():
		c.report.fail("round trip", "", "an event did not come back within "+c.timeout.String(),
			"The broker passes on subscriptions but not events: it may be held back by a subscriber that does not read, or keeps this client's events back because its key has not all rights.")
	}
	return nil
}

// nodes lists who is there by the topics of their ids.
func (c *checker) nodes(prefixes []string) {
	ids := map[string]string{}
	count := 0
	for _, prefix := range prefixes {
		id, ok := strings.CutPrefix(prefix, nodeIDTopic)
		if !ok {
			continue
		}
		id = strings.TrimSuffix(id, ".")
		count++
		name := c.nameOf(id)
		n := nodeReport{Name: name, ID: id, Present: true, Type: c.typeOf(name)}
		switch {
		case ids[name] != "":
			n.Problem = "another process has this name: " + ids[name]
			n.Advice = "Stop one of the two, or give it another name of the layout; the nodes take them for one that restarted."
		case c.layout != nil && n.Type == "":
			n.Problem = "this name is not in the layout"
			n.Advice = "Add it to the layout of all nodes, or stop it; Zeek's nodes report an error for it."
		}
		ids[name] = id
		c.report.Nodes = append(c.report.Nodes, n)
	}
	if count == 0 {
		c.report.note("nodes", "", "none connected")
	}
}

// nameOf is the name in a node id, zeromq_<name>_<host>_<pid>_<unique>. Both name
// and host may hold underscores; the layout tells them apart.
func (c *checker) nameOf(id string) string {
	rest := strings.TrimPrefix(id, "zeromq_")
	if c.layout != nil {
		longest := ""
		for _, name := range c.layout.Names() {
			if len(name) > len(longest) && strings.HasPrefix(rest, name+"_") {
				longest = name
			}
		}
		if longest != "" {
			return longest
		}
	}
	parts := strings.Split(rest, "_")
	if len(parts) < 4 {
		return rest
	}
	return strings.Join(parts[:len(parts)-3], "_")
}

func (c *checker) typeOf(name string) string {
	if c.layout == nil {
		return ""
	}
	if n, ok := c.layout.Find(name); ok {
		return n.Type.String()
	}
	return ""
}

// absent adds the nodes of the layout that are not there. A logger need not show
// itself at the broker when it answers where it takes logs, and a control node is
// a command that somebody runs.
func (c *checker) absent() {
	if c.layout == nil || c.report.skipped("nodes") {
		return
	}
	present := map[string]bool{}
	for _, n := range c.report.Nodes {
		present[n.Name] = true
	}
	for _, n := range c.layout.Nodes {
		if present[n.Name] || n.Type == node.NodeControl {
			continue
		}
		r := nodeReport{Name: n.Name, Type: n.Type.String()}
		if c.layout.TakesLogs(n) && c.report.passed("logger", n.LogEndpoint()) && n.Type == node.NodeLogger {
			r.Detail = "not at the broker, but takes logs"
		} else {
			r.Problem = "in the layout, but not connected to the broker"
			r.Advice = "See whether it runs on " + n.Host + " and what its log says, and that its connect_*_endpoint options name this broker."
		}
		c.report.Nodes = append(c.report.Nodes, r)
	}
}

// pushes are the connections to the loggers, made while the broker is checked.
type pushes []*pushLink

type pushLink struct {
	endpoint string
	push     *sockets.PUSH
	first    chan sockets.Event // has room for one
	err      error
}

func (c *checker) startLoggers() pushes {
	endpoints := c.cfg.ConnectLogEndpoints
	if len(endpoints) == 0 && c.layout != nil {
		endpoints = c.layout.LogEndpoints()
	}
	var list pushes
	for _, endpoint := range endpoints {
		l := &pushLink{endpoint: endpoint, first: make(chan sockets.Event, 1)}
		o, err := clientSocket(c.cfg, func(e sockets.Event) {
			select {
			case l.first <- e:
			default:
			}
		})
		o.Linger = 0
		if err == nil {
			l.push, err = sockets.NewPUSH(o)
		}
		if err == nil {
			err = l.push.Connect(endpoint)
		}
		l.err = err
		list = append(list, l)
	}
	return list
}

func (p pushes) close() {
	for _, l := range p {
		if l.push != nil {
			l.push.Close()
		}
	}
}

func (c *checker) loggers(ctx context.Context, list pushes) error {
	var errs []error
	for _, l := range list {
		if l.err != nil {
			errs = append(errs, l.err)
			continue
		}
		up := false
		select {
		case e := <-l.first:
			up = c.report.link("logger", l.endpoint, e, true)
		case <-ctx.Done():
			c.report.link("logger", l.endpoint, sockets.Event{}, false)
		}
		if !up && len(c.cfg.ConnectLogEndpoints) == 0 {
			c.report.advise("The layout names it. If the cluster logs to another, name that with --connect-log-endpoints.")
		}
	}
	if len(list) == 0 {
		c.report.note("loggers", "", "none named; give --connect-log-endpoints or --layout to check them")
	}
	return errors.Join(errs...)
}
