package node_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/znode/znode/sockets/zmqtest"
)

// A cast plays scripts before a broker, ours or libzmq's, and notes what every
// node's XPUB sees of each act. An act is "A join", "A leave", "A +prefix" or
// "A -prefix" of a libzmq node; the same of "raw", a bare subscriber, where "!"
// before the sign makes it a command of ZMTP 3.1.
type cast struct {
	p          *zmqtest.Process
	xsub, xpub string // endpoints
	nodes      map[string]*zmqtest.Node
	raw        *zmqtest.Raw
	acts       int // of raw
}

// identity is a prefix that only this player subscribes to, by which the others
// notice that it has come and gone.
func identity(name string) string { return "id." + name }

// mark is a prefix that raw subscribes to behind its latest act. Who sees it has seen
// the act: a barrier of another's may come before what raw has sent, since libzmq
// reads from its connections in any order.
func (c *cast) mark() string { return fmt.Sprintf("mark.%d.", c.acts) }

// act plays one act and returns "act: A[+x] B[+x -y]". What happens at once, as
// when a node leaves, is sorted.
func (c *cast) act(t *testing.T, act string) string {
	t.Helper()
	name, does, _ := strings.Cut(act, " ")
	seen := make(map[string][]string)
	switch n := c.nodes[name]; {
	case name == "raw":
		c.rawAct(t, does)
	case does == "join":
		n = c.p.Node(t, name)
		n.Join(t, c.xsub, c.xpub)
		n.Subscribe(t, identity(name))
		c.nodes[name] = n
	case does == "leave":
		n.XSUB.Close(t, 0)
		n.XPUB.Close(t, 0)
		delete(c.nodes, name)
	case does[0] == '+':
		n.Subscribe(t, does[1:])
	default:
		n.Unsubscribe(t, does[1:])
	}
	if n := c.nodes[name]; n != nil {
		seen[name] = n.Sync(t)
	}
	last := ""
	switch {
	case does == "leave":
		last = "-" + identity(name)
	case name == "raw":
		last = "+" + c.mark()
	}
	for other, n := range c.nodes {
		for last != "" && !slices.Contains(seen[other], last) {
			seen[other] = append(seen[other], n.Sync(t)...)
		}
	}
	for other, n := range c.nodes {
		seen[other] = append(seen[other], n.Sync(t)...)
		seen[other] = slices.DeleteFunc(seen[other], func(change string) bool { return strings.HasPrefix(change[1:], "mark.") })
		if does == "leave" || does == "join" {
			slices.Sort(seen[other])
		}
	}
	return act + ": " + c.print(seen)
}

func (c *cast) rawAct(t *testing.T, does string) {
	t.Helper()
	switch does {
	case "join":
		c.raw = zmqtest.Dial(t, c.xpub)
		c.raw.SendBytes(t, zmqtest.Greeting(1, "NULL", false))
		c.raw.ReadGreeting(t)
		c.raw.SendBytes(t, zmqtest.Ready("Socket-Type", "XSUB"))
		c.raw.ReadReady(t)
		c.raw.Subscribe(t, identity("raw"))
	case "leave":
		c.raw.Close()
		return
	default:
		command, sign, prefix := does[0] == '!', strings.TrimPrefix(does, "!")[0], strings.TrimLeft(does, "!+-")
		switch {
		case command && sign == '+':
			c.raw.SendBytes(t, zmqtest.AppendCommand(nil, "SUBSCRIBE", []byte(prefix)))
		case command:
			c.raw.SendBytes(t, zmqtest.AppendCommand(nil, "CANCEL", []byte(prefix)))
		case sign == '+':
			c.raw.Subscribe(t, prefix)
		default:
			c.raw.Unsubscribe(t, prefix)
		}
	}
	c.acts++
	c.raw.Subscribe(t, c.mark())
}

func (c *cast) print(seen map[string][]string) string {
	var parts []string
	for name := range c.nodes {
		parts = append(parts, fmt.Sprintf("%s[%s]", name, strings.Join(seen[name], " ")))
	}
	slices.Sort(parts)
	return strings.Join(parts, " ")
}

// casts are a cast before our broker and one before libzmq's.
func casts(t *testing.T, p *zmqtest.Process) (ours, theirs *cast) {
	t.Helper()
	b := startBroker(t, nil)
	z := p.Broker(t)
	return &cast{p: p, xsub: b.XSUBEndpoint(), xpub: b.XPUBEndpoint(), nodes: map[string]*zmqtest.Node{}},
		&cast{p: p, xsub: z.XSUBEndpoint, xpub: z.XPUBEndpoint, nodes: map[string]*zmqtest.Node{}}
}

// A line is an act and what the nodes see of it; libzmq is what they see with
// libzmq's broker where that is something else, and why names the reason.
type line struct{ act, ours, libzmq, why string }

