package soak

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// seen is the records of one source that are in a log, a bit for each.
type seen struct {
	bits     []uint64
	count    uint64
	repeated uint64
	highest  uint64
}

func (s *seen) add(number uint64) {
	at := number / 64
	for uint64(len(s.bits)) <= at {
		s.bits = append(s.bits, make([]uint64, 1+len(s.bits))...)
	}
	bit := uint64(1) << (number % 64)
	if s.bits[at]&bit != 0 {
		s.repeated++
		return
	}
	s.bits[at] |= bit
	s.count++
	s.highest = max(s.highest, number)
}

// readLogs reads all logs below a directory, finished and unfinished, into seen
// by source, and returns how many files that were.
func readLogs(dir string, all map[uint64]*seen) (files int, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != dir && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir // spool and rejects
		case d.IsDir() || !strings.HasPrefix(d.Name(), logPath+"."):
			return nil
		}
		files++
		if err := readLog(path, all); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return nil
	})
	return files, err
}

func readLog(path string, all map[uint64]*seen) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			return err
		}
	}
	lines := bufio.NewScanner(r)
	closed := false
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if strings.HasPrefix(line, "#") {
			closed = strings.HasPrefix(line, "#close")
			continue
		}
		source, number, err := parseRecord(line)
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		if all[source] == nil {
			all[source] = &seen{}
		}
		all[source].add(number)
	}
	if err := lines.Err(); err != nil {
		return err
	}
	if !closed {
		return errors.New("it does not end with #close")
	}
	return nil
}

// parseRecord reads a line as a record of the soak's log.
func parseRecord(line string) (source, number uint64, err error) {
	f := strings.Split(line, "\t")
	if len(f) != 4 || f[3] != text {
		return 0, 0, fmt.Errorf("not a record of ours: %.100q", line)
	}
	source, err1 := strconv.ParseUint(f[1], 10, 64)
	number, err2 := strconv.ParseUint(f[2], 10, 64)
	return source, number, errors.Join(err1, err2)
}

// checkLogs reads the logs of all loggers and compares them with what the
// members say.
func (s *soak) checkLogs(r *Result) error {
	all := make(map[uint64]*seen)
	for _, l := range s.loggers {
		files, err := readLogs(l.dir, all)
		if err != nil {
			return err
		}
		r.LogFiles += files
	}
	for _, a := range s.accounts() {
		in := all[a.source]
		if in == nil {
			in = &seen{}
		}
		delete(all, a.source)
		r.Records += a.records
		r.RecordsLogged += in.count
		r.RecordsDropped += a.dropped
		if in.repeated > 0 || in.highest > a.records || in.count+a.dropped != a.records {
			r.flaw("%s (source %d): %d records written, %d in the logs, %d counted as dropped, %d repeated",
				a.name, a.source, a.records, in.count, a.dropped, in.repeated)
		}
	}
	for source, in := range all {
		r.flaw("%d records in the logs of source %d, which nobody is", in.count, source)
	}
	return nil
}
