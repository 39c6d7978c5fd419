package option

import "time"

var logger = []*Option{
	{
		Name: "listen_log_endpoint", Kind: listenEndpoint, Default: "tcp://127.0.0.1:5557", Use: Logger,
		Help:  "where nodes connect to send log records; one of their `connect_log_endpoints`",
		Field: func(c *Config) any { return &c.ListenLogEndpoint },
	},
	{
		Name: "log_dir", Kind: path("DIR"), Default: "./logs", Use: Logger | Demo,
		Help:  "directory that log files are written to; made when missing",
		Field: func(c *Config) any { return &c.LogDir },
	},
	{
		Name: "rotation_interval", Default: "0", Use: Logger,
		Kind:  duration(100*time.Millisecond, special{zero: "never"}),
		Help:  "how often log files are closed and set aside",
		Field: func(c *Config) any { return &c.RotationInterval },
	},
	{
		Name: "log_rcvhwm", Kind: highWaterMark, Default: "1000", Use: Logger,
		Help:  "log batches that may wait from one node",
		Field: func(c *Config) any { return &c.LogRcvHWM },
	},
	{
		Name: "log_rcvbuf", Kind: socketBuffer, Default: "-1", Use: Logger,
		Help:  "kernel receive buffer of each connection from a node",
		Field: func(c *Config) any { return &c.LogRcvBuf },
	},
}
