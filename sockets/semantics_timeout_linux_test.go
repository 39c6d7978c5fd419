package sockets_test

import (
	"testing"
	"time"

	"github.com/znode/znode/sockets"
	"github.com/znode/znode/sockets/zmqtest"
)

// TestStoppedForTooLong: a subscriber that takes nothing for UserTimeout is
// disconnected, for a reason of its own, and what it held is cancelled.
func TestStoppedForTooLong(t *testing.T) {
	t.Parallel()
	var events *mailbox[sockets.Event]
	x, subs := newXPUB(t, func(o *sockets.Options) {
		watched(&events)(o)
		o.UserTimeout, o.SndBuf = time.Second, 32<<10
	})
	r := zmqtest.DialAs(t, bind(t, x, anyPort), "SUB")
	r.Subscribe(t, "t")
	subs.before(t, "+t")
	for i := range 20 {
		if err := x.Publish([]byte("t"), make([]byte, 1<<20)); err != nil {
			t.Fatalf("message %d: %v", i, err)
		}
	}
	if e := awaitKind(t, events, sockets.EventDisconnected); e.Reason != sockets.ReasonTimeout || e.Err == nil {
		t.Errorf("event %+v", e)
	}
	if got := subs.take(t); got != "-t" {
		t.Errorf("told %q", got)
	}
	if n := x.Stats().Failures[sockets.ReasonTimeout]; n != 1 {
		t.Errorf("%d counted", n)
	}
}
