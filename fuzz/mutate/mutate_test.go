package mutate

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// FuzzExample is what TestCampaign runs: it fails once a word, a number and a flag
// have been put together, so .ci/fuzz leaves it out.
func FuzzExample(tf *testing.F) {
	f := From(tf)
	f.Add([]byte("seed"), "text", byte(0), uint16(0), uint64(0), false)
	f.Words("magic")
	f.Fuzz(func(t *testing.T, b []byte, s string, n byte, short uint16, long uint64, flag bool) {
		if bytes.Contains(b, []byte("magic")) && n > 200 && flag {
			t.Fatal("found")
		}
	})
}

// TestCampaign: a run finds the input, keeps it where the engine looks for it, and
// finds the same one again with the same seed.
func TestCampaign(t *testing.T) {
	run := func(env ...string) (out string, kept []byte) {
		dir := t.TempDir()
		cmd := exec.Command(os.Args[0], "-test.run=^FuzzExample$")
		cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
		text, err := cmd.CombinedOutput()
		if err == nil {
			t.Fatalf("%v: nothing found: %s", env, text)
		}
		files, err := filepath.Glob(filepath.Join(dir, "testdata", "fuzz", "FuzzExample", "seed-*"))
		if err != nil || len(files) != 1 {
			t.Fatalf("kept %v, %v: %s", files, err, text)
		}
		if kept, err = os.ReadFile(files[0]); err != nil {
			t.Fatal(err)
		}
		return string(text), kept
	}
	out, first := run("FUZZ_MUTATE=3000000x", "FUZZ_SEED=7")
	if !strings.Contains(out, "found") || !strings.Contains(out, "FuzzExample: seed 7, 1 inputs") {
		t.Errorf("output %s", out)
	}
	if !bytes.Contains(first, []byte("magic")) {
		t.Errorf("kept %s", first)
	}
	if _, again := run("FUZZ_MUTATE=10m", "FUZZ_SEED=7"); !bytes.Equal(first, again) {
		t.Errorf("kept %s\nfirst %s", again, first)
	}
}

// TestRefused: what the environment may not say, in words.
func TestRefused(t *testing.T) {
	for env, want := range map[string]string{
		"FUZZ_MUTATE=many":                 "want a number with x, or a time",
		"FUZZ_MUTATE=0x":                   "want a number with x, or a time",
		"FUZZ_MUTATE=5x FUZZ_SEED=x":       "FUZZ_SEED is",
		"FUZZ_MUTATE=5x FUZZ_FROM=-1":      "FUZZ_FROM is",
		"FUZZ_MUTATE=5x FUZZ_CACHE=stale":  "execs: 5 ",
		"FUZZ_MUTATE=5x FUZZ_CACHE=broken": "of an unknown type",
	} {
		dir := t.TempDir()
		for _, file := range [][2]string{{"stale", "bool(true)\n"}, {"broken", strings.Repeat("complex(1)\n", 6)}} {
			if err := os.MkdirAll(filepath.Join(dir, file[0], "FuzzExample"), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, file[0], "FuzzExample", "input"), []byte(version+"\n"+file[1]), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.Command(os.Args[0], "-test.run=^FuzzExample$")
		cmd.Dir, cmd.Env = dir, append(os.Environ(), strings.Fields(env)...)
		out, err := cmd.CombinedOutput()
		if !strings.Contains(string(out), want) || (err == nil) != strings.HasPrefix(want, "execs") {
			t.Errorf("%s: %v: %s", env, err, out)
		}
	}
}

// TestCorpus: what is written is read as the same.
func TestCorpus(t *testing.T) {
	args := []any{[]byte("\x00\xff\"\n"), "é\x80`", byte(0), byte('\''), byte(0xff), uint16(40), uint64(1 << 63), true}
	var values []reflect.Value
	in := []reflect.Type{reflect.TypeFor[*testing.T]()}
	for _, a := range args {
		values = append(values, reflect.ValueOf(a))
		in = append(in, reflect.TypeOf(a))
	}
	target := reflect.FuncOf(in, nil, false)
	got, err := unmarshal(string(marshal(values)), target)
	if err != nil || !reflect.DeepEqual(got, args) {
		t.Errorf("%v, %v", got, err)
	}
	for _, text := range []string{version, version + "\nbool(true)\n"} {
		if _, err := unmarshal(text, target); !errors.Is(err, errStale) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := unmarshal("go test fuzz v2\n", target); err == nil {
		t.Error("another version is taken")
	}
}

// TestInputs: an input does not depend on those before it, and none is longer than
// it may be.
func TestInputs(t *testing.T) {
	seeds := [][]any{{bytes.Repeat([]byte("long"), 1000), byte(1)}, {[]byte{}, byte(2)}, {[]byte("short"), byte(3)}}
	a, b := mutator{inputs: seeds}, mutator{inputs: seeds, words: nil}
	args := make([]reflect.Value, 2)
	var list [][]byte
	different := map[string]bool{}
	for at := range uint64(20_000) {
		a.input(1, at, args)
		text := marshal(args)
		if len(args[0].Bytes()) > maxInput {
			t.Fatalf("%d bytes", len(args[0].Bytes()))
		}
		list = append(list, text)
		different[string(text)] = true
	}
	for at := len(list) - 1; at >= 0; at -= 7 {
		b.input(1, uint64(at), args)
		if !bytes.Equal(marshal(args), list[at]) {
			t.Fatalf("input %d is\n%s\nand was\n%s", at, marshal(args), list[at])
		}
	}
	if len(different) < len(list)/3 { // there is not much to change in the short ones
		t.Errorf("%d different inputs of %d", len(different), len(list))
	}
}
