package load

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/znode/znode/bench/internal/rawsock"
	"github.com/znode/znode/bench/internal/zmtp"
)

const (
	nodeidPrefix = "zeek.cluster.nodeid."
	uniqueDigits = 17
	// joinStall is how long nothing new may be seen before a join is over, with
	// what it came to. A broker may lose subscriptions when many come at once.
	joinStall = 5 * time.Second
)

// nodeTopics returns what node i of a cluster subscribes to: its own node id and
// name, its role's topics, and the two that every Zeek node takes. A cluster has
// one manager, loggers and proxies, and workers for the rest.
func nodeTopics(i int) []string {
	role, number := "worker", i-8
	switch {
	case i == 0:
		role, number = "manager", 0
	case i <= 4:
		role, number = "logger", i
	case i <= 8:
		role, number = "proxy", i-4
	}
	name := role
	if number > 0 {
		name = fmt.Sprintf("%s-%d", role, number)
	}
	topics := []string{
		fmt.Sprintf("%szeromq_%s_host_%d_N%0*d.", nodeidPrefix, name, 20000+i, uniqueDigits, i),
		"zeek.cluster.node." + name + ".",
		"zeek.cluster." + role,
		"zeek/supervisor",
		"zeek/table/",
	}
	if role != "manager" {
		topics = append(topics, "zeek.cluster.pool."+role)
	}
	return topics
}

// nodeOf returns the number in a node id topic.
func nodeOf(topic []byte) (int, bool) {
	s := string(topic)
	if !strings.HasPrefix(s, nodeidPrefix) || !strings.HasSuffix(s, ".") || len(s) < len(nodeidPrefix)+uniqueDigits+1 {
		return 0, false
	}
	n, err := strconv.Atoi(s[len(s)-1-uniqueDigits : len(s)-1])
	return n, err == nil
}

// nodes are cluster nodes that join at the same time, each with an XPUB and an
// XSUB of its own, all in one goroutine.
type nodes struct {
	cfg    Config
	poller *rawsock.Poller
	buf    []byte
	conns  []*nodeConn // node i's XSUB is 2i, its XPUB 2i+1

	opened, greeted int
	complete        int // nodes that have seen all
	seen            int // first sights, of all nodes together
	last            time.Time
	took            time.Duration
}

// nodeConn is one connection of a node.
type nodeConn struct {
	fd        int
	handshake *zmtp.Handshake // nil once it is over
	connected bool
	carry     []byte
	seen      []bool // XPUB: nodes whose subscription has come
	count     int
}

func newNodes(cfg Config) (*nodes, error) {
	poller, err := rawsock.NewPoller()
	if err != nil {
		return nil, err
	}
	return &nodes{cfg: cfg, poller: poller, buf: make([]byte, readBytes)}, nil
}

func (ns *nodes) do(command string) error {
	switch command {
	case "snap":
		return nil
	case "join":
		ns.leave()
		return ns.join()
	default:
		return fmt.Errorf("unknown command %q", command)
	}
}

// join connects all nodes and returns when each has seen the node id
// subscriptions of all, its own among them, or when nothing comes any more.
func (ns *nodes) join() error {
	start := time.Now()
	ns.last = start
	for ns.complete < ns.cfg.Nodes {
		for ns.opened < 2*ns.cfg.Nodes && ns.opened-ns.greeted < ns.cfg.Inflight {
			if err := ns.open(); err != nil {
				return err
			}
		}
		before := ns.seen
		if _, err := ns.poller.Wait(100, ns.ready); err != nil {
			return err
		}
		if ns.seen != before {
			ns.last = time.Now()
		} else if time.Since(ns.last) > joinStall {
			break
		}
	}
	ns.took = ns.last.Sub(start)
	return nil
}

func (ns *nodes) open() error {
	addr, socketType := ns.cfg.SubAddr, zmtp.XSUB
	c := &nodeConn{}
	if ns.opened%2 == 1 {
		addr, socketType = ns.cfg.PubAddr, zmtp.XPUB
		c.seen = make([]bool, ns.cfg.Nodes)
	}
	c.handshake = zmtp.NewHandshake(socketType)
	var err error
	if c.fd, err = rawsock.Connect(addr); err != nil {
		return err
	}
	ns.conns = append(ns.conns, c)
	ns.opened++
	return ns.poller.Add(c.fd, rawsock.Out, len(ns.conns)-1)
}

// ready is what a connection does when the poller names it.
func (ns *nodes) ready(i int, _ uint32) error {
	c := ns.conns[i]
	if !c.connected {
		if err := rawsock.ConnectError(c.fd); err != nil {
			return fmt.Errorf("node %d: connect: %w", i/2, err)
		}
		c.connected = true
		if err := c.send(zmtp.Greeting()); err != nil {
			return fmt.Errorf("node %d: %w", i/2, err)
		}
		return ns.poller.Set(c.fd, rawsock.In, i)
	}
	start := copy(ns.buf, c.carry)
	c.carry = c.carry[:0]
	n, err := rawsock.Read(c.fd, ns.buf[start:])
	if err == nil {
		err = ns.take(i, ns.buf[:start+n])
	}
	if err != nil {
		return fmt.Errorf("node %d, %s: %w", i/2, []string{"XSUB", "XPUB"}[i%2], err)
	}
	return nil
}

// take reads what came on connection i.
func (ns *nodes) take(i int, b []byte) error {
	c := ns.conns[i]
	if c.handshake != nil {
		send, rest, done, err := c.handshake.Feed(b)
		if err != nil {
			return err
		}
		if err := c.send(send); err != nil || !done {
			return err
		}
		ns.greeted++
		c.handshake = nil
		if c.seen == nil {
			return c.send(subscriptions(i / 2))
		}
		b = rest
	}
	for {
		f, ok, err := zmtp.ParseFrame(b)
		if err != nil {
			return err
		}
		if !ok {
			c.carry = append(c.carry, b...)
			return nil
		}
		b = b[f.Size:]
		ns.note(c, f)
	}
}

func (ns *nodes) note(c *nodeConn, f zmtp.Frame) {
	prefix, on, ok := f.Subscription()
	if !ok || !on || c.seen == nil {
		return
	}
	n, ok := nodeOf(prefix)
	if !ok || n >= len(c.seen) || c.seen[n] {
		return
	}
	c.seen[n] = true
	ns.seen++
	if c.count++; c.count == len(c.seen) {
		ns.complete++
	}
}

func subscriptions(node int) (wire []byte) {
	for _, topic := range nodeTopics(node) {
		wire = zmtp.AppendSubscribe(wire, topic)
	}
	return wire
}

// send writes something small: a fresh connection always has room for it.
func (c *nodeConn) send(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	n, err := rawsock.Write(c.fd, b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	return err
}

// leave closes all connections.
func (ns *nodes) leave() {
	for _, c := range ns.conns {
		rawsock.Close(c.fd)
	}
	ns.conns, ns.opened, ns.greeted, ns.complete, ns.seen, ns.took = nil, 0, 0, 0, 0, 0
}

func (ns *nodes) snap() Snap {
	return Snap{Clock: rawsock.Clock(), Took: int64(ns.took), Count: ns.complete}
}

func (ns *nodes) close() {
	ns.leave()
	ns.poller.Close()
}
