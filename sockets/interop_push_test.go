package sockets_test

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/znode/znode/sockets"
	"github.com/znode/znode/sockets/zmqtest"
)

// TestRoundRobin: each of three PULL peers of libzmq's gets every third message,
// in order, however the peers were connected.
func TestRoundRobin(t *testing.T) {
	t.Parallel()
	p := zmqtest.Start(t)
	for _, role := range []string{"bind", "connect"} {
		t.Run(role, func(t *testing.T) {
			push := newPUSH(t, nil)
			var pulls []*zmqtest.Socket
			endpoint := ""
			if role == "bind" {
				endpoint = bind(t, push, anyPort)
			}
			for range 3 {
				s := p.Socket(t, "PULL")
				if role == "bind" {
					s.Connect(t, endpoint)
				} else {
					connect(t, push, s.Bind(t, zmqtest.Loopback))
				}
				pulls = append(pulls, s)
			}
			until(t, "all are connected", func() bool {
				n := 0
				for _, p := range push.Peers() {
					if p.Connected {
						n++
					}
				}
				return n == 3
			})
			const each = 50
			for i := range 3 * each {
				if err := push.Send(fmt.Append(nil, i)); err != nil {
					t.Fatal(err)
				}
			}
			var firsts []int
			for _, s := range pulls {
				first, err := strconv.Atoi(s.RecvText(t)[0])
				if err != nil {
					t.Fatal(err)
				}
				firsts = append(firsts, first)
				for k := 1; k < each; k++ {
					if got := s.RecvText(t)[0]; got != strconv.Itoa(first+3*k) {
						t.Fatalf("after %d the %dth message is %s", first, k, got)
					}
				}
				if more, ok := s.TryRecv(t); ok {
					t.Errorf("and %q", more)
				}
			}
			slices.Sort(firsts)
			if !slices.Equal(firsts, []int{0, 1, 2}) {
				t.Errorf("first messages %v", firsts)
			}
		})
	}
}

// TestQueueForNobody: without IMMEDIATE a PUSH takes exactly SndHWM messages for an
// endpoint where nobody was ever, as libzmq does, and they arrive when somebody
// comes. With IMMEDIATE it takes none.
func TestQueueForNobody(t *testing.T) {
	t.Parallel()
	p := zmqtest.Start(t)
	for _, hwm := range []int{1, 2, 3, 100, 1000} {
		for _, immediate := range []bool{false, true} {
			ours := newPUSH(t, func(o *sockets.Options) { o.SndHWM, o.Immediate = hwm, immediate })
			endpoint := anyPath(t)
			connect(t, ours, endpoint)
			theirs := p.Socket(t, "PUSH")
			theirs.SetInt(t, zmqtest.SNDHWM, int64(hwm))
			theirs.SetInt(t, zmqtest.LINGER, 0)
			if immediate {
				theirs.SetInt(t, zmqtest.IMMEDIATE, 1)
			}
			theirs.Connect(t, anyPath(t))
			took := 0
			for ours.Send(fmt.Append(nil, took)) == nil {
				took++
			}
			took2 := 0
			for theirs.TrySend(t, fmt.Append(nil, took2)) {
				took2++
			}
			want := hwm
			if immediate {
				want = 0
			}
			if took != want || took2 != want {
				t.Errorf("HWM %d, immediate %v: ours took %d, libzmq's %d, want %d", hwm, immediate, took, took2, want)
			}
			if err := ours.Send([]byte("x")); err != sockets.ErrAgain {
				t.Errorf("a full PUSH gives %v", err)
			}
			pull := p.Socket(t, "PULL")
			pull.Bind(t, endpoint)
			if immediate {
				if err := ours.SendContext(t.Context(), []byte("0")); err != nil {
					t.Fatal(err)
				}
				took = 1
			}
			for i := range took {
				if got := pull.RecvText(t); got[0] != strconv.Itoa(i) {
					t.Fatalf("message %d is %q", i, got)
				}
			}
			pull.Close(t, 0)
		}
	}
}

