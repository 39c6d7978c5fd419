package codec_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/znode/znode/codec"
)

// goldenBatches are the payloads of a set under testdata/logs, recorded from a
// real Zeek.
func goldenBatches(tb testing.TB, set string) [][]byte {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "logs", set, "batches"))
	if err != nil {
		tb.Fatal(err)
	}
	var out [][]byte
	for len(data) > 0 {
		n := binary.BigEndian.Uint32(data)
		out = append(out, data[4:4+n])
		data = data[4+n:]
	}
	if len(out) == 0 {
		tb.Fatalf("no batches in set %s", set)
	}
	return out
}

func allGolden(tb testing.TB) [][]byte {
	return append(goldenBatches(tb, "vec"), goldenBatches(tb, "own")...)
}

// variants are the folders of golden files and the options they were made with.
var variants = map[string]func(*codec.TextOptions){
	"tsv":                  func(o *codec.TextOptions) {},
	"tsv-noutf8":           func(o *codec.TextOptions) { o.EnableUTF8 = false },
	"json":                 func(o *codec.TextOptions) { o.Format = codec.FormatJSON },
	"json-iso8601":         jsonWith(func(o *codec.TextOptions) { o.JSONTimestamps = codec.TimestampISO8601 }),
	"json-millis":          jsonWith(func(o *codec.TextOptions) { o.JSONTimestamps = codec.TimestampMillis }),
	"json-millis-unsigned": jsonWith(func(o *codec.TextOptions) { o.JSONTimestamps = codec.TimestampMillisUnsigned }),
	"json-unset":           jsonWith(func(o *codec.TextOptions) { o.JSONIncludeUnsetFields = true }),
	"json-escape-pua":      jsonWith(func(o *codec.TextOptions) { o.JSONStringEscapePolicy = codec.EscapePUA }),
	"json-escape-tsv":      jsonWith(func(o *codec.TextOptions) { o.JSONStringEscapePolicy = codec.EscapeTSV }),
}

func jsonWith(f func(*codec.TextOptions)) func(*codec.TextOptions) {
	return func(o *codec.TextOptions) {
		o.Format = codec.FormatJSON
		f(o)
	}
}

func newFormatter(tb testing.TB, change func(*codec.TextOptions)) *codec.Formatter {
	tb.Helper()
	o := codec.DefaultTextOptions()
	change(&o)
	f, err := codec.NewFormatter(o)
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

// TestGoldenLogs makes the files of a real Zeek logger from the batches that
// were sent to it.
func TestGoldenLogs(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "logs", "*", "*", "*.log"))
	if err != nil || len(files) < 37 {
		t.Fatalf("found %d golden files, error %v", len(files), err)
	}
	for _, file := range files {
		dir, name := filepath.Split(file)
		variant := filepath.Base(dir)
		set := filepath.Base(filepath.Dir(filepath.Clean(dir)))
		t.Run(set+"/"+variant+"/"+name, func(t *testing.T) {
			change := variants[variant]
			if change == nil {
				t.Fatalf("unknown variant %q", variant)
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := formatPath(t, goldenBatches(t, set), name[:len(name)-len(".log")], newFormatter(t, change))
			compareLines(t, maskTimes(got), maskTimes(want))
		})
	}
}

// formatPath makes the log file of a path.
func formatPath(t *testing.T, batches [][]byte, path string, f *codec.Formatter) []byte {
	t.Helper()
	var b codec.Batch
	var out []byte
	open := time.Date(2026, 11, 22, 8, 18, 7, 0, time.Local)
	for _, payload := range batches {
		if err := b.DecodeHeader(payload); err != nil {
			t.Fatal(err)
		}
		if string(b.Path) != path {
			continue
		}
		if len(out) == 0 {
			out = f.AppendHeader(out, &b, open)
		}
		var err error
		if out, err = f.AppendRecords(out, &b); err != nil {
			t.Fatal(err)
		}
	}
	return f.AppendClose(out, open.Add(time.Minute))
}

// maskTimes blanks the times in #open and #close.
func maskTimes(file []byte) [][]byte {
	lines := bytes.SplitAfter(file, []byte("\n"))
	for i, l := range lines {
		for _, key := range []string{"#open\t", "#close\t"} {
			if bytes.HasPrefix(l, []byte(key)) && len(l) == len(key)+len("2026-11-22-08-18-07\n") {
				lines[i] = []byte(key)
			}
		}
	}
	return lines
}

func compareLines(t *testing.T, got, want [][]byte) {
	t.Helper()
	for i := range want {
		if i >= len(got) || !bytes.Equal(got[i], want[i]) {
			line := []byte("nothing")
			if i < len(got) {
				line = got[i]
			}
			t.Fatalf("line %d\n got %q\nwant %q", i+1, line, want[i])
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%d lines too many", len(got)-len(want))
	}
}
