package node

import (
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/go-zeromq/zmq4"

	"github.com/znode/znode/codec"
	"github.com/znode/znode/sockets"
	"github.com/znode/znode/sockets/zmqtest"
)

// numberEvents are events with these numbers, on the wire.
func numberEvents(t *testing.T, from, to uint64) (buf []byte) {
	t.Helper()
	for i := from; i < to; i++ {
		payload, err := codec.AppendEventArgs(nil, "Test::number", i)
		if err != nil {
			t.Fatal(err)
		}
		buf = append(buf, sockets.AppendMessage(nil, []byte("test"), []byte("zeromq_x"), []byte(BrokerBinV1), payload)...)
	}
	return buf
}

// Without a grace the rule is Zeek's, to the event: one that comes while the
// queue holds onloop_queue_hwm is dropped at once, one that comes before is not,
// and what is forced is taken all the same.
func TestOnloopHWMIsZeeks(t *testing.T) {
	t.Parallel()
	const hwm, more = 100, 400
	log, entered, block := new(lockedBuffer), make(chan struct{}, 2), make(chan struct{})
	var handled []uint64
	opt := testNodeOptions(t)
	opt.OnloopQueueHWM, opt.OnloopGrace, opt.ListenLogEndpoint = hwm, 0, zmqtest.Loopback
	opt.Log = slog.New(slog.NewTextHandler(log, nil))
	connected := make(chan struct{}, 1)
	opt.Sockets.OnEvent = func(e sockets.Event) {
		if e.Kind == sockets.EventConnected && e.Socket == zmq4.XPub {
			select {
			case connected <- struct{}{}:
			default: // once is enough
			}
		}
	}
	n, r := startWithRaw(t, opt, func(n *Node) {
		n.Handle("Test::number", func(e *Event) {
			i, _ := e.Arg(0).AsCount()
			if i%1000 == 0 { // the first of an episode
				entered <- struct{}{}
				<-block
			}
			handled = append(handled, i)
		})
	})
	t.Cleanup(func() { close(block) }) // also of a test that fails
	push := zmqtest.DialAs(t, n.LogEndpoint(), "PUSH")
	<-connected // which is told to the loop as well; later it would be in the queue with the events

	var want []uint64
	for episode := range uint64(2) {
		first := 1000 * episode
		r.xpub.SendBytes(t, numberEvents(t, first, first+1))
		<-entered // alone, so the queue is empty
		r.xpub.SendBytes(t, numberEvents(t, first+1, first+1+hwm+more))
		await(t, "all to be received", func() bool { s := n.Stats(); return s.Received == (episode+1)*(1+hwm+more) })
		await(t, "the drops", func() bool { return n.Stats().OnloopDrops == (episode+1)*more })
		push.Send(t, []byte(logWrite), []byte("zeromq_x"), []byte(logSerializer), testLogBatch(t, 1))
		r.xsub.Subscribe(t, "some.topic")
		await(t, "what is forced", func() bool { return n.Stats().OnloopLength == hwm+2 })
		for i := first; i < first+1+hwm; i++ {
			want = append(want, i)
		}
		block <- struct{}{}
		await(t, "the queue to run empty", func() bool { s := n.Stats(); return s.LogBatches == episode+1 && s.Handled == (episode+1)*(1+hwm) })
		if s := n.Stats(); s.Received != s.Handled+s.OnloopDrops || s.OnloopDrops != (episode+1)*more || s.OnloopBlocks != 0 {
			t.Errorf("episode %d: %+v", episode, s)
		}
		await(t, "the end of the episode", func() bool { return strings.Count(log.String(), "no more events are dropped") == int(episode+1) })
		if got := strings.Count(log.String(), "level=WARN"); got != int(episode+1) {
			t.Errorf("%d warnings in %d episodes:\n%s", got, episode+1, log)
		}
	}
	if got := onLoop(n, func() []uint64 { return slices.Clone(handled) }); !slices.Equal(got, want) {
		t.Errorf("handled %d, want the first %d of each episode:\n%d", len(got), 1+hwm, got)
	}
}
