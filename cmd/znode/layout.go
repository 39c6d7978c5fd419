package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/znode/znode/cmd/znode/internal/layout"
	"github.com/znode/znode/cmd/znode/internal/option"
	"github.com/znode/znode/node"
)

func layoutCommand() *command {
	return &command{
		name:      "layout",
		arguments: "[FILE]",
		summary:   "read a cluster's layout, or print what makes Zeek use znode",
		text: "With the name of a cluster-layout.zeek: checks it and prints its nodes.\n" +
			"Without: prints the lines of Zeek script that make a cluster use znode as it is\n" +
			"configured, as its broker and its logger.",
		examples: []string{
			"znode layout /opt/zeek/spool/installed-scripts-do-not-touch/auto/cluster-layout.zeek",
			"znode layout --config /etc/znode/znode.toml --address 192.0.2.1 > znode.zeek",
			"znode layout --role logger --logger-form entry --node logger-1 --listen-log-endpoint tcp://192.0.2.1:5557",
		},
		use: option.Roles,
		prepare: func() ([]option.Flag, action) {
			l := linesOptions{form: "endpoint", manager: "manager"}
			flags := []option.Flag{
				{Name: "role", Kind: option.Enum("broker", "logger", "both"), Dst: &l.role,
					Help: "what the cluster shall use znode as (default both, or what znode run would be with this --layout)"},
				{Name: "address", Kind: address, Dst: &l.address,
					Help: "address of this machine as the cluster's nodes know it; needed where znode listens at all addresses"},
				{Name: "logger-form", Kind: option.Enum("endpoint", "entry"), Dst: &l.form,
					Help: "tell the nodes the logger's endpoint, or make it an entry of the layout; zeekctl would start a Zeek for an entry (default endpoint)"},
				{Name: "manager", Kind: option.NodeName, Dst: &l.manager,
					Help: "name of the manager, for an entry (default manager)"},
				{Name: "secret", Kind: option.Switch, Dst: &l.secret,
					Help: "print also the secret key that the nodes need, where znode encrypts and has it"},
			}
			return flags, func(_ context.Context, p process, s *option.Settings) error {
				switch len(s.Args) {
				case 0:
					return l.write(p.stdout, s)
				case 1:
					return showLayout(p.stdout, s.Args[0])
				}
				return usageErrorf("znode layout takes one file, got also %s", option.Printable(s.Args[1]))
			}
		},
	}
}

// address is the kind of a host without a port.
var address = option.NewKind("HOST", "an address or the name of a host", func(text string) (string, error) {
	return text, option.CheckHost(text)
}, func(s string) string { return s })

// linesOptions are the flags of znode layout.
type linesOptions struct {
	role, address, form, manager string
	secret                       bool
}

func (o *linesOptions) write(w io.Writer, s *option.Settings) error {
	roles, err := applyLayout(s, map[string]option.Use{"broker": option.Broker, "logger": option.Logger, "both": option.Roles}[o.role])
	if err != nil {
		return err
	}
	if roles == 0 {
		roles = option.Roles
	}
	if err := s.Check(roles); err != nil {
		return err
	}
	c := &s.Config
	lines := layout.Lines{Entry: o.form == "entry", Node: c.Node, Manager: o.manager}
	if roles&option.Broker != 0 {
		if lines.XSUB, err = o.reachable("listen_xsub_endpoint", c.ListenXSUBEndpoint); err != nil {
			return err
		}
		if lines.XPUB, err = o.reachable("listen_xpub_endpoint", c.ListenXPUBEndpoint); err != nil {
			return err
		}
	}
	if roles&option.Logger != 0 && c.Layout != "" {
		lines.Layout = c.Layout // which has the endpoint already
	} else if roles&option.Logger != 0 {
		if lines.Log, err = o.reachable("listen_log_endpoint", c.ListenLogEndpoint); err != nil {
			return err
		}
		if lines.Entry {
			if err := layout.CheckEntry(lines.Log); err != nil {
				return fmt.Errorf("listen_log_endpoint: %w; leave out --logger-form=entry", err)
			}
		}
	}
	if lines.Keys, err = o.keys(c); err != nil {
		return err
	}
	_, err = io.WriteString(w, lines.String())
	return err
}

// keys are what Zeek's nodes need to speak with znode, nil where it does not
// encrypt.
func (o *linesOptions) keys(c *option.Config) (*layout.Keys, error) {
	if c.CurveServerSecretKey.IsZero() {
		return nil, nil
	}
	server, err := c.CurveServerSecretKey.Public()
	switch {
	case err != nil:
		return nil, fmt.Errorf("curve_server_secretkey: %w", err)
	case c.CurveClientPublicKey.IsZero():
		return nil, errors.New("curve_client_publickey: missing; it is what the nodes of a Zeek cluster show")
	case o.secret && c.CurveClientSecretKey.IsZero():
		return nil, errors.New("curve_client_secretkey: missing, so --secret has nothing to show")
	}
	k := &layout.Keys{ServerPublic: server.String(), ClientPublic: c.CurveClientPublicKey.String()}
	if o.secret {
		k.ClientSecret = c.CurveClientSecretKey.Reveal()
	}
	return k, nil
}

