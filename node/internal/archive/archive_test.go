package archive_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"go.uber.org/goleak"

	"github.com/znode/znode/node/internal/archive"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func write(t testing.TB, file, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o640); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, file string) string {
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
		d, err = zstd.NewReader(f)
		defer d.Close()
		r = d
	}
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// files returns the names of all files below dir.
func files(t testing.TB, dir string) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			list = append(list, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(list)
	return list
}

// run does jobs and returns the IDs that were done.
func run(t testing.TB, opt archive.Options, jobs ...archive.Job) (done []uint64, s archive.Stats) {
	t.Helper()
	var mu sync.Mutex
	opt.Done = func(id uint64) error {
		mu.Lock()
		defer mu.Unlock()
		done = append(done, id)
		return nil
	}
	a := archive.Start(opt)
	for _, j := range jobs {
		a.Add(j)
	}
	a.Close(context.Background())
	return done, a.Stats()
}

func TestFree(t *testing.T) {
	dir := t.TempDir()
	open := time.Date(2026, 3, 1, 23, 59, 58, 0, time.Local)
	end := open.Add(4 * time.Second)
	const want = "2026-03-01/conn.23:59:58-00:00:02"
	for i, suffix := range []string{".log", "-2.log", "-3.log", "-4.log"} {
		got, err := archive.Free(dir, "conn", open, end, func(rel string) bool { return rel == want+"-3.log" && i < 3 })
		if i == 2 {
			suffix = "-4.log"
		}
		if i == 3 {
			suffix = "-3.log"
		}
		if err != nil || got != filepath.FromSlash(want+suffix) {
			t.Fatalf("name %d: %s, %v; want %s", i, got, err, want+suffix)
		}
		write(t, filepath.Join(dir, got+[]string{"", ".gz", ".zst", ""}[i]), "x")
	}
}

// TestSharedArchive has loggers whose logs have the same name in the archive, as
// when they rotate in the same second: each is there, once, however often a crash
// makes its job come again.
func TestSharedArchive(t *testing.T) {
	for c, suffix := range map[archive.Compression]string{archive.None: ".log", archive.Gzip: ".log.gz", archive.Zstd: ".log.zst"} {
		t.Run(string(c), func(t *testing.T) {
			dir := t.TempDir()
			rel := filepath.Join("d", "conn")
			job := func(id uint64, content string) archive.Job {
				src := filepath.Join(t.TempDir(), "conn.log")
				write(t, src, content)
				at := time.Unix(1_700_000_000+int64(id), 0)
				if err := os.Chtimes(src, at, at); err != nil {
					t.Fatal(err)
				}
				return archive.Job{ID: id, Src: src, Rel: rel + ".log"}
			}
			opt := archive.Options{Dir: dir, Compression: c}
			first, second := job(1, "one"), job(2, "two")
			run(t, opt, first)
			run(t, opt, second)
			write(t, second.Src, "two") // as if the crash had come before it was removed
			at := time.Unix(1_700_000_002, 0)
			if err := os.Chtimes(second.Src, at, at); err != nil {
				t.Fatal(err)
			}
			run(t, opt, second)
			got := files(t, dir)
			want := []string{rel + "-2" + suffix, rel + suffix}
			if !slices.Equal(got, want) {
				t.Fatalf("files %q, want %q", got, want)
			}
		})
	}
}

func TestCompress(t *testing.T) {
	content := string(bytes.Repeat([]byte("a line of a log\n"), 100_000))
	for c, suffix := range map[archive.Compression]string{archive.None: "", archive.Gzip: ".gz", archive.Zstd: ".zst"} {
		t.Run(string(c), func(t *testing.T) {
			dir, elsewhere := t.TempDir(), t.TempDir()
			at := time.Now().Add(-time.Hour).Truncate(time.Second)
			write(t, filepath.Join(dir, "d", "conn.log"), content)
			write(t, filepath.Join(elsewhere, "dns.log"), content)
			if err := os.Chtimes(filepath.Join(elsewhere, "dns.log"), at, at); err != nil {
				t.Fatal(err)
			}
			done, stats := run(t, archive.Options{Dir: dir, Compression: c},
				archive.Job{ID: 1, Src: filepath.Join(dir, "d", "conn.log"), Rel: "d/conn.log"},
				archive.Job{ID: 2, Src: filepath.Join(elsewhere, "dns.log"), Rel: "e/dns.log"})
			if !slices.Equal(done, []uint64{1, 2}) || stats.Archived != 2 || stats.Errors != 0 || stats.BytesIn != uint64(2*len(content)) {
				t.Errorf("done %v, %+v", done, stats)
			}
			want := []string{"d/conn.log" + suffix, "e/dns.log" + suffix}
			if got := files(t, dir); !slices.Equal(got, want) {
				t.Fatalf("files %q, want %q", got, want)
			}
			for _, f := range want {
				if read(t, filepath.Join(dir, f)) != content {
					t.Errorf("%s has other content", f)
				}
			}
			if left := files(t, elsewhere); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
			info, err := os.Stat(filepath.Join(dir, want[1]))
			if err != nil || !info.ModTime().Equal(at) || info.Mode().Perm() != 0o640 {
				t.Errorf("%v %v, %v; want %v", info.ModTime(), info.Mode(), err, at)
			}
		})
	}
}

