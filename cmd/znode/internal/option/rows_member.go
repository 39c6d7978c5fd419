package option

import (
	"math"
	"time"
)

// These are the options of a member of the cluster, with the names and defaults
// of Zeek's module Cluster::Backend::ZeroMQ where it has them.
var member = []*Option{
	{
		Name: "node_type", Kind: enum("worker", "proxy", "logger", "manager", "control"), Use: Member,
		Help:  "what the node is; where it is not given, the `layout` or the beginning of the node's name says it",
		Field: func(c *Config) any { return &c.NodeType },
	},
	{
		Name: "xpub_sndhwm", Kind: highWaterMark, Default: "1000", Use: Member,
		Help:  "events that may wait for the broker; further ones are dropped",
		Field: func(c *Config) any { return &c.XPUBSndHWM },
	},
	{
		Name: "xpub_sndbuf", Kind: socketBuffer, Default: "-1", Use: Member,
		Help:  "kernel send buffer of the connection to publish over",
		Field: func(c *Config) any { return &c.XPUBSndBuf },
	},
	{
		Name: "connect_xpub_nodrop", Kind: Switch, Default: "true", Use: Member,
		Help:  "tell who publishes an event that it was dropped, instead of counting it only",
		Field: func(c *Config) any { return &c.ConnectXPUBNoDrop },
	},
	{
		Name: "xsub_rcvhwm", Kind: highWaterMark, Default: "1000", Use: Member,
		Help:  "events that are read at a time",
		Field: func(c *Config) any { return &c.XSUBRcvHWM },
	},
	{
		Name: "xsub_rcvbuf", Kind: socketBuffer, Default: "-1", Use: Member,
		Help:  "kernel receive buffer of the connection that events come over",
		Field: func(c *Config) any { return &c.XSUBRcvBuf },
	},
	{
		Name: "onloop_queue_hwm", Kind: highWaterMark, Default: "10000", Use: Member,
		Help:  "events that may wait for the loop; further ones are dropped after the `onloop_grace`",
		Field: func(c *Config) any { return &c.OnloopQueueHWM },
	},
	{
		Name: "onloop_grace", Default: "500ms", Use: Member,
		Kind:  duration(time.Millisecond, special{zero: "drop at once, as Zeek does"}),
		Help:  "how long reading pauses for a full queue before events are dropped; refills at a tenth of real time",
		Field: func(c *Config) any { return &c.OnloopGrace },
	},
	{
		Name: "onloop_forced_bytes", Kind: size(64*kib, min(tib, math.MaxInt)), Default: "64MiB", Use: Member,
		Help:  "bytes of what is never dropped, subscriptions and log batches, that may wait for the loop; beyond it their connections are not read",
		Field: func(c *Config) any { return &c.OnloopForcedBytes },
	},
	{
		Name: "hello_expiration", Kind: duration(time.Millisecond, special{}), Default: "10s", Use: Member,
		Help:  "how long one half of a node's greeting waits for the other, and how long nodes may take to come back after the broker was lost",
		Field: func(c *Config) any { return &c.HelloExpiration },
	},
	{
		Name: "event_serializer", Kind: enum("broker-bin-v1", "broker-json-v1"), Default: "broker-bin-v1", Use: Member,
		Help:  "how events are published; both forms are read",
		Field: func(c *Config) any { return &c.EventSerializer },
	},
	{
		Name: "core_metrics", Kind: telemetryKinds, Default: "info", Use: Member,
		Help:  "what is counted of events (Cluster::Telemetry): their number, their number by topic and name, their sizes by topic and name",
		Field: func(c *Config) any { return &c.CoreMetrics },
	},
	{
		Name: "node_topic_prefix", Kind: topicPrefix, Default: "zeek.cluster.node", Use: Member,
		Help:  "what the topics of nodes by name begin with",
		Field: func(c *Config) any { return &c.NodeTopicPrefix },
	},
	{
		Name: "nodeid_topic_prefix", Kind: topicPrefix, Default: "zeek.cluster.nodeid", Use: Member,
		Help:  "what the topics of nodes by id begin with",
		Field: func(c *Config) any { return &c.NodeIDTopicPrefix },
	},
	{
		Name: "internal_topic_prefix", Kind: topicPrefix, Default: "zeek.zeromq.internal.", Use: Member,
		Help:  "what the topics begin with by which a node learns that the broker has caught up",
		Field: func(c *Config) any { return &c.InternalTopicPrefix },
	},
}
