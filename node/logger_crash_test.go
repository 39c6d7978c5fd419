package node

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/znode/znode/codec"
	"github.com/znode/znode/node/internal/spool"
	"github.com/znode/znode/sockets"
)

var (
	crashKills = flag.Int("logger-kills", cheaper(12, 4), "how often the crash tests kill a logger")
	crashSeed  = flag.Uint64("logger-seed", 0, "seed of the crash tests; 0 is the time")
)

// crashSteps are the moments between which a kill makes a difference: see
// loggerHooks.step.
var crashSteps = []string{
	"spooled", "synced", "created", "opened", "intended", "written", "on disk", "committed",
	"rotated", "renamed", "moved", "archived", "reclaim", "reclaimed", "recovered",
}

// TestLoggerCrashJournal kills a logger again and again, at random moments and at
// each step, while numbered records come in. Of those that were in the spool when
// it was killed none may be missing in the end; none may be there twice, and no
// line may be torn.
func TestLoggerCrashJournal(t *testing.T) {
	r := newCrashRun(t, DurabilityJournal)
	for kill := range *crashKills {
		r.round(kill)
	}
	r.end()
	lost := 0
	for n := range r.journaled {
		if r.census.count[n] == 0 {
			lost++
		}
	}
	missing := r.census.missing(r.next)
	t.Logf("kills=%d at_steps=%d sent=%d journaled=%d lost=%d duplicate=%d torn=%d; only in sockets and not saved: %d; kills by step: %v",
		r.kills, r.atSteps, r.next, len(r.journaled), lost, r.duplicates(), len(r.census.torn), len(missing), r.steps)
	if lost > 0 || r.duplicates() > 0 || len(r.census.torn) > 0 {
		t.Errorf("lost %d, duplicate %d, torn %q", lost, r.duplicates(), r.census.torn[:min(5, len(r.census.torn))])
	}
	if len(r.journaled) == 0 || len(r.census.count) == 0 {
		t.Error("the test shows nothing: no record was journaled, or none was logged")
	}
}

// TestLoggerCrashMemory does the same without a journal. What a kill loses of what
// was read must be no more than memory held.
func TestLoggerCrashMemory(t *testing.T) {
	r := newCrashRun(t, DurabilityMemory)
	for kill := range *crashKills {
		r.round(kill)
	}
	r.end()
	lost := 0
	for n := range r.journaled {
		if r.census.count[n] == 0 {
			lost++
		}
	}
	missing := r.census.missing(r.next)
	t.Logf("kills=%d at_steps=%d sent=%d spooled=%d lost_of_these=%d duplicate=%d torn=%d missing=%d",
		r.kills, r.atSteps, r.next, len(r.journaled), lost, r.duplicates(), len(r.census.torn), len(missing))
	if lost > 0 || r.duplicates() > 0 || len(r.census.torn) > 0 {
		t.Errorf("lost of the spool %d, duplicate %d, torn %q", lost, r.duplicates(), r.census.torn[:min(5, len(r.census.torn))])
	}
	var most, read, gone int64
	for kill, batches := range r.read {
		var lost int64
		for _, b := range batches {
			read += b.bytes
			if r.census.count[b.first] == 0 {
				lost += b.bytes
			}
		}
		gone += lost
		most = max(most, lost)
		if lost > minMemoryLimit {
			t.Errorf("kill %d: %d bytes were read and are lost, more than memory held: %d", kill, lost, minMemoryLimit)
		}
	}
	t.Logf("read and lost: %d of %d bytes, %d by one kill at most; the bound is %d", gone, read, most, minMemoryLimit)
	if read == 0 {
		t.Error("the test shows nothing: nothing was read")
	}
}

// A crashRun is one directory in which loggers live and die.
type crashRun struct {
	t         *testing.T
	rng       *rand.Rand
	dir       string
	config    childLogger
	next      int // number of the next record
	journaled map[int]bool
	census    census
	sent      []sentBatch   // to the present logger
	read      [][]sentBatch // by each logger that was killed
	kills     int
	atSteps   int
	steps     map[string]int
	first     int // of the steps: a short run has some of them, many runs all
}

// sentBatch is a batch that a logger was sent; the first of its records tells
// whether it is in a log.
type sentBatch struct {
	first int
	bytes int64
}

