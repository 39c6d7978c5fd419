package main

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/znode/znode/codec"
	"github.com/znode/znode/node"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Every line arrives, in order, with its columns.
func TestLines(t *testing.T) {
	opt := node.DefaultOptions()
	opt.ConnectXPUBEndpoint, opt.ConnectXSUBEndpoint = "", ""
	opt.ListenLogEndpoint = "tcp://127.0.0.1:*"
	opt.Log = slog.New(slog.DiscardHandler)
	sink, err := node.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	log := codec.MustLogStream[line](codec.BatchHeader{Stream: "App::LOG", Path: "app"})
	reader := log.NewReader()
	const count = 2500
	got := make(chan string, count)
	sink.HandleLogs(func(w *node.LogWrite) {
		if string(w.Stream) != "App::LOG" || string(w.Path) != "app" {
			t.Errorf("batch of %s to %s", w.Stream, w.Path)
		}
		if err := reader.Bind(&w.Batch); err != nil {
			t.Error(err)
			return
		}
		for records := w.Records(); records.Next(); {
			var l line
			if err := reader.Scan(&records, &l); err != nil {
				t.Error(err)
			}
			if l.TS.IsZero() {
				t.Errorf("line %q without a time", l.Line)
			}
			got <- string(l.Line)
		}
	})
	if err := sink.Start(); err != nil {
		t.Fatal(err)
	}

	var text strings.Builder
	for i := range count {
		fmt.Fprintf(&text, "line %d\n", i)
	}
	in := io.NopCloser(strings.NewReader(text.String()))
	if err := run([]string{"-loggers", sink.LogEndpoint(), "-stream", "App::LOG", "-path", "app"}, in); err != nil {
		t.Fatal(err)
	}
	for i := range count {
		if l, want := <-got, fmt.Sprintf("line %d", i); l != want {
			t.Fatalf("got %q, want %q", l, want)
		}
	}
}

func TestMistakes(t *testing.T) {
	for want, args := range map[string][]string{
		"connect_log_endpoints": {"-loggers", "udp://x:1"},
		"path":                  {"-path", ""},
		"not defined":           {"-nodes", "x"},
	} {
		err := run(args, io.NopCloser(strings.NewReader("")))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", args, err, want)
		}
	}
	long := io.NopCloser(strings.NewReader(strings.Repeat("x", maxLine+1)))
	if err := run([]string{"-loggers", "tcp://127.0.0.1:9"}, long); err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("a line without end: %v", err)
	}
}
