package sockets

import (
	"fmt"
	"runtime"
	"slices"
	"testing"

	"github.com/znode/znode/sockets/zmqtest"
)

// TestSubscriptionsTogether: changes that came together are reported as such, and
// relayed in order.
func TestSubscriptionsTogether(t *testing.T) {
	up := zmqtest.Listen(t, zmqtest.Loopback)
	opt := DefaultOptions()
	opt.Linger = 0
	xsub, err := NewXSUB(opt, func(Batch) {})
	if err != nil {
		t.Fatal(err)
	}
	defer xsub.Close()
	if err := xsub.Connect(up.Endpoint); err != nil {
		t.Fatal(err)
	}
	publisher := up.Accept(t)
	publisher.Handshake(t, "XPUB")
	for xsub.Connected() == 0 {
		runtime.Gosched()
	}
	var got []string
	opt.Verboser = true
	xpub, err := NewXPUB(opt, func(s Subscription) {
		got = append(got, fmt.Sprintf("%v %s %v", s.Subscribe, s.Prefix, s.More))
		xsub.Relay(s)
	})
	if err != nil {
		t.Fatal(err)
	}
	defer xpub.Close()
	endpoint, err := xpub.Bind(zmqtest.Loopback)
	if err != nil {
		t.Fatal(err)
	}
	r := zmqtest.DialAs(t, endpoint, "SUB")
	var wire []byte
	for _, m := range []string{"\x01a", "\x01b", "foreign", "\x01a", "\x00b", "\x00never", "\x01c"} {
		wire = zmqtest.AppendMessage(wire, []byte(m))
	}
	r.SendBytes(t, wire)
	for _, want := range []string{"\x01a", "\x01b", "\x01a", "\x00b", "\x01c"} {
		if m := publisher.RecvText(t); len(m) != 1 || m[0] != want {
			t.Fatalf("relayed %q, want %q", m, want)
		}
	}
	want := []string{"true a true", "true b true", "true a true", "false b true", "false never true", "true c false"}
	if !slices.Equal(got, want) {
		t.Errorf("reported %q, want %q", got, want)
	}
}