const (
	leak     = "zmq_proxy counts messages, but its XPUB tells of a peer's end once"
	ghost    = "zmq_proxy counts a cancellation by who holds nothing"
	leftover = "what leaked before is still there"
)

var brokerScripts = map[string][]line{
	"one holder": {
		{act: "A join", ours: "A[+id.A]"},
		{act: "B join", ours: "A[+id.B] B[+id.A +id.B]"},
		{act: "A +t", ours: "A[+t] B[+t]"},
		{act: "A -t", ours: "A[-t] B[-t]"},
		{act: "A +t", ours: "A[+t] B[+t]"},
		{act: "A leave", ours: "B[-id.A -t]"},
	},
	"several holders, early and late": {
		{act: "A join", ours: "A[+id.A]"},
		{act: "A +t", ours: "A[+t]"},
		{act: "A +t.long", ours: "A[+t.long]"},
		{act: "B join", ours: "A[+id.B] B[+id.A +id.B +t +t.long]"},
		{act: "B +t", ours: "A[+t] B[+t]"},
		{act: "C join", ours: "A[+id.C] B[+id.C] C[+id.A +id.B +id.C +t +t.long]"},
		{act: "A -t", ours: "A[] B[] C[]"},
		{act: "C +t", ours: "A[+t] B[+t] C[+t]"},
		{act: "B leave", ours: "A[-id.B] C[-id.B]"},
		{act: "C -t", ours: "A[-t] C[-t]"},
		{act: "A leave", ours: "C[-id.A -t.long]"},
	},
	"duplicates from one node": {
		{act: "A join", ours: "A[+id.A]"},
		{act: "B join", ours: "A[+id.B] B[+id.A +id.B]"},
		{act: "A +t", ours: "A[+t] B[+t]"},
		{act: "A +t", ours: "A[+t] B[+t]"},
		{act: "A -t", ours: "A[] B[]"}, // the node's XSUB counts
		{act: "A -t", ours: "A[-t] B[-t]", libzmq: "A[] B[]", why: leak},
		{act: "B +t", ours: "A[+t] B[+t]"},
		{act: "B -t", ours: "A[-t] B[-t]", libzmq: "A[] B[]", why: leftover},
	},
	"a node that subscribed twice leaves": {
		{act: "A join", ours: "A[+id.A]"},
		{act: "B join", ours: "A[+id.B] B[+id.A +id.B]"},
		{act: "A +t", ours: "A[+t] B[+t]"},
		{act: "A +t", ours: "A[+t] B[+t]"},
		{act: "A leave", ours: "B[-id.A -t]", libzmq: "B[-id.A]", why: leak},
		{act: "C join", ours: "B[+id.C] C[+id.B +id.C]", libzmq: "B[+id.C] C[+id.B +id.C +t]", why: leftover},
	},
	"cancelled by who does not hold it": {
		{act: "A join", ours: "A[+id.A]"},
		{act: "raw join", ours: "A[+id.raw]"},
		{act: "raw -never", ours: "A[]"},
		{act: "A +t", ours: "A[+t]"},
		{act: "raw -t", ours: "A[]", libzmq: "A[-t]", why: ghost},
		{act: "A -t", ours: "A[-t]", libzmq: "A[]", why: ghost},
	},
	"duplicates from a bare subscriber": {
		{act: "A join", ours: "A[+id.A]"},
		{act: "raw join", ours: "A[+id.raw]"},
		{act: "raw +t", ours: "A[+t]"},
		{act: "raw !+t", ours: "A[+t]"},
		{act: "raw +t", ours: "A[+t]"},
		{act: "raw !-t", ours: "A[-t]", libzmq: "A[]", why: leak},
		{act: "raw -t", ours: "A[]"},
		{act: "raw !+u", ours: "A[+u]"},
		{act: "raw -u", ours: "A[-u]"},
		{act: "raw leave", ours: "A[-id.raw]"},
	},
	"the empty prefix": {
		{act: "A join", ours: "A[+id.A]"},
		{act: "B join", ours: "A[+id.B] B[+id.A +id.B]"},
		{act: "A +", ours: "A[+] B[+]"},
		{act: "B +", ours: "A[+] B[+]"},
		{act: "A leave", ours: "B[-id.A]"},
		{act: "B -", ours: "B[-]"},
	},
}

// TestSubscriptionsAgainstProxy plays scripts before our broker and before
// zmq_proxy. What every node sees is the same but for the lines that say why not.
func TestSubscriptionsAgainstProxy(t *testing.T) {
	t.Parallel()
	p := zmqtest.Start(t)
	for name, script := range brokerScripts {
		t.Run(name, func(t *testing.T) {
			ours, theirs := casts(t, p)
			for _, l := range script {
				if got := ours.act(t, l.act); got != l.act+": "+l.ours {
					t.Errorf("ours: %s, want %s", got, l.ours)
				}
				want := l.ours
				if l.why != "" {
					want = l.libzmq
				}
				if got := theirs.act(t, l.act); got != l.act+": "+want {
					t.Errorf("libzmq: %s, want %s %s", got, want, l.why)
				}
			}
		})
	}
}

