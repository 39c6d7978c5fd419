// Package sockets speaks ZMTP: XPUB, XSUB, PUSH and PULL sockets that
// interoperate with libzmq's, bound or connecting, over TCP and Unix domain
// sockets.
//
// It follows RFC 23 (ZMTP 3.0) for greeting, framing and the NULL mechanism,
// RFC 37 (ZMTP 3.1) for the commands a 3.1 peer may send, RFC 29 (publish and
// subscribe) and RFC 30 (pipeline) for the sockets, and libzmq 4.3.4 where the
// RFCs leave room. The vocabulary ([zmq4.SocketType], [zmq4.Security],
// [zmq4.Metadata]) and the order of the handshake ([zmq4.Open]) are those of
// github.com/go-zeromq/zmq4; every byte of a peer is read, bounded and checked
// by this package before and after.
//
// # Messages and memory
//
// A [Message] is its wire-encoded frames in one piece of memory, so that
// forwarding needs no encoding. Received messages come in batches: a [Batch] is
// a run of complete messages of one peer that lie side by side in one chunk of
// pooled memory. The handler of a socket is called on the goroutine that reads
// the peer's connection; the batch is valid until the handler returns, and
// [Batch.Keep] makes one that lives until its [Batch.Release]. A handler that
// blocks stops the reading of that one connection, so TCP holds the sender back:
// this is how every limit of this package reaches a peer. There is no receive
// queue besides.
//
// What is to be sent waits in a queue per peer, bounded in messages
// ([Options.SndHWM]) and bytes ([Options.QueueBytes]). Queued bytes are counted
// by the memory they keep alive; what would keep alive more than four times its
// own size is copied instead.
//
// What [XPUB.Forward] is given is written by the goroutine that read it, without
// waiting; what the kernel does not take is left to the peer's writer. While a
// reader has more to read, small parts for many peers are put off until they are
// worth a write, or the reader is about to wait.
//
// # Rights
//
// What a peer may do is decided by the socket's user: [Options.Admit] who may be
// connected at all, [Options.MaySubscribe] what is subscribed to,
// [Options.Sees] who is told of whose subscriptions, [XPUB.ForwardIf] what is
// forwarded. A mechanism tells who a peer is ([Peer.Identity]). Answers may
// change: Readmit and Rejudge of the sockets ask again.
//
// # Goroutines
//
//	goroutine       started by        ends when
//	accept loop     Bind              Unbind, Close
//	dial loop       Connect           Disconnect, Close
//	reader          accept, dial,     the connection ends; calls the handler
//	                Attach
//	writer          first full write  the connection ends
//	poller          first connection  Close, when no connection is left (Linux)
//	heartbeat       New               Close, where there is one
//	monitor         New               Close, last: it logs and tells events
//
// Close stops them in this order and waits for all of them.
//
// # Files in reading order
//
// options.go, endpoint.go, errors.go; chunk.go, wire.go, message.go, batch.go;
// greeting.go, null.go, handshake.go; conn.go, link.go, stream_linux.go,
// poller_linux.go, sys_linux.go, read.go, parse.go; pipe.go, flush.go, turn.go,
// stats.go; socket.go, listen.go, dial.go, tune.go, heartbeat.go, event.go; trie.go,
// xpub.go, subscription.go, forward.go, slow.go; xsub.go; rights.go; push.go;
// pull.go.
package sockets