func newCrashRun(t *testing.T, d Durability) *crashRun {
	seed := *crashSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", seed)
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(seed, 1))
	return &crashRun{
		t: t, rng: rng, dir: dir, first: rng.IntN(len(crashSteps)),
		journaled: make(map[int]bool), steps: make(map[string]int),
		config: childLogger{
			Dir: filepath.Join(dir, "logs"), Durability: d, MemoryLimit: minMemoryLimit,
			RotationInterval: 300 * time.Millisecond, RotationSize: 1 << 20, SpoolLimit: 8 << 20,
		},
	}
}

// round starts a logger, sends records, and kills it.
func (r *crashRun) round(kill int) {
	config := r.config
	if kill%2 == 1 { // every other one at a step
		config.KillAt = crashSteps[(r.first+kill/2)%len(crashSteps)]
		config.KillAfter = r.rng.IntN(4)
	}
	config.Slow = kill%3 == 2 // so that memory mode spools
	config.Count = filepath.Join(r.dir, fmt.Sprint("count-", kill))
	r.sent = r.sent[:0]
	c := startChild(r.t, "logger", config)
	var up childReport
	if line, err := c.out.ReadBytes('\n'); err == nil {
		up.parse(r.t, line)
		r.feed(c, up.Endpoint, config)
	} else if err != io.EOF {
		r.t.Fatal(err)
	}
	c.kill()
	r.kills++
	r.read = append(r.read, slices.Clone(r.sent[:countIn(r.t, config.Count)]))
	if config.KillAt != "" && killedItself(c) {
		r.atSteps++
		r.steps[config.KillAt]++
	}
	r.collect()
}

// feed sends records until the logger is to die or has died.
func (r *crashRun) feed(c *child, endpoint string, config childLogger) {
	died := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		io.Copy(io.Discard, c.out) // until the child's end
		close(died)
	})
	opt := sockets.DefaultOptions()
	opt.Linger = 0
	opt.SndHWM = 20
	push, err := sockets.NewPUSH(opt)
	if err != nil {
		r.t.Fatal(err)
	}
	defer push.Close()
	if err := push.Connect(endpoint); err != nil {
		r.t.Fatal(err)
	}
	most := 500
	if config.KillAt != "" {
		most = 3000 // it should come to the step
	}
	life := time.NewTimer(time.Duration(20+r.rng.IntN(most)) * time.Millisecond)
	defer life.Stop()
	expired := life.C
	if config.KillAt == "spooled" && config.Durability == DurabilityJournal {
		expired = nil // it comes to this step, however long that takes
	}
	pause := time.NewTicker(200 * time.Microsecond)
	defer pause.Stop()
	for alive := true; alive; {
		n := 1 + r.rng.IntN(300)
		payload := r.batch(r.next, n)
		if push.Send([]byte("log-write"), []byte("sender"), []byte(logSerializer), payload) == nil {
			r.sent = append(r.sent, sentBatch{r.next, int64(len(payload))})
			r.next += n
			if r.rng.IntN(4) > 0 {
				continue
			}
		}
		select {
		case <-died:
			alive = false
		case <-expired:
			if alive = countIn(r.t, config.Count) == 0; alive {
				life.Reset(time.Millisecond) // it has not had its turn yet
			}
		case <-pause.C:
		}
	}
	c.cmd.Process.Kill()
	wg.Wait()
}

// batch makes a batch of numbers, one in ten with more columns.
func (r *crashRun) batch(first, n int) []byte {
	if r.rng.IntN(10) == 0 {
		return numbers(r.t, "n", first, n, "more")
	}
	return numbers(r.t, "n", first, n)
}

// killedItself reports whether a child died by its own hand rather than the
// test's; both are SIGKILL, so it says so before.
func killedItself(c *child) bool {
	_, err := os.Stat(c.note())
	return err == nil
}

// collect notes which records the spool of a dead logger has.
func (r *crashRun) collect() {
	dir := filepath.Join(r.dir, "copy")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(r.config.Dir, ".spool"))); err != nil {
		r.t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	s, err := spool.Open(dir, spool.Options{Limit: 1 << 40})
	if err != nil {
		r.t.Fatal(err)
	}
	_, err = s.Scan(func(e spool.Entry, _ spool.Ref) {
		for _, payload := range e.Messages {
			for _, n := range numbersIn(r.t, payload) {
				r.journaled[n] = true
			}
		}
	})
	if err != nil {
		r.t.Fatal(err)
	}
	s.Close(nil)
}

