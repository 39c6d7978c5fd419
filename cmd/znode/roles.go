package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/znode/znode/cmd/znode/internal/option"
	"github.com/znode/znode/codec"
	"github.com/znode/znode/node"
	"github.com/znode/znode/sockets"
)

// roles are the parts of a znode process that run.
type roles struct {
	broker  *node.Broker
	logger  *node.Logger
	member  *node.Node // of its own, or what makes the others nodes of the cluster
	metrics *node.MetricsServer
	curve   *node.CurveServer // nil without CURVE
	out     io.Writer         // for what a member tells
}

// startRoles starts the roles of znode run and returns once all of them listen.
// When one of them cannot start, those that did are stopped again and err names
// the endpoint, directory or option at fault.
//
// This is where the command meets package node, and the only place.
func startRoles(cfg *option.Config, use option.Use, log *slog.Logger) (*roles, error) {
	return startGiven(cfg, func(string) bool { return false }, use, log, io.Discard)
}

// given tells whether a user set the option of that name.
type given func(name string) bool

// startGiven is startRoles where it matters whether a value is the default, and
// where a member prints.
func startGiven(cfg *option.Config, is given, use option.Use, log *slog.Logger, out io.Writer) (*roles, error) {
	r := &roles{out: out}
	held := holdLog(log)
	err := r.start(cfg, is, use, slog.New(held))
	if err != nil {
		return nil, errors.Join(err, r.stop())
	}
	held.letGo()
	return r, nil
}

func (r *roles) start(cfg *option.Config, is given, use option.Use, log *slog.Logger) (err error) {
	var parts []prometheus.Collector
	layout, err := clusterLayout(cfg)
	if err != nil {
		return err
	}
	var metrics net.Listener
	// Members are many on a machine, and the port is one.
	if cfg.MetricsAddress != "" && (use != option.Member || is("metrics_address") || layout[cfg.Node].MetricsPort != 0) {
		if metrics, err = node.ListenMetrics(cfg.MetricsAddress); err != nil {
			return err
		}
		defer func() {
			if r.metrics == nil {
				metrics.Close()
			}
		}()
	}
	if use&option.Roles != 0 {
		if r.curve, err = curveServer(cfg, log); err != nil {
			return err
		}
	}
	if r.curve != nil {
		parts = append(parts, r.curve)
	}
	if use&option.Broker != 0 {
		if r.broker, err = node.NewBroker(brokerOptions(cfg, r.curve, log)); err != nil {
			return err
		}
		parts = append(parts, r.broker)
	}
	if use&option.Logger != 0 {
		if r.logger, err = node.NewLogger(loggerOptions(cfg, is, r.curve, log)); err != nil {
			return err
		}
		parts = append(parts, r.logger)
	}
	if use&option.Member != 0 || layout != nil {
		if err = r.startMember(cfg, layout, use, log); err != nil {
			return err
		}
		parts = append(parts, r.member)
	}
	if metrics == nil {
		return nil
	}
	if r.metrics, err = node.ServeMetrics(metrics, log, parts...); err == nil && layout != nil {
		r.metrics.SetLayout(layout)
	}
	return err
}

// setClients applies a new list of clients to what runs.
func (r *roles) setClients(list []node.ClientRights) error {
	if err := r.curve.SetClients(list); err != nil {
		return err
	}
	if r.broker != nil {
		r.broker.Rejudge()
	}
	if r.logger != nil {
		r.logger.PULL().Readmit()
	}
	return nil
}

// stop drains and stops what runs: what takes in first, what shows last.
func (r *roles) stop() error {
	var errs []error
	if r.member != nil {
		errs = append(errs, r.member.Close())
	}
	if r.logger != nil {
		// Whoever has no patience sends a second signal.
		errs = append(errs, r.logger.Close(context.Background()))
	}
	if r.broker != nil {
		errs = append(errs, r.broker.Close())
	}
	if r.metrics != nil {
		errs = append(errs, r.metrics.Close())
	}
	return errors.Join(errs...)
}

// probe returns when no role holds its locks for ever.
func (r *roles) probe() {
	if r.broker != nil {
		r.broker.Stats()
		r.broker.XPUB().Peers()
	}
	if r.logger != nil {
		r.logger.Stats()
		r.logger.PULL().Peers()
	}
	if r.member != nil {
		r.member.Stats()
	}
}

// validateRoles finds what only package node knows to be wrong. It opens and
// starts nothing.
func validateRoles(cfg *option.Config, is given, use option.Use) error {
	if use&option.Roles != 0 {
		if _, err := curveServer(cfg, nil); err != nil {
			return err
		}
	}
	if use&option.Broker != 0 {
		o := brokerOptions(cfg, nil, nil)
		if err := errors.Join(o.XSUB.Validate(), o.XPUB.Validate()); err != nil {
			return fmt.Errorf("broker: %w", err)
		}
	}
	if use&option.Logger != 0 {
		o := loggerOptions(cfg, is, nil, nil)
		if err := o.Validate(); err != nil {
			return fmt.Errorf("logger: %w", err)
		}
	}
	return validateMember(cfg, is, use)
}

