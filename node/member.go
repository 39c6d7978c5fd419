package node

import (
	"fmt"
	"log/slog"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/znode/znode/codec"
)

// The events by which nodes find each other.
const (
	zeromqHello  = "Cluster::Backend::ZeroMQ::hello"
	clusterHello = "Cluster::hello"
)

// member is a node's view of the other nodes of its cluster, after Zeek's
// policy/frameworks/cluster/backend/zeromq/main.zeek. All of it but known is
// used by the loop alone.
//
// What a node sees of another one:
//
//	its subscription --> we send ZeroMQ::hello   .- both: we send Cluster::hello
//	its ZeroMQ::hello --------------------------'
//	its Cluster::hello --> node_up
//	its cancellation  --> node_down
type member struct {
	n       *Node
	present map[string]*presence // by id, whoever is subscribed to its own topic
	hellos  map[string]time.Time // ids whose ZeroMQ::hello waits for the subscription, and until when
	left    map[string]time.Time // ids whose subscription is cancelled, and until when to remember
	gone    map[string]string    // names by id of nodes that are down and may come back as they were
	unsent  []greeting           // what the XPUB had no room for
	next    time.Time            // the first deadline of all, or earlier; zero if none
	conn    uint32               // the connection of the XPUB that present is about
	resync  resync
	strange complaint // of greetings; a peer can cause one with every message

	mu    sync.Mutex // guards known, which the loop changes and anybody reads
	known known
}

// known is who is up, by name and by id.
type known struct {
	ids   map[string]string
	names map[string]string
}

// presence is a node whose subscription has been seen.
type presence struct {
	conn    uint32    // the last connection of ours over which it was
	expires time.Time // when to warn that no ZeroMQ::hello came; zero if it did
	greeted bool      // its ZeroMQ::hello came, and we have answered
	xsub    uint32    // the connection of our XSUB when we answered
}

// greeting is an event that could not be sent.
type greeting struct{ id, event string }

const (
	// maxHalfSeen bounds what is remembered of ids that anybody may invent, and the
	// greetings that wait; maxKnown the nodes of a cluster without a layout.
	maxHalfSeen = 10_000
	maxKnown    = 10_000
	// maxNodeID bounds an id, in bytes. Zeek's are two names and a few words.
	maxNodeID = 1024
	// resendInterval is how long a greeting waits for room.
	resendInterval = 50 * time.Millisecond
)

func newMember(n *Node) *member {
	return &member{
		n:       n,
		present: make(map[string]*presence),
		hellos:  make(map[string]time.Time),
		left:    make(map[string]time.Time),
		gone:    make(map[string]string),
		known:   known{ids: make(map[string]string), names: make(map[string]string)},
	}
}

// subscribe subscribes to what a node of this name and type is.
func (m *member) subscribe() {
	n := m.n
	t, _ := n.opt.nodeType() // checked by Validate
	topics := []string{n.nodeIDTopic(n.id), n.nodeTopic(n.opt.Node), "zeek/supervisor", "zeek/table/"}
	switch t {
	case NodeLogger, NodeProxy, NodeWorker:
		topics = append(topics, "zeek.cluster."+t.String(), "zeek.cluster.pool."+t.String())
	case NodeManager:
		topics = append(topics, "zeek.cluster."+t.String())
	}
	for _, topic := range topics {
		n.subs.add(topic, nil)
	}
}

// Nodes returns the other nodes that are up, ids by name. A client knows of none.
func (n *Node) Nodes() map[string]string {
	if n.member == nil {
		return nil
	}
	n.member.mu.Lock()
	defer n.member.mu.Unlock()
	nodes := make(map[string]string, len(n.member.known.ids))
	for name, id := range n.member.known.ids {
		nodes[name] = id
	}
	return nodes
}

// nodeID is the id in the prefix of a node's topic.
func (m *member) nodeID(prefix []byte) (id string, ok bool) {
	base := len(m.n.opt.NodeIDTopicPrefix) + 1
	if len(prefix) < base+2 || prefix[len(prefix)-1] != '.' || !m.n.isNodeIDTopic(string(prefix)) {
		return "", false
	}
	id = string(prefix[base : len(prefix)-1])
	return id, id != m.n.id
}

