package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/znode/znode/codec"
	"github.com/znode/znode/sockets/zmqtest"
)

// znode is a command that runs znode with these arguments in a directory of its
// own.
func znode(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return &exec.Cmd{
		Path: self, Args: append([]string{"znode"}, args...), Dir: t.TempDir(), Env: os.Environ(),
	}
}

// long is a time for commands that end before it, however slow the machine is.
const long = "2m"

// outcome runs znode to its end.
func outcome(t *testing.T, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	var out, people bytes.Buffer
	cmd := znode(t, args...)
	cmd.Stdout, cmd.Stderr = &out, &people
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatal(err)
	}
	return out.String(), people.String(), cmd.ProcessState.ExitCode()
}

// cluster is znode's broker and logger, and where to find them.
type cluster struct {
	*started
	xsub, xpub, logs string
}

func startCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{started: start(t, "run", "--listen-xsub-endpoint=tcp://127.0.0.1:0", "--listen-xpub-endpoint=tcp://127.0.0.1:0",
		"--listen-log-endpoint=tcp://127.0.0.1:0", "--metrics-address=")}
	line := c.await(t, "broker listens")
	c.xsub, c.xpub = line["xsub"].(string), line["xpub"].(string)
	c.logs = c.await(t, "logger listens")["endpoint"].(string)
	return c
}

// at are the flags that name the broker.
func (c *cluster) at() []string {
	return []string{"--connect-xpub-endpoint=" + c.xsub, "--connect-xsub-endpoint=" + c.xpub}
}

// zeekNode joins the broker as a node of a Zeek cluster does.
func (c *cluster) zeekNode(t *testing.T, p *zmqtest.Process, name string) *zmqtest.Node {
	t.Helper()
	id := "zeromq_" + name + "_host_17_NqVcXOfRxbbkGC3MK"
	n := p.Node(t, id)
	n.Join(t, c.xsub, c.xpub)
	n.Subscribe(t, nodeIDTopic+id+".")
	n.Subscribe(t, "zeek.cluster.node."+name+".")
	n.Sync(t)
	return n
}

// TestPubAndExit: the event of a process that ends at once arrives, a hundred
// times of a hundred, through znode's broker and through libzmq's.
func TestPubAndExit(t *testing.T) {
	t.Parallel()
	times := 100
	if raceEnabled { // such a process takes long to begin
		times = 20
	}
	p := zmqtest.Start(t)
	c := startCluster(t)
	libzmq := p.Broker(t)
	for _, tc := range []struct {
		broker string
		at     *cluster
		times  int
	}{
		{"znode", c, times},
		{"libzmq", &cluster{xsub: libzmq.XSUBEndpoint, xpub: libzmq.XPUBEndpoint}, times / 5},
	} {
		t.Run(tc.broker, func(t *testing.T) { pubAndExit(t, p, tc.at, tc.times) })
	}
}

func pubAndExit(t *testing.T, p *zmqtest.Process, at *cluster, times int) {
	n := p.Node(t, "reader")
	n.Join(t, at.xsub, at.xpub)
	n.Subscribe(t, "t.")
	n.Sync(t)
	pubs := make(chan *exec.Cmd, times)
	for i := range times {
		pubs <- znode(t, append([]string{"pub", "t.x", "Test::event", fmt.Sprintf("count:%d", i), "--timeout=" + long}, at.at()...)...)
	}
	close(pubs)
	var several sync.WaitGroup
	for range 4 {
		several.Go(func() {
			for cmd := range pubs {
				out, err := cmd.CombinedOutput()
				if err != nil || string(out) != "\"t.x\" matches the subscriptions \"t.\"\n" {
					t.Errorf("%v: %v %s", cmd.Args, err, out)
				}
			}
		})
	}
	several.Wait()
	unnoticed(t, n)
	got := map[uint64]bool{}
	for _, frames := range n.RecvUntilSync(t) {
		var e codec.EventView
		if err := e.Decode([]byte(frames[3])); err != nil {
			t.Fatal(err)
		}
		i, ok := e.Arg(0).AsCount()
		if !ok || got[i] || i >= uint64(times) || string(e.Name()) != "Test::event" || frames[0] != "t.x" {
			t.Errorf("event %v to %s", &e, frames[0])
		}
		got[i] = true
	}
	if len(got) != times {
		t.Errorf("%d of %d events arrived", len(got), times)
	}
}

// unnoticed: no command subscribed to what nodes answer with a greeting.
func unnoticed(t *testing.T, n *zmqtest.Node) {
	t.Helper()
	for _, s := range n.Sync(t) {
		if strings.HasPrefix(s[1:], nodeIDTopic) {
			t.Errorf("%s reached the nodes", s)
		}
	}
}

// TestPubTrouble: what stops it is said in a line.
func TestPubTrouble(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	silent := zmqtest.Listen(t, zmqtest.Loopback)
	var several sync.WaitGroup
	for _, tc := range []struct{ want, timeout, xsub, xpub string }{
		{`znode: nobody is subscribed to "t" or a beginning of it, so the event was not sent`, long, c.xsub, c.xpub},
		{"znode: not ready to publish after 300ms; znode check may tell why\n", "300ms", silent.Endpoint, silent.Endpoint},
		// Until then it must have heard from the broker, and it waits for all of it.
		{"znode: not ready to publish after 5s: socket_type: ", "5s", c.xpub, c.xsub},
	} {
		several.Go(func() {
			out, people, status := outcome(t, "pub", "t", "e", "--timeout="+tc.timeout,
				"--connect-xpub-endpoint="+tc.xsub, "--connect-xsub-endpoint="+tc.xpub)
			if status != 1 || out != "" || !strings.HasPrefix(people, tc.want) || strings.Count(people, "\n") != 1 {
				t.Errorf("want %s, got status %d and %s%s", tc.want, status, out, people)
			}
		})
	}
	several.Wait()
}

