package node

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/znode/znode/sockets"
)

// Mode says how a [Node] takes part in a cluster.
type Mode uint8

const (
	// Client only publishes, subscribes and logs. No other node knows that it
	// is there. It is for processes that the cluster layout does not name.
	Client Mode = iota
	// Member is a node of the cluster layout: it says hello to the others, is
	// subscribed to the topics of its name and type, and learns who is there.
	Member
)

// LogOverflow says what becomes of log writes while no logger has room.
type LogOverflow uint8

const (
	// DropLogs drops the batch that finds no room, as Zeek does, and counts it.
	DropLogs LogOverflow = iota
	// BlockLogs makes the writer wait.
	BlockLogs
)

// The serializers of events, by their names on the wire.
const (
	BrokerBinV1  = "broker-bin-v1"
	BrokerJSONV1 = "broker-json-v1"
)

// Options configures a [Node]. Start from [DefaultOptions]. Names and defaults
// are those of Zeek's module Cluster::Backend::ZeroMQ where no other is named.
type Options struct {
	// Node is the node's name in the cluster layout (Cluster::node), a part of
	// its node id, and the value of the metrics' label "node".
	Node string
	Mode Mode
	// NodeType is what a member does. NodeNone takes it from the layout, or else
	// from the name: worker-1 is a worker.
	NodeType NodeType
	// Layout is who may be in the cluster. Without one a member believes every
	// name that it is told.
	Layout Layout

	// ConnectXPUBEndpoint is the broker's XSUB, where the node publishes, and
	// ConnectXSUBEndpoint the broker's XPUB, where it subscribes. A client may
	// leave both empty, to log only.
	ConnectXPUBEndpoint, ConnectXSUBEndpoint string
	// ConnectLogEndpoints are the loggers' PULL sockets.
	ConnectLogEndpoints []string
	// ListenLogEndpoint, if not empty, is where the node takes log batches
	// itself, for [Node.HandleLogs].
	ListenLogEndpoint string
	// LogCurve, if not nil, makes ListenLogEndpoint a CURVE server that takes only
	// the clients that may log. See [SecureClient] for the other sockets.
	LogCurve *CurveServer

	// XPUBSndHWM bounds the events waiting to be sent to the broker, in
	// messages; what comes beyond is dropped. 0 never drops.
	XPUBSndHWM int
	// XSUBRcvHWM bounds the events that are read at a time.
	XSUBRcvHWM int
	// OnloopQueueHWM bounds the events waiting for the loop; what comes beyond
	// is dropped. 0 never drops, and then only the handlers' speed bounds the
	// node's memory.
	OnloopQueueHWM int
	// OnloopGrace is how long reading pauses for a full queue before events are
	// dropped, so that a burst does not drown a loop that only lacks its turn on
	// the CPU. It refills at a tenth of real time: in the long run events wait
	// for a slow loop for a tenth of the time at most. 0 drops at once, as Zeek
	// does; so it should be behind Zeek's own broker where this node may be slow,
	// because that broker, and with it all others, waits for its slowest node.
	OnloopGrace time.Duration
	// OnloopForcedBytes bounds the memory of log batches and subscriptions
	// waiting for the loop, which are never dropped: beyond it their connections
	// are not read, so that the senders' own bounds hold.
	OnloopForcedBytes int64
	// LogSndHWM and LogRcvHWM bound the log batches waiting to be sent to one
	// logger, and those read at a time from one node.
	LogSndHWM, LogRcvHWM int
	// LogImmediate makes batches wait only for loggers that are connected; those
	// waiting for one that goes away are lost.
	LogImmediate bool
	LogOverflow  LogOverflow
	// Sizes of the kernel's buffers in bytes; -1 leaves them alone.
	XPUBSndBuf, XSUBRcvBuf, LogSndBuf, LogRcvBuf int
	// ConnectXPUBNoDrop makes Publish return [ErrDropped] when the broker is
	// behind. Without it the drop is counted only.
	ConnectXPUBNoDrop bool
	// Linger is how long Close goes on sending (linger_ms); below 0 it does until
	// all is sent.
	Linger time.Duration

	// WriteBufferSize is the number of records in a log batch, and FlushInterval
	// how long a record waits for more; 0 waits until the batch is full. (Module
	// Log.)
	WriteBufferSize int
	FlushInterval   time.Duration

	// EventSerializer is how events are published: BrokerBinV1 or BrokerJSONV1.
	// Both are understood.
	EventSerializer string

	// Prefixes of the topics of one node, by name and by id, and of those that
	// tell a node that the broker has caught up.
	NodeTopicPrefix, NodeIDTopicPrefix, InternalTopicPrefix string
	// HelloExpiration is how long one half of a node's greeting waits for the
	// other, and how long a node may take to come back after the broker was
	// lost.
	HelloExpiration time.Duration

	// Telemetry says what is counted by topic and event. (Module
	// Cluster::Telemetry.)
	Telemetry TelemetryOptions
	// BesideLogger leaves the metrics that a Logger shows too to the one that
	// runs in the same process under the same name.
	BesideLogger bool

	// OnNodeUp and OnNodeDown are told when another node of the cluster has come
	// or gone (Cluster::node_up, Cluster::node_down). They run on the loop.
	OnNodeUp, OnNodeDown func(name, id string)

	// Sockets configures what all sockets share. What the fields above say goes
	// before.
	Sockets sockets.Options
	// Log gets the node's few lines; nil discards them.
	Log *slog.Logger
}