// TestAgain: a job that a crash cut short, at whatever moment, is done by doing
// it again.
func TestAgain(t *testing.T) {
	dir := t.TempDir()
	src := filepath.Join(dir, "d", "conn.log")
	job := archive.Job{ID: 1, Src: src, Rel: "d/conn.log"}
	opt := archive.Options{Dir: dir, Compression: archive.Gzip}
	check := func(when string) {
		t.Helper()
		if done, stats := run(t, opt, job); len(done) != 1 || stats.Errors > 0 {
			t.Errorf("%s: done %v, %+v", when, done, stats)
		}
		if got := files(t, dir); !slices.Equal(got, []string{"d/conn.log.gz"}) || read(t, src+".gz") != "content\n" {
			t.Errorf("%s: files %q", when, got)
		}
	}
	source := func() {
		at := time.Unix(1_700_000_000, 0) // a crash does not change it
		write(t, src, "content\n")
		if err := os.Chtimes(src, at, at); err != nil {
			t.Fatal(err)
		}
	}
	source()
	info, err := os.Stat(src)
	if err != nil {
		t.Fatal(err)
	}
	tmp, err := archive.TempName(src, job.Rel, info)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "d", tmp), "a part")
	check("while compressing")
	source()
	check("before the source was deleted")
	check("before it was noted")
	for _, c := range []archive.Compression{archive.Zstd, archive.None} {
		opt.Compression = c
		source()
		check(string(c) + " before the source was deleted")
		check(string(c) + " before it was noted")
	}
	// One of another time, or with something else in it, is another's.
	opt.Compression = archive.Zstd
	for _, change := range []func(){
		func() { os.Chtimes(src+".gz", time.Now(), time.Now()) },
		func() { write(t, src+".gz", "another's") },
		func() { cutOff(t, src+".gz") },
	} {
		source()
		opt.Compression = archive.Gzip
		check("again")
		change()
		source()
		if err := os.Chtimes(src+".gz", time.Unix(1_700_000_001, 0), time.Unix(1_700_000_001, 0)); err != nil {
			t.Fatal(err)
		}
		opt.Compression = archive.Zstd
		if done, _ := run(t, opt, job); len(done) != 1 || len(files(t, dir)) != 2 || read(t, src+".zst") != "content\n" {
			t.Errorf("beside another's: done %v, %q", done, files(t, dir))
		}
		os.Remove(src + ".zst")
		os.Remove(src + ".gz")
	}
	opt.Compression = archive.Gzip
	if done, _ := run(t, opt, job); len(done) != 1 {
		t.Errorf("taken away by somebody: done %v", done)
	}
}

// cutOff takes the trailer of a compressed file, and no byte of its text.
func cutOff(t *testing.T, file string) {
	t.Helper()
	info, err := os.Stat(file)
	if err == nil {
		err = os.Truncate(file, info.Size()-4)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestSweep: parts that nobody completes are deleted, and nothing else.
func TestSweep(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a[b]") // a name, no pattern
	const part = "2026-03-01/.conn.00:00:00-01:00:00.log.0123abcd.tmp"
	old := []string{part, "2026-03-01/.conn.tmp", "2026-03-01/conn.00:00:00-01:00:00.log", "2026-03-01/.x.log.0123abcd.tmp", "old/.conn.00:00:00-01:00:00.log.0123abcd.tmp"}
	for _, file := range old {
		write(t, filepath.Join(dir, file), "x")
		at := time.Now().Add(-25 * time.Hour)
		if err := os.Chtimes(filepath.Join(dir, file), at, at); err != nil {
			t.Fatal(err)
		}
	}
	const fresh = "2026-03-01/.conn.00:00:00-01:00:00.log.fedcba98.tmp"
	write(t, filepath.Join(dir, fresh), "x")
	run(t, archive.Options{Dir: dir})
	want := append(slices.Clone(old[1:]), fresh)
	slices.Sort(want)
	if got := files(t, dir); !slices.Equal(got, want) {
		t.Errorf("left are %q, want %q", got, want)
	}
}

func TestDoneFails(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.log"), "x")
	calls := make(chan uint64, 10)
	fail := errors.New("not now")
	a := archive.Start(archive.Options{Dir: dir, Compression: archive.None, Done: func(id uint64) error {
		calls <- id
		if len(calls) < 2 {
			return fail
		}
		return nil
	}})
	a.Add(archive.Job{ID: 7, Src: filepath.Join(dir, "a.log"), Rel: "a.log"})
	a.Close(context.Background())
	if len(calls) != 2 || a.Stats().Errors != 1 {
		t.Errorf("%d calls, %+v", len(calls), a.Stats())
	}
}

// TestCloseInTrouble: Close gives up what cannot be done, and the log stays.
func TestCloseInTrouble(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "in-the-way"), "")
	src := filepath.Join(dir, "a.log")
	write(t, src, "x")
	a := archive.Start(archive.Options{Dir: filepath.Join(dir, "in-the-way"), Compression: archive.Gzip})
	a.Add(archive.Job{ID: 1, Src: src, Rel: "d/a.log"})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	a.Close(ctx)
	if a.Stats().Waiting != 1 || read(t, src) != "x" {
		t.Errorf("%+v", a.Stats())
	}
}

