package fuzz

import (
	"bytes"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/znode/znode/fuzz/mutate"
	"github.com/znode/znode/fuzz/oracle"
	"github.com/znode/znode/sockets"
)

// A naive model of an XPUB: who holds what, in a list.
type naive struct {
	verbose, verboser bool
	held              [3]map[string]bool // by peer; nil while it is not there
	told              []string           // what the owner is told
	sent              [3][]byte          // what each peer is sent
}

func (n *naive) holders(prefix string) (k int) {
	for _, h := range n.held {
		if h[prefix] {
			k++
		}
	}
	return k
}

func (n *naive) subscribe(i int, prefix string) {
	first := n.holders(prefix) == 0
	n.held[i][prefix] = true
	if first || n.verbose || n.verboser {
		n.told = append(n.told, fmt.Sprintf("+%q %v", prefix, first))
	}
}

func (n *naive) cancel(i int, prefix string) {
	last := n.held[i][prefix] && n.holders(prefix) == 1
	delete(n.held[i], prefix)
	if last || n.verboser {
		n.told = append(n.told, fmt.Sprintf("-%q %v", prefix, last))
	}
}

func (n *naive) leave(i int) {
	var all []string
	for prefix := range n.held[i] {
		all = append(all, prefix)
	}
	slices.Sort(all)
	for _, prefix := range all {
		n.cancel(i, prefix)
	}
	n.held[i], n.sent[i] = nil, nil
}

func (n *naive) publish(topic string) {
	for i, h := range n.held {
		for prefix := range h {
			if strings.HasPrefix(topic, prefix) {
				n.sent[i] = sockets.AppendMessage(n.sent[i], []byte(topic), []byte("payload"))
				break
			}
		}
	}
}

func (n *naive) prefixes() []string {
	all := []string{}
	for _, h := range n.held {
		for prefix := range h {
			all = append(all, prefix)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// FuzzSubscriptions plays a script of up to three peers that come, subscribe,
// cancel and go, and of publications, before an XPUB and before the model. What
// the owner is told, what is held, and every byte that every peer is sent must be
// the same.
func FuzzSubscriptions(tf *testing.F) {
	f := mutate.From(tf)
	f.Add(byte(0), []byte("\x00ja\x00+a\x01jb\x01+a\x00-a\x02pab\x01-a"))
	f.Add(byte(1), []byte("\x00j\x00+aa\x00+aa\x00!aab\x02paabb\x00-aa\x00ccc\x00l"))
	f.Add(byte(2), []byte("\x00j\x01j\x02j\x00+\x01+\x02-\x00p\x00l\x01l\x02l"))
	f.Add(byte(0), []byte("\x00j\x00+ab\x00+ac\x00pb\x00pa\x00pad\x00pabb\x00-ab\x00pab"))
	f.Add(byte(2), []byte("\x00j\x00+aaab\x00+aaac\x00+aa\x00+aaa\x00paaabb\x00-aaa\x00paaacc"))
	f.Fuzz(func(t *testing.T, mode byte, script []byte) {
		model := naive{verbose: mode%3 == 1, verboser: mode%3 == 2}
		var told []string
		o := options()
		o.Verbose, o.Verboser, o.Linger = model.verbose, model.verboser, -1
		o.MaxSubscriptions, o.MaxSubscriptionBytes = 1000, 100_000
		x, err := sockets.NewXPUB(o, func(s sockets.Subscription) {
			told = append(told, fmt.Sprintf("%c%q %v", "-+"[bit(s.Subscribe)], s.Prefix, s.Changed))
		})
		if err != nil {
			t.Fatal(err)
		}
		defer x.Close()
		var conns [3]*memConn
		var heads [3]int // bytes sent in the handshake
		for len(script) >= 2 {
			i, does := int(script[0])%3, script[1]
			script = script[2:]
			end := min(int(i)+4, len(script))
			if k := bytes.IndexFunc(script[:end], func(r rune) bool { return r < 'a' }); k >= 0 {
				end = k
			}
			text := string(script[:end])
			switch {
			case does == 'p':
				if err := x.Publish([]byte(text), []byte("payload")); err != nil {
					t.Fatal(err)
				}
				model.publish(text)
				if x.Matches([]byte(text)) != slices.ContainsFunc(model.prefixes(), func(p string) bool { return strings.HasPrefix(text, p) }) {
					t.Errorf("Matches(%q) is %v", text, x.Matches([]byte(text)))
				}
			case conns[i] == nil:
				conns[i] = newMemConn()
				if err := x.Attach(conns[i], "memory"); err != nil {
					t.Fatal(err)
				}
				conns[i].feed(t, oracle.Hello("SUB"))
				heads[i] = len(conns[i].written())
				model.held[i] = map[string]bool{}
			case does == 'l':
				conns[i].end()
				left(t, x, conns[:], i)
				conns[i] = nil
				model.leave(i)
			default:
				conns[i].feed(t, encode(&model, i, does, text))
			}
			script = script[end:]
			if !slices.Equal(told, model.told) {
				t.Fatalf("told  %q\nmodel %q", told, model.told)
			}
			if got, want := x.Prefixes(), model.prefixes(); !slices.Equal(got, want) {
				t.Fatalf("prefixes %q, want %q", got, want)
			}
		}
		x.Close() // it lingers until everything is sent
		for i, c := range conns {
			if c != nil && !bytes.Equal(c.written()[heads[i]:], model.sent[i]) {
				t.Errorf("peer %d was sent\n%q\nwant\n%q", i, c.written()[heads[i]:], model.sent[i])
			}
		}
	})
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// encode is the wire form of a subscription or cancellation, as a message or a
// command, and tells the model of it.
func encode(model *naive, i int, does byte, text string) []byte {
	switch does {
	case '-':
		model.cancel(i, text)
		return sockets.AppendMessage(nil, []byte("\x00"+text))
	case 'c':
		model.cancel(i, text)
		return oracle.AppendCommand(nil, "CANCEL", []byte(text))
	case '!':
		model.subscribe(i, text)
		return oracle.AppendCommand(nil, "SUBSCRIBE", []byte(text))
	case '2': // two in one message
		model.subscribe(i, text)
		model.cancel(i, text[:len(text)/2])
		return sockets.AppendMessage(nil, []byte("\x01"+text), []byte("\x00"+text[:len(text)/2]))
	case 'f': // neither
		return sockets.AppendMessage(nil, []byte("\x02"+text))
	}
	model.subscribe(i, text)
	return sockets.AppendMessage(nil, []byte("\x01"+text))
}

// left waits until the XPUB has noticed that a peer is gone.
func left(t *testing.T, x *sockets.XPUB, conns []*memConn, i int) {
	t.Helper()
	want := -1
	for _, c := range conns {
		if c != nil {
			want++
		}
	}
	for deadline := time.Now().Add(patience); len(x.Peers()) > want; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("peer %d does not leave", i)
		}
	}
}
