package layout

import (
	"fmt"
	"strings"

	"github.com/znode/znode/cmd/znode/internal/option"
)

// parser reads a layout by recursive descent; nothing in the grammar nests.
type parser struct {
	scanner
	module string // of the names without one
	ifs    []int  // offsets of the @if that are open
	hosts  map[string]string
	names  map[string]bool
	layout *Layout
	nodes  bool // Cluster::nodes was set
}

// Parse reads a layout. name is the file's, for errors, which are *Error.
func Parse(name string, src []byte) (l *Layout, err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case failure:
			l, err = nil, r.err
		default:
			panic(r)
		}
	}()
	p := &parser{
		scanner: scanner{file: name, src: string(src)},
		module:  "GLOBAL",
		hosts:   map[string]string{},
		names:   map[string]bool{},
		layout:  &Layout{ManagerIsLogger: true},
	}
	if len(src) > maxFile {
		p.src = ""
		p.fail(0, "more than 16 MiB, which is no cluster layout")
	}
	p.next = p.scan()
	for p.next.kind != end {
		p.statement()
	}
	p.finish()
	return p.layout, nil
}

// finish checks what only the whole file can tell.
func (p *parser) finish() {
	if len(p.ifs) > 0 {
		p.fail(p.ifs[len(p.ifs)-1], "@if without @endif")
	}
	if !p.nodes {
		p.fail(len(p.src), "no redef Cluster::nodes in this file")
	}
	taken := map[string]string{}
	for _, n := range p.layout.Nodes {
		if n.Manager != "" && !p.names[n.Manager] {
			p.fail(n.at, "manager %q of %s is no node of this layout%s", cut(n.Manager), n.Name, meant(n.Manager, p.layout.Names()))
		}
		if !p.layout.TakesLogs(n) {
			continue
		}
		if other := taken[n.LogEndpoint()]; other != "" {
			p.fail(n.at, "%s has the same address and port as %s", n.Name, other)
		}
		taken[n.LogEndpoint()] = n.Name
	}
}

// expected is what may stand at the beginning of a statement.
const expected = "want redef Cluster::nodes, redef Cluster::manager_is_logger, or what zeekctl and zeek-cluster-layout-generator write beside them"

func (p *parser) statement() {
	t := p.take()
	if t.kind == mark && t.text == "@" {
		p.directive(t.at)
		return
	}
	if t.kind != word {
		p.fail(t.at, "unexpected %v; %s", t, expected)
	}
	switch t.text {
	case "module":
		p.module = p.want(word, "the name of a module").text
		p.wantMark(";")
	case "redef":
		p.redef()
	case "type", "const", "global":
		p.skip(t.at, ";")
	case "event":
		p.skip(t.at, "}")
	default:
		p.fail(t.at, "unexpected %v; %s", t, expected)
	}
}

// directive handles what begins with @. Conditions are not evaluated: what they
// decide must not matter here.
func (p *parser) directive(at int) {
	switch t := p.next; {
	case t.text == "load":
	case t.text == "if", t.text == "ifdef", t.text == "ifndef":
		p.ifs = append(p.ifs, at)
	case t.text == "else" && len(p.ifs) > 0:
	case t.text == "endif" && len(p.ifs) > 0:
		p.ifs = p.ifs[:len(p.ifs)-1]
	default:
		p.fail(at, "unexpected @%v", t)
	}
	p.pos = p.next.at
	p.line()
	p.next = p.scan()
}

// skip passes a statement up to the mark that ends it outside of all brackets.
func (p *parser) skip(at int, last string) {
	for depth := 0; ; {
		t := p.take()
		switch {
		case t.kind == end:
			p.fail(at, "statement without an end")
		case t.kind != mark:
			continue
		case strings.Contains("([{", t.text):
			depth++
		case strings.Contains(")]}", t.text):
			if depth--; depth < 0 {
				p.fail(t.at, "unexpected %v", t)
			}
		}
		if depth == 0 && t.text == last {
			return
		}
	}
}

// known are the variables of module Cluster that matter here.
var known = []string{"Cluster::nodes", "Cluster::hosts", "Cluster::manager_is_logger"}

func (p *parser) redef() {
	t := p.want(word, "the name of a variable")
	name := t.text
	if !strings.Contains(name, "::") {
		name = p.module + "::" + name
	}
	module := name[:max(0, strings.LastIndex(name, "::"))]
	switch {
	case name == "Cluster::nodes", name == "Cluster::hosts", name == "Cluster::manager_is_logger":
		if len(p.ifs) > 0 {
			p.fail(t.at, "%s inside of @if, whose condition only Zeek can evaluate", name)
		}
	case module == "Cluster", module == "GLOBAL":
		p.fail(t.at, "%v is nothing that znode knows of a layout%s", t, meant(name, known))
	default:
		p.skip(t.at, ";") // options of other parts of Zeek
		return
	}
	switch name {
	case "Cluster::manager_is_logger":
		p.wantMark("=")
		v := p.want(word, "T or F")
		if v.text != "T" && v.text != "F" {
			p.fail(v.at, "%v: want T or F", v)
		}
		p.layout.ManagerIsLogger = v.text == "T"
	case "Cluster::hosts":
		p.table(nil, p.host)
	default:
		p.nodes = true
		p.table(func() { p.layout.Nodes, p.names = nil, map[string]bool{} }, p.node)
	}
	p.wantMark(";")
}

// table reads = { ... } or += { ... }; entry reads what stands behind each name.
// clear is called for =, if there is something to replace.
func (p *parser) table(clear func(), entry func(name token)) {
	if p.next.text == "+" {
		p.take()
	} else if clear != nil {
		clear()
	}
	p.wantMark("=")
	p.wantMark("{")
	for !p.isMark("}") {
		p.wantMark("[")
		name := p.want(text, "a name in quotes")
		p.wantMark("]")
		p.wantMark("=")
		entry(name)
		if !p.isMark("}") {
			p.wantMark(",")
		}
	}
	p.take()
}

func (p *parser) isMark(text string) bool { return p.next.kind == mark && p.next.text == text }

func (p *parser) wantMark(text string) token {
	if !p.isMark(text) {
		p.fail(p.next.at, "unexpected %v, want %s", p.next, text)
	}
	return p.take()
}

func (p *parser) want(k kind, what string) token {
	if p.next.kind != k {
		p.fail(p.next.at, "unexpected %v, want %s", p.next, what)
	}
	return p.take()
}

// meant is "; did you mean X?" where one of the candidates, which may be of the file,
// is near.
func meant(name string, candidates []string) string {
	if n := option.Nearest(name, candidates); n != "" {
		return fmt.Sprintf("; did you mean %v?", token{kind: word, text: n})
	}
	return ""
}