// DefaultOptions returns Zeek's defaults, for a client.
func DefaultOptions() Options {
	return Options{
		Node:                "znode",
		ConnectXPUBEndpoint: "tcp://127.0.0.1:5556",
		ConnectXSUBEndpoint: "tcp://127.0.0.1:5555",
		XPUBSndHWM:          1000,
		XSUBRcvHWM:          1000,
		OnloopQueueHWM:      10000,
		OnloopGrace:         DefaultOnloopGrace,
		OnloopForcedBytes:   DefaultOnloopForcedBytes,
		LogSndHWM:           1000,
		LogRcvHWM:           1000,
		XPUBSndBuf:          -1,
		XSUBRcvBuf:          -1,
		LogSndBuf:           -1,
		LogRcvBuf:           -1,
		ConnectXPUBNoDrop:   true,
		Linger:              DefaultLinger,
		WriteBufferSize:     1000,
		FlushInterval:       time.Second,
		EventSerializer:     BrokerBinV1,
		NodeTopicPrefix:     "zeek.cluster.node",
		NodeIDTopicPrefix:   "zeek.cluster.nodeid",
		InternalTopicPrefix: "zeek.zeromq.internal.",
		HelloExpiration:     10 * time.Second,
		Telemetry:           DefaultTelemetryOptions(),
		Sockets:             sockets.DefaultOptions(),
	}
}

const (
	// DefaultOnloopGrace is how long reading pauses for a full onloop queue.
	DefaultOnloopGrace = 500 * time.Millisecond
	// DefaultOnloopForcedBytes bounds what may not be dropped in the onloop
	// queue.
	DefaultOnloopForcedBytes = 64 << 20
)

// maxNameBytes bounds a node's name, which is part of every topic of its own.
const maxNameBytes = 128

// Validate reports the first option that has a value it cannot take.
func (o *Options) Validate() error {
	if o.Node == "" || len(o.Node) > maxNameBytes {
		return fmt.Errorf("node name %q: want 1 to %d bytes", o.Node, maxNameBytes)
	}
	if err := o.validateEndpoints(); err != nil {
		return err
	}
	for _, c := range []struct {
		name string
		v    int64
		low  int64
	}{
		{"xpub_sndhwm", int64(o.XPUBSndHWM), 0},
		{"xsub_rcvhwm", int64(o.XSUBRcvHWM), 0},
		{"onloop_queue_hwm", int64(o.OnloopQueueHWM), 0},
		{"onloop_grace", int64(o.OnloopGrace), 0},
		{"onloop_forced_bytes", o.OnloopForcedBytes, 1},
		{"log_sndhwm", int64(o.LogSndHWM), 0},
		{"log_rcvhwm", int64(o.LogRcvHWM), 0},
		{"xpub_sndbuf", int64(o.XPUBSndBuf), -1},
		{"xsub_rcvbuf", int64(o.XSUBRcvBuf), -1},
		{"log_sndbuf", int64(o.LogSndBuf), -1},
		{"log_rcvbuf", int64(o.LogRcvBuf), -1},
		{"write_buffer_size", int64(o.WriteBufferSize), 1},
		{"flush_interval", int64(o.FlushInterval), 0},
		{"hello_expiration", int64(o.HelloExpiration), 1},
	} {
		if c.v < c.low {
			return fmt.Errorf("%s is %d, the least is %d", c.name, c.v, c.low)
		}
	}
	if o.EventSerializer != BrokerBinV1 && o.EventSerializer != BrokerJSONV1 {
		return fmt.Errorf("event serializer %q, want %s or %s", o.EventSerializer, BrokerBinV1, BrokerJSONV1)
	}
	for name, prefix := range map[string]string{
		"node_topic_prefix": o.NodeTopicPrefix, "nodeid_topic_prefix": o.NodeIDTopicPrefix, "internal_topic_prefix": o.InternalTopicPrefix,
	} {
		if prefix == "" {
			return fmt.Errorf("%s is empty", name)
		}
	}
	if o.Mode == Member {
		if _, err := o.nodeType(); err != nil {
			return err
		}
	}
	return o.Telemetry.validate()
}

