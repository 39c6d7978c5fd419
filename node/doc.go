// Package node is what a process can be in a Zeek cluster: the broker that all
// nodes are connected through, and a logger that writes what they log.
//
// Both follow Zeek 9.1's ZeroMQ cluster backend
// (src/cluster/backend/zeromq and policy/frameworks/cluster/backend/zeromq in
// Zeek's source), whose option and metric names they use.
//
//   - [NewBroker] starts a [Broker]: an XSUB and an XPUB socket with a proxy
//     between them. See also src/cluster/backend/zeromq/ZeroMQ-Proxy.cc.
//   - [NewLogger] starts a [Logger]: a PULL socket whose batches of log writes
//     become files as Zeek's ASCII writer writes them. See also
//     src/logging/writers/ascii/Ascii.cc.
//   - [ServeMetrics] starts the HTTP server that shows their counters.
//
// All three are running when their constructor returns and are stopped by
// Close, which drains first. A constructor that fails leaves nothing behind.
package node