func TestCommand(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(t.TempDir(), "out")
	src := filepath.Join(dir, "d", "a.log")
	write(t, src, "x")
	opt := archive.Options{Dir: dir, Compression: archive.Gzip, Command: []string{"sh", "-c", `echo "$1 $2" >>` + out, "sh", "given"}}
	_, stats := run(t, opt, archive.Job{ID: 1, Src: src, Rel: "d/a.log"})
	if want := "given " + src + ".gz\n"; read(t, out) != want || stats.Commands != 1 || stats.CmdErrors != 0 {
		t.Errorf("%q, %+v; want %q", read(t, out), stats, want)
	}
	// A command gets a path that holds wherever it goes.
	t.Chdir(dir)
	write(t, src, "x")
	if err := os.Remove(src + ".gz"); err != nil {
		t.Fatal(err)
	}
	opt.Dir = "."
	run(t, opt, archive.Job{ID: 1, Src: filepath.Join("d", "a.log"), Rel: "d/a.log"})
	if want := "given " + src + ".gz\n"; read(t, out) != want+want {
		t.Errorf("%q; want %q twice", read(t, out), want)
	}
	opt.Dir = dir
	write(t, src, "x")
	var log bytes.Buffer
	opt.Log = slog.New(slog.NewTextHandler(&log, nil))
	opt.Command = []string{"sh", "-c", "echo what went wrong; exit 3"}
	done, stats := run(t, opt, archive.Job{ID: 1, Src: src, Rel: "d/a.log"})
	if len(done) != 1 || stats.CmdErrors != 1 || !bytes.Contains(log.Bytes(), []byte("what went wrong")) {
		t.Errorf("done %v, %+v, log %s", done, stats, &log)
	}
}

func TestRetention(t *testing.T) {
	make12 := func(t *testing.T) (dir string) {
		dir = t.TempDir()
		for i := range 12 {
			file := filepath.Join(dir, fmt.Sprintf("2026-03-%02d", 1+i), fmt.Sprintf("conn.%02d:00:00-%02d:00:00.log", i, i+1)+[]string{"", ".gz", ".zst"}[i%3])
			write(t, file, string(make([]byte, 1000)))
			at := time.Now().Add(time.Duration(i-12) * time.Hour)
			if err := os.Chtimes(file, at, at); err != nil {
				t.Fatal(err)
			}
		}
		for _, other := range []string{"notes.txt", "2026-03-01/notes.log", "2026-03-01/.conn.00:00:00-01:00:00.log.gz.tmp", "conn.log", "old/conn.00:00:00-01:00:00.log"} {
			write(t, filepath.Join(dir, other), "mine")
		}
		return dir
	}
	for name, c := range map[string]struct {
		opt  archive.Options
		left int
	}{
		"none":     {archive.Options{}, 12},
		"by age":   {archive.Options{MaxAge: 5*time.Hour + 30*time.Minute}, 5},
		"by size":  {archive.Options{MaxBytes: 3500}, 3},
		"by both":  {archive.Options{MaxBytes: 3500, MaxAge: 150 * time.Minute}, 2},
		"by both2": {archive.Options{MaxBytes: 1500, MaxAge: 150 * time.Minute}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			dir := make12(t)
			all := files(t, dir)
			c.opt.Dir = dir
			var log bytes.Buffer
			c.opt.Log = slog.New(slog.NewTextHandler(&log, nil))
			_, stats := run(t, c.opt)
			left := files(t, dir)
			if len(left) != c.left+5 || stats.Deleted != uint64(12-c.left) || stats.DeletedLen != 1000*stats.Deleted {
				t.Errorf("%d files left, want %d: %q of %q, %+v", len(left), c.left+5, left, all, stats)
			}
			want := fmt.Sprintf("files=%d bytes=%d", stats.Deleted, stats.DeletedLen)
			if said := strings.Contains(log.String(), want); said != (stats.Deleted > 0) {
				t.Errorf("log %q, want %q: %v", log.String(), want, stats.Deleted > 0)
			}
			if _, err := os.Stat(filepath.Join(dir, "2026-03-02")); (err == nil) != (c.left == 12) {
				t.Errorf("empty directory: %v", err)
			}
		})
	}
}
