package node

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/znode/znode/codec"
	"github.com/znode/znode/sockets"
)

func init() {
	childRoles["logger"] = runChildLogger
	childRoles["sender"] = runChildSender
}

// A child is this test binary run again. It gets its orders as a line of JSON
// on stdin and answers with lines of JSON on stdout.
type child struct {
	cmd   *exec.Cmd
	noted string // the file that it makes before it kills itself
	stdin io.WriteCloser
	out   *bufio.Reader
	once  sync.Once
	err   error
}

// startChild runs a role with a configuration.
func startChild(t testing.TB, role string, config any) *child {
	t.Helper()
	c := &child{cmd: exec.Command(os.Args[0])}
	c.cmd.Env = append(os.Environ(), childRole+"="+role)
	c.cmd.Stderr = os.Stderr
	var err error
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.out = bufio.NewReader(out)
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.kill() })
	if l, ok := config.(childLogger); ok && l.KillAt != "" {
		c.noted = filepath.Join(t.TempDir(), fmt.Sprint("killed-", c.cmd.Process.Pid))
		l.Note = c.noted
		config = l
	}
	c.tell(t, config)
	return c
}

// note is the file that the child makes before it kills itself.
func (c *child) note() string { return c.noted }

// kill ends the child at once and waits for it.
func (c *child) kill() {
	c.cmd.Process.Kill()
	c.wait()
}

// wait waits for the child's end; its output must have been read.
func (c *child) wait() error {
	c.once.Do(func() { c.err = c.cmd.Wait() })
	return c.err
}

// tell sends the child a line.
func (c *child) tell(t testing.TB, v any) {
	t.Helper()
	line, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.stdin.Write(append(line, '\n')); err != nil {
		t.Fatal(err)
	}
}

// hear reads a line from the child.
func (c *child) hear(t testing.TB, v any) {
	t.Helper()
	line, err := c.out.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, v)
	}
	if err != nil {
		t.Fatalf("child says %q: %v", line, err)
	}
}

// childInput and sayToParent are the child's side.
func childInput(v any) (*bufio.Reader, error) {
	in := bufio.NewReader(os.Stdin)
	line, err := in.ReadBytes('\n')
	if err != nil {
		return nil, err
	}
	return in, json.Unmarshal(line, v)
}

func sayToParent(v any) error {
	line, err := json.Marshal(v)
	if err == nil {
		_, err = os.Stdout.Write(append(line, '\n'))
	}
	return err
}

// childLogger configures a logger in a process of its own.
type childLogger struct {
	Dir              string
	JSON             bool
	MemoryLimit      int64
	Durability       Durability
	RotationInterval time.Duration
	RotationSize     int64
	SpoolLimit       int64
	Throttle         int64  // bytes a second that logs are written with at most; 0 is no bound
	Slow             bool   // every write takes its time
	KillAt           string // the step at which the process kills itself
	KillAfter        int    // how often it is passed before
	Verbose          bool
	Note             string // a file to make before that
	Profile          string // a file for a CPU profile
	Count            string // a file for the number of messages read
}

func (c *childLogger) options() LoggerOptions {
	o := DefaultLoggerOptions()
	o.ListenLogEndpoint = "tcp://127.0.0.1:*"
	o.LogDir = c.Dir
	o.RotationInterval = c.RotationInterval
	o.RotationSize = c.RotationSize
	if c.Durability != "" {
		o.Durability = c.Durability
	}
	if c.SpoolLimit > 0 {
		o.SpoolLimit = c.SpoolLimit
	}
	o.hooks, o.eager = c.killHooks(c.Note), true
	if c.JSON {
		o.Text.Format = codec.FormatJSON
	}
	if c.MemoryLimit > 0 {
		o.MemoryLimit = c.MemoryLimit
	}
	if c.Verbose {
		o.Log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	return o
}

// childReport is what a child logger knows of itself.
type childReport struct {
	Endpoint string
	Stats    LoggerStats
	Usage    usage
}

func (r *childReport) parse(t testing.TB, line []byte) {
	t.Helper()
	if err := json.Unmarshal(line, r); err != nil {
		t.Fatalf("child says %q: %v", line, err)
	}
}

// runChildLogger is a logger until its stdin ends. It answers every line with a
// report.
func runChildLogger() error {
	var c childLogger
	in, err := childInput(&c)
	if err != nil {
		return err
	}
	if c.Profile != "" {
		f, err := os.Create(c.Profile)
		if err != nil {
			return err
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	l, err := NewLogger(c.options())
	if err != nil {
		return err
	}
	report := func() error {
		return sayToParent(childReport{Endpoint: l.Endpoint(), Stats: l.Stats(), Usage: ownUsage()})
	}
	err = report()
	for err == nil {
		var line string
		if line, err = in.ReadString('\n'); err == nil {
			if strings.Contains(line, "gc") {
				runtime.GC()
			}
			err = report()
		}
	}
	if err != io.EOF {
		return err
	}
	if err := l.Close(context.Background()); err != nil {
		return err
	}
	return report()
}

// childSender configures a process that sends conn batches as fast as they are
// taken.
type childSender struct {
	Endpoint string
	Batches  int
	Records  int // of one batch
	Paths    int // taken in turn
}

func runChildSender() error {
	var c childSender
	if _, err := childInput(&c); err != nil {
		return err
	}
	push, err := sockets.NewPUSH(sockets.DefaultOptions())
	if err != nil {
		return err
	}
	if err := push.Connect(c.Endpoint); err != nil {
		return err
	}
	var payloads [][]byte
	for i := range c.Paths {
		path := "conn"
		if i > 0 {
			path = fmt.Sprintf("conn%d", i)
		}
		payload, err := connBatch(path, c.Records)
		if err != nil {
			return err
		}
		payloads = append(payloads, payload)
	}
	start := time.Now()
	for i := range c.Batches {
		err := push.SendContext(context.Background(),
			[]byte("log-write"), []byte("sender"), []byte(logSerializer), payloads[i%len(payloads)])
		if err != nil {
			return err
		}
	}
	push.Close()
	return sayToParent(time.Since(start))
}

// countTo keeps the sum of what it is called with in a file, where it is found
// whenever the process dies.
func countTo(file string) func(n int) {
	f, err := os.Create(file)
	if err != nil {
		panic(err)
	}
	var mu sync.Mutex
	var sum uint64
	return func(n int) {
		mu.Lock()
		defer mu.Unlock()
		sum += uint64(n)
		if _, err := f.WriteAt(binary.BigEndian.AppendUint64(nil, sum), 0); err != nil {
			panic(err)
		}
	}
}

// countIn returns what countTo has counted, 0 if it never did.
func countIn(t testing.TB, file string) uint64 {
	b, err := os.ReadFile(file)
	if err != nil && !os.IsNotExist(err) || len(b) > 0 && len(b) != 8 {
		t.Fatalf("%s: %q, %v", file, b, err)
	}
	if len(b) == 0 {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}