// TestHWMExact fills a PUSH whose peer does not read: it takes SndHWM messages and
// what the kernel has taken, says EAGAIN then, and takes more only when half of
// its queue is free. Nothing is lost meanwhile.
func TestHWMExact(t *testing.T) {
	t.Parallel()
	for _, hwm := range []int{1, 10, 100, 1000} {
		push := newPUSH(t, func(o *sockets.Options) { o.SndHWM, o.SndBuf = hwm, 32<<10 })
		r := zmqtest.DialAs(t, bind(t, push, anyPort), "PULL")
		until(t, "connected", func() bool { return len(push.Peers()) == 1 })
		sent := 0
		send := func() error {
			err := push.Send(fmt.Append(nil, sent), pattern(sent, 1000))
			if err == nil {
				sent++
			}
			return err
		}
		received := 0
		// Whatever the kernel takes meanwhile: never more than HWM are queued,
		// and what is not queued is taken.
		full := func() bool {
			for send() == nil {
			}
			p := push.Peers()[0]
			if p.QueuedMessages > hwm || p.SentMessages+uint64(p.QueuedMessages) != uint64(sent) {
				t.Fatalf("HWM %d: %d queued, %d taken by the kernel, of %d", hwm, p.QueuedMessages, p.SentMessages, sent)
			}
			if p.QueuedMessages < hwm && received < sent {
				// The kernel took some when it was full. What is left may be too much
				// for more to be queued, and more than the kernel has room for.
				checkNext(t, r, received)
				received++
			}
			return p.QueuedMessages == hwm
		}
		until(t, "the queue is full", full)
		for range 3 {
			// The peer reads, one by one; at the first success after fullness at
			// most half can have been queued.
			for send() == sockets.ErrAgain {
				if received < sent {
					checkNext(t, r, received)
					received++
				}
			}
			if q := push.Peers()[0].QueuedMessages; q > hwm/2+1 {
				t.Errorf("HWM %d: room again with %d queued", hwm, q)
			}
			until(t, "the queue is full again", full)
		}
		for ; received < sent; received++ {
			checkNext(t, r, received)
		}
		if p := push.Peers()[0]; p.DroppedMessages+p.LostMessages != 0 {
			t.Errorf("%+v", p)
		}
	}
}

func checkNext(t *testing.T, r *zmqtest.Raw, i int) {
	t.Helper()
	m := r.Recv(t)
	if string(m[0]) != strconv.Itoa(i) || !bytes.Equal(m[1], pattern(i, 1000)) {
		t.Fatalf("message %q where %d was due", m[0], i)
	}
}

// TestImmediateForgets: with IMMEDIATE what is queued ends with the connection,
// and nothing is taken until the next one is there; without, it survives.
func TestImmediateForgets(t *testing.T) {
	t.Parallel()
	for _, immediate := range []bool{true, false} {
		var events *mailbox[sockets.Event]
		push := newPUSH(t, func(o *sockets.Options) {
			o.SndHWM, o.SndBuf, o.Immediate = 10, 32<<10, immediate
			watched(&events)(o)
		})
		l := zmqtest.Listen(t, zmqtest.Loopback)
		connect(t, push, l.Endpoint)
		r := l.Accept(t)
		r.Handshake(t, "PULL")
		awaitKind(t, events, sockets.EventConnected)
		sent := 0
		until(t, "the queue is full", func() bool {
			for push.Send(fmt.Append(nil, sent), pattern(sent, 1000)) == nil {
				sent++
			}
			// It stays full until half of it is free, and the kernel may still take some.
			return push.Peers()[0].QueuedMessages > 5
		})
		r.Reset()
		awaitKind(t, events, sockets.EventDisconnected)
		if immediate {
			until(t, "the queue is forgotten", func() bool { return push.Peers()[0].QueuedMessages == 0 })
			// The kernel may have taken some more before the connection ended.
			if p := push.Peers()[0]; p.SentMessages+p.LostMessages != uint64(sent) {
				t.Errorf("%d sent and %d lost of %d", p.SentMessages, p.LostMessages, sent)
			}
			if err := push.Send([]byte("x")); err != sockets.ErrAgain {
				t.Errorf("without a connection Send gives %v", err)
			}
		}
		until(t, "the connection has ended", func() bool { return !push.Peers()[0].Connected })
		kept := push.Peers()[0].QueuedMessages
		r = l.Accept(t)
		r.Handshake(t, "PULL")
		if immediate {
			if err := push.SendContext(t.Context(), []byte("new")); err != nil {
				t.Fatal(err)
			}
			if got := r.RecvText(t); got[0] != "new" {
				t.Errorf("received %q", got)
			}
			continue
		}
		for i := sent - kept; i < sent; i++ {
			checkNext(t, r, i)
		}
	}
}

