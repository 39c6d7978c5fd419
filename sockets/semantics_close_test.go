package sockets_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/znode/znode/sockets"
	"github.com/znode/znode/sockets/zmqtest"
)

// TestCloseWhileHandlerLooks closes a socket whose handler is at work and asks
// the socket for its figures.
func TestCloseWhileHandlerLooks(t *testing.T) {
	t.Parallel()
	in, out := make(chan struct{}), make(chan struct{})
	var x *sockets.PULL
	var err error
	x, err = sockets.NewPULL(options(nil), func(sockets.Batch) {
		close(in)
		<-out
		x.Peers()
		x.Stats()
		x.Endpoints()
	})
	if err != nil {
		t.Fatal(err)
	}
	r := zmqtest.DialAs(t, bind(t, x, anyPort), "PUSH")
	r.SendText(t, "x")
	finishes(t, "the handler is called", in)
	closed := background(func() { x.Close() })
	// Close has begun when nothing can be bound any more.
	until(t, "Close has begun", func() bool {
		e, err := x.Bind(anyPort)
		if err == nil {
			_ = x.Unbind(e)
		}
		return errors.Is(err, sockets.ErrClosed)
	})
	close(out)
	finishes(t, "Close returns", closed)
}

// TestCloseDuringEverything closes sockets while others bind, unbind, connect,
// disconnect, send, and look at them.
func TestCloseDuringEverything(t *testing.T) {
	t.Parallel()
	for round := range 4 {
		in := newInbox()
		xsub, err := sockets.NewXSUB(options(nil), in.handle)
		if err != nil {
			t.Fatal(err)
		}
		pull, _ := sockets.NewPULL(options(nil), in.handle)
		xpub, _ := sockets.NewXPUB(options(nil), nil)
		push, _ := sockets.NewPUSH(options(nil))
		toXPUB, toPULL := bind(t, xpub, anyPort), bind(t, pull, anyPort)
		xsub.Subscribe([]byte("t"))
		connect(t, xsub, toXPUB)
		connect(t, push, toPULL)
		ctx, cancel := context.WithCancel(context.Background())
		var wg sync.WaitGroup
		begun := make(chan struct{}, 100)
		loop := func(f func(i int) error) {
			wg.Go(func() {
				for i := 0; ; i++ {
					if err := f(i); errors.Is(err, sockets.ErrClosed) || ctx.Err() != nil {
						return
					}
					if i == 0 {
						begun <- struct{}{}
					}
					runtime.Gosched()
				}
			})
		}
		others := []interface {
			binder
			connecter
			Unbind(string) error
			Disconnect(string) error
			Peers() []sockets.PeerStats
			Stats() sockets.Stats
			Endpoints() []string
		}{xsub, pull, xpub, push}
		for _, x := range others {
			loop(func(int) error {
				e, err := x.Bind(anyPort)
				if err == nil {
					_ = x.Unbind(e)
				}
				return err
			})
			loop(func(i int) error {
				e := fmt.Sprintf("tcp://127.0.0.1:%d", 1+i%3)
				err := x.Connect(e)
				_ = x.Disconnect(e)
				return err
			})
			loop(func(int) error { x.Peers(); x.Stats(); x.Endpoints(); return nil })
		}
		loop(func(i int) error { return xpub.Publish(numbered("t", i, 100)...) })
		loop(func(i int) error { return push.Send(numbered("t", i, 100)...) })
		loop(func(i int) error { return push.SendContext(ctx, numbered("t", i, 100)...) })
		loop(func(i int) error {
			p := fmt.Append(nil, "t", i%50)
			xsub.Subscribe(p)
			xsub.Cancel(p)
			return nil
		})
		for range len(others)*3 + 4 {
			<-begun
		}
		closers := []interface{ Close() error }{xsub, pull, xpub, push}
		var closed []<-chan struct{}
		for i := range closers {
			x := closers[(i+round)%len(closers)]
			closed = append(closed, background(func() { x.Close() }), background(func() { x.Close() }))
		}
		for _, c := range closed {
			finishes(t, "Close returns", c)
		}
		cancel()
		finishes(t, "the others notice", background(wg.Wait))
		for _, x := range others {
			if n := len(x.Peers()) + len(x.Endpoints()) + x.Stats().Connections; n > 0 {
				t.Fatalf("a closed %T has %d peers, endpoints and connections", x, n)
			}
		}
	}
}
