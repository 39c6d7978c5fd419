// Package zmqtest gives tests real peers to talk to: libzmq itself, and a bare
// ZMTP peer that can misbehave.
//
// A [Process] is a child that runs libzmq 4.3 (Debian's python3-zmq, driven by
// the embedded peer.py) and obeys the test: sockets of every type with every
// option, several at once, each usable while another one waits. It can be
// stopped, continued and killed like the process of a real Zeek node.
//
//	p := zmqtest.Start(t)
//	xpub := p.Socket(t, "XPUB")
//	xpub.SetInt(t, zmqtest.XPUB_VERBOSE, 1)
//	endpoint := xpub.Bind(t, zmqtest.Loopback)
//	...
//	got := xpub.RecvText(t) // "\x01prefix"
//
// A [Node] is the pair of sockets that a Zeek node has towards the broker, with
// Zeek's own way to know that all earlier subscriptions have arrived. A
// [Broker] is the reference: zmq_proxy_steerable between the sockets Zeek uses.
// [Load] and [Gather] move many numbered messages and say what was lost,
// repeated or out of order.
//
// A [Raw] is one TCP or Unix connection that speaks ZMTP 3.0 (RFC 23) with the
// NULL mechanism as far as the test wants, and any other bytes after that. It
// shares no code with package sockets.
//
// Where python3-zmq is missing, [Start] skips the test; with CI set in the
// environment to 1 or true it fails it. ZMQTEST_PYTHON names another Python that
// can import zmq than Debian's /usr/bin/python3. Everything waits at most [Patience]
// and then fails the test with what it waited for, so no test hangs.
//
// Every call takes the test that is running and must be made from its
// goroutine; for what goes on beside it there is [Job]. To show that something
// does not arrive, send a marker behind it and look at what came before the
// marker ([Socket.RecvUntil], [Gather.Marker], [Node.Sync], [Raw.Ping]): order
// within a connection is kept, so nothing has to be waited out.
//
// Reading order: process.go, socket.go, load.go, monitor.go, broker.go,
// node.go, raw.go, listen.go, frames.go; protocol.go and peer.py are the way between.
package zmqtest
