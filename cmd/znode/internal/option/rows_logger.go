package option

import (
	"math"
	"time"
)

// maxDisk bounds what is given in bytes of disk; it is beyond every disk.
const maxDisk = 1 << 20 * int64(tib)

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
		Name: "rotation_interval", Default: "1h", Use: Logger,
		Kind:  duration(100*time.Millisecond, special{zero: "never"}),
		Help:  "how often log files are closed and set aside, counted from midnight; 0 is never",
		Field: func(c *Config) any { return &c.RotationInterval },
	},
	{
		Name: "flush_interval", Kind: duration(time.Millisecond, special{}), Default: "1s", Use: Logger,
		Help:  "how long a record may wait to be written while others keep coming",
		Field: func(c *Config) any { return &c.FlushInterval },
	},
	{
		Name: "max_streams", Kind: integer("COUNT", 1, 1_000_000), Default: "1000", Use: Logger,
		Help:  "log files open at a time; records for further ones are refused",
		Field: func(c *Config) any { return &c.MaxStreams },
	},
	{
		Name: "memory_limit", Kind: size(4*mib, min(tib, math.MaxInt)), Default: "64MiB", Use: Logger,
		Help:  "memory for what is read and not yet written; beyond it batches go to the spool, and when that is full no socket is read",
		Field: func(c *Config) any { return &c.MemoryLimit },
	},
	{
		Name: "spool_dir", Kind: optionalPath("DIR"), Default: "", Use: Logger,
		Help:  "where batches wait that there is no memory for; empty is .spool in log_dir",
		Field: func(c *Config) any { return &c.SpoolDir },
	},
	{
		Name: "spool_limit", Kind: size(mib, maxDisk), Default: "10GiB", Use: Logger,
		Help:  "bytes that may wait there",
		Field: func(c *Config) any { return &c.SpoolLimit },
	},
	{
		Name: "durability", Kind: enum("memory", "journal"), Default: "memory", Use: Logger,
		Help:  "what survives a kill: all that was written, or all that was read",
		Field: func(c *Config) any { return &c.Durability },
	},
	{
		Name: "rotation_size", Kind: size(0, maxDisk), Default: "0", Use: Logger,
		Help:  "bytes at which a log file is set aside before its time; 0 means never",
		Field: func(c *Config) any { return &c.RotationSize },
	},
	{
		Name: "rotation_command", Kind: program, Default: "", Use: Logger,
		Help:  "program, with arguments, that gets the absolute path of every file set aside",
		Field: func(c *Config) any { return &c.RotationCommand },
	},
	{
		Name: "archive_dir", Kind: optionalPath("DIR"), Default: "", Use: Logger,
		Help:  "where files are set aside, in a directory for each day; empty is log_dir",
		Field: func(c *Config) any { return &c.ArchiveDir },
	},
	{
		Name: "archive_compression", Kind: enum("none", "gzip", "zstd"), Default: "gzip", Use: Logger,
		Help:  "how they are compressed",
		Field: func(c *Config) any { return &c.ArchiveCompression },
	},
	{
		Name: "archive_max_age", Kind: duration(time.Minute, special{zero: "never"}), Default: "0", Use: Logger,
		Help:  "when they are deleted",
		Field: func(c *Config) any { return &c.ArchiveMaxAge },
	},
	{
		Name: "archive_max_size", Kind: size(0, maxDisk), Default: "0", Use: Logger,
		Help:  "bytes of them that are kept, the newest first; 0 means all",
		Field: func(c *Config) any { return &c.ArchiveMaxSize },
	},
	{
		Name: "reject_dir", Kind: optionalPath("DIR"), Default: "", Use: Logger,
		Help:  "where batches that do not decode are kept for znode decode; empty is .rejects in log_dir",
		Field: func(c *Config) any { return &c.RejectDir },
	},
	{
		Name: "reject_limit", Kind: size(0, maxDisk), Default: "64MiB", Use: Logger,
		Help:  "bytes of them that are kept; 0 means none",
		Field: func(c *Config) any { return &c.RejectLimit },
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
