package option

// These are the options of Zeek's ASCII writer under Zeek's names and with its
// defaults: scripts/base/frameworks/logging/writers/ascii.zeek. There log_format
// is the flag use_json.
var ascii = []*Option{
	{
		Name: "log_format", Kind: enum("tsv", "json"), Default: "tsv", Use: Logger | Demo,
		Help:  "format of log files",
		Field: func(c *Config) any { return &c.LogFormat },
	},
	{
		Name: "enable_utf_8", Kind: Switch, Default: "true", Use: Logger | Demo,
		Help:  "write valid UTF-8 as it is; false escapes everything but ASCII",
		Field: func(c *Config) any { return &c.EnableUTF8 },
	},
	{
		Name: "include_meta", Kind: Switch, Default: "true", Use: Logger | Demo,
		Help:  "write header lines and the `#close` line (TSV)",
		Field: func(c *Config) any { return &c.IncludeMeta },
	},
	{
		Name: "separator", Kind: mark(false), Default: `\x09`, Use: Logger | Demo,
		Help:  "what stands between columns (TSV)",
		Field: func(c *Config) any { return &c.Separator },
	},
	{
		Name: "set_separator", Kind: mark(false), Default: ",", Use: Logger | Demo,
		Help:  "what stands between elements of sets and vectors (TSV)",
		Field: func(c *Config) any { return &c.SetSeparator },
	},
	{
		Name: "empty_field", Kind: mark(true), Default: "(empty)", Use: Logger | Demo,
		Help:  "what stands for an empty string, set or vector (TSV)",
		Field: func(c *Config) any { return &c.EmptyField },
	},
	{
		Name: "unset_field", Kind: mark(true), Default: "-", Use: Logger | Demo,
		Help:  "what stands for a field without a value (TSV)",
		Field: func(c *Config) any { return &c.UnsetField },
	},
	{
		Name: "meta_prefix", Kind: mark(true), Default: "#", Use: Logger | Demo,
		Help:  "what header lines begin with (TSV)",
		Field: func(c *Config) any { return &c.MetaPrefix },
	},
	{
		Name: "json_timestamps", Default: "epoch", Use: Logger | Demo,
		Kind:  enum("epoch", "millis", "millis_unsigned", "iso8601"),
		Help:  "how times are written (JSON): seconds with a fraction, milliseconds, or text",
		Field: func(c *Config) any { return &c.JSONTimestamps },
	},
	{
		Name: "json_include_unset_fields", Kind: Switch, Default: "false", Use: Logger | Demo,
		Help:  "write fields without a value as null (JSON) instead of leaving them out",
		Field: func(c *Config) any { return &c.JSONIncludeUnsetFields },
	},
	{
		Name: "json_string_escape_policy", Kind: enum("hex", "pua", "tsv"), Default: "hex", Use: Logger | Demo,
		Help:  "how bytes that are not text are written (JSON): as `\\xnn`, as private-use characters, or as in TSV",
		Field: func(c *Config) any { return &c.JSONStringEscapePolicy },
	},
}
