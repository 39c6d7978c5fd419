package node

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/znode/znode/codec"
)

func TestNextRotation(t *testing.T) {
	day := func(h, m, s int) time.Time { return time.Date(2026, 3, 5, h, m, s, 0, time.UTC) }
	for _, c := range []struct {
		now      time.Time
		interval time.Duration
		want     time.Time
	}{
		{day(10, 20, 30), 0, time.Time{}},
		{day(10, 20, 30), time.Hour, day(11, 0, 0)},
		{day(11, 0, 0), time.Hour, day(12, 0, 0)},
		{day(23, 59, 59), time.Hour, day(24, 0, 0)},
		{day(10, 20, 30), 24 * time.Hour, day(24, 0, 0)},
		{day(10, 20, 30), 500 * time.Millisecond, day(10, 20, 30).Add(500 * time.Millisecond)},
		{day(22, 0, 0), 7 * time.Hour, day(24, 0, 0)}, // does not divide the day
		{day(10, 0, 0), 48 * time.Hour, day(48, 0, 0)},
	} {
		if got := nextRotation(c.now, c.interval); !got.Equal(c.want) {
			t.Errorf("after %v, every %v: %v, want %v", c.now, c.interval, got, c.want)
		}
	}
}

// TestLoggerRotatesUnderLoad rotates twice a second and more often: every record
// is in exactly one file, all of which are complete and can be read.
func TestLoggerRotatesUnderLoad(t *testing.T) {
	for _, d := range []Durability{DurabilityMemory, DurabilityJournal} {
		for _, c := range []Compression{CompressionNone, CompressionGzip, CompressionZstd} {
			t.Run(fmt.Sprintf("%s/%s", d, c), func(t *testing.T) {
				t.Parallel()
				opt := testLoggerOptions(t)
				opt.Durability, opt.ArchiveCompression = d, c
				opt.RotationInterval = minRotation
				opt.ArchiveDir = filepath.Join(t.TempDir(), "archive")
				l := startLogger(t, opt)
				push := connectPUSH(t, l)
				sent, rotations := 0, cheaper(7, 3)
				for l.Stats().Rotations < uint64(rotations) {
					for range 20 {
						sendBatch(t, push, numbers(t, "n", sent, 100))
						sent += 100
					}
					await(t, "not to be far behind", func() bool { return l.Stats().Records+20_000 > uint64(sent) })
				}
				await(t, "all records", func() bool { return l.Stats().Records == uint64(sent) })
				closeLogger(t, l)
				census := takeCensus(t, opt.ArchiveDir, "n")
				census.check(t, sent)
				if census.files < rotations || !census.inOrder {
					t.Errorf("%d files, in order: %v", census.files, census.inOrder)
				}
				suffix := map[Compression]string{CompressionNone: ".log", CompressionGzip: ".gz", CompressionZstd: ".zst"}[c]
				for _, file := range allLogs(t, opt.ArchiveDir, "n") {
					data := readLog(t, file)
					if filepath.Ext(file) != suffix || !bytes.HasPrefix(data, []byte("#separator")) ||
						!regexp.MustCompile(`\n#close\t[^\n]+\n$`).Match(data) {
						t.Errorf("%s is not a whole log", file)
					}
				}
				if left, _ := filepath.Glob(filepath.Join(opt.LogDir, "*.log")); len(left) > 0 {
					t.Errorf("left in the log directory: %q", left)
				}
				checkNothingLeft(t, opt)
			})
		}
	}
}

func TestLoggerRotatesBySize(t *testing.T) {
	opt := testLoggerOptions(t)
	opt.RotationSize = 50_000
	opt.ArchiveCompression = CompressionNone
	l := startLogger(t, opt)
	push := connectPUSH(t, l)
	const records = 100_000 // 590 kB
	batches := 0
	for sent := 0; sent < records; sent += 10_000 {
		batches += sendNumbers(t, push, "n", sent, 10_000, 500)
		await(t, "the records", func() bool { return l.Stats().Records == uint64(sent+10_000) && l.Stats().Memory == 0 })
	}
	if n := l.Stats().Rotations; n < 8 {
		t.Errorf("%d rotations", n)
	}
	closeLogger(t, l)
	c := takeCensus(t, opt.LogDir, "n")
	c.check(t, records)
}