// TestPullsDie: libzmq PULLs that die take what was queued for them along, and
// the messages after that go to those that are left.
func TestPullsDie(t *testing.T) {
	t.Parallel()
	push := newPUSH(t, func(o *sockets.Options) { o.SndHWM, o.SndBuf = 50, 32<<10 })
	endpoint := bind(t, push, anyPort)
	dying, staying := zmqtest.Start(t), zmqtest.Start(t)
	for range 2 {
		s := dying.Socket(t, "PULL")
		s.SetInt(t, zmqtest.RCVHWM, 1)
		s.Connect(t, endpoint)
	}
	until(t, "two are there", func() bool { return len(push.Peers()) == 2 })
	sent := 0
	until(t, "both are full", func() bool {
		for push.Send(fmt.Append(nil, sent), pattern(sent, 1000)) == nil {
			sent++
		}
		l := push.Peers() // full until half of it is free
		return l[0].QueuedMessages > 25 && l[1].QueuedMessages > 25
	})
	waiting := make(chan error, 1)
	go func() { waiting <- push.SendContext(t.Context(), []byte("waited"), pattern(0, 1000)) }()
	dying.Kill(t)
	until(t, "both are gone", func() bool { return len(push.Peers()) == 0 })
	if err := push.Send([]byte("x")); err != sockets.ErrAgain {
		t.Errorf("without a peer Send gives %v", err)
	}
	s := staying.Socket(t, "PULL")
	s.Connect(t, endpoint)
	if err := <-waiting; err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		if err := push.SendContext(t.Context(), fmt.Append(nil, i), pattern(i, 1000)); err != nil {
			t.Fatal(err)
		}
	}
	// "waited" may have gone to a peer that died; the rest arrives in order.
	first := s.RecvText(t)[0]
	if first == "waited" {
		first = s.RecvText(t)[0]
	}
	if first != "0" {
		t.Errorf("first is %q", first)
	}
	for i := 1; i < 100; i++ {
		if got := s.RecvText(t)[0]; got != strconv.Itoa(i) {
			t.Fatalf("message %d is %q", i, got)
		}
	}
}

// TestPullFair: while one sender floods and is held up by the handler, what others
// send is received, from libzmq and from us; and a batch is never larger than
// RcvHWM.
func TestPullFair(t *testing.T) {
	t.Parallel()
	p := zmqtest.Start(t)
	hold, held := make(chan struct{}), make(chan struct{}, 1)
	quiet := newMailbox[string]()
	x, err := sockets.NewPULL(options(func(o *sockets.Options) { o.RcvHWM = 7 }), func(b sockets.Batch) {
		if b.Len() > 7 {
			t.Errorf("a batch of %d messages", b.Len())
		}
		for m := range b.Messages() {
			if string(m.First()) != "flood" {
				quiet.put(string(m.First()))
				continue
			}
			select {
			case held <- struct{}{}:
			default:
			}
			<-hold
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	endpoint := bind(t, x, anyPort)
	flood := p.Socket(t, "PUSH")
	flood.Connect(t, endpoint)
	job := flood.StartLoad(t, zmqtest.Load{Topics: []string{"flood"}, Sender: "f", Count: 5000, Size: 500})
	<-held
	for i := range 20 {
		s := p.Socket(t, "PUSH")
		s.Connect(t, endpoint)
		s.SendText(t, strconv.Itoa(i))
		if got := quiet.take(t); got != strconv.Itoa(i) {
			t.Errorf("received %q", got)
		}
	}
	close(hold)
	job.Wait(t)
}
