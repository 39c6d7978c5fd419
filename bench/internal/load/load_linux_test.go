package load

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/znode/znode/bench/internal/zmtp"
)

func TestMain(m *testing.M) {
	// The tests start this binary again as a load process.
	if len(os.Args) > 1 && os.Args[1] == "load" {
		os.Exit(Main(os.Args[2:], os.Stdin, os.Stdout))
	}
	goleak.VerifyTestMain(m)
}

// fakeBroker forwards everything to everybody: messages to all subscribers,
// subscriptions to all publishers, earlier ones to later comers too.
type fakeBroker struct {
	pubs, subs net.Listener
	wg         sync.WaitGroup

	mu            sync.Mutex
	publishers    []net.Conn
	subscribers   []net.Conn
	subscriptions []byte
}

func startFake(t *testing.T) *fakeBroker {
	t.Helper()
	b := &fakeBroker{}
	for _, l := range []*net.Listener{&b.pubs, &b.subs} {
		var err error
		if *l, err = net.Listen("tcp4", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
	}
	b.wg.Go(func() { b.accept(b.pubs, zmtp.XSUB, b.publisher) })
	b.wg.Go(func() { b.accept(b.subs, zmtp.XPUB, b.subscriber) })
	t.Cleanup(func() {
		_ = b.pubs.Close()
		_ = b.subs.Close()
		b.mu.Lock()
		for _, c := range append(b.publishers, b.subscribers...) {
			_ = c.Close()
		}
		b.mu.Unlock()
		b.wg.Wait()
	})
	return b
}

func (b *fakeBroker) accept(l net.Listener, socketType string, serve func(net.Conn, []byte)) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		b.wg.Go(func() {
			defer c.Close()
			if rest, err := serverHandshake(c, socketType); err == nil {
				serve(c, rest)
			}
		})
	}
}

func serverHandshake(c net.Conn, socketType string) ([]byte, error) {
	h := zmtp.NewHandshake(socketType)
	if _, err := c.Write(zmtp.Greeting()); err != nil {
		return nil, err
	}
	for buf := make([]byte, 1024); ; {
		n, err := c.Read(buf)
		if err != nil {
			return nil, err
		}
		send, rest, done, err := h.Feed(buf[:n])
		if err != nil {
			return nil, err
		}
		if _, err := c.Write(send); err != nil || done {
			return rest, err
		}
	}
}

func (b *fakeBroker) publisher(c net.Conn, rest []byte) {
	b.mu.Lock()
	b.publishers = append(b.publishers, c)
	_, _ = c.Write(b.subscriptions)
	b.mu.Unlock()
	b.relay(c, rest, func(frame []byte) {
		for _, s := range b.subscribers {
			_, _ = s.Write(frame)
		}
	})
}

func (b *fakeBroker) subscriber(c net.Conn, rest []byte) {
	b.mu.Lock()
	b.subscribers = append(b.subscribers, c)
	b.mu.Unlock()
	b.relay(c, rest, func(frame []byte) {
		b.subscriptions = append(b.subscriptions, frame...)
		for _, p := range b.publishers {
			_, _ = p.Write(frame)
		}
	})
}

// relay hands over whole messages.
func (b *fakeBroker) relay(c net.Conn, in []byte, forward func([]byte)) {
	in = append([]byte(nil), in...)
	buf := make([]byte, 64<<10)
	for {
		whole := 0
		for {
			f, ok, err := zmtp.ParseFrame(in[whole:])
			if err != nil {
				return
			}
			if !ok {
				break
			}
			whole += f.Size
			if !f.More() {
				b.mu.Lock()
				forward(in[:whole])
				b.mu.Unlock()
				in, whole = in[whole:], 0
			}
		}
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		in = append(in, buf[:n]...)
	}
}

func (b *fakeBroker) config(role string) Config {
	return Config{
		Role: role, PubAddr: b.pubs.Addr().String(), SubAddr: b.subs.Addr().String(),
		Size: 100, Topics: 1, Select: SelectAny, Inflight: 8,
	}
}

func startChild(t *testing.T, cfg Config) *Child {
	t.Helper()
	c, err := Start([]string{os.Args[0], "load"}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Stop)
	return c
}

func do(t *testing.T, c *Child, command string) Snap {
	t.Helper()
	s, err := c.Do(command)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// await repeats snap until ok says so.
func await(t *testing.T, c *Child, ok func(Snap) bool) Snap {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		s := do(t, c, "snap")
		if ok(s) {
			return s
		}
		if time.Now().After(deadline) {
			t.Fatalf("still %+v", s)
		}
	}
}

