package node

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
)

// NodeType is what a node does in a cluster (Cluster::NodeType).
type NodeType uint8

// The types of nodes. They decide which topics a member subscribes to.
const (
	NodeNone NodeType = iota // not part of a cluster
	NodeControl
	NodeLogger
	NodeManager
	NodeProxy
	NodeWorker
)

var nodeTypes = [...]string{"none", "control", "logger", "manager", "proxy", "worker"}

// String returns the type as in Zeek's names, in lower case.
func (t NodeType) String() string {
	if int(t) >= len(nodeTypes) {
		return fmt.Sprintf("NodeType(%d)", int(t))
	}
	return nodeTypes[t]
}

// ParseNodeType reads a type in either case, with or without Zeek's "Cluster::".
func ParseNodeType(s string) (NodeType, error) {
	name := strings.ToLower(strings.TrimPrefix(s, "Cluster::"))
	if i := slices.Index(nodeTypes[:], name); i >= 0 {
		return NodeType(i), nil
	}
	return NodeNone, fmt.Errorf("node type %q, want one of %s", s, strings.Join(nodeTypes[1:], ", "))
}

// LayoutNode is what a cluster layout says of one node (Cluster::Node).
type LayoutNode struct {
	Type NodeType
	// Host is where the node runs, an IP address or a name.
	Host string
	// Port is where a logger takes log batches; 0 when the node does not listen.
	Port uint16
	// MetricsPort is where the node serves its metrics; 0 when it does not.
	MetricsPort uint16
}

// Layout is a cluster's layout by the names of its nodes (Cluster::nodes).
type Layout map[string]LayoutNode

// Names returns the names in order.
func (l Layout) Names() []string { return slices.Sorted(maps.Keys(l)) }

// LogEndpoints returns where the loggers listen, in the order of their names:
// the connect_log_endpoints of all other nodes.
func (l Layout) LogEndpoints() []string {
	var list []string
	for _, name := range l.Names() {
		if n := l[name]; n.Type == NodeLogger && n.Port != 0 {
			list = append(list, "tcp://"+hostPort(n.Host, n.Port))
		}
	}
	return list
}

// MetricsTargets returns host:port of every node that serves metrics, in the
// order of their names.
func (l Layout) MetricsTargets() []string {
	list := []string{} // not nil: an empty list is one too
	for _, name := range l.Names() {
		if n := l[name]; n.Host != "" && n.MetricsPort != 0 {
			list = append(list, hostPort(n.Host, n.MetricsPort))
		}
	}
	return list
}

// hostPort is an address as endpoints and URLs have it, IPv6 in brackets.
func hostPort(host string, port uint16) string {
	return net.JoinHostPort(host, strconv.Itoa(int(port)))
}
