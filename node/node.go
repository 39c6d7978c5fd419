package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/go-zeromq/zmq4"
	"golang.org/x/sys/cpu"

	"github.com/znode/znode/ring"
	"github.com/znode/znode/sockets"
)

var (
	// ErrClosed is returned by a node that has been closed.
	ErrClosed = errors.New("node: closed")
	// ErrDropped is returned for an event or a batch of log writes that was
	// dropped and counted because those it is for are behind, and by Close for
	// batches that no logger took in time.
	ErrDropped = errors.New("node: dropped, the peer is behind")
	// ErrStarted is returned by a second Start.
	ErrStarted = errors.New("node: started already")
)

// Node is a process's place in a Zeek cluster: it publishes events, reacts to
// events, and writes logs. As a [Member] it is one of the cluster's nodes, as a
// [Client] nobody knows of it.
//
//	goroutines of the connections                 the loop
//	XSUB -- events --------- Offer --.
//	XPUB -- subscriptions -- Force --+-- onloop queue -- handlers
//	PULL -- log batches ---- Force --'
//
//	Publish -- XPUB          LogStream.Write -- batch -- PUSH
//
// All handlers and callbacks run on one goroutine, the loop, one after the
// other: what came over one connection in the order in which it came. So they
// need no locks among themselves, one that takes long delays all others, and
// none of them may wait for another or call Close. All methods may be called
// from any goroutine, handlers included, unless they say otherwise.
//
//	New --> made --Start--> running --Close--> draining --> closed
//
// Register handlers between New and Start, so that no event comes too early.
type Node struct {
	opt  Options
	log  *slog.Logger
	id   string
	xpub *sockets.XPUB
	xsub *sockets.XSUB
	push *sockets.PUSH
	pull *sockets.PULL // nil unless the node takes log batches

	queue  *ring.MPSC[work]
	grace  *grace
	forced *forced
	member *member // nil for a client

	handlers atomic.Pointer[handlers]
	subs     subscriptions
	logs     logFlusher
	core     *telemetry

	// conns counts the connections that the XPUB and the XSUB have begun, so
	// that what was learned over a lost one can be told from what is still so.
	xpubConns, xsubConns atomic.Uint32

	life     sync.Mutex // held by Start and Close
	started  bool
	closed   atomic.Bool
	stop     context.Context // done when waiting has to end
	cancel   context.CancelFunc
	looped   chan struct{} // closed when the loop has ended
	finished chan struct{} // closed when Close is done

	_ cpu.CacheLinePad
	// Written by the goroutines that read.
	received, own, msgErrors, onloopDrops atomic.Uint64
	onloopEpisode                         episode
	msgComplaint                          complaint

	_ cpu.CacheLinePad
	// Written by the loop.
	handled, undecodable   atomic.Uint64
	logBatches, logRefused atomic.Uint64
	decodeComplaint        complaint
	_                      cpu.CacheLinePad
	// Written by whoever publishes.
	published, xpubDrops atomic.Uint64
	xpubEpisode          episode
}

