package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/znode/znode/bench/internal/report"
)

const (
	baseline   = "bench/baseline" // the committed report
	lastReport = "dist/bench"     // where a run leaves its own
)

// compare is the command of that name.
func compare(args []string, stdout, stderr io.Writer) int {
	fs := flag.NewFlagSet("bench compare", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	margin := fs.Float64("margin", 0.25, "by how much a ratio may be worse")
	err := fs.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fs.SetOutput(stdout)
		fs.PrintDefaults()
		return 0
	}
	if err == nil && (fs.NArg() > 2 || *margin <= 0 || *margin >= 1) {
		err = errors.New("want at most two reports, and a -margin between 0 and 1")
	}
	if err != nil {
		fmt.Fprintln(stderr, "bench compare:", err)
		return 2
	}
	paths := []string{baseline, lastReport}
	copy(paths, fs.Args())
	reports := make([]*report.Report, 2)
	for i, path := range paths {
		if reports[i], err = read(path); err != nil {
			fmt.Fprintln(stderr, "bench compare:", err)
			return 1
		}
	}
	c := report.Compare(reports[0], reports[1], *margin)
	if err := c.Write(stdout); err != nil {
		fmt.Fprintln(stderr, "bench compare:", err)
		return 1
	}
	if c.Worse() > 0 {
		return 1
	}
	return 0
}

// read reads the report in a directory, or a file.
func read(path string) (*report.Report, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, "report.json")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := report.ReadJSON(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}
