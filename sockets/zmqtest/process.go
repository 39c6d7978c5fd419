package zmqtest

import (
	"bufio"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// Patience is how long anything in this package waits before it fails the
// test. It is long because it is only ever spent by a test that fails.
const Patience = 60 * time.Second

// interpreter is the Python that has zmq when ZMQTEST_PYTHON names no other:
// python3-zmq is installed for Debian's own only.
const interpreter = "/usr/bin/python3"

//go:embed peer.py
var script string

// A Process is a child process with one libzmq context. It ends with the test
// that started it.
type Process struct {
	cmd     *exec.Cmd
	version string
	log     errorLog
	done    chan struct{} // closed by read when the child is gone

	writing sync.Mutex
	in      *os.File

	mu      sync.Mutex
	id      uint64
	sockets int
	waiting map[uint64]chan *answer
	ended   error // why no answers come any more
}

// Start starts a libzmq process for the time of the test. Without python3-zmq
// the test is skipped, or failed when the environment's CI is 1 or true.
func Start(tb testing.TB) *Process {
	tb.Helper()
	python := os.Getenv("ZMQTEST_PYTHON")
	if python == "" {
		python = interpreter
	}
	if _, err := exec.LookPath(python); err != nil {
		unavailable(tb, err.Error())
	}
	p := &Process{done: make(chan struct{}), waiting: make(map[uint64]chan *answer)}
	hello := p.expect(0)
	out, err := p.launch(python)
	if err != nil {
		tb.Fatalf("zmqtest: starting libzmq's process: %v", err)
	}
	go p.read(out)
	tb.Cleanup(func() { p.cleanup(tb) })
	got := (&call{p: p, what: "start", answers: hello}).wait(tb, Patience)
	if got.Errno != 0 {
		unavailable(tb, got.Error)
	}
	p.version = got.Version
	return p
}

// unavailable ends a test that cannot have its libzmq peer.
func unavailable(tb testing.TB, why string) {
	tb.Helper()
	why = "zmqtest: no libzmq peer here, install Debian's python3-zmq: " + why
	if ci := os.Getenv("CI"); ci == "1" || ci == "true" {
		tb.Fatal(why)
	}
	tb.Skip(why)
}

// launch starts the child with this Python and returns the end of the pipe it answers on.
func (p *Process) launch(python string) (*os.File, error) {
	childIn, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	out, childOut, err := os.Pipe()
	if err != nil {
		childIn.Close()
		in.Close()
		return nil, err
	}
	p.in = in
	p.cmd = exec.Command(python, "-I", "-c", script)
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = childIn, childOut, &p.log
	ownGroup(p.cmd)
	err = p.cmd.Start()
	childIn.Close()
	childOut.Close()
	if err != nil {
		in.Close()
		out.Close()
		return nil, err
	}
	return out, nil
}

// read hands out the answers until the child ends, and then reaps it.
func (p *Process) read(out *os.File) {
	defer close(p.done)
	defer out.Close()
	var err error
	for r := bufio.NewReaderSize(out, 64<<10); err == nil; {
		var got *answer
		if got, err = readAnswer(r); err == nil {
			p.deliver(got)
		}
	}
	p.cmd.Process.Kill() // it may live on with a broken protocol; an ended one does not mind
	state := p.cmd.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = fmt.Errorf("the process ended (%v, %v)", err, state)
	for id, ch := range p.waiting {
		close(ch)
		delete(p.waiting, id)
	}
}

// deliver gives an answer to the call that waits for it.
func (p *Process) deliver(got *answer) {
	p.mu.Lock()
	ch := p.waiting[got.ID]
	delete(p.waiting, got.ID)
	p.mu.Unlock()
	if ch != nil {
		ch <- got
	}
}

// expect opens the channel on which the answer to a request will come.
func (p *Process) expect(id uint64) chan *answer {
	ch := make(chan *answer, 1)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended != nil {
		close(ch)
		return ch
	}
	p.waiting[id] = ch
	return ch
}

// cleanup ends the child and shows what it complained about if the test failed.
func (p *Process) cleanup(tb testing.TB) {
	p.cmd.Process.Kill()
	<-p.done
	p.in.Close()
	if text := p.log.String(); text != "" && tb.Failed() {
		tb.Logf("zmqtest: libzmq's process wrote:\n%s", text)
	}
}

// Version is libzmq's, such as 4.3.4.
func (p *Process) Version() string { return p.version }

// PID is the child's process number.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Kill ends the process at once, as kill -9 does, and returns when it is gone.
func (p *Process) Kill(tb testing.TB) {
	tb.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		tb.Fatalf("zmqtest: kill: %v", err)
	}
	p.awaitEnd(tb)
}

