package sockets_test

import (
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/znode/znode/sockets"
	"github.com/znode/znode/sockets/zmqtest"
)

// anyPort is the endpoint to bind for a port that the kernel chooses.
const anyPort = "tcp://127.0.0.1:0"

// anyPath is an endpoint that can be bound again and again: a port may be taken
// by another process while it is free for a moment.
func anyPath(t testing.TB) string { return "ipc://" + filepath.Join(t.TempDir(), "s") }

// options are the defaults for a test: nothing lingers, and a lost connection is
// dialled again at once.
func options(change func(*sockets.Options)) sockets.Options {
	o := sockets.DefaultOptions()
	o.Linger = 0
	o.ReconnectInterval = time.Millisecond
	if change != nil {
		change(&o)
	}
	return o
}

// until waits until cond holds. It looks again and again, because what it waits
// for are mostly figures that nobody announces.
func until(t testing.TB, what string, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(zmqtest.Patience)
	for !cond() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("in %v not: %s", zmqtest.Patience, what)
		}
	}
}

// finishes waits for a channel to be closed.
func finishes(t testing.TB, what string, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(zmqtest.Patience):
		t.Fatalf("in %v not: %s", zmqtest.Patience, what)
	}
}

// background runs f beside the test.
func background(f func()) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	return done
}

// mailbox keeps what a socket's handler gets, without bound, so that no handler
// waits for the test.
type mailbox[T any] struct {
	mu   sync.Mutex
	list []T
	more chan struct{}
}

func newMailbox[T any]() *mailbox[T] { return &mailbox[T]{more: make(chan struct{}, 1)} }

func (m *mailbox[T]) put(v ...T) {
	m.mu.Lock()
	m.list = append(m.list, v...)
	m.mu.Unlock()
	select {
	case m.more <- struct{}{}:
	default:
	}
}

func (m *mailbox[T]) try() (v T, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.list) == 0 {
		return v, false
	}
	v, m.list = m.list[0], m.list[1:]
	return v, true
}

func (m *mailbox[T]) take(t testing.TB) T {
	t.Helper()
	expired := time.After(zmqtest.Patience)
	for {
		if v, ok := m.try(); ok {
			return v
		}
		select {
		case <-m.more:
		case <-expired:
			t.Fatalf("nothing came in %v", zmqtest.Patience)
		}
	}
}

// inbox is a handler of messages.
type inbox struct{ *mailbox[[][]byte] }

func newInbox() inbox { return inbox{newMailbox[[][]byte]()} }

func (i inbox) handle(b sockets.Batch) {
	for m := range b.Messages() {
		i.put(sockets.Message(append([]byte(nil), m...)).Frames(nil))
	}
}

func (i inbox) text(t testing.TB) []string {
	t.Helper()
	return zmqtest.Text(i.take(t))
}

// before returns the messages before the one that is just the marker.
func (i inbox) before(t testing.TB, marker string) (got []string) {
	t.Helper()
	for {
		m := strings.Join(i.text(t), "|")
		if m == marker {
			return got
		}
		got = append(got, m)
	}
}

// subscriptions is a handler that notes "+prefix" and "-prefix".
type subscriptions struct{ *mailbox[string] }

func newSubscriptions() subscriptions { return subscriptions{newMailbox[string]()} }

func (s subscriptions) handle(c sockets.Subscription) {
	sign := "-"
	if c.Subscribe {
		sign = "+"
	}
	s.put(sign + string(c.Prefix))
}

// before returns what comes before this subscription or cancellation.
func (s subscriptions) before(t testing.TB, marker string) (got []string) {
	t.Helper()
	for {
		c := s.take(t)
		if c == marker {
			return got
		}
		got = append(got, c)
	}
}

// awaited waits for this subscription of a libzmq socket. libzmq attends to a new
// connection of a bound socket only when its program uses the socket, so that is
// done meanwhile, as a real one does.
func (s subscriptions) awaited(t testing.TB, want string, from *zmqtest.Socket) {
	t.Helper()
	until(t, "subscription "+want, func() bool {
		if m, ok := from.TryRecv(t); ok {
			t.Fatalf("a message %q before the subscription is there", m)
		}
		got, ok := s.try()
		if ok && got != want {
			t.Fatalf("subscription %q, want %q", got, want)
		}
		return ok
	})
}

func newXPUB(t testing.TB, change func(*sockets.Options)) (*sockets.XPUB, subscriptions) {
	t.Helper()
	subs := newSubscriptions()
	x, err := sockets.NewXPUB(options(change), subs.handle)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	return x, subs
}

