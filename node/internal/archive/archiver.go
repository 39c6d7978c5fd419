package archive

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// Compression selects what finished logs are compressed with.
type Compression string

// The compressions.
const (
	None Compression = "none"
	Gzip Compression = "gzip"
	Zstd Compression = "zstd"
)

func (c Compression) suffix() string {
	switch c {
	case Gzip:
		return ".gz"
	case Zstd:
		return ".zst"
	}
	return ""
}

// Options configures an archive.
type Options struct {
	Dir         string
	Compression Compression
	// Command, if not empty, is run for every finished log: the program, its
	// arguments, and behind them the absolute path of the log.
	Command []string
	// MaxAge and MaxBytes bound the archive; 0 is no bound. What was closed
	// first goes first, by the time of the files' last change.
	MaxAge   time.Duration
	MaxBytes int64
	// Done is told when there is nothing more to do for a job. When it fails it
	// is called again.
	Done func(id uint64) error
	// Eager keeps the archiver at the priority of everything else. Else it runs
	// when nothing else wants to, which on a busy machine may be never.
	Eager bool
	Log   *slog.Logger
}

// Job is one finished log.
type Job struct {
	ID  uint64
	Src string // where the log is: its place in the archive, or another one
	// Rel is its place, relative to the directory, ending in .log. Where another
	// logger's log has it by then, the file gets the next number behind its name.
	Rel string
}

// Stats counts what an archiver has done.
type Stats struct {
	Waiting    int    // jobs
	Archived   uint64 // logs
	BytesIn    uint64 // of these
	BytesOut   uint64 // as they are on disk now
	Errors     uint64 // tries that failed
	Commands   uint64 // that were run
	CmdErrors  uint64 // and failed
	Deleted    uint64 // logs
	DeletedLen uint64 // their bytes
}

// Archiver does jobs in the background.
type Archiver struct {
	opt    Options
	ctx    context.Context // ends the work at once
	cancel context.CancelFunc
	done   chan struct{}
	wake   chan struct{}

	mu     sync.Mutex
	jobs   []Job
	ending bool

	archived, bytesIn, bytesOut, errors  atomic.Uint64
	commands, cmdErrors, deleted, delLen atomic.Uint64
}

// Pauses between tries of a job that fails, and between looks at the archive's
// age and size.
const (
	minPause       = 100 * time.Millisecond
	maxPause       = 30 * time.Second
	retentionEvery = 10 * time.Minute
)

// Start starts an archiver.
func Start(opt Options) *Archiver {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	a := &Archiver{opt: opt, done: make(chan struct{}), wake: make(chan struct{}, 1)}
	a.ctx, a.cancel = context.WithCancel(context.Background())
	go a.run()
	return a
}

// Add adds a job. It does not wait.
func (a *Archiver) Add(j Job) {
	a.mu.Lock()
	a.jobs = append(a.jobs, j)
	a.mu.Unlock()
	a.rouse()
}

func (a *Archiver) rouse() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// Close waits until all jobs are done or ctx is; those that are not done are
// given up, and the sources of their logs stay.
func (a *Archiver) Close(ctx context.Context) {
	a.mu.Lock()
	a.ending = true
	a.mu.Unlock()
	a.rouse()
	select {
	case <-a.done:
	case <-ctx.Done():
	}
	a.cancel()
	<-a.done
}

// Stats returns what was done so far.
func (a *Archiver) Stats() Stats {
	a.mu.Lock()
	waiting := len(a.jobs)
	a.mu.Unlock()
	return Stats{
		Waiting: waiting, Archived: a.archived.Load(),
		BytesIn: a.bytesIn.Load(), BytesOut: a.bytesOut.Load(), Errors: a.errors.Load(),
		Commands: a.commands.Load(), CmdErrors: a.cmdErrors.Load(),
		Deleted: a.deleted.Load(), DeletedLen: a.delLen.Load(),
	}
}

