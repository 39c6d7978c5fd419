package curve

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-zeromq/zmq4"

	"github.com/znode/znode/sockets"
)

// A crowd lets nobody through before all are there at the same time.
type crowd struct {
	missing atomic.Int64
	full    chan struct{}
}

func newCrowd(n int64) *crowd {
	c := &crowd{full: make(chan struct{})}
	c.missing.Store(n)
	return c
}

func (c *crowd) join() (all bool) {
	if c.missing.Add(-1) == 0 {
		close(c.full)
	}
	select {
	case <-c.full:
		return true
	case <-time.After(patience):
		return false
	}
}

// together is a mechanism of which every connection's first Seal, or Open, waits for
// those of the others.
type together struct {
	zmq4.Security
	sockets.FrameCodec
	seal, open *crowd // nil: nobody waits
	sealed     sync.Once
	opened     sync.Once
	alone      *atomic.Bool // one waited in vain
}

func (m *together) Seal(dst []byte, flags byte, body []byte) ([]byte, error) {
	if m.seal != nil {
		m.sealed.Do(func() { m.alone.CompareAndSwap(false, !m.seal.join()) })
	}
	return m.FrameCodec.Seal(dst, flags, body)
}

func (m *together) Open(flags byte, sealed []byte) (byte, []byte, error) {
	if m.open != nil {
		m.opened.Do(func() { m.alone.CompareAndSwap(false, !m.open.join()) })
	}
	return m.FrameCodec.Open(flags, sealed)
}

// TestParallel: what is sealed for one peer does not wait for what is sealed for
// another one, nor does what is opened.
func TestParallel(t *testing.T) {
	const peers = 3
	is := newKeys(t)
	for name, c := range map[string]struct {
		bound, dials zmq4.SocketType
		seal, open   *crowd
	}{
		"seal": {bound: zmq4.XPub, dials: zmq4.XSub, seal: newCrowd(peers)},
		"open": {bound: zmq4.Pull, dials: zmq4.Push, open: newCrowd(peers)},
	} {
		t.Run(name, func(t *testing.T) {
			var alone atomic.Bool
			inner := is.mechanism(t, true)
			bound := openSocket(t, c.bound, func(server bool) zmq4.Security {
				m := inner(server)
				return &together{Security: m, FrameCodec: m.(sockets.FrameCodec), seal: c.seal, open: c.open, alone: &alone}
			}, func(o *sockets.Options) { o.Verbose = true })
			endpoint := bound.bind(t)
			var dialled []*ours
			for range peers {
				o := openSocket(t, c.dials, is.mechanism(t, false), nil)
				o.connect(t, endpoint)
				dialled = append(dialled, o)
			}
			if bound.send != nil {
				for range peers {
					await(t, bound.ready, "a subscription")
				}
				if err := bound.send([]byte("to all")); err != nil {
					t.Fatal(err)
				}
				for _, o := range dialled {
					o.recv(t)
				}
			} else {
				for _, o := range dialled {
					if err := o.send([]byte("to one")); err != nil {
						t.Fatal(err)
					}
				}
				for range peers {
					bound.recv(t)
				}
			}
			if alone.Load() {
				t.Error("one peer waits for another")
			}
		})
	}
}

// TestPathAllocates: from Publish to the handler on the other side a frame costs no
// allocation. It counts all of the process.
func TestPathAllocates(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool forget at random")
	}
	sockets.PoisonReleased(false)
	defer sockets.PoisonReleased(true)
	const count, subscribers = 2000, 2
	is := newKeys(t)
	opt := sockets.DefaultOptions()
	opt.Mechanism, opt.Verbose, opt.SndHWM = is.mechanism(t, true), true, 0
	ready := make(chan struct{}, subscribers)
	x, err := sockets.NewXPUB(opt, func(sockets.Subscription) { ready <- struct{}{} })
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	endpoint, err := x.Bind("tcp://127.0.0.1:*")
	if err != nil {
		t.Fatal(err)
	}
	var missing atomic.Int64
	done := make(chan struct{}, 1)
	opt = sockets.DefaultOptions()
	opt.Mechanism = is.mechanism(t, false)
	for range subscribers {
		s, err := sockets.NewXSUB(opt, func(b sockets.Batch) {
			if missing.Add(-int64(b.Len())) == 0 {
				done <- struct{}{}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		s.Subscribe(nil)
		if err := s.Connect(endpoint); err != nil {
			t.Fatal(err)
		}
	}
	for range subscribers {
		await(t, ready, "a subscription")
	}
	frames := [][]byte{[]byte("zeek.cluster.worker"), []byte("sender"), []byte("broker-bin-v1"), body(200)}
	run := func() {
		missing.Store(count * subscribers)
		for range count {
			if err := x.Publish(frames...); err != nil {
				t.Fatal(err)
			}
		}
		await(t, done, "all messages")
	}
	for range 3 {
		run() // until the memory that is used again and again is there
	}
	if per := testing.AllocsPerRun(5, run) / float64(count*subscribers*len(frames)); per > 0.01 {
		t.Errorf("%.4f allocations per frame", per)
	}
}