// A model says what nodes see. With counts, as zmq_proxy has them, a prefix is
// cancelled when as many ends as subscriptions were told; otherwise when nobody
// holds it.
type model struct {
	counts bool
	told   map[string]int            // by prefix
	held   map[string]map[string]int // by node and prefix: the node's XSUB counts
}

func (m *model) expect(act string) string {
	name, does, _ := strings.Cut(act, " ")
	all, own := []string{}, []string(nil)
	end := func(prefix string) {
		delete(m.held[name], prefix)
		if m.told[prefix]--; !m.counts {
			m.told[prefix] = 0
			for _, h := range m.held {
				m.told[prefix] += h[prefix]
			}
		}
		if m.told[prefix] == 0 {
			delete(m.told, prefix)
			all = append(all, "-"+prefix)
		}
	}
	switch {
	case does == "join":
		m.held[name] = map[string]int{identity(name): 1}
		for prefix := range m.told {
			own = append(own, "+"+prefix)
		}
		m.told[identity(name)]++
		all = append(all, "+"+identity(name))
	case does == "leave":
		for prefix := range m.held[name] {
			end(prefix)
		}
		delete(m.held, name)
	case does[0] == '+':
		m.held[name][does[1:]]++
		m.told[does[1:]]++
		all = append(all, does)
	case m.held[name][does[1:]] > 1:
		m.held[name][does[1:]]--
	case m.held[name][does[1:]] == 1:
		end(does[1:])
	}
	var parts []string
	for node := range m.held {
		seen := slices.Clone(all)
		if node == name {
			seen = append(seen, own...)
		}
		slices.Sort(seen)
		parts = append(parts, fmt.Sprintf("%s[%s]", node, strings.Join(seen, " ")))
	}
	slices.Sort(parts)
	return act + ": " + strings.Join(parts, " ")
}

// TestSubscriptionsAtRandom plays a random script before both brokers. Ours
// agrees with a model that knows holders, libzmq's with one that counts.
func TestSubscriptionsAtRandom(t *testing.T) {
	t.Parallel()
	p := zmqtest.Start(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	ours, theirs := casts(t, p)
	holders := &model{told: map[string]int{}, held: map[string]map[string]int{}}
	counts := &model{counts: true, told: map[string]int{}, held: map[string]map[string]int{}}
	var acts []string
	play := func(act string) {
		acts = append(acts, act)
		if got, want := ours.act(t, act), holders.expect(act); got != want {
			t.Fatalf("after %q\nours:  %s\nmodel: %s", acts, got, want)
		}
		if got, want := theirs.act(t, act), counts.expect(act); got != want {
			t.Fatalf("after %q\nlibzmq: %s\nmodel:  %s", acts, got, want)
		}
	}
	play("O join") // somebody is always there to see the others go
	for range 40 {
		name := string(rune('A' + rnd.IntN(4)))
		switch present := holders.held[name] != nil; {
		case !present:
			play(name + " join")
		case rnd.IntN(6) == 0:
			play(name + " leave")
		default:
			play(fmt.Sprintf("%s %c%s", name, "++-"[rnd.IntN(3)], []string{"", "t", "tt", "u", "\xff"}[rnd.IntN(5)]))
		}
	}
}

// TestForeignFrames: what a subscriber sends that is no subscription reaches every
// node with libzmq's broker, and nobody with ours, which counts it.
func TestForeignFrames(t *testing.T) {
	t.Parallel()
	p := zmqtest.Start(t)
	b := startBroker(t, nil)
	z := p.Broker(t)
	for _, ours := range []bool{true, false} {
		xsub, xpub := b.XSUBEndpoint(), b.XPUBEndpoint()
		if !ours {
			xsub, xpub = z.XSUBEndpoint, z.XPUBEndpoint
		}
		n := p.Node(t, "n")
		n.Join(t, xsub, xpub)
		n.Sync(t)
		r := zmqtest.DialAs(t, xpub, "XSUB")
		r.SendText(t, "spam", "spam")
		r.Subscribe(t, "end")
		got := strings.Join(n.XPUB.RecvText(t), " ")
		for strings.HasPrefix(got, "\x00zeek.zeromq.internal.") { // Sync's own
			got = strings.Join(n.XPUB.RecvText(t), " ")
		}
		want := "spam spam"
		if ours {
			want = "\x01end"
		}
		if got != want {
			t.Errorf("ours %v: the node sees %q, want %q", ours, got, want)
		}
	}
	if got := b.XPUB().Foreign(); got != 2 {
		t.Errorf("%d foreign frames counted", got)
	}
}
