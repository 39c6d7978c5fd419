// Package node is what a process can be in a Zeek cluster: a node that publishes
// events, reacts to them and logs; the broker that all nodes are connected
// through; and a logger that writes what they log.
//
// All follow Zeek 9.1's ZeroMQ cluster backend (src/cluster/backend/zeromq and
// policy/frameworks/cluster/backend/zeromq in Zeek's source), whose option and
// metric names they use.
//
//   - [New] makes a [Node]. It is for sensors and tools, and as a [Member] it is
//     one of the cluster's nodes.
//   - [NewBroker] starts a [Broker]: an XSUB and an XPUB socket with a proxy
//     between them. See also src/cluster/backend/zeromq/ZeroMQ-Proxy.cc.
//   - [NewLogger] starts a [Logger]: a PULL socket whose batches of log writes
//     become files as Zeek's ASCII writer writes them. See also
//     src/logging/writers/ascii/Ascii.cc.
//   - [NewCurveServer] is what makes them encrypt, and take only the clients of a
//     list, each with its rights.
//   - [ServeMetrics] starts the HTTP server that shows their counters.
//
// Broker, logger and server are running when their constructor returns, a node
// after [Node.Start], so that handlers can be registered first. All are stopped
// by Close, which drains. A constructor that fails leaves nothing behind.
//
// # A sensor
//
//	opt := node.DefaultOptions()
//	opt.ConnectLogEndpoints = []string{"tcp://10.0.0.5:5557"}
//	n, err := node.New(opt)
//	n.Handle("Sensor::stop", func(e *node.Event) { ... })
//	err = n.Subscribe("sensors.", nil)
//	err = n.Start()
//	defer n.Close()       // sends what waits, for up to opt.Linger
//	err = n.WaitReady(ctx) // what is published before finds no subscribers
//	err = n.Publish("sensors.door", "Sensor::reading", "door-1", 21.5)
//	l, err := node.OpenLog(n, readings)
//	err = l.Write(&reading{time.Now(), "door-1"})
//
// The program in examples/linelog logs the lines of its standard input.
//
// # Overload
//
// What is bounded, and what happens at the bound, is as in Zeek:
//
//	what                        bound                 beyond it
//	events to be published      XPUBSndHWM            dropped, counted; Publish returns ErrDropped
//	received events             OnloopQueueHWM        reading pauses for OnloopGrace, then dropped, counted
//	received logs, (un)subscr.  OnloopForcedBytes     not read, so that the sender's bound holds
//	log batches to be sent      LogSndHWM per logger  dropped, counted, Write returns ErrDropped; or Write waits
//
// At any time what was received equals what was handled, dropped, or is in the
// queue ([Stats]). Each time of drops is logged once when it begins and once when
// it is over.
//
// # Goroutines of a node
//
//	goroutine        started by        ends when
//	loop             Start             the queue is closed and empty
//	flusher of logs  Start             Close, after the loop
//	those of its sockets: see package sockets
//
// Close ends them in this order: what is read stops, the loop handles what was
// received, logs are flushed, and the sockets send what waits.
//
// # Files of a node in reading order
//
// node_options.go, node.go, node_id.go; node_intake.go, node_bounds.go,
// node_loop.go, node_handlers.go, node_event.go; node_publish.go,
// node_subscribe.go; member.go, member_expiry.go, member_layout.go; logstream.go,
// logstream_flush.go; telemetry.go, telemetry_place.go, telemetry_metrics.go,
// node_stats.go, node_metrics.go.
package node
