package layout

import (
	"fmt"
	"strings"

	"github.com/znode/znode/node"
)

// fields are those of Zeek's Cluster::Node, and $interface, which older zeekctl
// wrote.
var fields = []string{"node_type", "ip", "zone_id", "p", "manager", "metrics_port", "interface", "id"}

// node reads the record of an entry of Cluster::nodes.
func (p *parser) node(name token) {
	n := Node{Name: name.text, at: name.at}
	switch {
	case n.Name == "" || len(n.Name) > maxName || strings.ContainsFunc(n.Name, notInName):
		p.fail(name.at, "name %v: want up to %d letters, digits, '-', '_' or '.'", name, maxName)
	case p.names[n.Name]:
		p.fail(name.at, "%s is in the layout twice", n.Name)
	case len(p.layout.Nodes) == maxNodes:
		p.fail(name.at, "more than %d nodes", maxNodes)
	}
	seen := p.record(func(field token) {
		switch field.text {
		case "node_type":
			n.Type = p.nodeType()
		case "ip":
			n.Host = p.address()
		case "p":
			n.Port = p.port()
		case "metrics_port":
			n.MetricsPort = p.port()
		case "manager":
			n.Manager = p.want(text, "the manager's name in quotes").text
		case "zone_id", "interface", "id":
			p.want(text, "a string in quotes")
		default:
			p.fail(field.at, "unknown field $%v%s", field, meantField(field.text))
		}
	})
	for _, required := range fields[:2] {
		if !seen[required] {
			p.fail(name.at, "%s has no $%s", n.Name, required)
		}
	}
	p.names[n.Name] = true
	p.layout.Nodes = append(p.layout.Nodes, n)
}

// meantField is meant for a field. $port is how anybody would call $p.
func meantField(name string) string {
	if name == "port" {
		return "; did you mean $p?"
	}
	return strings.Replace(meant(name, fields), "mean ", "mean $", 1)
}

// host reads the record of an entry of Cluster::hosts.
func (p *parser) host(name token) {
	seen := p.record(func(field token) {
		if field.text != "ip" {
			p.fail(field.at, "unknown field $%v, want $ip", field)
		}
		p.hosts[name.text] = p.address()
	})
	if !seen["ip"] {
		p.fail(name.at, "%v has no $ip", name)
	}
}

// record reads [$field=value, ...], each field once, and returns which.
func (p *parser) record(value func(field token)) map[string]bool {
	seen := map[string]bool{}
	p.wantMark("[")
	for !p.isMark("]") {
		p.wantMark("$")
		field := p.want(word, "the name of a field")
		if seen[field.text] {
			p.fail(field.at, "$%v stands here twice", field)
		}
		seen[field.text] = true
		p.wantMark("=")
		value(field)
		if !p.isMark("]") {
			p.wantMark(",")
		}
	}
	p.take()
	return seen
}

func notInName(c rune) bool {
	return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-_.", c))
}

// nodeTypes are the types as layouts write them.
var nodeTypes = func() (list []string) {
	for t := node.NodeControl; t <= node.NodeWorker; t++ {
		list = append(list, typeName(t))
	}
	return list
}()

func (p *parser) nodeType() node.NodeType {
	t := p.want(word, "a type such as Cluster::LOGGER")
	for i, name := range nodeTypes {
		if t.text == name || p.module == "Cluster" && "Cluster::"+t.text == name {
			return node.NodeControl + node.NodeType(i)
		}
	}
	hint := meant(t.text, nodeTypes)
	if hint == "" {
		hint = fmt.Sprintf("; want one of %s", strings.Join(nodeTypes, ", "))
	}
	p.fail(t.at, "unknown node type %v%s", t, hint)
	return node.NodeNone
}
