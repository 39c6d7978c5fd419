package sockets

import (
	"net"
	"time"
)

// probes is how many keepalive probes may go unanswered.
const probes = 3

// listenConfig returns what a socket listens with. The receive buffer must be
// set before the connection exists to take part in window scaling, so it is set
// on the listener where the system allows.
func listenConfig(o *Options) *net.ListenConfig {
	return &net.ListenConfig{KeepAlive: -1, Control: controlBuffers(o)}
}

func netDialer(o *Options) *net.Dialer {
	return &net.Dialer{KeepAlive: -1, Control: controlBuffers(o)}
}

// tune sets the options of a connection. A system that lacks one is no reason
// to refuse the peer.
func tune(nc net.Conn, o *Options) {
	if l, ok := nc.(*link); ok {
		nc = l.Conn
	}
	if b, ok := nc.(interface{ SetWriteBuffer(int) error }); ok && o.SndBuf >= 0 {
		_ = b.SetWriteBuffer(o.SndBuf)
	}
	if b, ok := nc.(interface{ SetReadBuffer(int) error }); ok && o.RcvBuf >= 0 {
		_ = b.SetReadBuffer(o.RcvBuf)
	}
	tcp, ok := nc.(*net.TCPConn)
	if !ok {
		return
	}
	_ = tcp.SetNoDelay(true)
	if o.KeepAlive > 0 {
		_ = tcp.SetKeepAliveConfig(net.KeepAliveConfig{
			Enable:   true,
			Idle:     o.KeepAlive,
			Interval: max(time.Second, o.KeepAlive/probes),
			Count:    probes,
		})
	}
	if o.UserTimeout > 0 {
		setUserTimeout(tcp, o.UserTimeout)
	}
}