// reachable is an endpoint that znode listens at as nodes connect to it.
func (o *linesOptions) reachable(name, endpoint string) (string, error) {
	hostPort, ok := strings.CutPrefix(endpoint, "tcp://")
	if !ok {
		return endpoint, nil // a path on this machine
	}
	host, port, err := net.SplitHostPort(hostPort)
	switch {
	case err != nil:
		return "", fmt.Errorf("%s %s: %w", name, endpoint, err)
	case port == "*" || strings.Trim(port, "0") == "":
		return "", fmt.Errorf("%s %s: the kernel chooses another port at each start; give one that stays", name, endpoint)
	}
	ip, err := netip.ParseAddr(host)
	switch {
	case o.address != "" && (host == "localhost" || ip.IsLoopback()):
		return "", usageErrorf("%s %s: only this machine reaches it, whatever --address says; listen at tcp://*:%s", name, endpoint, port)
	case host == "*" || err == nil && ip.IsUnspecified():
		if o.address == "" {
			return "", usageErrorf("%s %s: nodes need an address to connect to; give this machine's with --address", name, endpoint)
		}
		return "tcp://" + net.JoinHostPort(strings.Trim(o.address, "[]"), port), nil
	}
	return endpoint, nil
}

// showLayout prints the nodes of a layout.
func showLayout(w io.Writer, file string) error {
	l, err := layout.Read(file)
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NODE\tTYPE\tHOST\tTAKES LOGS AT\tMETRICS AT")
	for _, n := range l.Nodes {
		logs, metrics := "-", "-"
		if l.TakesLogs(n) {
			logs = n.LogEndpoint()
		}
		if n.MetricsPort != 0 {
			metrics = n.MetricsAddress()
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", n.Name, n.Type, n.Host, logs, metrics)
	}
	return t.Flush()
}

// applyLayout takes from the layout what znode run --node NAME is, and where it
// listens. roles are those named on the command line, 0 when none were.
func applyLayout(s *option.Settings, roles option.Use) (option.Use, error) {
	file := s.Config.Layout
	if file == "" {
		return roles, nil
	}
	if !s.Given("node") {
		return 0, usageErrorf("--layout needs --node, the name of this node in %s", option.Printable(file))
	}
	l, err := layout.Read(file)
	if err != nil {
		return 0, err
	}
	n, ok := l.Find(s.Config.Node)
	if !ok {
		hint := ""
		if near := option.Nearest(s.Config.Node, l.Names()); near != "" {
			hint = "; did you mean " + near + "?"
		}
		return 0, fmt.Errorf("%s: no node %s in this layout%s", file, s.Config.Node, hint)
	}
	if roles == 0 {
		if roles = rolesOf(l, n); roles == 0 {
			return 0, fmt.Errorf("%s: %s is a %s; znode run can be a logger, or the broker of a manager", file, n.Name, n.Type)
		}
	}
	return roles, suggest(s, l, n, roles)
}

// rolesOf is what znode runs in the place of a node of the layout. Without the
// broker a manager of ours would be nothing.
func rolesOf(l *layout.Layout, n layout.Node) option.Use {
	switch {
	case n.Type == node.NodeLogger:
		return option.Logger
	case n.Type == node.NodeManager && l.TakesLogs(n):
		return option.Broker | option.Logger
	case n.Type == node.NodeManager:
		return option.Broker
	}
	return 0
}

// brokerOf is the node that runs the broker, the manager.
func brokerOf(l *layout.Layout) (layout.Node, bool) {
	i := slices.IndexFunc(l.Nodes, func(n layout.Node) bool { return n.Type == node.NodeManager })
	if i < 0 {
		return layout.Node{}, false
	}
	return l.Nodes[i], true
}

// brokerPorts are where a manager's broker listens: a layout does not say it, but
// Zeek's script for clusters of several hosts goes by two variables of the
// environment (policy/misc/zeromq-multi-host-auto-setup.zeek).
func brokerPorts(s *option.Settings) (xsub, xpub string, err error) {
	port := func(socket, usual string) string {
		name := "ZEEK_CLUSTER_BACKEND_ZEROMQ_" + socket + "_PORT"
		text := s.Variable(name)
		if text == "" {
			return usual
		}
		number, _, _ := strings.Cut(text, "/") // 5556/tcp is one, too
		if n, perr := strconv.ParseUint(number, 10, 16); (perr != nil || n == 0) && err == nil {
			err = fmt.Errorf("%s: %s is not a port from 1 to 65535", name, option.Quote(text))
		}
		return number
	}
	return port("XSUB", "5556"), port("XPUB", "5555"), err
}

// suggest sets where to listen and to connect to what the layout says of node n.
func suggest(s *option.Settings, l *layout.Layout, n layout.Node, roles option.Use) error {
	where := fmt.Sprintf("%s: %s", option.Printable(s.Config.Layout), n.Name)
	var all []error
	set := func(name, text string) { all = append(all, s.Suggest(name, text, where)) }
	if roles&option.Logger != 0 {
		if !l.TakesLogs(n) {
			return fmt.Errorf("%s: the layout gives this node no $p to take logs at, and it is a %s", where, n.Type)
		}
		set("listen_log_endpoint", n.LogEndpoint())
	}
	xsubPort, xpubPort, err := brokerPorts(s)
	if err != nil {
		return err
	}
	if roles&option.Broker != 0 {
		set("listen_xsub_endpoint", "tcp://"+net.JoinHostPort(n.Host, xsubPort))
		set("listen_xpub_endpoint", "tcp://"+net.JoinHostPort(n.Host, xpubPort))
	}
	if m, ok := brokerOf(l); ok && roles&option.Broker == 0 {
		set("connect_xpub_endpoint", "tcp://"+net.JoinHostPort(m.Host, xsubPort))
		set("connect_xsub_endpoint", "tcp://"+net.JoinHostPort(m.Host, xpubPort))
	}
	if n.MetricsPort != 0 {
		set("metrics_address", n.MetricsAddress())
	}
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}