func (o *Options) validateEndpoints() error {
	if (o.ConnectXPUBEndpoint == "") != (o.ConnectXSUBEndpoint == "") {
		return errors.New("connect_xpub_endpoint and connect_xsub_endpoint: want both, or neither to log only")
	}
	if o.Mode == Member && o.ConnectXPUBEndpoint == "" {
		return errors.New("a member needs connect_xpub_endpoint and connect_xsub_endpoint")
	}
	for name, endpoints := range map[string][]string{
		"connect_xpub_endpoint": {o.ConnectXPUBEndpoint},
		"connect_xsub_endpoint": {o.ConnectXSUBEndpoint},
		"connect_log_endpoints": o.ConnectLogEndpoints,
		"listen_log_endpoint":   {o.ListenLogEndpoint},
	} {
		for _, e := range endpoints {
			if e == "" && name != "connect_log_endpoints" {
				continue
			}
			parsed, err := sockets.ParseEndpoint(e)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if parsed.Network == "tcp" && parsed.Port == 0 && name != "listen_log_endpoint" {
				return fmt.Errorf("%s: endpoint %q: a port is needed", name, e)
			}
		}
	}
	return nil
}

// nodeType finds out what a member is.
func (o *Options) nodeType() (NodeType, error) {
	if o.Layout != nil {
		n, ok := o.Layout[o.Node]
		switch {
		case !ok:
			return NodeNone, fmt.Errorf("node name %q is not in the cluster layout, which has %s",
				o.Node, strings.Join(o.Layout.Names(), ", "))
		case o.NodeType != NodeNone && o.NodeType != n.Type:
			return NodeNone, fmt.Errorf("node %q is a %s in the cluster layout, not a %s", o.Node, n.Type, o.NodeType)
		}
		return n.Type, nil
	}
	if o.NodeType != NodeNone {
		return o.NodeType, nil
	}
	kind, _, _ := strings.Cut(o.Node, "-")
	t, err := ParseNodeType(kind)
	if err != nil || t == NodeNone {
		return NodeNone, fmt.Errorf("node %q: its name does not tell its type; set node_type to one of %s",
			o.Node, strings.Join(nodeTypes[1:], ", "))
	}
	return t, nil
}

// xpub, xsub, push and pull are the options of the four sockets.
func (o *Options) xpub() sockets.Options {
	s := o.socket()
	s.SndHWM, s.SndBuf, s.Linger = o.XPUBSndHWM, o.XPUBSndBuf, o.Linger
	s.NoDrop = o.ConnectXPUBNoDrop
	s.Verbose = true
	s.QueueBytes = 0 // Zeek's rule counts events only
	return s
}

func (o *Options) xsub() sockets.Options {
	s := o.socket()
	s.RcvHWM, s.RcvBuf, s.Linger = o.XSUBRcvHWM, o.XSUBRcvBuf, 0
	return s
}

func (o *Options) push() sockets.Options {
	s := o.socket()
	s.SndHWM, s.SndBuf, s.Linger = o.LogSndHWM, o.LogSndBuf, o.Linger
	s.Immediate = o.LogImmediate
	if o.LogSndHWM == 0 {
		s.QueueBytes = 0
	}
	return s
}

func (o *Options) pull() sockets.Options {
	s := o.socket()
	s.RcvHWM, s.RcvBuf, s.Linger = o.LogRcvHWM, o.LogRcvBuf, 0
	if o.LogCurve != nil {
		o.LogCurve.secureLog(&s)
	}
	return s
}

func (o *Options) socket() sockets.Options {
	s := o.Sockets
	if s.Log == nil {
		s.Log = o.Log
	}
	return s
}
