package layout

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/znode/znode/node"
)

// Bounds of what is read. A layout of the largest cluster known has some
// thousand nodes.
const (
	maxFile   = 16 << 20 // bytes
	maxNodes  = 100_000
	maxString = 4096 // bytes
	maxName   = 64   // bytes; what znode takes as the name of a node
)

// Layout is what a file says.
type Layout struct {
	// Nodes are in the order of the file.
	Nodes []Node
	// ManagerIsLogger is whether the manager takes the logs, true where the file
	// does not say (Cluster::manager_is_logger).
	ManagerIsLogger bool
}

// Node is an entry of Cluster::nodes.
type Node struct {
	Name string
	Type node.NodeType
	// Host is where the node runs: an address or, where Zeek looks it up, a name.
	Host string
	// Port is where a logger takes log batches, MetricsPort where metrics are
	// served; 0 for not at all.
	Port, MetricsPort uint16
	Manager           string // name of its manager, if any

	at int // offset of the name in the file
}

// Read reads the layout in a file.
func Read(path string) (*Layout, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, plain(path, err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, plain(path, err)
	}
	return Parse(path, text)
}

// plain names the path once.
func plain(path string, err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		err = p.Err
	}
	return fmt.Errorf("%s: %w", path, err)
}

// Names lists the nodes in the order of the file.
func (l *Layout) Names() []string {
	names := make([]string, len(l.Nodes))
	for i, n := range l.Nodes {
		names[i] = n.Name
	}
	return names
}

// Find is the node of that name.
func (l *Layout) Find(name string) (Node, bool) {
	for _, n := range l.Nodes {
		if n.Name == name {
			return n, true
		}
	}
	return Node{}, false
}

// TakesLogs tells whether Zeek's nodes send their logs to n.
func (l *Layout) TakesLogs(n Node) bool {
	return n.Port != 0 && (n.Type == node.NodeLogger || n.Type == node.NodeManager && l.ManagerIsLogger)
}

// LogEndpoints lists where the loggers listen, in the order of the file.
func (l *Layout) LogEndpoints() []string {
	var list []string
	for _, n := range l.Nodes {
		if l.TakesLogs(n) {
			list = append(list, n.LogEndpoint())
		}
	}
	return list
}

// LogEndpoint is where a node that takes logs listens.
func (n Node) LogEndpoint() string { return "tcp://" + n.hostPort(n.Port) }

// MetricsAddress is where a node with a MetricsPort serves its metrics.
func (n Node) MetricsAddress() string { return n.hostPort(n.MetricsPort) }

func (n Node) hostPort(port uint16) string {
	return net.JoinHostPort(n.Host, strconv.Itoa(int(port)))
}

// ForNode is the layout as package node has it.
func (l *Layout) ForNode() node.Layout {
	all := make(node.Layout, len(l.Nodes))
	for _, n := range l.Nodes {
		all[n.Name] = node.LayoutNode{Type: n.Type, Host: n.Host, Port: n.Port, MetricsPort: n.MetricsPort}
	}
	return all
}

// typeName is a type as layouts write it.
func typeName(t node.NodeType) string { return "Cluster::" + strings.ToUpper(t.String()) }