// run is the archiver's goroutine.
func (a *Archiver) run() {
	defer close(a.done)
	if !a.opt.Eager {
		lowerPriority()
	}
	retention := time.NewTicker(retentionEvery)
	defer retention.Stop()
	a.sweep()
	a.retain()
	for {
		a.mu.Lock()
		var j Job
		n, ending := len(a.jobs), a.ending
		if n > 0 {
			j = a.jobs[0]
		}
		a.mu.Unlock()
		switch {
		case n > 0:
			if !a.finish(j) {
				return
			}
			a.mu.Lock()
			a.jobs = a.jobs[1:]
			a.mu.Unlock()
			if n == 1 {
				a.retain()
			}
			continue
		case ending:
			return
		}
		select {
		case <-a.wake:
		case <-retention.C:
			a.retain()
		case <-a.ctx.Done():
			return
		}
	}
}

// finish does a job, as often as it takes. It is false when the work is to end.
func (a *Archiver) finish(j Job) bool {
	pause := minPause
	var first error
	for {
		err := a.do(j)
		if err == nil {
			if first != nil {
				a.opt.Log.Info("log is archived after all", "file", j.Rel)
			}
			return true
		}
		if a.ctx.Err() != nil {
			return false
		}
		a.errors.Add(1)
		if first == nil {
			first = err
			a.opt.Log.Error("log cannot be archived, trying again", "file", j.Rel, "error", err)
		}
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-a.ctx.Done():
			t.Stop()
			return false
		}
		pause = min(2*pause, maxPause)
	}
}

func (a *Archiver) do(j Job) error {
	file, err := a.place(j)
	switch {
	case errors.Is(err, errGone):
		// Somebody took it away; there is nothing left to do.
		a.opt.Log.Warn("finished log has disappeared", "file", j.Src)
	case err != nil:
		return err
	default:
		a.runCommand(file)
	}
	if a.ctx.Err() != nil {
		return a.ctx.Err()
	}
	if a.opt.Done != nil {
		return a.opt.Done(j.ID)
	}
	return nil
}

// errGone: the log is not where it was. A directory of the archive that is missing
// is another thing, and made again.
var errGone = errors.New("archive: log has disappeared")

// place brings a log to its place in its final form and returns the file.
func (a *Archiver) place(j Job) (string, error) {
	to := filepath.Join(a.opt.Dir, j.Rel+a.opt.Compression.suffix())
	src, err := os.Open(j.Src)
	if errors.Is(err, fs.ErrNotExist) {
		return a.doneBefore(j, to)
	}
	if err != nil {
		return "", err
	}
	defer src.Close()
	switch was, err := a.earlier(src, j.Rel); {
	case err != nil:
		return "", err
	case was != "":
		syncDir(filepath.Dir(was)) // the crash may have come before that
		if err := os.Remove(j.Src); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		return was, nil
	}
	if to == j.Src {
		info, err := src.Stat()
		if err == nil {
			a.count(info.Size(), info.Size())
		}
		return to, err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return "", err
	}
	to, in, out, err := a.convert(src, j.Rel)
	if err != nil {
		return "", fmt.Errorf("%s: %w", j.Rel, err)
	}
	if err := os.Remove(j.Src); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	a.count(in, out)
	return to, nil
}

// doneBefore returns the file of a log whose source is gone: it was archived before
// a crash, and only the note of that is missing. The compression may have been
// another one.
func (a *Archiver) doneBefore(j Job, to string) (string, error) {
	files := []string{to}
	for _, s := range suffixes {
		files = append(files, filepath.Join(a.opt.Dir, j.Rel+s))
	}
	for _, file := range files {
		if _, err := os.Stat(file); err == nil {
			return file, nil
		}
	}
	return "", errGone
}

func (a *Archiver) count(in, out int64) {
	a.archived.Add(1)
	a.bytesIn.Add(uint64(in))
	a.bytesOut.Add(uint64(out))
}
