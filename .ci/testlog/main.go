// Command testlog reads `go test -json` and prints one line per package, what
// failing tests wrote, and a count. It fails when a test failed, when none ran,
// and with -no-skips when one was skipped. With -skipped FILE it writes the names of
// those into a file, one to a line, with the package before it.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// event is a line of test2json's.
type event struct {
	Action     string
	Package    string
	ImportPath string // of build output
	Test       string
	Elapsed    float64
	Output     string
}

// state is what has been seen of all packages so far.
type state struct {
	out      io.Writer
	output   map[string][]string // by package and test, until it has passed
	finished map[string]int      // tests, by package
	skipped  map[string][]string // tests, by package
	passed   int
	failed   int
	skips    int
	broken   bool // a package failed
}

func main() {
	noSkips := flag.Bool("no-skips", false, "fail when a test is skipped")
	skipped := flag.String("skipped", "", "write which tests were skipped to this file")
	flag.Parse()
	s := &state{
		out: os.Stdout, output: make(map[string][]string),
		finished: make(map[string]int), skipped: make(map[string][]string),
	}
	if err := s.read(os.Stdin); err != nil {
		fmt.Println("testlog:", err)
		s.broken = true
	}
	if *skipped != "" {
		if err := s.writeSkipped(*skipped); err != nil {
			fmt.Println("testlog:", err)
			s.broken = true
		}
	}
	fmt.Printf("tests: %d passed, %d failed, %d skipped\n", s.passed, s.failed, s.skips)
	switch {
	case s.broken || s.failed > 0:
		os.Exit(1)
	case s.passed == 0:
		fmt.Println("no test ran")
		os.Exit(1)
	case *noSkips && s.skips > 0:
		for pkg, names := range s.skipped {
			fmt.Printf("skipped in %s, but nothing may be skipped here: %s\n", pkg, strings.Join(names, ", "))
		}
		os.Exit(1)
	}
}

// read handles all events; a line that is none is shown as it is.
func (s *state) read(r io.Reader) error {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) == nil && e.Action != "" {
				s.handle(e)
			} else {
				s.out.Write(line)
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// handle follows one event.
func (s *state) handle(e event) {
	key := e.Package + " " + e.Test
	switch {
	case e.Action == "build-output":
		fmt.Fprint(s.out, e.Output)
	case e.Action == "build-fail":
		s.broken = true
	case e.Action == "output":
		s.output[key] = append(s.output[key], e.Output)
	case e.Test == "":
		s.endPackage(e)
	case e.Action == "pass":
		s.passed++
		s.finished[e.Package]++
		delete(s.output, key)
	case e.Action == "skip":
		s.skips++
		s.skipped[e.Package] = append(s.skipped[e.Package], e.Test)
		delete(s.output, key)
	case e.Action == "fail":
		s.failed++
		s.finished[e.Package]++
		s.show(key)
	}
}

// endPackage prints the line of a package that is done, and for a failed one
// what its unfinished tests and the package itself wrote.
func (s *state) endPackage(e event) {
	own := e.Package + " "
	switch e.Action {
	case "pass":
		fmt.Fprintf(s.out, "ok  \t%s\t%.2fs\t%d tests", e.Package, e.Elapsed, s.finished[e.Package])
		if n := len(s.skipped[e.Package]); n > 0 {
			fmt.Fprintf(s.out, ", %d skipped", n)
		}
		fmt.Fprintln(s.out)
	case "skip":
		fmt.Fprintf(s.out, "?   \t%s\t[no test files]\n", e.Package)
	case "fail":
		s.broken = true
		var keys []string
		for key := range s.output {
			if strings.HasPrefix(key, own) {
				keys = append(keys, key)
			}
		}
		slices.Sort(keys)
		slices.Reverse(keys) // the package's own last
		for _, key := range keys {
			s.show(key)
		}
		fmt.Fprintf(s.out, "FAIL\t%s\t%.2fs\n", e.Package, e.Elapsed)
	default:
		return
	}
	delete(s.output, own)
}

// writeSkipped writes the tests that were skipped, or have a subtest that was, once.
func (s *state) writeSkipped(path string) error {
	var lines []string
	for pkg, names := range s.skipped {
		for _, name := range names {
			test, _, _ := strings.Cut(name, "/")
			lines = append(lines, pkg+" "+test+"\n")
		}
	}
	slices.Sort(lines)
	return os.WriteFile(path, []byte(strings.Join(slices.Compact(lines), "")), 0o644)
}

// show prints and forgets what was kept under a key.
func (s *state) show(key string) {
	for _, line := range s.output[key] {
		fmt.Fprint(s.out, line)
	}
	delete(s.output, key)
}
