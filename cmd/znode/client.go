package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/go-zeromq/zmq4"

	"github.com/znode/znode/cmd/znode/internal/option"
	"github.com/znode/znode/node"
	"github.com/znode/znode/sockets"
)

// Topics of a cluster that mean something to its nodes (Zeek: policy/frameworks/
// cluster/backend/zeromq/options.zeek).
const (
	nodeIDTopic   = "zeek.cluster.nodeid."  // and a node's id and a dot
	nodeTopic     = "zeek.cluster.node."    // and a node's name and a dot
	internalTopic = "zeek.zeromq.internal." // and a node's id, a number and a dot
)

// client is a visitor of a cluster: no node knows that it is there. Commands use
// it instead of a node.Node because they want to hear their own events, and to
// know what became of a connection.
type client struct {
	id   string
	xpub *sockets.XPUB
	xsub *sockets.XSUB

	mu     sync.Mutex
	events map[zmq4.SocketType]sockets.Event // the last of each socket
	waits  map[string]chan struct{}          // by topic of our own
	number int                               // of the last such topic
	news   chan struct{}                     // told of each event; has room for one
	log    *slog.Logger
}

// clientHandlers are what a client calls; each may be nil.
type clientHandlers struct {
	batch        func(sockets.Batch)
	subscription func(sockets.Subscription)
}

func newClient(cfg *option.Config, log *slog.Logger, h clientHandlers) (*client, error) {
	c := &client{
		id:     clientID(cfg.Node),
		events: map[zmq4.SocketType]sockets.Event{},
		waits:  map[string]chan struct{}{},
		news:   make(chan struct{}, 1),
		log:    log,
	}
	o, err := clientSocket(cfg, c.happened)
	if err != nil {
		return nil, err
	}
	o.NoDrop, o.Verbose = true, true
	c.xpub, err = sockets.NewXPUB(o, func(s sockets.Subscription) {
		if s.Subscribe {
			c.passed(s.Prefix, passedSubscription)
		}
		if h.subscription != nil && s.Changed {
			h.subscription(s)
		}
	})
	if err != nil {
		return nil, err
	}
	c.xsub, err = sockets.NewXSUB(o, func(b sockets.Batch) {
		for m := range b.Messages() {
			c.passed(m.First(), passedMessage)
		}
		if h.batch != nil {
			h.batch(b)
		}
	})
	if err != nil {
		c.xpub.Close()
		return nil, err
	}
	return c, nil
}

// clientSocket are the options of all sockets of a client.
func clientSocket(cfg *option.Config, told func(sockets.Event)) (sockets.Options, error) {
	o := sockets.DefaultOptions()
	o.Linger = node.DefaultLinger
	o.OnEvent = told
	var err error
	o.Mechanism, err = curveClient(cfg)
	return o, err
}

// clientID is a node id in Zeek's form (zeek.cluster.backend.zeromq my_node_id).
func clientID(name string) string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("zeromq_%s_%s_%d_N%s", name, host, os.Getpid(), rand.Text()[:17])
}

// happened keeps what happens to connections, and says what changes.
func (c *client) happened(e sockets.Event) {
	c.mu.Lock()
	before, known := c.events[e.Socket]
	c.events[e.Socket] = e
	c.mu.Unlock()
	select {
	case c.news <- struct{}{}:
	default:
	}
	switch {
	case known && before.Kind == e.Kind && before.Reason == e.Reason:
	case e.Kind == sockets.EventConnected:
		c.log.Info("connected", "socket", string(e.Socket), "endpoint", e.Endpoint)
	case e.Reason == sockets.ReasonShutdown:
	default:
		attrs := []any{"socket", string(e.Socket), "endpoint", e.Endpoint}
		if e.Err != nil {
			attrs = append(attrs, "error", e.Err.Error())
		}
		c.log.Warn(e.Kind.String()+", trying again", attrs...)
	}
}

// last is the last event of a socket, if there was one.
func (c *client) last(socket zmq4.SocketType) (sockets.Event, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.events[socket]
	return e, ok
}

// first waits until something has happened to a socket, and returns the last such
// thing. Only one goroutine may call it at a time.
func (c *client) first(ctx context.Context, socket zmq4.SocketType) (sockets.Event, bool) {
	for {
		if e, ok := c.last(socket); ok {
			return e, true
		}
		select {
		case <-c.news:
		case <-ctx.Done():
			return sockets.Event{}, false
		}
	}
}

// trouble says what keeps the client from the broker, nil if it is connected.
func (c *client) trouble() error {
	var errs []error
	for _, s := range []zmq4.SocketType{zmq4.XPub, zmq4.XSub} {
		e, ok := c.last(s)
		if ok && e.Kind != sockets.EventConnected && e.Err != nil {
			errs = append(errs, e.Err)
		}
	}
	return errors.Join(errs...)
}

// connect connects to the broker, without waiting for that.
func (c *client) connect(cfg *option.Config) error {
	if err := c.xsub.Connect(cfg.ConnectXSUBEndpoint); err != nil {
		return fmt.Errorf("connect_xsub_endpoint: %w", err)
	}
	if err := c.xpub.Connect(cfg.ConnectXPUBEndpoint); err != nil {
		return fmt.Errorf("connect_xpub_endpoint: %w", err)
	}
	return nil
}

// close sends what waits, for as long as the options say, and disconnects.
func (c *client) close() {
	c.xpub.Close()
	c.xsub.Close()
}

// What a topic of our own is waited for with.
const (
	passedSubscription = "+"
	passedMessage      = "="
)

// own subscribes to a new topic that is this client's alone. subscribed is closed
// when that has come back through the broker: whatever others were subscribed to
// before has come, too. returned is closed when a message to topic has come back.
func (c *client) own() (topic string, subscribed, returned <-chan struct{}) {
	s, r := make(chan struct{}), make(chan struct{})
	c.mu.Lock()
	c.number++
	topic = fmt.Sprintf("%s%s.%d.", internalTopic, c.id, c.number)
	c.waits[passedSubscription+topic], c.waits[passedMessage+topic] = s, r
	c.mu.Unlock()
	c.xsub.Subscribe([]byte(topic))
	return topic, s, r
}

func (c *client) passed(topic []byte, how string) {
	if !strings.HasPrefix(string(topic), internalTopic) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if wait := c.waits[how+string(topic)]; wait != nil {
		delete(c.waits, how+string(topic))
		close(wait)
	}
}

// prefixes are what the cluster's nodes are subscribed to, this client left out.
func (c *client) prefixes() []string {
	return slices.DeleteFunc(c.xpub.Prefixes(), func(p string) bool {
		return strings.HasPrefix(p, internalTopic+c.id)
	})
}

// await waits for a channel to be closed. Its error says what was waited for and
// what stood in the way.
func (c *client) await(ctx context.Context, done <-chan struct{}, what string) error {
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	if err := c.trouble(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return errors.New(what + "; znode check may tell why")
}
