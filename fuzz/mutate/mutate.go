package mutate

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"
)

// F is a testing.F whose target can run without the engine.
type F struct {
	*testing.F
	mutator mutator
}

// From makes an F. It is called before the first Add.
func From(f *testing.F) *F { return &F{F: f} }

// Add is [testing.F.Add].
func (f *F) Add(args ...any) {
	f.Helper()
	f.F.Add(args...)
	f.mutator.inputs = append(f.mutator.inputs, args)
}

// Words names pieces of what a target reads, which mutations insert as a whole.
func (f *F) Words(words ...string) { f.mutator.words = append(f.mutator.words, words...) }

// Fuzz is [testing.F.Fuzz].
func (f *F) Fuzz(target any) {
	f.Helper()
	amount := os.Getenv("FUZZ_MUTATE")
	if amount == "" {
		f.F.Fuzz(target)
		return
	}
	c, err := f.campaign(reflect.ValueOf(target), amount)
	if err != nil {
		f.Fatal(err)
	}
	// Only Fuzz can make the testing.T that a target wants: it is that of the
	// first input.
	done := false
	f.F.Fuzz(reflect.MakeFunc(c.target.Type(), func(args []reflect.Value) []reflect.Value {
		if !done {
			done = true
			c.run(args[0])
		}
		return nil
	}).Interface())
}

// A campaign is one run of a target over many inputs.
type campaign struct {
	mutator
	name   string // of the target
	target reflect.Value
	seed   uint64
	from   uint64
	count  uint64        // executions, 0 without a bound
	limit  time.Duration // 0 without a bound
	trace  bool
	at     uint64 // number of the execution

	collect string  // FUZZ_COLLECT
	reached float64 // part of the statements
}

func (f *F) campaign(target reflect.Value, amount string) (c *campaign, err error) {
	c = &campaign{mutator: f.mutator, name: f.Name(), target: target, seed: rand.Uint64() >> 32}
	if n, ok := strings.CutSuffix(amount, "x"); ok {
		c.count, err = strconv.ParseUint(n, 10, 64)
	} else {
		c.limit, err = time.ParseDuration(amount)
	}
	if err != nil || c.count == 0 && c.limit <= 0 {
		return nil, fmt.Errorf("FUZZ_MUTATE is %q, want a number with x, or a time", amount)
	}
	for name, to := range map[string]*uint64{"FUZZ_SEED": &c.seed, "FUZZ_FROM": &c.from} {
		if text := os.Getenv(name); text != "" {
			if *to, err = strconv.ParseUint(text, 10, 64); err != nil {
				return nil, fmt.Errorf("%s is %q, want a number", name, text)
			}
		}
	}
	c.trace = os.Getenv("FUZZ_FROM") != ""
	c.collect = os.Getenv("FUZZ_COLLECT")
	committed, err := readCorpus(c.dir(), target.Type())
	c.inputs = append(c.inputs, committed...)
	if cache := os.Getenv("FUZZ_CACHE"); err == nil && cache != "" {
		found, err := readCorpus(filepath.Join(cache, c.name), target.Type())
		if err != nil && !errors.Is(err, errStale) {
			return nil, err
		}
		c.inputs = append(c.inputs, found...)
	}
	if err != nil {
		return nil, err
	}
	if len(c.inputs) == 0 {
		return nil, fmt.Errorf("%s has no corpus", c.name)
	}
	return c, nil
}

// dir is where inputs of the target are kept.
func (c *campaign) dir() string { return filepath.Join("testdata", "fuzz", c.name) }

// run runs the target until it fails or all is done.
func (c *campaign) run(t reflect.Value) {
	fmt.Printf("%s: seed %d, %d inputs\n", c.name, c.seed, len(c.inputs))
	args := make([]reflect.Value, c.target.Type().NumIn())
	args[0] = t
	// Most targets leave small garbage and hold next to nothing.
	defer debug.SetGCPercent(debug.SetGCPercent(1000))
	ended := false
	defer func() {
		if !ended { // by a panic, or by the target's own t.Fatal
			c.failed(args[1:])
		}
	}()
	failed := t.Interface().(*testing.T).Failed
	begin := time.Now()
	told := begin
	for c.at = c.from; c.count == 0 || c.at < c.from+c.count; c.at++ {
		c.input(c.seed, c.at, args[1:])
		if c.trace {
			c.write(c.dir(), "last", args[1:])
		}
		c.target.Call(args)
		if failed() {
			return
		}
		if c.collect != "" {
			c.keepNew(args[1:])
		}
		if c.at%256 != 0 {
			continue
		}
		now := time.Now()
		if c.limit > 0 && now.Sub(begin) > c.limit {
			c.at++
			break
		}
		if now.Sub(told) > 5*time.Second {
			told = now
			fmt.Printf("%s: seed %d, execution %d\n", c.name, c.seed, c.at)
		}
	}
	ended = true
	if c.trace {
		_ = os.Remove(filepath.Join(c.dir(), "last"))
	}
	took := time.Since(begin)
	fmt.Printf("%s: execs: %d (%.0f/sec)\n", c.name, c.at-c.from, float64(c.at-c.from)/took.Seconds())
}

// failed keeps the input that has failed.
func (c *campaign) failed(args []reflect.Value) {
	name := fmt.Sprintf("seed-%d-%d", c.seed, c.at)
	c.write(c.dir(), name, args)
	fmt.Printf("Failing input written to %s\n", filepath.Join(c.dir(), name))
}

// keepNew keeps an input that reaches what none before it has.
func (c *campaign) keepNew(args []reflect.Value) {
	now := testing.Coverage()
	if now <= c.reached {
		return
	}
	c.reached = now
	if c.at < uint64(len(c.inputs)) {
		return // it is there already
	}
	text := marshal(args)
	input, err := unmarshal(string(text), c.target.Type())
	if err != nil {
		panic(fmt.Sprintf("%v in\n%s", err, text))
	}
	c.fresh = append(c.fresh, input)
	c.write(filepath.Join(c.collect, c.name), fmt.Sprintf("seed-%d-%d", c.seed, c.at), args)
}

func (c *campaign) write(dir, name string, args []reflect.Value) {
	err := os.MkdirAll(dir, 0o777)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name), marshal(args), 0o666)
	}
	if err != nil {
		fmt.Printf("%s: the input is not kept: %v\n%s", c.name, err, marshal(args))
	}
}
