package node

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/znode/znode/codec"
	"github.com/znode/znode/sockets/zmqtest"
)

// goldenVariants are the options that the golden files were written with.
var goldenVariants = map[string]func(*codec.TextOptions){
	"tsv":                  func(*codec.TextOptions) {},
	"tsv-noutf8":           func(o *codec.TextOptions) { o.EnableUTF8 = false },
	"json":                 func(o *codec.TextOptions) { o.Format = codec.FormatJSON },
	"json-iso8601":         jsonTimes(codec.TimestampISO8601),
	"json-millis":          jsonTimes(codec.TimestampMillis),
	"json-millis-unsigned": jsonTimes(codec.TimestampMillisUnsigned),
	"json-unset":           func(o *codec.TextOptions) { o.Format, o.JSONIncludeUnsetFields = codec.FormatJSON, true },
	"json-escape-pua":      jsonEscapes(codec.EscapePUA),
	"json-escape-tsv":      jsonEscapes(codec.EscapeTSV),
}

func jsonTimes(f codec.TimestampFormat) func(*codec.TextOptions) {
	return func(o *codec.TextOptions) { o.Format, o.JSONTimestamps = codec.FormatJSON, f }
}

func jsonEscapes(p codec.EscapePolicy) func(*codec.TextOptions) {
	return func(o *codec.TextOptions) { o.Format, o.JSONStringEscapePolicy = codec.FormatJSON, p }
}

// goldenCases calls test for every set and variant there is.
func goldenCases(t *testing.T, test func(t *testing.T, set, variant string, opt LoggerOptions)) {
	dirs, err := filepath.Glob(filepath.Join(goldenDir, "*", "*", ""))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, dir := range dirs {
		set, variant := filepath.Base(filepath.Dir(dir)), filepath.Base(dir)
		if variant == "batches" {
			continue
		}
		apply := goldenVariants[variant]
		if apply == nil {
			t.Fatalf("%s: unknown variant", dir)
		}
		n++
		t.Run(set+"/"+variant, func(t *testing.T) {
			opt := testLoggerOptions(t)
			apply(&opt.Text)
			test(t, set, variant, opt)
		})
	}
	if n == 0 {
		t.Fatal("no golden files found")
	}
}

// compareGolden compares the logs with the golden ones, all of them and no more.
func compareGolden(t *testing.T, set, variant, dir string) {
	t.Helper()
	golden, err := filepath.Glob(filepath.Join(goldenDir, set, variant, "*.log"))
	if err != nil || len(golden) == 0 {
		t.Fatalf("no golden files for %s/%s: %v", set, variant, err)
	}
	for _, file := range golden {
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(dir, filepath.Base(file)))
		if err != nil {
			t.Error(err)
			continue
		}
		if !bytes.Equal(timeless(got), timeless(want)) {
			t.Errorf("%s differs:\n%s\nwant:\n%s", filepath.Base(file), cut(got), cut(want))
		}
	}
	if written, _ := filepath.Glob(filepath.Join(dir, "*.log")); len(written) != len(golden) {
		t.Errorf("wrote %q, want %q", written, golden)
	}
}

func cut(b []byte) []byte { return b[:min(len(b), 2000)] }

func TestLoggerGolden(t *testing.T) {
	goldenCases(t, func(t *testing.T, set, variant string, opt LoggerOptions) {
		l := startLogger(t, opt)
		push := connectPUSH(t, l)
		batches := goldenBatches(t, set)
		for _, b := range batches {
			sendBatch(t, push, b)
		}
		awaitMessages(t, l, len(batches))
		closeLogger(t, l)
		compareGolden(t, set, variant, opt.LogDir)
	})
}

func TestLoggerGoldenFromLibzmq(t *testing.T) {
	p := zmqtest.Start(t)
	goldenCases(t, func(t *testing.T, set, variant string, opt LoggerOptions) {
		l := startLogger(t, opt)
		push := p.Socket(t, "PUSH")
		push.Connect(t, l.Endpoint())
		batches := goldenBatches(t, set)
		for _, b := range batches {
			push.Send(t, []byte("log-write"), []byte("zeek_worker-1_test_1_N1"), []byte(logSerializer), b)
		}
		awaitMessages(t, l, len(batches))
		push.Close(t, 0)
		closeLogger(t, l)
		compareGolden(t, set, variant, opt.LogDir)
	})
}