// subscribed reacts to another node's subscription to its own topic.
func (m *member) subscribed(prefix []byte, conn uint32) {
	m.connected(conn)
	id, ok := m.nodeID(prefix)
	if !ok {
		return
	}
	delete(m.left, id)
	p := m.present[id]
	if p == nil {
		p = &presence{}
		m.present[id] = p
	} else if p.conn == conn {
		return // a duplicate
	}
	p.conn = conn
	name, ok := m.gone[id]
	delete(m.gone, id)
	if ok && m.known.ids[name] == "" {
		// The same process: it knows us still, and would not greet us again.
		p.greeted, p.xsub = true, m.n.xsubConns.Load()
		m.say(id, zeromqHello)
		m.up(name, id)
		return
	}
	if m.known.names[id] != "" {
		return // told again by a broker that was away
	}
	m.say(id, zeromqHello)
	if _, ok := m.hellos[id]; ok {
		delete(m.hellos, id)
		m.answer(p, id)
	} else if !p.greeted {
		p.expires = m.deadline(m.n.opt.HelloExpiration)
	}
}

// answer completes a greeting.
func (m *member) answer(p *presence, id string) {
	p.greeted, p.expires, p.xsub = true, time.Time{}, m.n.xsubConns.Load()
	m.say(id, clusterHello)
}

// cancelled reacts to the end of another node's subscription to its own topic.
func (m *member) cancelled(prefix []byte) {
	id, ok := m.nodeID(prefix)
	if !ok {
		return
	}
	delete(m.present, id)
	delete(m.hellos, id)
	if len(m.left) < maxHalfSeen {
		m.left[id] = m.deadline(m.n.opt.HelloExpiration)
	}
	if name := m.known.names[id]; name != "" {
		m.down(name, id)
		m.remember(name, id)
		return
	}
	if _, ok := m.gone[id]; ok {
		delete(m.gone, id) // told before
		return
	}
	m.warn(fmt.Sprintf("unsubscription of unknown node with id '%s'", shown(id)))
}

// remember keeps the name of a node that may come back as the same process.
func (m *member) remember(name, id string) {
	if len(m.gone) >= maxHalfSeen {
		clear(m.gone) // they will not come back any more, all of them
	}
	m.gone[id] = name
}

// event looks for the greetings among the events.
func (m *member) event(e *Event) {
	zeromq := string(e.Name()) == zeromqHello
	if !zeromq && string(e.Name()) != clusterHello || e.NumArgs() != 2 {
		return
	}
	rawName, ok := e.Arg(0).AsString()
	rawID, ok2 := e.Arg(1).AsString()
	if !ok || !ok2 || len(rawName) == 0 || len(rawID) == 0 || len(rawName) > maxNameBytes || len(rawID) > maxNodeID {
		m.warn(fmt.Sprintf("%s without a name and an id, from %s", e.Name(), quoted(e.sender)))
		return
	}
	name, id := string(rawName), string(rawID)
	if _, left := m.left[id]; left || id == m.n.id {
		return // it left while its greeting was under way
	}
	if zeromq {
		m.helloed(name, id)
	} else {
		m.hello(name, id)
	}
}

// helloed reacts to ZeroMQ::hello.
func (m *member) helloed(name, id string) {
	p := m.present[id]
	if m.inLayout(name) {
		switch old := m.known.ids[name]; {
		case old == "":
		case old == id && p != nil && p.xsub != m.n.xsubConns.Load():
			// Our own connection was lost: it takes us for a node that has come
			// back, and waits for our answer.
			m.answer(p, id)
			return
		case old == id:
			m.warn(fmt.Sprintf("node '%s' sends ZeroMQ::hello twice (id:%s)", shown(name), shown(id)))
			return
		default:
			m.warn(fmt.Sprintf("node '%s' never said goodbye (old id:%s new id:%s)", shown(name), shown(old), shown(id)))
			m.down(name, old)
		}
	}
	switch {
	case p != nil:
		m.answer(p, id)
	case len(m.hellos) < maxHalfSeen:
		m.hellos[id] = m.deadline(m.n.opt.HelloExpiration)
	}
}

