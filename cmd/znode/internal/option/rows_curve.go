package option

// Names and variables are Zeek's (policy/frameworks/cluster/backend/zeromq/
// options.zeek); a key in both of its places is refused there, too.
var curveKeys = []*Option{
	{
		Name: "curve_server_publickey", Kind: publicKey, Use: Clients,
		ZeekEnv: "ZEEK_CLUSTER_BACKEND_ZEROMQ_CURVE_SERVER_PUBLICKEY",
		Help:    "public key of the broker and the loggers; with the client's two keys it switches encryption on",
		Field:   func(c *Config) any { return &c.CurveServerPublicKey },
	},
	{
		Name: "curve_client_publickey", Kind: publicKey, Use: Clients,
		ZeekEnv: "ZEEK_CLUSTER_BACKEND_ZEROMQ_CURVE_CLIENT_PUBLICKEY",
		Help:    "public key of who connects",
		Field:   func(c *Config) any { return &c.CurveClientPublicKey },
	},
	{
		Name: "curve_client_secretkey", Kind: secretKey, Use: Clients, Secret: true,
		ZeekEnv: "ZEEK_CLUSTER_BACKEND_ZEROMQ_CURVE_CLIENT_SECRETKEY",
		Help:    "secret key of who connects; better `file:PATH` than the key itself, which others see in the list of processes",
		Field:   func(c *Config) any { return &c.CurveClientSecretKey },
	},
}
