// Command allocguard compares the allocations of benchmarks, read in `go test
// -bench -benchmem` form, with those recorded in a file:
//
//	allocguard [-update | -worse] FILE <OUTPUT
//
// More than recorded fails, by any number; with -worse those are only named, one to a
// line, package and benchmark. The last measurement of a benchmark counts. One recorded as "-" is not judged: how
// much it allocates depends on how its goroutines happen to run. Benchmarks that
// are not recorded, and records without a benchmark, are named; with -update they
// are set right.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// heading is the first line of the file of records.
const heading = "# Allocations per operation, package and benchmark; written by .ci/bench -update.\n"

func main() {
	update := flag.Bool("update", false, "record what was measured")
	worse := flag.Bool("worse", false, "name the benchmarks that allocate more than recorded")
	flag.Parse()
	if err := run(flag.Arg(0), *update, *worse); err != nil {
		fmt.Println("allocguard:", err)
		os.Exit(1)
	}
}

// run compares, records or names.
func run(path string, update, worse bool) error {
	measured, err := parseBench(os.Stdin)
	if err != nil {
		return err
	}
	if len(measured) == 0 {
		return errors.New("no benchmark reported its allocations")
	}
	recorded, err := read(path)
	if err != nil {
		return err
	}
	if update {
		return write(path, measured, recorded)
	}
	if worse {
		for _, name := range slices.Sorted(maps.Keys(measured)) {
			if limit, known := recorded[name]; known && limit != notJudged && measured[name] > limit {
				fmt.Println(name)
			}
		}
		return nil
	}
	return compare(measured, recorded)
}

// procs is the GOMAXPROCS that go test puts behind a benchmark's name.
var procs = regexp.MustCompile(`-\d+$`)

// parseBench returns allocations by "package benchmark".
func parseBench(r io.Reader) (map[string]int64, error) {
	measured := make(map[string]int64)
	pkg := ""
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		switch {
		case len(fields) == 2 && fields[0] == "pkg:":
			pkg = fields[1]
		case len(fields) > 2 && strings.HasPrefix(fields[0], "Benchmark"):
			at := slices.Index(fields, "allocs/op")
			if at < 1 {
				continue
			}
			n, err := strconv.ParseInt(fields[at-1], 10, 64)
			if err != nil {
				return nil, err
			}
			measured[pkg+" "+procs.ReplaceAllString(fields[0], "")] = n
		}
	}
	return measured, lines.Err()
}

// notJudged stands for "-" in the file of records.
const notJudged = -1

// read reads the file of records; a missing one is empty.
func read(path string) (map[string]int64, error) {
	recorded := make(map[string]int64)
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return recorded, nil
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		count, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		if count == "-" {
			recorded[name] = notJudged
			continue
		}
		n, err := strconv.ParseInt(count, 10, 64)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("%s: line %q: want a number of allocations, or -", path, line)
		}
		recorded[name] = n
	}
	return recorded, err
}

// write records what was measured; what was not judged before stays so.
func write(path string, measured, recorded map[string]int64) error {
	text := []byte(heading)
	for _, name := range slices.Sorted(maps.Keys(measured)) {
		if recorded[name] == notJudged {
			text = fmt.Appendf(text, "- %s\n", name)
			continue
		}
		text = fmt.Appendf(text, "%d %s\n", measured[name], name)
	}
	fmt.Printf("%d benchmarks recorded in %s\n", len(measured), path)
	return os.WriteFile(path, text, 0o644)
}

// compare prints differences and fails on those for the worse.
func compare(measured, recorded map[string]int64) error {
	worse, zero, judged := 0, 0, 0
	for _, name := range slices.Sorted(maps.Keys(measured)) {
		got := measured[name]
		limit, known := recorded[name]
		switch {
		case !known:
			fmt.Printf("not recorded yet: %s: %d allocs/op\n", name, got)
			continue
		case limit == notJudged:
			continue
		case got > limit:
			fmt.Printf("WORSE: %s: %d allocs/op, %d recorded\n", name, got, limit)
			worse++
		case limit == 0:
			zero++
		}
		judged++
	}
	for _, name := range slices.Sorted(maps.Keys(recorded)) {
		if _, there := measured[name]; !there {
			fmt.Printf("recorded, but not there: %s\n", name)
		}
	}
	fmt.Printf("%d benchmarks, %d judged, %d of them without an allocation\n", len(measured), judged, zero)
	if worse > 0 {
		return fmt.Errorf("%d benchmarks allocate more than recorded; when that is meant: .ci/bench -update", worse)
	}
	return nil
}
