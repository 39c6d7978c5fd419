package option

// The four keys have Zeek's names (module Cluster::Backend::ZeroMQ), as has their
// environment.
var curveKeys = []*Option{
	{
		Name: "curve_server_publickey", Kind: publicKey, Use: Runnable | Clients, ZeekEnv: zeekCurve + "SERVER_PUBLICKEY",
		Help:  "public key of the broker and the loggers",
		Field: func(c *Config) any { return &c.CurveServerPublicKey },
	},
	{
		Name: "curve_server_secretkey", Kind: secretKey, Use: Runnable | Clients, Secret: true, ZeekEnv: zeekCurve + "SERVER_SECRETKEY",
		Help:  "secret key of the broker and the loggers; it, or any other of these options, switches encryption on; better `file:PATH` than the key itself, which others see in the list of processes",
		Field: func(c *Config) any { return &c.CurveServerSecretKey },
	},
	{
		Name: "curve_client_publickey", Kind: publicKey, Use: Runnable | Clients, Reload: true, ZeekEnv: zeekCurve + "CLIENT_PUBLICKEY",
		Help:  "public key of the cluster's nodes, which have all rights",
		Field: func(c *Config) any { return &c.CurveClientPublicKey },
	},
	{
		Name: "curve_client_secretkey", Kind: secretKey, Use: Runnable | Clients, Secret: true, ZeekEnv: zeekCurve + "CLIENT_SECRETKEY",
		Help:  "secret key of the cluster's nodes, for what connects as one; better `file:PATH` than the key itself here too",
		Field: func(c *Config) any { return &c.CurveClientSecretKey },
	},
	{
		Name: "clients", Kind: clientList, Use: Roles, Reload: true, OnlyInFile: true,
		Help: "further clients that may enter, a table `[[clients]]` for each, with `name`, `public_key`, and their rights:" +
			" `publish` and `subscribe` (arrays of prefixes of topics, none when left out), `log` (true to let it log)",
		Field: func(c *Config) any { return &c.Clients },
	},
}

const zeekCurve = "ZEEK_CLUSTER_BACKEND_ZEROMQ_CURVE_"