// hello reacts to Cluster::hello.
func (m *member) hello(name, id string) {
	if !m.inLayout(name) {
		m.complain(slog.LevelError, fmt.Sprintf("Got Cluster::hello msg from unexpected node: %s", shown(name)))
		return
	}
	if other := m.known.names[id]; other != "" && other != name {
		m.complain(slog.LevelError, fmt.Sprintf("one node says hello as '%s' and as '%s' (id:%s)", shown(other), shown(name), shown(id)))
		return
	}
	switch old := m.known.ids[name]; {
	case old == id:
	case old != "":
		m.complain(slog.LevelError, fmt.Sprintf("Got Cluster::hello msg from duplicate node:%s (old id:%s new id:%s)", shown(name), shown(old), shown(id)))
		m.setKnown(name, id)
	case len(m.known.ids) >= maxKnown:
		m.complain(slog.LevelError, fmt.Sprintf("node '%s' is ignored, %d others are up", shown(name), maxKnown))
	default:
		m.up(name, id)
	}
}

func (m *member) inLayout(name string) bool {
	if m.n.opt.Layout == nil {
		return true
	}
	_, ok := m.n.opt.Layout[name]
	return ok
}

func (m *member) up(name, id string) {
	m.setKnown(name, id)
	m.n.log.Info("node up", "name", shown(name), "id", shown(id))
	if m.n.opt.OnNodeUp != nil {
		m.n.opt.OnNodeUp(name, id)
	}
}

func (m *member) down(name, id string) {
	m.setKnown(name, "")
	m.n.log.Info("node down", "name", shown(name), "id", shown(id))
	if m.n.opt.OnNodeDown != nil {
		m.n.opt.OnNodeDown(name, id)
	}
}

// setKnown makes id what is known of a name, or "" nothing.
func (m *member) setKnown(name, id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if old := m.known.ids[name]; m.known.names[old] == name {
		delete(m.known.names, old)
	}
	if id == "" {
		delete(m.known.ids, name)
		return
	}
	m.known.ids[name] = id
	m.known.names[id] = name
}

// say sends a greeting, now or when there is room again.
func (m *member) say(id, event string) {
	g := greeting{id, event}
	if len(m.unsent) > 0 || !m.sent(g) {
		if len(m.unsent) >= maxHalfSeen {
			m.warn(fmt.Sprintf("no room for a greeting to node '%s'", shown(id)))
			return
		}
		m.unsent = append(m.unsent, g)
		m.deadline(resendInterval)
	}
}

// sent publishes a greeting; false says that there was no room.
func (m *member) sent(g greeting) bool {
	n := m.n
	s := n.scratch()
	defer s.free()
	var err error
	if s.payload, err = codec.AppendEventArgs(s.payload[:0], g.event, n.opt.Node, n.id); err != nil {
		n.log.Error("greeting cannot be made", "error", err)
		return true
	}
	topic := n.nodeIDTopic(g.id)
	payload, err := s.encode(n.opt.EventSerializer, s.payload)
	if err == nil {
		err = n.send(s, topic, payload)
	}
	if err == errFull {
		return false
	}
	n.core.outgoing(topic, g.event, len(payload))
	return true
}

// warn logs what is strange about another node, in Zeek's words where Zeek says
// it too.
func (m *member) warn(what string) { m.complain(slog.LevelWarn, what) }

func (m *member) complain(level slog.Level, what string) {
	if log, ok := m.strange.allow(m.n.log); ok {
		log.Log(m.n.stop, level, what)
	}
}

// shown is a name or id from outside as a log line has it.
func shown(s string) string {
	if len(s) <= maxNameBytes && utf8.ValidString(s) {
		return s
	}
	return quoted([]byte(s))
}
