package option

import (
	"math"
	"time"
)

var broker = []*Option{
	{
		Name: "listen_xsub_endpoint", Kind: listenEndpoint, Default: "tcp://127.0.0.1:5556", Use: Broker,
		Help:  "where nodes connect to publish; their `connect_xpub_endpoint`",
		Field: func(c *Config) any { return &c.ListenXSUBEndpoint },
	},
	{
		Name: "listen_xpub_endpoint", Kind: listenEndpoint, Default: "tcp://127.0.0.1:5555", Use: Broker,
		Help:  "where nodes connect to subscribe; their `connect_xsub_endpoint`",
		Field: func(c *Config) any { return &c.ListenXPUBEndpoint },
	},
	{
		Name: "listen_xpub_nodrop", Kind: Switch, Default: "true", Use: Broker,
		Help:  "let a full subscriber hold publishers back, for its slow_subscriber_grace, before its messages are dropped",
		Field: func(c *Config) any { return &c.ListenXPUBNoDrop },
	},
	{
		Name: "slow_subscriber_grace", Default: "1s", Use: Broker,
		Kind:  duration(time.Millisecond, special{zero: "never hold", forever: "hold for ever, as Zeek does"}),
		Help:  "how long a full subscriber may hold publishers back before what is for it is dropped",
		Field: func(c *Config) any { return &c.SlowSubscriberGrace },
	},
	{
		Name: "peer_queue_bytes", Kind: size(64*kib, min(tib, math.MaxInt)), Default: "64MiB", Use: Broker,
		Help:  "bytes that may wait for one subscriber; it is full when this or listen_xpub_sndhwm is reached",
		Field: func(c *Config) any { return &c.PeerQueueBytes },
	},
	{
		Name: "listen_xpub_sndhwm", Kind: highWaterMark, Default: "1000", Use: Broker,
		Help:  "messages that may wait for one subscriber",
		Field: func(c *Config) any { return &c.ListenXPUBSndHWM },
	},
	{
		Name: "listen_xsub_rcvhwm", Kind: highWaterMark, Default: "1000", Use: Broker,
		Help:  "messages that may wait from one publisher",
		Field: func(c *Config) any { return &c.ListenXSUBRcvHWM },
	},
	{
		Name: "listen_xpub_sndbuf", Kind: socketBuffer, Default: "-1", Use: Broker,
		Help:  "kernel send buffer of each connection to a subscriber",
		Field: func(c *Config) any { return &c.ListenXPUBSndBuf },
	},
	{
		Name: "listen_xsub_rcvbuf", Kind: socketBuffer, Default: "-1", Use: Broker,
		Help:  "kernel receive buffer of each connection from a publisher",
		Field: func(c *Config) any { return &c.ListenXSUBRcvBuf },
	},
}