// TestSub prints what libzmq's nodes publish and subscribe to, and ends when told.
func TestSub(t *testing.T) {
	t.Parallel()
	p := zmqtest.Start(t)
	c := startCluster(t)
	n := p.Node(t, "zeromq_worker-1_host_1_N1")
	n.Join(t, c.xsub, c.xpub)
	n.Sync(t)

	events := follow(t, append([]string{"sub", "t.", "--count=2"}, "--connect-xsub-endpoint="+c.xpub)...)
	prefixes := follow(t, append([]string{"sub", "--subscriptions", "--format=pretty"}, c.at()...)...)
	for got := range prefixes.lines {
		if strings.HasSuffix(got, " +t.") {
			break
		}
		if !strings.Contains(got, internalTopic) { // the node's own, which may still be there
			t.Fatalf("subscriptions begin with %q", got)
		}
	}
	unnoticed(t, n) // and so the node knows of the subscription, too
	payload, err := codec.AppendEventArgs(nil, "SSH::login", "a\x00\xff", uint64(7), codec.Port{Num: 22, Proto: codec.ProtoTCP})
	if err != nil {
		t.Fatal(err)
	}
	n.Publish(t, "t.bad", "no event")
	n.Publish(t, "t.x", string(payload))
	n.Publish(t, "t.y", string(payload))
	for _, topic := range []string{"t.x", "t.y"} {
		line := <-events.lines
		var e struct{ Time, Topic, Sender, Event string }
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.Topic != topic || e.Sender != n.ID || e.Event != "SSH::login" || e.Time == "" {
			t.Fatalf("%v in %s", err, line)
		}
		const args = `"args":[{"@data-type":"string","data":"a\u0000\udb80\udcff"},{"@data-type":"count","data":7},{"@data-type":"port","data":"22/tcp"}]}`
		if !strings.HasSuffix(line, args) {
			t.Fatalf("got %s, want %s", line, args)
		}
	}
	people := events.end(t)
	for _, part := range []string{`"msg":"message cannot be read"`, `"topic":"t.bad"`, `"sender":"zeromq_worker-1_host_1_N1"`, "not an event"} {
		if !strings.Contains(people, part) {
			t.Errorf("%s was not said of a bad event: %s", part, people)
		}
	}
	for line := range prefixes.lines { // others are the node's own
		if strings.HasSuffix(line, " -t.") {
			break
		}
	}
	if status := prefixes.signal(t, syscall.SIGTERM); status != 0 {
		t.Errorf("exit status %d after SIGTERM", status)
	}
}

// TestSubLogs prints the records that a node sends, up to the number asked for.
func TestSubLogs(t *testing.T) {
	t.Parallel()
	p := zmqtest.Start(t)
	s := follow(t, "sub", "--logs=tcp://127.0.0.1:0", "--count=3")
	push := p.Socket(t, "PUSH")
	push.Connect(t, s.await(t, "listening for logs")["endpoint"].(string))
	for _, b := range batches(t, golden+"/own/batches")[:4] {
		push.Send(t, []byte("log-write"), []byte("zeromq_worker-1_host_1_N1"), []byte(logSerializer), b)
	}
	for range 3 {
		var r struct {
			Sender, Stream, Path string
			Record               map[string]any
		}
		line := <-s.lines
		if err := json.Unmarshal([]byte(line), &r); err != nil || r.Stream == "" || r.Path == "" || r.Record["ts"] == nil || r.Sender != "zeromq_worker-1_host_1_N1" {
			t.Fatalf("%v in %s", err, line)
		}
	}
	s.end(t)
	push.Close(t, 0)
}

// TestSubPipe: it ends without a word when nobody reads what it prints.
func TestSubPipe(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	cmd := znode(t, "sub", "t.", "--connect-xsub-endpoint="+c.xpub, "--log-level=error")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var people bytes.Buffer
	cmd.Stderr = &people
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	out.Close()
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	for {
		_, said, status := outcome(t, append([]string{"pub", "t.x", "e", "--timeout=" + long}, c.at()...)...)
		if status != 0 && !strings.Contains(said, "nobody is subscribed") {
			t.Fatalf("pub: status %d, %s", status, said)
		}
		select {
		case <-ended:
			if people.Len() > 0 {
				t.Errorf("it says %s", people.String())
			}
			return
		default:
		}
	}
}

// followed is a znode process whose output is read line by line.
type followed struct {
	*started
	lines chan string // of stdout; closed at its end
}

func follow(t *testing.T, args ...string) *followed {
	t.Helper()
	f := &followed{lines: make(chan string, 1000)}
	f.started = startWith(t, func(cmd *exec.Cmd) {
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			defer close(f.lines)
			for lines := bufio.NewScanner(out); lines.Scan(); {
				f.lines <- lines.Text()
			}
		}()
	}, args...)
	return f
}

// end waits for a clean end without further output, and returns what was said on
// stderr.
func (f *followed) end(t *testing.T) (people string) {
	t.Helper()
	for line := range f.lines {
		t.Errorf("more output: %s", line)
	}
	for line := range f.started.lines {
		b, err := json.Marshal(line)
		if err != nil {
			t.Fatal(err)
		}
		people += string(b) + "\n"
	}
	if status := f.wait(t); status != 0 {
		t.Errorf("exit status %d: %s", status, people)
	}
	return people
}
