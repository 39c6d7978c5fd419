package option

// These say where the rest of the cluster is. The connect_* names and defaults
// are Zeek's (module Cluster::Backend::ZeroMQ); the names cross, because each is
// that of the node's socket and not of the broker's.
var cluster = []*Option{
	{
		Name: "layout", Kind: path("FILE"), Use: Runnable | Check,
		Help:  "cluster-layout.zeek of the cluster; `run` takes from its entry for `--node` where to listen (a broker at the ports of `ZEEK_CLUSTER_BACKEND_ZEROMQ_XSUB_PORT` and `_XPUB_PORT`, else 5556 and 5555), and takes part in the cluster under that name",
		Field: func(c *Config) any { return &c.Layout },
	},
	{
		Name: "connect_xpub_endpoint", Kind: connectEndpoint, Default: "tcp://127.0.0.1:5556", Use: Clients | Logger | Member,
		Help:  "the broker's XSUB, to publish to; its `listen_xsub_endpoint`",
		Field: func(c *Config) any { return &c.ConnectXPUBEndpoint },
	},
	{
		Name: "connect_xsub_endpoint", Kind: connectEndpoint, Default: "tcp://127.0.0.1:5555", Use: Clients | Logger | Member,
		Help:  "the broker's XPUB, to subscribe at; its `listen_xpub_endpoint`",
		Field: func(c *Config) any { return &c.ConnectXSUBEndpoint },
	},
	{
		Name: "connect_log_endpoints", Kind: connectEndpoints, Use: Check,
		Help:  "where loggers listen, separated by commas; their `listen_log_endpoint`",
		Field: func(c *Config) any { return &c.ConnectLogEndpoints },
	},
}
