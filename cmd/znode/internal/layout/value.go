package layout

import (
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// address reads an address, or an expression that stands for one in a generated
// layout.
func (p *parser) address() string {
	switch t := p.next; {
	case p.isMark("["):
		p.take()
		v := p.want(word, "an IPv6 address")
		p.wantMark("]")
		ip, err := netip.ParseAddr(v.text)
		if err != nil || !ip.Is6() {
			p.fail(v.at, "%v is not an IPv6 address", v)
		}
		return ip.String()
	case p.isMark("("):
		return p.lookup()
	case t.text == "hosts" || t.text == "Cluster::hosts":
		return p.hostOf()
	case t.kind == word:
		p.take()
		ip, err := netip.ParseAddr(t.text)
		if err != nil {
			p.fail(t.at, "%v is not an address", t)
		}
		if ip.Is6() {
			p.fail(t.at, "IPv6 address %v needs brackets", t)
		}
		return ip.String()
	default:
		p.fail(t.at, "unexpected %v, want an address", t)
		return ""
	}
}

// hostOf reads hosts["name"]$ip.
func (p *parser) hostOf() string {
	p.take()
	p.wantMark("[")
	name := p.want(text, "a name in quotes")
	p.wantMark("]")
	p.wantMark("$")
	p.wantWord("ip")
	host, ok := p.hosts[name.text]
	if !ok {
		p.fail(name.at, "%v is not in Cluster::hosts%s", name, meant(name.text, slices.Sorted(maps.Keys(p.hosts))))
	}
	return host
}

// lookup reads (blocking_lookup_hostname("name") as vector of addr)[0].
func (p *parser) lookup() string {
	p.take()
	p.wantWord("blocking_lookup_hostname")
	p.wantMark("(")
	name := p.want(text, "the name of a host in quotes")
	if name.text == "" || strings.ContainsFunc(name.text, notInName) {
		p.fail(name.at, "%v is no name of a host", name)
	}
	p.wantMark(")")
	for _, w := range []string{"as", "vector", "of", "addr"} {
		p.wantWord(w)
	}
	p.wantMark(")")
	p.wantMark("[")
	p.wantWord("0")
	p.wantMark("]")
	return name.text
}

func (p *parser) wantWord(w string) {
	if t := p.want(word, w); t.text != w {
		p.fail(t.at, "unexpected %v, want %s", t, w)
	}
}

// port reads a port that a node listens at; 0/unknown is Zeek's for none.
func (p *parser) port() uint16 {
	t := p.want(word, "a port such as 27761/tcp")
	number, proto, ok := strings.Cut(t.text, "/")
	n, err := strconv.ParseUint(number, 10, 16)
	switch {
	case !ok && err != nil:
		p.fail(t.at, "unexpected %v, want a port such as 27761/tcp", t)
	case !ok:
		p.fail(t.at, "port %v needs a protocol: %v/tcp", t, t)
	case err != nil || proto == "unknown" && n != 0:
		p.fail(t.at, "port %v: want 0 to 65535 and /tcp", t)
	case proto != "tcp" && proto != "unknown":
		p.fail(t.at, "port %v: nodes listen at TCP ports only, want %s/tcp", t, number)
	}
	return uint16(n)
}
