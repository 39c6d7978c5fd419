package option

import "time"

// Names of the TCP options follow libzmq's ZMQ_TCP_KEEPALIVE, ZMQ_TCP_KEEPALIVE_IDLE
// and ZMQ_TCP_MAXRT. With these defaults a peer that vanished is gone within a
// minute, idle or not.
var connections = []*Option{
	{
		Name: "handshake_timeout", Kind: duration(time.Millisecond, special{}), Default: "10s", Use: Roles,
		Help:  "how long a new connection may take to introduce itself before it is closed",
		Field: func(c *Config) any { return &c.HandshakeTimeout },
	},
	{
		Name: "max_connections", Kind: integer("COUNT", 1, 1<<20), Default: "65536", Use: Roles,
		Help:  "connections that one listening socket holds at a time; further ones are closed",
		Field: func(c *Config) any { return &c.MaxConnections },
	},
	{
		Name: "max_message_size", Kind: size(4*kib, gib), Default: "256MiB", Use: Runnable,
		Help:  "bytes of one message, all frames together; a peer that sends more is disconnected; the logger's default is a quarter of its memory limit",
		Field: func(c *Config) any { return &c.MaxMessageSize },
	},
	{
		Name: "max_subscriptions", Kind: integer("COUNT", 1, 1<<30), Default: "100000", Use: Broker,
		Help:  "prefixes that one peer may be subscribed to; a peer that wants more is disconnected",
		Field: func(c *Config) any { return &c.MaxSubscriptions },
	},
	{
		Name: "max_subscription_bytes", Kind: size(kib, gib), Default: "16MiB", Use: Broker,
		Help:  "bytes of the prefixes that one peer may be subscribed to, taken together",
		Field: func(c *Config) any { return &c.MaxSubscriptionBytes },
	},
	{
		Name: "ipv6", Kind: Switch, Default: "false", Use: Roles,
		Help:  "let `*` in an endpoint stand for IPv6 and IPv4 instead of IPv4 alone",
		Field: func(c *Config) any { return &c.IPv6 },
	},
	{
		Name: "tcp_keepalive", Kind: Switch, Default: "true", Use: Runnable,
		Help:  "probe connections on which nothing arrives",
		Field: func(c *Config) any { return &c.TCPKeepalive },
	},
	{
		Name: "tcp_keepalive_idle", Kind: duration(time.Second, special{}), Default: "25s", Use: Roles,
		Help:  "silence before the first probe, and how long probes may then stay unanswered",
		Field: func(c *Config) any { return &c.TCPKeepaliveIdle },
	},
	{
		Name: "tcp_maxrt", Default: "45s", Use: Runnable,
		Kind:  duration(time.Second, special{zero: "the kernel's default"}),
		Help:  "how long sent bytes may wait for the peer to take them before it is gone (Linux: TCP_USER_TIMEOUT); a node that is stopped for longer is disconnected",
		Field: func(c *Config) any { return &c.TCPMaxRT },
	},
	{
		Name: "heartbeat_interval", Default: "0", Use: Roles,
		Kind:  duration(10*time.Millisecond, special{zero: "never"}),
		Help:  "how often peers are asked for a life sign (PING); TCP's own probes do without the peer's process",
		Field: func(c *Config) any { return &c.HeartbeatInterval },
	},
	{
		Name: "heartbeat_timeout", Kind: duration(10*time.Millisecond, special{}), Default: "30s", Use: Roles,
		Help:  "how long they may take for it before they are disconnected",
		Field: func(c *Config) any { return &c.HeartbeatTimeout },
	},
}
