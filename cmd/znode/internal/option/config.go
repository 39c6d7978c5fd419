package option

import (
	"log/slog"
	"time"

	"github.com/znode/znode/sockets/curve"
)

// Forever is the value of a duration that was given as -1.
const Forever time.Duration = -1

// KernelDefault is the value of a socket buffer size that leaves it alone.
const KernelDefault = -1

// Config holds the value of every option. The meaning of each field is the help
// text of the option that its name spells (ListenXSUBEndpoint is
// listen_xsub_endpoint); comments here only add units. Every int64 that is about memory fits an int.
type Config struct {
	// General.
	Config         string // path of the file; empty when there is none
	Node           string
	LogLevel       slog.Level
	MetricsAddress string // host:port; empty means no metrics server

	// Broker.
	ListenXSUBEndpoint  string
	ListenXPUBEndpoint  string
	ListenXPUBNoDrop    bool
	SlowSubscriberGrace time.Duration // 0 never holds publishers, Forever always
	PeerQueueBytes      int64         // per peer
	ListenXPUBSndHWM    int           // messages per peer, 0 means no limit
	ListenXSUBRcvHWM    int           // messages per peer, 0 means no limit
	ListenXPUBSndBuf    int           // bytes, or KernelDefault
	ListenXSUBRcvBuf    int           // bytes, or KernelDefault

	// Logger.
	ListenLogEndpoint  string
	LogDir             string
	RotationInterval   time.Duration // 0 means never
	FlushInterval      time.Duration
	MaxStreams         int
	MemoryLimit        int64  // bytes
	SpoolDir           string // empty means below LogDir
	SpoolLimit         int64  // bytes
	Durability         string // "memory" or "journal"
	RotationSize       int64  // bytes, 0 means never
	RotationCommand    string
	ArchiveDir         string        // empty means LogDir
	ArchiveCompression string        // "none", "gzip" or "zstd"
	ArchiveMaxAge      time.Duration // 0 means never
	ArchiveMaxSize     int64         // bytes, 0 means all
	RejectDir          string        // empty means below LogDir
	RejectLimit        int64         // bytes
	LogRcvHWM          int           // messages per peer, 0 means no limit
	LogRcvBuf          int           // bytes, or KernelDefault

	// Log files. Strings hold the bytes to write: escapes are resolved.
	LogFormat              string // "tsv" or "json"
	EnableUTF8             bool
	IncludeMeta            bool
	Separator              string
	SetSeparator           string
	EmptyField             string
	UnsetField             string
	MetaPrefix             string
	JSONTimestamps         string // "epoch", "millis", "millis_unsigned" or "iso8601"
	JSONIncludeUnsetFields bool
	JSONStringEscapePolicy string // "hex", "pua" or "tsv"

	// Cluster.
	Layout              string // path of the file; empty when there is none
	ConnectXPUBEndpoint string
	ConnectXSUBEndpoint string
	ConnectLogEndpoints []string

	// Member.
	NodeType            string // "" where it is not given
	XPUBSndHWM          int    // messages, 0 means no limit
	XPUBSndBuf          int    // bytes, or KernelDefault
	ConnectXPUBNoDrop   bool
	XSUBRcvHWM          int           // messages, 0 means no limit
	XSUBRcvBuf          int           // bytes, or KernelDefault
	OnloopQueueHWM      int           // messages, 0 means no limit
	OnloopGrace         time.Duration // 0 drops at once
	OnloopForcedBytes   int64
	HelloExpiration     time.Duration
	EventSerializer     string // "broker-bin-v1" or "broker-json-v1"
	CoreMetrics         string // "info", "verbose", "debug", separated by commas
	NodeTopicPrefix     string
	NodeIDTopicPrefix   string
	InternalTopicPrefix string

	// Encryption and rights.
	CurveServerPublicKey curve.Public
	CurveServerSecretKey curve.Secret
	CurveClientPublicKey curve.Public
	CurveClientSecretKey curve.Secret
	Clients              []Client

	// Connections.
	HandshakeTimeout     time.Duration
	MaxConnections       int   // per listening socket
	MaxMessageSize       int64 // bytes, all frames together
	MaxSubscriptions     int   // per peer
	MaxSubscriptionBytes int64 // per peer
	IPv6                 bool
	TCPKeepalive         bool
	TCPKeepaliveIdle     time.Duration
	TCPMaxRT             time.Duration // 0 leaves it to the kernel
	HeartbeatInterval    time.Duration // 0 is never
	HeartbeatTimeout     time.Duration
}
