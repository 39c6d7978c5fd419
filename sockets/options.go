package sockets

import (
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/go-zeromq/zmq4"
)

// Options configures a socket. DefaultOptions gives libzmq's values; the zero
// value of a field is not a request for the default unless it says so.
type Options struct {
	// SndHWM bounds the messages queued for one peer; 0 is no bound.
	SndHWM int
	// RcvHWM bounds the messages of one peer that are in the handler's hands
	// at a time; 0 leaves it to this package. The rest waits in the kernel and
	// at the sender.
	RcvHWM int
	// QueueBytes bounds the memory queued for one peer, counted by what is kept
	// alive; 0 is no bound. A single message larger than it still passes.
	QueueBytes int

	// SndBuf and RcvBuf are the kernel's buffer sizes in bytes; -1 leaves its
	// defaults.
	SndBuf, RcvBuf int

	// MaxMessageSize bounds one message, all frames with their headers, in
	// bytes. A peer that sends a larger one loses its connection.
	MaxMessageSize int
	// MaxConnections bounds the accepted connections of the socket, those in
	// their handshake included. Further ones are closed at once.
	MaxConnections int
	// HandshakeTimeout bounds the time from the TCP connection to the end of
	// the ZMTP handshake.
	HandshakeTimeout time.Duration
	// MaxSubscriptions and MaxSubscriptionBytes bound what one peer of an XPUB
	// may be subscribed to. A peer that goes beyond loses its connection.
	MaxSubscriptions     int
	MaxSubscriptionBytes int

	// ReconnectInterval is the pause before a lost connection is dialled again.
	ReconnectInterval time.Duration
	// Linger is how long Close waits for queued messages to be taken by the
	// kernel; negative is for ever.
	Linger time.Duration
	// Immediate makes a connecting socket queue only for peers whose handshake
	// is done, and forget what was queued when a connection is lost.
	Immediate bool

	// Verbose makes an XPUB report every subscription, Verboser every
	// cancellation too. Otherwise the first holder's and the last holder's.
	Verbose, Verboser bool
	// NoDrop makes an XPUB refuse (Publish) or wait (Forward) when a peer's
	// queue is full, instead of dropping for that peer.
	NoDrop bool
	// SlowGrace bounds how long Forward waits for one peer: a budget that
	// refills at a tenth of real time. 0 never waits, negative waits for ever.
	SlowGrace time.Duration

	// TopicCounter, if not nil, gives an XPUB the counters of a topic, which
	// Forward adds to. It is asked once in a while for each topic, by several
	// goroutines; topics may share counters, and nil leaves one uncounted.
	TopicCounter func(topic []byte) *TopicCount

	// HeartbeatInterval is how often peers are asked for a life sign (PING); 0
	// switches that off. One that gives none for HeartbeatTimeout after it was asked
	// loses its connection; that is noticed when the next ones are asked. It has to
	// read what waits for it to get there, so this is not for slow peers. The time
	// that a handler takes over what it has sent does not count.
	HeartbeatInterval, HeartbeatTimeout time.Duration

	// IPv6 makes a wildcard endpoint include IPv6.
	IPv6 bool
	// KeepAlive is the idle time after which TCP probes a peer, and the bound
	// on how long the probes go on; 0 switches probing off.
	KeepAlive time.Duration
	// UserTimeout bounds how long sent data may stay unacknowledged before the
	// kernel gives up the connection (Linux); 0 is the kernel's own bound.
	UserTimeout time.Duration

	// Mechanism makes the security of one connection; nil is the NULL
	// mechanism. A value that is also a FrameCodec protects the traffic.
	Mechanism func(server bool) zmq4.Security

	// The following decide what a peer may do, as a rule by its Identity. All
	// may be nil, which allows everything and costs nothing. They are asked again
	// by Readmit and Rejudge, when the answers may have changed. They are called
	// by several goroutines, also while the socket is locked: they must not wait
	// for it.

	// Admit is asked about a peer of a bound socket when its handshake is done.
	// A connection that it refuses ends with ReasonUnauthorized.
	Admit func(p *Peer) bool
	// MaySubscribe is asked before an XPUB takes a subscription. One that it
	// refuses has no effect and nobody is told of it, but it counts to
	// MaxSubscriptions, because it is taken when Rejudge finds it allowed. again
	// is true for such a question about what was refused before.
	MaySubscribe func(p *Peer, prefix []byte, again bool) bool
	// Sees is asked about a peer of an XSUB when it connects, and returns which
	// subscriptions the peer is told of; nil stands for all of them.
	Sees func(p *Peer) (sees func(prefix []byte) bool)

	// Log gets the socket's few lines; nil discards them.
	Log *slog.Logger
	// OnEvent, if not nil, is told of connections as they come and go, in order,
	// on one goroutine of the socket. While it blocks, later events wait; beyond
	// a thousand they are lost (Stats.LostEvents).
	OnEvent func(Event)
}

// DefaultOptions returns libzmq's defaults where it has one: HWMs of 1000, the
// kernel's buffers, no keepalive, reconnection every 100 ms, lingering for ever.
// The bounds against hostile peers are ours.
func DefaultOptions() Options {
	return Options{
		SndHWM:               1000,
		RcvHWM:               1000,
		QueueBytes:           64 << 20,
		SndBuf:               -1,
		RcvBuf:               -1,
		MaxMessageSize:       256 << 20,
		MaxConnections:       65536,
		HandshakeTimeout:     10 * time.Second,
		MaxSubscriptions:     100_000,
		MaxSubscriptionBytes: 16 << 20,
		ReconnectInterval:    100 * time.Millisecond,
		Linger:               -1,
	}
}

// Validate reports the first field that is out of its bounds.
func (o *Options) Validate() error {
	check := func(name string, v, low int) error {
		if v < low {
			return fmt.Errorf("sockets: option %s is %d, the least is %d", name, v, low)
		}
		return nil
	}
	for _, c := range []struct {
		name   string
		v, low int
	}{
		{"SndHWM", o.SndHWM, 0},
		{"RcvHWM", o.RcvHWM, 0},
		{"QueueBytes", o.QueueBytes, 0},
		{"SndBuf", o.SndBuf, -1},
		{"RcvBuf", o.RcvBuf, -1},
		{"MaxMessageSize", o.MaxMessageSize, 1},
		{"MaxConnections", o.MaxConnections, 1},
		{"MaxSubscriptions", o.MaxSubscriptions, 1},
		{"MaxSubscriptionBytes", o.MaxSubscriptionBytes, 1},
		{"HandshakeTimeout", int(min(o.HandshakeTimeout, 1)), 1},
		{"ReconnectInterval", int(min(o.ReconnectInterval, 1)), 1},
		{"HeartbeatInterval", int(min(o.HeartbeatInterval, 1)), 0},
		{"HeartbeatTimeout", int(min(o.HeartbeatTimeout, 1)), 0},
		{"KeepAlive", int(min(o.KeepAlive, 1)), 0},
		{"UserTimeout", int(min(o.UserTimeout, 1)), 0},
	} {
		if err := check(c.name, c.v, c.low); err != nil {
			return err
		}
	}
	if o.MaxMessageSize > math.MaxInt32 {
		return fmt.Errorf("sockets: option MaxMessageSize is %d, the most is %d", o.MaxMessageSize, math.MaxInt32)
	}
	return nil
}