// New checks the options and makes a node. It connects to nobody before
// [Node.Start]. A node that was made has to be closed.
func New(opt Options) (*Node, error) {
	if err := opt.Validate(); err != nil {
		return nil, fmt.Errorf("node: %w", err)
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	n := &Node{
		opt:      opt,
		log:      opt.Log,
		id:       newNodeID(opt.Node),
		queue:    ring.NewMPSC[work](opt.OnloopQueueHWM),
		looped:   make(chan struct{}),
		finished: make(chan struct{}),
	}
	n.stop, n.cancel = context.WithCancel(context.Background())
	n.grace = newGrace(opt.OnloopGrace, opt.OnloopQueueHWM, n.queue.Len)
	n.forced = newForced(opt.OnloopForcedBytes)
	n.handlers.Store(&handlers{})
	n.core = newTelemetry("core", opt.Telemetry)
	n.subs.init(n)
	if opt.Mode == Member {
		n.member = newMember(n)
	}
	if err := n.makeSockets(); err != nil {
		n.closeSockets()
		n.cancel()
		return nil, fmt.Errorf("node: %w", err)
	}
	n.logs.init(n)
	return n, nil
}

// makeSockets makes the sockets, unconnected.
func (n *Node) makeSockets() (err error) {
	if n.xpub, err = sockets.NewXPUB(n.counted(n.opt.xpub(), &n.xpubConns), n.takeSubscription); err != nil {
		return err
	}
	if n.xsub, err = sockets.NewXSUB(n.counted(n.opt.xsub(), &n.xsubConns), n.takeEvents); err != nil {
		return err
	}
	if n.push, err = sockets.NewPUSH(n.opt.push()); err != nil {
		return err
	}
	if n.opt.ListenLogEndpoint != "" {
		n.pull, err = sockets.NewPULL(n.opt.pull(), n.takeLogs)
	}
	return err
}

// counted makes the socket count the connections that it begins. The mechanism
// of a connection is made by the goroutine that then reads it, so whatever is
// read afterwards belongs to that connection or a later one.
func (n *Node) counted(o sockets.Options, conns *atomic.Uint32) sockets.Options {
	mechanism, told := o.Mechanism, o.OnEvent
	if mechanism == nil {
		mechanism = sockets.NewNull
	}
	o.Mechanism = func(server bool) zmq4.Security {
		conns.Add(1)
		return mechanism(server)
	}
	o.OnEvent = func(e sockets.Event) {
		if e.Kind == sockets.EventConnected && e.Socket == zmq4.XPub {
			n.queue.Force(work{kind: workConnected, conn: n.xpubConns.Load()})
		}
		if told != nil {
			told(e)
		}
	}
	return o
}

// Start connects the node. It does not wait for the connections, which are
// made, and made again, for as long as the node is open.
func (n *Node) Start() error {
	n.life.Lock()
	defer n.life.Unlock()
	switch {
	case n.closed.Load():
		return ErrClosed
	case n.started:
		return ErrStarted
	}
	if n.pull != nil {
		endpoint, err := n.pull.Bind(n.opt.ListenLogEndpoint)
		if err != nil {
			return fmt.Errorf("node: listen_log_endpoint: %w", err)
		}
		n.log.Info("node listens for logs", "endpoint", endpoint)
	}
	n.started = true
	go n.run()
	n.logs.start()
	if n.member != nil {
		n.member.subscribe()
	}
	if n.opt.ConnectXSUBEndpoint != "" {
		// Checked by Validate; nothing else can go wrong.
		if err := errors.Join(n.xsub.Connect(n.opt.ConnectXSUBEndpoint), n.xpub.Connect(n.opt.ConnectXPUBEndpoint)); err != nil {
			return fmt.Errorf("node: %w", err)
		}
	}
	for _, e := range n.opt.ConnectLogEndpoints {
		if err := n.push.Connect(e); err != nil {
			return fmt.Errorf("node: connect_log_endpoints: %w", err)
		}
	}
	n.log.Info("node started", "node", n.opt.Node, "id", n.id)
	return nil
}

// Close takes no more in, lets the handlers finish what was received, sends the
// logs and events that wait, for as long as Options.Linger says, and closes the
// sockets. It waits for all of it, handlers included, however long they take.
// [ErrDropped] says that batches of logs were still waiting for a logger at the
// end of that time; they are lost. Later calls wait for the first and do nothing.
func (n *Node) Close() error {
	n.life.Lock()
	if n.closed.Swap(true) {
		n.life.Unlock()
		<-n.finished
		return nil
	}
	started := n.started
	n.life.Unlock()

	// Readers that wait for the loop must let go before their sockets close.
	n.grace.close()
	n.forced.close()
	n.xsub.Close()
	if n.pull != nil {
		n.pull.Close()
	}
	n.queue.Close()
	if started {
		<-n.looped
	}
	n.logs.close()
	before := n.push.Stats().Lost
	n.closeSockets()
	n.cancel()
	close(n.finished)
	n.log.Info("node closed", "node", n.opt.Node)
	if lost := n.push.Stats().Lost - before; lost > 0 {
		n.log.Warn("log batches are lost, no logger took them", "batches", lost, "linger_ms", n.opt.Linger.Milliseconds())
		return fmt.Errorf("%w: %d log batches were not sent within %v of closing", ErrDropped, lost, n.opt.Linger)
	}
	return nil
}

// closeSockets closes all sockets there are, at once so that they linger
// together.
func (n *Node) closeSockets() {
	var wg sync.WaitGroup
	if n.xpub != nil {
		wg.Go(func() { n.xpub.Close() })
	}
	if n.xsub != nil {
		wg.Go(func() { n.xsub.Close() })
	}
	if n.push != nil {
		wg.Go(func() { n.push.Close() })
	}
	if n.pull != nil {
		wg.Go(func() { n.pull.Close() })
	}
	wg.Wait()
}

// ID returns the node's id, which is new with every New and sent with
// everything (Cluster::node_id).
func (n *Node) ID() string { return n.id }

// Name returns the node's name.
func (n *Node) Name() string { return n.opt.Node }

// XPUB returns the socket the node publishes over, for its figures.
func (n *Node) XPUB() *sockets.XPUB { return n.xpub }

// XSUB returns the socket the node subscribes with, for its figures.
func (n *Node) XSUB() *sockets.XSUB { return n.xsub }

// PUSH returns the socket that log batches leave by, for its figures.
func (n *Node) PUSH() *sockets.PUSH { return n.push }

// LogEndpoint returns where the node takes log batches, with the real port; ""
// if it does not or has not started.
func (n *Node) LogEndpoint() string {
	if n.pull == nil {
		return ""
	}
	for _, e := range n.pull.Endpoints() {
		return e
	}
	return ""
}
