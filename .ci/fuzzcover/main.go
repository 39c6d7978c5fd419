// Command fuzzcover reads a coverage profile and says how much of some files it
// reaches, and which of their statements it does not. It fails when that is less than
// a floor:
//
//	fuzzcover [-v] [-floor PERCENT] PROFILE PATTERN...
//
// Patterns are those of path.Match, of files as the module names them, without the
// module's own name.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
)

// block is a piece of a file, from line to line.
type block struct {
	file       string
	from, to   int
	statements int
	count      int
}

func main() {
	verbose := flag.Bool("v", false, "name the lines that are not reached")
	floor := flag.Float64("floor", 0, "fail below this, in per cent")
	flag.Parse()
	if err := run(flag.Arg(0), flag.Args()[1:], *verbose, *floor); err != nil {
		fmt.Fprintln(os.Stderr, "fuzzcover:", err)
		os.Exit(1)
	}
}

func run(profile string, patterns []string, verbose bool, floor float64) error {
	f, err := os.Open(profile)
	if err != nil {
		return err
	}
	defer f.Close()
	var blocks []block
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		b, ok, err := parse(lines.Text())
		if err != nil {
			return err
		}
		if ok && slices.ContainsFunc(patterns, func(p string) bool { m, _ := path.Match(p, b.file); return m }) {
			blocks = append(blocks, b)
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	blocks = merge(blocks)
	all, reached := 0, 0
	for _, b := range blocks {
		all += b.statements
		if b.count > 0 {
			reached += b.statements
		}
	}
	if all == 0 {
		return errors.New("the profile has none of these files")
	}
	percent := 100 * float64(reached) / float64(all)
	fmt.Printf("%5.1f %% of %d statements\n", percent, all)
	if verbose {
		for _, b := range blocks {
			if b.count == 0 {
				fmt.Printf("  %s:%d-%d\n", b.file, b.from, b.to)
			}
		}
	}
	if percent < floor-0.05 { // floors have one decimal
		return fmt.Errorf("below the floor of %.1f %%", floor)
	}
	return nil
}

// parse reads "module/file.go:12.34,15.2 3 1".
func parse(line string) (b block, ok bool, err error) {
	name, rest, ok := strings.Cut(line, ":")
	if !ok || name == "mode" {
		return b, false, nil
	}
	// The module's name has three parts.
	parts := strings.SplitN(name, "/", 4)
	f := strings.FieldsFunc(rest, func(r rune) bool { return r == '.' || r == ',' || r == ' ' })
	if len(f) != 6 || len(parts) != 4 {
		return b, false, fmt.Errorf("profile line %q", line)
	}
	b.file = parts[3]
	for at, to := range map[int]*int{0: &b.from, 2: &b.to, 4: &b.statements, 5: &b.count} {
		if *to, err = strconv.Atoi(f[at]); err != nil {
			return b, false, fmt.Errorf("profile line %q: %w", line, err)
		}
	}
	return b, true, nil
}

// merge adds up the counts of the same block.
func merge(blocks []block) (merged []block) {
	for _, b := range blocks {
		i := slices.IndexFunc(merged, func(m block) bool {
			return m.file == b.file && m.from == b.from && m.to == b.to && m.statements == b.statements
		})
		if i < 0 {
			merged = append(merged, b)
		} else {
			merged[i].count += b.count
		}
	}
	return merged
}
