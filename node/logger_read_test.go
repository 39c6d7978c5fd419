package node

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// readLog reads a log, compressed or not.
func readLog(t testing.TB, file string) []byte {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var r io.Reader = f
	switch filepath.Ext(file) {
	case ".gz":
		r, err = gzip.NewReader(f)
	case ".zst":
		var d *zstd.Decoder
		if d, err = zstd.NewReader(f); err == nil {
			defer d.Close()
			r = d
		}
	}
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return data
}

// endsWith reports whether a file ends with a text.
func endsWith(file, text string) bool {
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() < int64(len(text)) {
		return false
	}
	end := make([]byte, len(text))
	_, err = f.ReadAt(end, info.Size()-int64(len(end)))
	return err == nil && string(end) == text
}

// allLogs returns the logs of one path, those in the archive first.
func allLogs(t testing.TB, dir, path string) []string {
	t.Helper()
	archived, err := filepath.Glob(filepath.Join(dir, "????-??-??", path+".??:??:??-??:??:??*.log*"))
	if err != nil {
		t.Fatal(err)
	}
	current, _ := filepath.Glob(filepath.Join(dir, path+".log"))
	return append(archived, current...)
}

// census counts the numbered records in the logs of one path.
type census struct {
	count   map[int]int // of each number
	files   int
	torn    []string // lines that are no record, header or #close
	inOrder bool     // within each file numbers of the same residue class grow
}

// take counts the records of all logs of a path, which numbers made, in TSV.
func takeCensus(t testing.TB, dir, path string) census {
	t.Helper()
	c := census{count: make(map[int]int), inOrder: true}
	for _, file := range allLogs(t, dir, path) {
		c.files++
		data := readLog(t, file)
		if len(data) > 0 && data[len(data)-1] != '\n' {
			c.torn = append(c.torn, file+": does not end with a line")
		}
		last := -1
		for line := range bytes.Lines(data) {
			text := strings.TrimSuffix(string(line), "\n")
			if strings.HasPrefix(text, "#") {
				continue
			}
			n, err := strconv.Atoi(text)
			if err != nil || strconv.Itoa(n) != text {
				c.torn = append(c.torn, fmt.Sprintf("%s: line %q", file, text))
				continue
			}
			c.count[n]++
			if n < last {
				c.inOrder = false
			}
			last = n
		}
	}
	return c
}

// check fails the test unless every number from 0 to n-1 is there exactly once.
func (c *census) check(t testing.TB, n int) {
	t.Helper()
	lost, duplicate := 0, 0
	for i := range n {
		switch c.count[i] {
		case 0:
			lost++
		case 1:
		default:
			duplicate++
		}
	}
	if lost > 0 || duplicate > 0 || len(c.torn) > 0 || len(c.count)+lost > n {
		t.Errorf("of %d records %d are lost, %d duplicate, %d others; torn: %q",
			n, lost, duplicate, len(c.count)+lost-n, c.torn[:min(len(c.torn), 5)])
		t.Logf("lost: %s", ranges(c.missing(n)))
	}
}

// missing returns the numbers below n that are not there.
func (c *census) missing(n int) (list []int) {
	for i := range n {
		if c.count[i] == 0 {
			list = append(list, i)
		}
	}
	slices.Sort(list)
	return list
}

// ranges shows numbers in short.
func ranges(list []int) string {
	s := ""
	for i := 0; i < len(list); {
		j := i
		for j+1 < len(list) && list[j+1] == list[j]+1 {
			j++
		}
		s += fmt.Sprintf(" %d-%d", list[i], list[j])
		i = j + 1
	}
	return s
}
