package sockets

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// naive is the obvious subscription store.
type naive map[string][]*pipe

func (n naive) match(topic string) []*pipe {
	var set []*pipe
	for prefix, peers := range n {
		if strings.HasPrefix(topic, prefix) {
			for _, p := range peers {
				if !slices.Contains(set, p) {
					set = append(set, p)
				}
			}
		}
	}
	return set
}

func sortedSlots(set []*pipe) []int {
	slots := make([]int, 0, len(set))
	for _, p := range set {
		slots = append(slots, p.slot)
	}
	slices.Sort(slots)
	return slots
}

func TestTrieAgainstNaive(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	word := func(most int) string {
		b := make([]byte, rnd.IntN(most+1))
		for i := range b {
			b[i] = "ab\x00\xff"[rnd.IntN(4)]
		}
		return string(b)
	}
	pipes := make([]*pipe, 6)
	for i := range pipes {
		pipes[i] = &pipe{slot: i}
	}
	for range 200 {
		root, want, r := &node{}, naive{}, newRouter(nil)
		for range 120 {
			prefix, p := word(5), pipes[rnd.IntN(len(pipes))]
			held := slices.Contains(want[prefix], p)
			if rnd.IntN(5) < 3 {
				if held {
					continue
				}
				var first bool
				root, first = root.with(prefix, p)
				if first != (len(want[prefix]) == 0) {
					t.Fatalf("with(%q): first = %v", prefix, first)
				}
				want[prefix] = append(want[prefix], p)
			} else {
				if !held {
					continue
				}
				var last bool
				root, last = root.without(prefix, p)
				want[prefix] = slices.DeleteFunc(want[prefix], func(o *pipe) bool { return o == p })
				if last != (len(want[prefix]) == 0) {
					t.Fatalf("without(%q): last = %v", prefix, last)
				}
			}
			if root == nil {
				t.Fatal("the root is gone")
			}
			for range 8 {
				topic := word(7)
				got := sortedSlots(r.lookup(root, []byte(topic)).set)
				if exp := sortedSlots(want.match(topic)); !slices.Equal(got, exp) {
					t.Fatalf("topic %q: got %v, want %v", topic, got, exp)
				}
			}
		}
		var held []string
		for prefix, peers := range want {
			if len(peers) > 0 {
				held = append(held, prefix)
			}
		}
		slices.Sort(held)
		if got := root.prefixes(nil, ""); !slices.Equal(got, held) {
			t.Fatalf("prefixes %q, want %q", got, held)
		}
		checkTree(t, root, true)
	}
}

// checkTree fails when a node has no purpose, which would make the tree grow
// with every subscription there ever was.
func checkTree(t *testing.T, n *node, root bool) {
	t.Helper()
	if !root && len(n.peers) == 0 && len(n.kids) < 2 {
		t.Fatalf("node %q has no peers and %d kids", n.label, len(n.kids))
	}
	for i, k := range n.kids {
		if k.label == "" || i > 0 && n.kids[i-1].label[0] >= k.label[0] {
			t.Fatalf("kids of %q are not in order", n.label)
		}
		checkTree(t, k, false)
	}
}