// Leave closes all sockets, sends what they still hold for as long as each
// one's LINGER allows, and ends the process. Brokers must be terminated first.
func (p *Process) Leave(tb testing.TB) {
	tb.Helper()
	p.start(tb, request{Op: "leave"}, nil).ok(tb, Patience)
	p.awaitEnd(tb)
}

// awaitEnd waits until the child has been reaped.
func (p *Process) awaitEnd(tb testing.TB) {
	tb.Helper()
	select {
	case <-p.done:
	case <-time.After(Patience):
		tb.Fatalf("zmqtest: process %d still runs %v after it was told to end", p.PID(), Patience)
	}
}

// Stop freezes the process as SIGSTOP does: its connections stay open and
// nothing is read from them. It returns when the process has stopped.
func (p *Process) Stop(tb testing.TB) {
	tb.Helper()
	if err := freeze(p.cmd.Process); err != nil {
		tb.Fatalf("zmqtest: stop: %v", err)
	}
}

// Continue lets a stopped process go on.
func (p *Process) Continue(tb testing.TB) {
	tb.Helper()
	if err := thaw(p.cmd.Process); err != nil {
		tb.Fatalf("zmqtest: continue: %v", err)
	}
}

// Keypair makes a CURVE key pair, both keys in Z85 (40 characters).
func (p *Process) Keypair(tb testing.TB) (public, secret string) {
	tb.Helper()
	got := p.start(tb, request{Op: "keypair"}, nil).ok(tb, Patience)
	return string(got.frames[0]), string(got.frames[1])
}

// Admit makes the process's CURVE servers accept only clients with one of
// these public keys (Z85), by a ZAP handler (RFC 27). To be called once, before
// the servers bind.
func (p *Process) Admit(tb testing.TB, publicKeys ...string) {
	tb.Helper()
	p.start(tb, request{Op: "admit"}, Frames(publicKeys...)).ok(tb, Patience)
}

// newSocket gives the next free socket number.
func (p *Process) newSocket() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sockets++
	return p.sockets
}

// start sends a request; its answer is waited for later.
func (p *Process) start(tb testing.TB, req request, frames [][]byte) *call {
	tb.Helper()
	p.mu.Lock()
	p.id++
	req.ID = p.id
	p.mu.Unlock()
	answers := p.expect(req.ID)
	p.writing.Lock()
	defer p.writing.Unlock()
	p.in.SetWriteDeadline(time.Now().Add(Patience))
	err := writeRequest(p.in, req, frames)
	if err != nil {
		tb.Fatalf("zmqtest: %s: process %d takes no request: %v", req.Op, p.PID(), err)
	}
	return &call{p: p, id: req.ID, what: req.Op, answers: answers}
}

// A call is a request whose answer is under way.
type call struct {
	p       *Process
	id      uint64 // of the request
	what    string // for messages
	answers chan *answer
}

// wait returns the answer, an error of libzmq's included.
func (c *call) wait(tb testing.TB, within time.Duration) *answer {
	tb.Helper()
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case got, alive := <-c.answers:
		if alive {
			return got
		}
		c.p.mu.Lock()
		defer c.p.mu.Unlock()
		tb.Fatalf("zmqtest: %s: %v\n%s", c.what, c.p.ended, c.p.log.String())
	case <-timer.C:
		tb.Fatalf("zmqtest: %s: process %d gave no answer within %v (stopped?)", c.what, c.p.PID(), within)
	}
	return nil
}

// ok returns the answer and fails the test when it is an error.
func (c *call) ok(tb testing.TB, within time.Duration) *answer {
	tb.Helper()
	got := c.wait(tb, within)
	if got.Errno != 0 {
		tb.Fatalf("zmqtest: %s: %s", c.what, got.Error)
	}
	return got
}

// errorLog keeps the beginning of what the child writes to its standard error.
type errorLog struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write implements io.Writer and never fails.
func (l *errorLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.text.Len() < 64<<10 {
		l.text.Write(b)
	}
	return len(b), nil
}

// String is what was kept so far.
func (l *errorLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