func newXSUB(t testing.TB, change func(*sockets.Options)) (*sockets.XSUB, inbox) {
	t.Helper()
	in := newInbox()
	x, err := sockets.NewXSUB(options(change), in.handle)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	return x, in
}

func newPUSH(t testing.TB, change func(*sockets.Options)) *sockets.PUSH {
	t.Helper()
	x, err := sockets.NewPUSH(options(change))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	return x
}

func newPULL(t testing.TB, change func(*sockets.Options)) (*sockets.PULL, inbox) {
	t.Helper()
	in := newInbox()
	x, err := sockets.NewPULL(options(change), in.handle)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	return x, in
}

// watched makes a socket's events go into a mailbox.
func watched(events **mailbox[sockets.Event]) func(*sockets.Options) {
	*events = newMailbox[sockets.Event]()
	return func(o *sockets.Options) { o.OnEvent = func(e sockets.Event) { (*events).put(e) } }
}

// awaitKind returns the next event of a kind.
func awaitKind(t testing.TB, events *mailbox[sockets.Event], kind sockets.EventKind) sockets.Event {
	t.Helper()
	for {
		if e := events.take(t); e.Kind == kind {
			return e
		}
	}
}

// binder and connecter are what the tests need of any socket.
type binder interface{ Bind(string) (string, error) }
type connecter interface{ Connect(string) error }

func bind(t testing.TB, x binder, endpoint string) string {
	t.Helper()
	bound, err := x.Bind(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	return bound
}

func connect(t testing.TB, x connecter, endpoint string) {
	t.Helper()
	if err := x.Connect(endpoint); err != nil {
		t.Fatal(err)
	}
}

// A relay stands between a connecting and a bound socket and can cut their
// connection anywhere.
type relay struct {
	endpoint string
	l        net.Listener
	target   string
	up, down atomic.Int64 // bytes to pass before the cut; negative is no cut
	minor    int          // if positive, the minor ZMTP version the target seems to announce
	wg       sync.WaitGroup
	mu       sync.Mutex
	open     map[net.Conn]struct{}
	ended    bool
}

func newRelay(t testing.TB, target string, minor int) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{l: l, endpoint: "tcp://" + l.Addr().String(), target: strings.TrimPrefix(target, "tcp://"), minor: minor, open: make(map[net.Conn]struct{})}
	r.up.Store(-1)
	r.down.Store(-1)
	r.wg.Go(r.accept)
	t.Cleanup(r.close)
	return r
}

func (r *relay) close() {
	r.mu.Lock()
	r.ended = true
	for c := range r.open {
		c.Close()
	}
	r.mu.Unlock()
	r.l.Close()
	r.wg.Wait()
}

func (r *relay) accept() {
	for {
		a, err := r.l.Accept()
		if err != nil {
			return
		}
		b, err := net.Dial("tcp", r.target)
		if err != nil {
			a.Close()
			continue
		}
		if !r.enter(a, b) {
			return
		}
		cut := func() { a.Close(); b.Close() }
		r.wg.Go(func() { r.copy(b, a, &r.up, 0); cut() })
		r.wg.Go(func() { r.copy(a, b, &r.down, r.minor); cut(); r.leave(a, b) })
	}
}

func (r *relay) enter(conns ...net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range conns {
		if r.ended {
			c.Close()
			continue
		}
		r.open[c] = struct{}{}
	}
	return !r.ended
}

func (r *relay) leave(conns ...net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range conns {
		delete(r.open, c)
	}
}

// copy passes bytes on until the budget says cut, which it does once.
func (r *relay) copy(to io.Writer, from io.Reader, budget *atomic.Int64, minor int) {
	const minorAt = 11
	buf, at := make([]byte, 32<<10), 0
	for {
		n, err := from.Read(buf)
		if i := minorAt - at; minor > 0 && i >= 0 && i < n {
			buf[i] = byte(minor)
		}
		at += n
		left := budget.Load()
		if left >= 0 {
			n = min(n, int(left))
			budget.Store(left - int64(n))
		}
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if left >= 0 && int64(n) == left {
			budget.Store(-1)
			return
		}
		if err != nil {
			return
		}
	}
}

// numbered is a message with its number and a body that can be checked.
func numbered(topic string, i, size int) [][]byte {
	return [][]byte{[]byte(topic), fmt.Append(nil, i), pattern(i, size)}
}

// pattern is bytes that depend on a seed.
func pattern(seed, size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(seed + i*7 + i>>8)
	}
	return b
}