// numbersIn returns the numbers of a batch that numbers made.
func numbersIn(t testing.TB, payload []byte) (list []int) {
	var b codec.Batch
	if err := b.Decode(payload); err != nil {
		t.Fatal(err)
	}
	for rec := b.Records(); rec.Next(); {
		list = append(list, int(rec.Value(0).Count()))
	}
	return list
}

// end lets a logger finish everything and counts what is in the logs.
func (r *crashRun) end() {
	config := r.config
	c := startChild(r.t, "logger", config)
	var up childReport
	c.hear(r.t, &up)
	await(r.t, "an empty spool", func() bool {
		c.tell(r.t, "report")
		c.hear(r.t, &up)
		return up.Stats.Spool == 0 && up.Stats.Files == 0
	})
	c.stdin.Close()
	c.hear(r.t, &up)
	if err := c.wait(); err != nil {
		r.t.Fatal(err)
	}
	if left, _ := os.ReadDir(filepath.Join(r.config.Dir, ".spool")); len(left) > 0 {
		r.t.Errorf("left in the spool: %v", left)
	}
	r.count()
	tmp, _ := filepath.Glob(filepath.Join(r.config.Dir, "*", ".*.tmp"))
	aside, _ := filepath.Glob(filepath.Join(r.config.Dir, ".rotated", "*"))
	open, _ := filepath.Glob(filepath.Join(r.config.Dir, "*.log"))
	if len(tmp)+len(aside)+len(open) > 0 {
		r.t.Errorf("left behind: %q %q %q", tmp, aside, open)
	}
}

// count takes the census of all logs.
func (r *crashRun) count() {
	r.census = census{count: make(map[int]int)}
	logs, err := filepath.Glob(filepath.Join(r.config.Dir, "????-??-??", "*"))
	if err != nil {
		r.t.Fatal(err)
	}
	slices.Sort(logs)
	for _, file := range logs {
		data := readLog(r.t, file)
		if !bytes.HasPrefix(data, []byte("#separator")) || len(data) == 0 || data[len(data)-1] != '\n' {
			r.census.torn = append(r.census.torn, file)
		}
		for line := range strings.Lines(string(data)) {
			line = strings.TrimSuffix(line, "\n")
			if strings.HasPrefix(line, "#") {
				continue
			}
			text, _, _ := strings.Cut(line, "\t")
			n, err := strconv.Atoi(text)
			if err != nil || line != text && line != text+"\tx" || n >= r.next {
				r.census.torn = append(r.census.torn, fmt.Sprintf("%s: %q", file, line))
				continue
			}
			r.census.count[n]++
		}
	}
}

func (r *crashRun) duplicates() (n int) {
	for _, c := range r.census.count {
		if c > 1 {
			n++
		}
	}
	return n
}

// killHooks are hooks that kill the process at a step, the first time after it
// was passed some times, and slow the disk down in one of two ways.
func (c *childLogger) killHooks(note string) *loggerHooks {
	h := &loggerHooks{}
	var passed atomic.Int32
	if c.KillAt != "" {
		h.step = func(name string) {
			if name == c.KillAt && int(passed.Add(1)) > c.KillAfter {
				if f, err := os.Create(note); err == nil {
					f.Close()
				}
				syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {}
			}
		}
	}
	if c.Slow {
		h.write = func(string, int) error {
			<-time.After(30 * time.Millisecond)
			return nil
		}
	}
	if c.Throttle > 0 {
		h.write = throttle(c.Throttle)
	}
	if c.Count != "" {
		h.received = countTo(c.Count)
	}
	return h
}

// throttle makes writes take as long as on a disk that takes so many bytes a
// second.
func throttle(perSecond int64) func(file string, n int) error {
	var mu sync.Mutex
	var free time.Time // when the disk has taken all that was written
	return func(_ string, n int) error {
		mu.Lock()
		if now := time.Now(); free.Before(now) {
			free = now
		}
		free = free.Add(time.Duration(n) * time.Second / time.Duration(perSecond))
		wait := time.Until(free)
		mu.Unlock()
		<-time.After(wait)
		return nil
	}
}
