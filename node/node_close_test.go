package node

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/znode/znode/codec"
	"github.com/znode/znode/sockets/zmqtest"
)

// Close lets what was received be handled and what was published be sent, and
// later calls do nothing.
func TestCloseDrains(t *testing.T) {
	t.Parallel()
	const events = 2000
	opt := testNodeOptions(t)
	opt.Linger, opt.XPUBSndHWM = zmqtest.Patience, 0
	block := newLatch()
	var handled atomic.Int32
	n, r := startWithRaw(t, opt, func(n *Node) {
		n.Handle("A::x", func(e *Event) {
			block.wait()
			handled.Add(1)
			if err := n.Publish("back", "A::y", handled.Load()); err != nil {
				t.Error(err)
			}
		})
	})
	block.endsWith(t)
	r.xsub.Subscribe(t, "back")
	await(t, "the subscription", func() bool { return n.XPUB().Matches([]byte("back")) })
	var buf []byte
	for range events {
		buf = append(buf, testEvent(t, "a", "x", "A::x")...)
	}
	r.xpub.SendBytes(t, buf)
	await(t, "all to be received", func() bool { return n.Stats().Received == events })
	closed := make(chan error)
	for range 3 {
		go func() { closed <- n.Close() }()
	}
	await(t, "Close to begin", n.closed.Load)
	block.open()
	for range events {
		r.xsub.Recv(t)
	}
	for range 3 {
		if err := <-closed; err != nil {
			t.Error(err)
		}
	}
	if err := n.Close(); err != nil {
		t.Error(err)
	}
	if s := n.Stats(); handled.Load() != events || s.Handled != events || s.Received != events {
		t.Errorf("handled %d, %+v", handled.Load(), s)
	}
}

func TestStartTwice(t *testing.T) {
	t.Parallel()
	n := newNode(t, testNodeOptions(t))
	startNode(t, n)
	if err := n.Start(); !errors.Is(err, ErrStarted) {
		t.Errorf("got %v", err)
	}
}

func TestPublishErrors(t *testing.T) {
	t.Parallel()
	n := newNode(t, testNodeOptions(t))
	var value *codec.ValueError
	if err := n.Publish("a", "A::x", struct{ C chan int }{}); !errors.As(err, &value) {
		t.Errorf("a channel: %v", err)
	}
	if err := n.Publish("a", "A::x"); err != nil {
		t.Errorf("nobody subscribed: %v", err)
	}
	n.Close()
	if err := n.Publish("a", "A::x"); !errors.Is(err, ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	if err := n.Subscribe("a", nil); !errors.Is(err, ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	if err := n.Start(); !errors.Is(err, ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	if err := n.Do(func() {}); !errors.Is(err, ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	if err := n.WaitReady(context.Background()); !errors.Is(err, ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

func TestReadyNeedsABroker(t *testing.T) {
	t.Parallel()
	n := newNode(t, testNodeOptions(t))
	startNode(t, n)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := n.WaitReady(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestOptionErrors(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*Options){
		"node name":                 func(o *Options) { o.Node = "" },
		"want both, or neither":     func(o *Options) { o.ConnectXPUBEndpoint = "" },
		"connect_xsub_endpoint":     func(o *Options) { o.ConnectXSUBEndpoint = "udp://x:1" },
		"a port is needed":          func(o *Options) { o.ConnectXPUBEndpoint = "tcp://x:0" },
		"connect_log_endpoints":     func(o *Options) { o.ConnectLogEndpoints = []string{""} },
		"onloop_queue_hwm":          func(o *Options) { o.OnloopQueueHWM = -1 },
		"write_buffer_size":         func(o *Options) { o.WriteBufferSize = 0 },
		"hello_expiration":          func(o *Options) { o.HelloExpiration = 0 },
		"event serializer":          func(o *Options) { o.EventSerializer = "broker-xml-v1" },
		"internal_topic_prefix":     func(o *Options) { o.InternalTopicPrefix = "" },
		"does not tell its type":    func(o *Options) { o.Mode = Member },
		"not in the cluster layout": func(o *Options) { o.Mode, o.Layout = Member, testLayout },
		"not a proxy":               func(o *Options) { o.Mode, o.Layout, o.Node, o.NodeType = Member, testLayout, "worker-1", NodeProxy },
		"a member needs": func(o *Options) {
			o.Mode, o.Node, o.ConnectXPUBEndpoint, o.ConnectXSUBEndpoint = Member, "worker", "", ""
		},
		"message_size_bounds": func(o *Options) { o.Telemetry.MessageSizeBounds = []float64{2, 1} },
		"MaxMessageSize":      func(o *Options) { o.Sockets.MaxMessageSize = 0 },
	} {
		opt := DefaultOptions()
		change(&opt)
		n, err := New(opt)
		if err == nil {
			n.Close()
			t.Errorf("no error, want one of %q", want)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q, want %q", err, want)
		}
	}
}
