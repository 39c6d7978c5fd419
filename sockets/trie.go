package sockets

import "slices"

// A node of the subscription tree stands for a prefix: the labels from the root
// to it. Nodes never change once published; an update makes new ones along its
// path, so that readers need no lock.
type node struct {
	label string  // what this node adds to its parent's prefix; "" at the root
	peers []*pipe // subscribed to exactly this prefix
	kids  []*node // by the first byte of their label, which no two share
}

// kid returns the index of the kid whose label starts with b, and whether there
// is one.
func (n *node) kid(b byte) (int, bool) {
	lo, hi := 0, len(n.kids)
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		if n.kids[mid].label[0] < b {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, lo < len(n.kids) && n.kids[lo].label[0] == b
}

// with returns the tree with p added at prefix, where it must not be yet, and
// whether p is the first there.
func (n *node) with(prefix string, p *pipe) (_ *node, first bool) {
	m := &node{label: n.label, peers: n.peers, kids: n.kids}
	if prefix == "" {
		m.peers = append(slices.Clip(n.peers), p)
		return m, len(n.peers) == 0
	}
	i, ok := n.kid(prefix[0])
	if !ok {
		m.kids = slices.Insert(slices.Clone(n.kids), i, &node{label: prefix, peers: []*pipe{p}})
		return m, true
	}
	kid := n.kids[i]
	common := commonPrefix(kid.label, prefix)
	if common < len(kid.label) {
		rest := &node{label: kid.label[common:], peers: kid.peers, kids: kid.kids}
		kid = &node{label: kid.label[:common], kids: []*node{rest}}
	}
	kid, first = kid.with(prefix[common:], p)
	m.kids = slices.Clone(n.kids)
	m.kids[i] = kid
	return m, first
}

// without returns the tree with p removed at prefix, where it must be, and
// whether p was the last there. The node returned is nil if nothing is left.
func (n *node) without(prefix string, p *pipe) (_ *node, last bool) {
	m := &node{label: n.label, peers: n.peers, kids: n.kids}
	if prefix == "" {
		m.peers = slices.DeleteFunc(slices.Clone(n.peers), func(o *pipe) bool { return o == p })
		last = len(m.peers) == 0
	} else {
		i, _ := n.kid(prefix[0])
		var kid *node
		kid, last = n.kids[i].without(prefix[len(n.kids[i].label):], p)
		m.kids = slices.Clone(n.kids)
		if kid == nil {
			m.kids = slices.Delete(m.kids, i, i+1)
		} else {
			m.kids[i] = kid
		}
	}
	switch {
	case len(m.peers) > 0 || m.label == "":
		return m, last
	case len(m.kids) == 0:
		return nil, last
	case len(m.kids) == 1:
		kid := m.kids[0]
		return &node{label: m.label + kid.label, peers: kid.peers, kids: kid.kids}, last
	}
	return m, last
}

// next returns the kid on the way to topic and the rest of the topic behind its
// label, or nil.
func (n *node) next(topic []byte) (*node, []byte) {
	if len(topic) == 0 || len(n.kids) == 0 {
		return nil, nil
	}
	i, ok := n.kid(topic[0])
	if !ok {
		return nil, nil
	}
	kid := n.kids[i]
	if len(topic) < len(kid.label) || string(topic[:len(kid.label)]) != kid.label {
		return nil, nil
	}
	return kid, topic[len(kid.label):]
}

// at returns the node that stands for exactly this prefix, nil if there is none.
func (n *node) at(prefix []byte) *node {
	for len(prefix) > 0 && n != nil {
		n, prefix = n.next(prefix)
	}
	return n
}

// prefixes appends every prefix somebody is subscribed to, in order.
func (n *node) prefixes(dst []string, before string) []string {
	here := before + n.label
	if len(n.peers) > 0 {
		dst = append(dst, here)
	}
	for _, k := range n.kids {
		dst = k.prefixes(dst, here)
	}
	return dst
}

func commonPrefix(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
