package archive

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func put(t *testing.T, file, content string, at time.Time) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(file, at, at); err != nil {
		t.Fatal(err)
	}
}

// Two loggers' logs may end in the same moment and be of one size: only a file that
// holds the same is the same.
func TestPublishSameTimeAndSize(t *testing.T) {
	dir, at := t.TempDir(), time.Unix(1_700_000_000, 0)
	a := &Archiver{opt: Options{Dir: dir}}
	for _, c := range []struct{ content, want string }{
		{"one", "a.log"},
		{"two", "a-2.log"},
		{"one", "a.log"},
		{"two", "a-2.log"},
		{"three", "a-3.log"},
	} {
		tmp := filepath.Join(dir, ".tmp")
		put(t, tmp, c.content, at)
		to, err := a.publish(tmp, "a.log")
		if err != nil || to != filepath.Join(dir, c.want) {
			t.Errorf("%s: %s, %v; want %s", c.content, to, err, c.want)
		}
		if data, err := os.ReadFile(to); err != nil || string(data) != c.content {
			t.Errorf("%s has %q: %v", to, data, err)
		}
		if err := os.Remove(tmp); err != nil {
			t.Fatal(err)
		}
	}
}

// A crash between giving a file its name and taking back the one it had before
// leaves both. The job done again must not write through the old one.
func TestConvertLeavesPublishedAlone(t *testing.T) {
	dir, at := t.TempDir(), time.Unix(1_700_000_000, 0)
	name := filepath.Join(dir, "src")
	put(t, name, "content", at)
	src, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	info, err := src.Stat()
	if err != nil {
		t.Fatal(err)
	}
	published := filepath.Join(dir, "a.log")
	put(t, published, "content", at)
	tmp, err := tempName(name, "a.log", info)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Link(published, filepath.Join(dir, tmp)); err != nil {
		t.Skip(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // it gets no further than the new file
	a := &Archiver{opt: Options{Dir: dir}, ctx: ctx}
	if _, _, _, err := a.convert(src, "a.log"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if data, err := os.ReadFile(published); err != nil || string(data) != "content" {
		t.Errorf("the published file has %q: %v", data, err)
	}
}
