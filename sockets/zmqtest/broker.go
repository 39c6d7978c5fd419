package zmqtest

import (
	"encoding/binary"
	"testing"
)

// A Broker is libzmq's zmq_proxy_steerable between two sockets that it owns
// until it is terminated.
type Broker struct {
	XSUBEndpoint string // where publishers (a node's XPUB) connect
	XPUBEndpoint string // where subscribers (a node's XSUB) connect

	xsub    *Socket
	control *Socket
}

// Statistics are the proxy's counters; a message counts once, with all frames.
// Its frontend is the XSUB, its backend the XPUB.
type Statistics struct {
	FrontendReceived, FrontendReceivedBytes uint64
	FrontendSent, FrontendSentBytes         uint64
	BackendReceived, BackendReceivedBytes   uint64
	BackendSent, BackendSentBytes           uint64
}

// Broker starts the broker that Zeek's manager runs, on ports that the kernel
// chooses: an XPUB with XPUB_VERBOSER and XPUB_NODROP, all else as libzmq has it.
func (p *Process) Broker(tb testing.TB) *Broker {
	tb.Helper()
	return p.BrokerAt(tb, Loopback, Loopback)
}

// BrokerAt is [Process.Broker] at these endpoints, such as those of one that
// was killed.
func (p *Process) BrokerAt(tb testing.TB, xsubEndpoint, xpubEndpoint string) *Broker {
	tb.Helper()
	xsub, xpub := p.Socket(tb, "XSUB"), p.Socket(tb, "XPUB")
	xpub.SetInt(tb, XPUB_VERBOSER, 1)
	xpub.SetInt(tb, XPUB_NODROP, 1)
	xsub.SetInt(tb, LINGER, 0)
	xpub.SetInt(tb, LINGER, 0)
	xsubEndpoint, xpubEndpoint = xsub.Bind(tb, xsubEndpoint), xpub.Bind(tb, xpubEndpoint)
	b := p.Proxy(tb, xsub, xpub)
	b.XSUBEndpoint, b.XPUBEndpoint = xsubEndpoint, xpubEndpoint
	return b
}

// Proxy starts zmq_proxy_steerable between two sockets of this process that
// are bound or connected already. Its endpoint fields stay empty.
func (p *Process) Proxy(tb testing.TB, xsub, xpub *Socket) *Broker {
	tb.Helper()
	control := &Socket{p: p, number: p.newSocket(), kind: "proxy control"}
	xsub.start(tb, request{Op: "proxy", Other: xpub.number, New: control.number}).ok(tb, Patience)
	return &Broker{xsub: xsub, control: control}
}

// Pause makes the proxy leave all messages where they are, until Resume.
func (b *Broker) Pause(tb testing.TB) {
	tb.Helper()
	b.control.SendText(tb, "PAUSE")
}

// Resume undoes Pause.
func (b *Broker) Resume(tb testing.TB) {
	tb.Helper()
	b.control.SendText(tb, "RESUME")
}

// Terminate ends the proxy and returns when it has let go of its sockets,
// which stay open until they are closed.
func (b *Broker) Terminate(tb testing.TB) {
	tb.Helper()
	b.control.SendText(tb, "TERMINATE")
	b.xsub.start(tb, request{Op: "nothing"}).ok(tb, Patience)
}

// Statistics asks for the counters.
func (b *Broker) Statistics(tb testing.TB) Statistics {
	tb.Helper()
	b.control.SendText(tb, "STATISTICS")
	frames := b.control.Recv(tb)
	var n [8]uint64
	if len(frames) != len(n) {
		tb.Fatalf("zmqtest: proxy statistics: %d frames, 8 expected", len(frames))
	}
	for i, frame := range frames {
		n[i] = binary.NativeEndian.Uint64(frame)
	}
	return Statistics{n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7]}
}
