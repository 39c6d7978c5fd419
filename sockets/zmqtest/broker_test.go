package zmqtest

import (
	"slices"
	"testing"
)

// join makes a node that has joined the broker.
func join(t *testing.T, p *Process, b *Broker, id string, prefixes ...string) *Node {
	t.Helper()
	n := p.Node(t, id)
	n.Join(t, b.XSUBEndpoint, b.XPUBEndpoint)
	for _, prefix := range prefixes {
		n.Subscribe(t, prefix)
	}
	return n
}

// TestTwoNodes is a small Zeek cluster on the reference broker: each sees the
// other's subscriptions and gets exactly what it asked for.
func TestTwoNodes(t *testing.T) {
	p := Start(t)
	b := p.Broker(t)
	one := join(t, p, b, "one", "to.one", "all")
	if got := one.Sync(t); !slices.Equal(got, []string{"+to.one", "+all"}) {
		t.Fatalf("one sees %q", got)
	}
	q := Start(t)
	two := join(t, q, b, "two", "to.two", "all")
	seen := two.Sync(t) // its own, and one's on joining
	for _, want := range []string{"+to.one", "+to.two", "+all"} {
		if !slices.Contains(seen, want) {
			t.Fatalf("two sees %q, %q is missing", seen, want)
		}
	}
	if got := one.Sync(t); !slices.Equal(got, []string{"+to.two", "+all"}) {
		t.Fatalf("one sees %q", got)
	}

	one.Publish(t, "to.two", "hello")
	one.Publish(t, "to.nobody", "hello")
	one.Publish(t, "all", "every body")
	if got := one.RecvUntilSync(t); len(got) != 1 || got[0][3] != "every body" {
		t.Fatalf("one received %q", got)
	}
	want := []string{"to.two", "one", "broker-bin-v1", "hello"}
	if got := two.Recv(t); !slices.Equal(got, want) {
		t.Fatalf("two received %q", got)
	}
	if got := two.RecvUntilSync(t); len(got) != 1 || got[0][0] != "all" {
		t.Fatalf("two received %q", got)
	}

	one.Sync(t)
	q.Kill(t) // the broker tells the others that its subscriptions are gone
	for {
		if seen := one.Sync(t); slices.Contains(seen, "-to.two") {
			break
		}
	}
}

// TestSteering pauses, resumes, counts and ends the reference proxy.
func TestSteering(t *testing.T) {
	p := Start(t)
	b := p.Broker(t)
	n := join(t, p, b, "n", "x")
	n.Sync(t)
	before := b.Statistics(t)
	b.Pause(t)
	n.Publish(t, "x", "1")
	b.Resume(t)
	n.Recv(t)
	after := b.Statistics(t)
	if after.FrontendReceived-before.FrontendReceived != 1 || after.BackendSent-before.BackendSent != 1 {
		t.Fatalf("before %+v, after %+v", before, after)
	}
	b.Terminate(t)
	p.Leave(t)
}
