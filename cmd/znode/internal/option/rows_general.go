package option

var general = []*Option{
	{
		Name: "config", Kind: path("FILE"), Use: All, NotInFile: true,
		Help:  "TOML file to read options from",
		Field: func(c *Config) any { return &c.Config },
	},
	{
		Name: "node", Kind: nodeName, Default: "znode", Use: All,
		Help:  "name of this node: the `node` label of its metrics, part of its node id, its entry in the layout",
		Field: func(c *Config) any { return &c.Node },
	},
	{
		Name: "log_level", Kind: logLevel, Default: "info", Use: All, Reload: true,
		Help:  "least severe message to print on stderr",
		Field: func(c *Config) any { return &c.LogLevel },
	},
	{
		Name: "metrics_address", Kind: httpAddress, Default: "127.0.0.1:9991", Use: Runnable | Demo,
		Help:  "where to serve `/metrics` and `/healthz`, and `/services.json` with a `layout`; empty switches it off; where it is not given, a `member` alone serves none and `demo` at any port",
		Field: func(c *Config) any { return &c.MetricsAddress },
	},
}