// TestLoggerRotate: on demand, and in a way that the next file can have other
// columns.
func TestLoggerRotate(t *testing.T) {
	opt := testLoggerOptions(t)
	command := filepath.Join(t.TempDir(), "command")
	opt.RotationCommand = "cp -t " + command
	opt.ArchiveCompression = CompressionZstd
	if err := os.Mkdir(command, 0o755); err != nil {
		t.Fatal(err)
	}
	l := startLogger(t, opt)
	push := connectPUSH(t, l)
	for i, columns := range [][]string{{}, {"more"}, {}} {
		sendBatch(t, push, numbers(t, "n", i, 1, columns...))
		await(t, "a record", func() bool { return l.Stats().Records == uint64(i+1) && l.Stats().Memory == 0 })
		l.Rotate()
		await(t, "a rotation", func() bool { return l.Stats().Archived == uint64(i+1) && l.Stats().Files == 0 })
	}
	l.Rotate() // nothing to rotate
	sendBatch(t, push, numbers(t, "n", 3, 1))
	await(t, "a record", func() bool { return l.Stats().Records == 4 })
	closeLogger(t, l)
	if got := l.Stats().Rotations; got != 3 {
		t.Errorf("%d rotations, want 3", got)
	}
	logs := allLogs(t, opt.LogDir, "n")
	if len(logs) != 4 || filepath.Base(logs[3]) != "n.log" {
		t.Fatalf("logs: %q", logs)
	}
	for _, file := range logs {
		if !bytes.Contains(readLog(t, file), []byte("\n#path\tn\n")) {
			t.Errorf("%s has another path", file)
		}
	}
	handed, _ := filepath.Glob(filepath.Join(command, "n.*.log.zst"))
	if len(handed) != 3 {
		t.Errorf("the command was given %q", handed)
	}
}

