package archive

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"
)

// finished matches the place of a finished log, and nothing else that an operator
// may keep in the same directories.
var (
	dayName     = regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)
	finishedLog = regexp.MustCompile(`^[^.].*\.\d\d:\d\d:\d\d-\d\d:\d\d:\d\d(-\d+)?\.log(\.gz|\.zst)?$`)
)

type finishedFile struct {
	path string
	size int64
	time time.Time // of the last change, which is that of its closing
}

// retain deletes the oldest logs beyond the bounds, and says so in one line.
func (a *Archiver) retain() {
	if a.opt.MaxAge == 0 && a.opt.MaxBytes == 0 {
		return
	}
	files, total := a.finished()
	slices.SortFunc(files, func(x, y finishedFile) int {
		return cmp.Or(x.time.Compare(y.time), cmp.Compare(x.path, y.path))
	})
	now := time.Now()
	var gone []finishedFile
	var bytes int64
	defer func() {
		if n := len(gone); n > 0 {
			a.opt.Log.Info("archived logs deleted", "files", n, "bytes", bytes, "first", gone[0].path, "last", gone[n-1].path,
				"max age", a.opt.MaxAge, "max bytes", a.opt.MaxBytes)
		}
	}()
	for _, f := range files {
		old := a.opt.MaxAge > 0 && now.Sub(f.time) > a.opt.MaxAge
		much := a.opt.MaxBytes > 0 && total > a.opt.MaxBytes
		if !old && !much || a.ctx.Err() != nil {
			return
		}
		err := os.Remove(f.path)
		if errors.Is(err, fs.ErrNotExist) { // another logger was faster
			total -= f.size
			continue
		}
		if err != nil {
			a.errors.Add(1)
			a.opt.Log.Error("archived log cannot be deleted", "file", f.path, "error", err)
			continue
		}
		total -= f.size
		a.deleted.Add(1)
		a.delLen.Add(uint64(f.size))
		gone = append(gone, f)
		bytes += f.size
		os.Remove(filepath.Dir(f.path)) // succeeds when it is empty
	}
}

// finished returns all logs of the archive and their size.
func (a *Archiver) finished() (files []finishedFile, total int64) {
	days, err := os.ReadDir(a.opt.Dir)
	if err != nil {
		return nil, 0
	}
	for _, day := range days {
		if !day.IsDir() || !dayName.MatchString(day.Name()) {
			continue
		}
		dir := filepath.Join(a.opt.Dir, day.Name())
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, e := range entries {
			info, err := e.Info()
			if err != nil || !info.Mode().IsRegular() || !finishedLog.MatchString(e.Name()) {
				continue
			}
			files = append(files, finishedFile{filepath.Join(dir, e.Name()), info.Size(), info.ModTime()})
			total += info.Size()
		}
	}
	return files, total
}