// socketOptions are the options that every listening socket shares.
func socketOptions(cfg *option.Config, log *slog.Logger) sockets.Options {
	o := sockets.DefaultOptions()
	o.HandshakeTimeout = cfg.HandshakeTimeout
	o.MaxConnections = cfg.MaxConnections
	o.MaxMessageSize = int(cfg.MaxMessageSize)
	o.MaxSubscriptions = cfg.MaxSubscriptions
	o.MaxSubscriptionBytes = int(cfg.MaxSubscriptionBytes)
	o.IPv6 = cfg.IPv6
	if cfg.TCPKeepalive {
		o.KeepAlive = cfg.TCPKeepaliveIdle
	}
	o.UserTimeout = cfg.TCPMaxRT
	o.HeartbeatInterval, o.HeartbeatTimeout = cfg.HeartbeatInterval, cfg.HeartbeatTimeout
	o.Linger = node.DefaultLinger
	o.Log = log
	return o
}

func brokerOptions(cfg *option.Config, server *node.CurveServer, log *slog.Logger) node.BrokerOptions {
	o := node.BrokerOptions{
		Node:               cfg.Node,
		ListenXSUBEndpoint: cfg.ListenXSUBEndpoint,
		ListenXPUBEndpoint: cfg.ListenXPUBEndpoint,
		XSUB:               socketOptions(cfg, log),
		XPUB:               socketOptions(cfg, log),
		Curve:              server,
		Log:                log,
	}
	o.XSUB.RcvHWM = cfg.ListenXSUBRcvHWM
	o.XSUB.RcvBuf = cfg.ListenXSUBRcvBuf
	o.XPUB.SndHWM = cfg.ListenXPUBSndHWM
	o.XPUB.SndBuf = cfg.ListenXPUBSndBuf
	o.XPUB.QueueBytes = int(cfg.PeerQueueBytes)
	o.XPUB.NoDrop = cfg.ListenXPUBNoDrop
	o.XPUB.SlowGrace = cfg.SlowSubscriberGrace
	return o
}

func loggerOptions(cfg *option.Config, is given, server *node.CurveServer, log *slog.Logger) node.LoggerOptions {
	o := node.DefaultLoggerOptions()
	o.Node = cfg.Node
	o.ListenLogEndpoint = cfg.ListenLogEndpoint
	o.LogDir = cfg.LogDir
	o.Text = textOptions(cfg)
	o.FlushInterval = cfg.FlushInterval
	o.MaxStreams = cfg.MaxStreams
	o.MemoryLimit = cfg.MemoryLimit
	o.SpoolDir = cfg.SpoolDir
	o.SpoolLimit = cfg.SpoolLimit
	o.Durability = node.Durability(cfg.Durability)
	o.RotationInterval = cfg.RotationInterval
	o.RotationSize = cfg.RotationSize
	o.RotationCommand = cfg.RotationCommand
	o.ArchiveDir = cfg.ArchiveDir
	o.ArchiveCompression = node.Compression(cfg.ArchiveCompression)
	o.ArchiveMaxAge = cfg.ArchiveMaxAge
	o.ArchiveMaxSize = cfg.ArchiveMaxSize
	o.RejectDir = cfg.RejectDir
	o.RejectLimit = cfg.RejectLimit
	o.PULL = socketOptions(cfg, log)
	if !is("max_message_size") {
		o.PULL.MaxMessageSize = 0 // its default here follows from the memory limit
	}
	o.PULL.RcvHWM = cfg.LogRcvHWM
	o.PULL.RcvBuf = cfg.LogRcvBuf
	if server != nil {
		server.SecureLogger(&o)
	}
	o.Log = log
	return o
}

func textOptions(cfg *option.Config) codec.TextOptions {
	return codec.TextOptions{
		Format:                 codec.TextFormat(cfg.LogFormat),
		EnableUTF8:             cfg.EnableUTF8,
		IncludeMeta:            cfg.IncludeMeta,
		Separator:              cfg.Separator,
		SetSeparator:           cfg.SetSeparator,
		EmptyField:             cfg.EmptyField,
		UnsetField:             cfg.UnsetField,
		MetaPrefix:             cfg.MetaPrefix,
		JSONTimestamps:         codec.TimestampFormat(cfg.JSONTimestamps),
		JSONIncludeUnsetFields: cfg.JSONIncludeUnsetFields,
		JSONStringEscapePolicy: codec.EscapePolicy(cfg.JSONStringEscapePolicy),
	}
}
