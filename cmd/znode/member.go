package main

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/znode/znode/cmd/znode/internal/layout"
	"github.com/znode/znode/cmd/znode/internal/option"
	"github.com/znode/znode/node"
)

// clusterLayout is the layout that --layout names, nil without one.
func clusterLayout(cfg *option.Config) (node.Layout, error) {
	if cfg.Layout == "" {
		return nil, nil
	}
	file, err := layout.Read(cfg.Layout)
	if err != nil {
		return nil, err
	}
	l := make(node.Layout, len(file.Nodes))
	for _, n := range file.Nodes {
		entry := node.LayoutNode{Type: n.Type, Host: n.Host, MetricsPort: n.MetricsPort}
		if file.TakesLogs(n) {
			entry.Port = n.Port
		}
		l[n.Name] = entry
	}
	return l, nil
}

// startMember makes the process a node of the cluster. A broker is one at its
// own endpoints.
func (r *roles) startMember(cfg *option.Config, l node.Layout, use option.Use, log *slog.Logger) error {
	o, err := memberOptions(cfg, l, use, log)
	if err != nil {
		return err
	}
	if r.broker != nil {
		o.ConnectXPUBEndpoint, o.ConnectXSUBEndpoint = r.broker.XSUBEndpoint(), r.broker.XPUBEndpoint()
	}
	if use&option.Member != 0 {
		print := func(what string) func(name, id string) {
			return func(name, id string) { fmt.Fprintln(r.out, what, name, id) }
		}
		o.OnNodeUp, o.OnNodeDown = print("node_up"), print("node_down")
	}
	if r.member, err = node.New(o); err == nil {
		err = r.member.Start()
	}
	return err
}

// validateMember finds what is wrong with the options of a member.
func validateMember(cfg *option.Config, is given, use option.Use) error {
	l, err := clusterLayout(cfg)
	if err != nil || use&option.Member == 0 && l == nil {
		return err
	}
	if !is("node") {
		return errors.New("member: --node is needed, the name of this node in the cluster")
	}
	o, err := memberOptions(cfg, l, use, nil)
	if err == nil {
		err = o.Validate()
	}
	if err != nil {
		return fmt.Errorf("member: %w", err)
	}
	return nil
}

func memberOptions(cfg *option.Config, l node.Layout, use option.Use, log *slog.Logger) (node.Options, error) {
	o := node.DefaultOptions()
	o.Node = cfg.Node
	o.Mode = node.Member
	o.Layout = l
	if cfg.NodeType != "" {
		o.NodeType, _ = node.ParseNodeType(cfg.NodeType) // one of the names the option takes
	}
	o.ConnectXPUBEndpoint = cfg.ConnectXPUBEndpoint
	o.ConnectXSUBEndpoint = cfg.ConnectXSUBEndpoint
	o.ConnectXPUBNoDrop = cfg.ConnectXPUBNoDrop
	o.XPUBSndHWM = cfg.XPUBSndHWM
	o.XPUBSndBuf = cfg.XPUBSndBuf
	o.XSUBRcvHWM = cfg.XSUBRcvHWM
	o.XSUBRcvBuf = cfg.XSUBRcvBuf
	o.OnloopQueueHWM = cfg.OnloopQueueHWM
	o.OnloopGrace = cfg.OnloopGrace
	o.OnloopForcedBytes = cfg.OnloopForcedBytes
	o.HelloExpiration = cfg.HelloExpiration
	o.EventSerializer = cfg.EventSerializer
	o.Telemetry.CoreMetrics, _ = node.ParseTelemetryKinds(cfg.CoreMetrics) // checked by the option
	o.NodeTopicPrefix = cfg.NodeTopicPrefix
	o.NodeIDTopicPrefix = cfg.NodeIDTopicPrefix
	o.InternalTopicPrefix = cfg.InternalTopicPrefix
	o.BesideLogger = use&option.Logger != 0
	o.Sockets = socketOptions(cfg, log)
	o.Log = log
	err := secureMember(cfg, &o)
	return o, err
}