func TestChildCountsWhatItSends(t *testing.T) {
	for _, sel := range []string{SelectAny, SelectAll} {
		cfg := startFake(t).config(RoleStream)
		cfg.Pubs, cfg.Subs, cfg.Topics, cfg.Select = 3, 2, 4, sel
		c := startChild(t, cfg)
		if err := Settle(time.Minute, c); err != nil {
			t.Fatal(err)
		}
		if s := do(t, c, "snap"); Total(s.Received) != 0 || Total(s.Sent) != 0 {
			t.Fatalf("probes were counted: %+v", s)
		}
		do(t, c, "go")
		await(t, c, func(s Snap) bool { return s.Received[0] > 100 && s.Received[1] > 100 })
		sent := do(t, c, "pause").Sent
		s := await(t, c, func(s Snap) bool { return Total(s.Received) >= 2*Total(sent) })
		if s.Received[0] != Total(sent) || s.Received[1] != Total(sent) || s.Misordered != 0 {
			t.Errorf("select %s: sent %v, received %v, %d misordered", sel, sent, s.Received, s.Misordered)
		}
		if again := do(t, c, "snap").Sent; Total(again) != Total(sent) {
			t.Errorf("select %s: %v sent after the pause, %v at it", sel, again, sent)
		}
	}
}

func TestChildPacesAndTimes(t *testing.T) {
	cfg := startFake(t).config(RoleStream)
	cfg.Pubs, cfg.Subs, cfg.Rate = 2, 1, 2000
	c := startChild(t, cfg)
	if err := Settle(time.Minute, c); err != nil {
		t.Fatal(err)
	}
	do(t, c, "go")
	s := await(t, c, func(s Snap) bool { return Total(s.Received) >= 100 })
	if s.Latency == nil || s.Latency.Count() != Total(s.Received) || s.Latency.Quantile(0.5) <= 0 {
		t.Errorf("latencies %v of %v messages", s.Latency.Count(), s.Received)
	}
	sent := do(t, c, "pause").Sent // of one moment, which what is counted on the way is not
	if d := sent[0] - sent[1]; d > 1 {
		t.Errorf("the publishers do not take turns: %v", sent)
	}
}

func TestLimitedSubscriberStillGetsEverything(t *testing.T) {
	cfg := startFake(t).config(RoleStream)
	cfg.Pubs, cfg.Subs = 1, 1
	c := startChild(t, cfg)
	if err := Settle(time.Minute, c); err != nil {
		t.Fatal(err)
	}
	do(t, c, "limit 20000")
	do(t, c, "go")
	await(t, c, func(s Snap) bool { return s.Received[0] > 500 })
	do(t, c, "limit 0")
	sent := do(t, c, "pause").Sent
	s := await(t, c, func(s Snap) bool { return s.Received[0] >= sent[0] })
	if s.Received[0] != sent[0] || s.Newest != sent[0] {
		t.Errorf("%d sent, %d received, newest %d", sent[0], s.Received[0], s.Newest)
	}
}

func TestNodesSeeEachOther(t *testing.T) {
	cfg := startFake(t).config(RoleNodes)
	cfg.Nodes = 20
	c := startChild(t, cfg)
	for range 2 {
		if s := do(t, c, "join"); s.Count != cfg.Nodes || s.Took <= 0 {
			t.Fatalf("%+v", s)
		}
	}
}

func TestNodeTopics(t *testing.T) {
	seen := map[string]bool{}
	for i := range 30 {
		topics := nodeTopics(i)
		n, ok := nodeOf([]byte(topics[0]))
		if !ok || n != i || seen[topics[0]] || seen[topics[1]] {
			t.Errorf("node %d: %q gives %d %v", i, topics, n, ok)
		}
		seen[topics[0]], seen[topics[1]] = true, true
	}
	for _, other := range []string{"", "zeek.cluster.nodeid.", "zeek.cluster.nodeid.x.", "zeek.cluster.worker"} {
		if n, ok := nodeOf([]byte(other)); ok {
			t.Errorf("%q is node %d", other, n)
		}
	}
}

func TestSilentConnectionsAreCounted(t *testing.T) {
	b := startFake(t)
	cfg := b.config(RoleSilent)
	cfg.Silent = 10
	c := startChild(t, cfg)
	if s := do(t, c, "snap"); s.Count != 10 {
		t.Errorf("%d connections held", s.Count)
	}
}

func TestMainAnswersEveryCommand(t *testing.T) {
	b := startFake(t)
	in, commands := io.Pipe()
	answers, out := io.Pipe()
	status := make(chan int, 1)
	go func() {
		status <- Main(b.config(RoleStream).Args(), in, out)
		_ = out.Close()
	}()
	dec := json.NewDecoder(bufio.NewReader(answers))
	for _, c := range []struct{ command, err string }{
		{"", ""}, {"snap", ""}, {"dance", `unknown command "dance"`}, {"mark", ""},
	} {
		if c.command != "" {
			if _, err := fmt.Fprintln(commands, c.command); err != nil {
				t.Fatal(err)
			}
		}
		var s Snap
		if err := dec.Decode(&s); err != nil || s.Error != c.err {
			t.Errorf("%q: %+v, %v", c.command, s, err)
		}
	}
	_ = commands.Close()
	if code := <-status; code != 0 {
		t.Errorf("status %d", code)
	}
	if code := Main([]string{"-size", "1"}, in, io.Discard); code != 1 {
		t.Errorf("a wrong flag: status %d", code)
	}
}

func TestStartTellsWhatFailed(t *testing.T) {
	_, err := Start([]string{os.Args[0], "load"}, Config{Role: "none"})
	if err == nil {
		t.Fatal("started")
	}
}