// TestLoggerArchiveElsewhere: the archive may be on another file system.
func TestLoggerArchiveElsewhere(t *testing.T) {
	elsewhere, err := os.MkdirTemp("/dev/shm", "logger-test-*")
	if err != nil {
		t.Skip(err)
	}
	defer os.RemoveAll(elsewhere)
	opt := testLoggerOptions(t)
	opt.ArchiveDir = filepath.Join(elsewhere, "archive")
	for _, c := range []Compression{CompressionNone, CompressionGzip} {
		opt.ArchiveCompression = c
		opt.RotationInterval = time.Hour
		l := startLogger(t, opt)
		sendBatch(t, connectPUSH(t, l), numbers(t, "n", 0, 10))
		await(t, "records", func() bool { return l.Stats().Records == 10 })
		closeLogger(t, l)
		census := takeCensus(t, opt.ArchiveDir, "n")
		census.check(t, 10)
		if err := os.RemoveAll(opt.ArchiveDir); err != nil {
			t.Fatal(err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(opt.LogDir, ".rotated", "*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// TestLoggerLogIsTaken: a log that is moved or deleted while it is written, alone
// or with its directory, costs nothing that is written later.
func TestLoggerLogIsTaken(t *testing.T) {
	for name, take := range map[string]func(t *testing.T, opt *LoggerOptions){
		"deleted": func(t *testing.T, opt *LoggerOptions) {
			if err := os.Remove(filepath.Join(opt.LogDir, "n.log")); err != nil {
				t.Fatal(err)
			}
		},
		"moved": func(t *testing.T, opt *LoggerOptions) {
			if err := os.Rename(filepath.Join(opt.LogDir, "n.log"), filepath.Join(opt.LogDir, "mine")); err != nil {
				t.Fatal(err)
			}
		},
		"replaced": func(t *testing.T, opt *LoggerOptions) {
			file := filepath.Join(opt.LogDir, "n.log")
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte("mine\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"directory removed": func(t *testing.T, opt *LoggerOptions) {
			if err := os.RemoveAll(opt.LogDir); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			durabilities(t, func(t *testing.T, opt LoggerOptions) {
				opt.LogDir = filepath.Join(opt.LogDir, "logs")
				l := startLogger(t, opt)
				push := connectPUSH(t, l)
				send := func(first int) {
					sendNumbers(t, push, "n", first, 1000, 100)
					await(t, "records", func() bool { return l.Stats().Records == uint64(first+1000) && l.Stats().Memory == 0 })
				}
				send(0)
				take(t, &opt)
				send(1000)
				send(2000)
				closeLogger(t, l)
				c := takeCensus(t, opt.LogDir, "n")
				if name == "moved" {
					data := readLog(t, filepath.Join(opt.LogDir, "mine"))
					if n := strings.Count(string(data), "\n#close\t"); n != 1 {
						t.Errorf("moved log: %s", data[max(0, len(data)-200):])
					}
					for line := range bytes.Lines(data) {
						var n int
						if _, err := fmt.Sscan(string(line), &n); err == nil {
							c.count[n]++
						}
					}
				}
				if missing := c.missing(3000); len(missing) > 0 && missing[len(missing)-1] >= 1000 {
					t.Errorf("missing: %s", ranges(missing))
				}
				if len(c.torn) > 0 && name != "replaced" {
					t.Errorf("torn: %q", c.torn)
				}
				for n, times := range c.count {
					if times > 1 {
						t.Fatalf("record %d is there %d times", n, times)
					}
				}
			})
		})
	}
}

func TestLoggerWriters(t *testing.T) {
	opt := testLoggerOptions(t)
	var lines lockedBuffer
	opt.Log = slog.New(slog.NewTextHandler(&lines, nil))
	l := startLogger(t, opt)
	push := connectPUSH(t, l)
	for i, writer := range []string{"Log::WRITER_NONE", "Log::WRITER_SQLITE", "Log::WRITER_ASCII", "Log::WRITER_SQLITE"} {
		w, err := codec.NewBatchWriter(codec.BatchHeader{
			Stream: "Test::LOG", Writer: writer, Path: "n", Fields: []codec.Field{codec.NewField("n", codec.TypeCount)},
		})
		if err != nil {
			t.Fatal(err)
		}
		w.Start(nil)
		w.Count(uint64(i))
		if err := w.EndRecord(); err != nil {
			t.Fatal(err)
		}
		sendBatch(t, push, w.Finish())
	}
	awaitMessages(t, l, 4)
	closeLogger(t, l)
	if got := readLog(t, filepath.Join(opt.LogDir, "n.log")); !bytes.Contains(got, []byte("\n1\n2\n3\n#close")) {
		t.Errorf("n.log: %s", got)
	}
	if l.discarded.Load() != 1 || strings.Count(lines.String(), "another writer") != 1 {
		t.Errorf("%d discarded, log:\n%s", l.discarded.Load(), &lines)
	}
}

// TestLoggerRejects: refused batches can be looked at later, within bounds.
func TestLoggerRejects(t *testing.T) {
	opt := testLoggerOptions(t)
	opt.Log = nil
	opt.RejectLimit = 40_000
	l := startLogger(t, opt)
	push := connectPUSH(t, l)
	var sent [][]byte
	for i := range 500 {
		b := numbers(t, "n", 1000+i, 10)
		b = b[:len(b)-1]
		sent = append(sent, b)
		sendBatch(t, push, b)
		await(t, "it to be kept", func() bool { return l.Stats().Rejected == uint64(i+1) })
	}
	closeLogger(t, l)
	files, _ := filepath.Glob(filepath.Join(opt.LogDir, ".rejects", "*.batches"))
	slices.Sort(files)
	var kept []byte
	for _, f := range files {
		data := readLog(t, f)
		kept = append(kept, data...)
	}
	if len(files) != rejectFiles || len(kept) > 40_000 || len(kept) < 25_000 {
		t.Errorf("%d files with %d bytes", len(files), len(kept))
	}
	var last []byte
	for _, b := range sent {
		last = append(append(last, 0, 0, byte(len(b)>>8), byte(len(b))), b...)
	}
	if !bytes.HasSuffix(last, kept) {
		t.Error("what is kept is not the end of what was sent")
	}
}

// TestLoggerMakesRoom: paths that only garbage came under, and logs that were
// rotated, do not count for max streams.
func TestLoggerMakesRoom(t *testing.T) {
	opt := testLoggerOptions(t)
	opt.MaxStreams = 4
	opt.Log = nil
	l := startLogger(t, opt)
	push := connectPUSH(t, l)
	sent := 0
	send := func(b []byte) {
		sendBatch(t, push, b)
		sent++
		awaitMessages(t, l, sent)
		await(t, "it to be looked at", func() bool { return l.Stats().Memory == 0 })
	}
	for i := range 20 {
		b := numbers(t, fmt.Sprint("garbage", i), 1, 1)
		send(b[:len(b)-1])
	}
	for i := range 4 {
		await(t, "room for a path", func() bool {
			send(numbers(t, fmt.Sprint("good", i), i, 1))
			return l.Stats().Files == i+1
		})
	}
	refused := l.refused[refusedStreams].n.Load()
	for range 10 {
		send(numbers(t, "beyond", 1, 1))
	}
	if n := l.refused[refusedStreams].n.Load() - refused; n != 10 {
		t.Errorf("%d refused, want 10", n)
	}
	l.Rotate()
	await(t, "rotation", func() bool { return l.Stats().Files == 0 })
	await(t, "room for another path", func() bool {
		send(numbers(t, "beyond", 1, 1))
		return l.Stats().Files == 1
	})
}

// Where the system cannot rename without replacing, a link does it.
func TestLinkNew(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	put := func(file, content string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	check := func(want string) {
		t.Helper()
		if data, err := os.ReadFile(to); err != nil || string(data) != want {
			t.Errorf("%q, %v; want %q", data, err, want)
		}
	}
	put(from, "mine")
	put(to, "another's")
	if err := linkNew(from, to); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a name that is taken: %v", err)
	}
	check("another's")
	if err := os.Remove(to); err != nil {
		t.Fatal(err)
	}
	for _, crashed := range []bool{false, true} {
		put(from, "mine")
		if crashed {
			if err := errors.Join(os.Remove(to), os.Link(from, to)); err != nil {
				t.Skip(err)
			}
		}
		if err := linkNew(from, to); err != nil || exists(from) {
			t.Errorf("crashed before: %v: %v, the old name is there: %v", crashed, err, exists(from))
		}
		check("mine")
	}
}
