package node

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/znode/znode/node/internal/archive"
	"github.com/znode/znode/node/internal/ledger"
)

// rotate archives the lane's files.
func (ln *lane) rotate() {
	ln.flush()
	ln.commit()
	ln.retire(func(*logFile) bool { return true })
}

// rotateIfLarge archives the files that have reached their size.
func (ln *lane) rotateIfLarge() {
	most := ln.l.opt.RotationSize
	if most > 0 {
		ln.retire(func(f *logFile) bool { return f.size >= most && len(f.buf) == 0 })
	}
}

// retire archives some of the files. Their names are free then.
func (ln *lane) retire(which func(*logFile) bool) {
	kept := ln.files[:0]
	for i, f := range ln.files {
		if !which(f) {
			kept = append(kept, f)
			continue
		}
		if !ln.persist(f, f.retire) {
			kept = append(kept, ln.files[i:]...)
			break
		}
		ln.l.names.release(f.name)
	}
	clear(ln.files[len(kept):])
	ln.files = kept
	ln.files0.Store(int32(len(kept)))
}

// close writes everything and closes the files.
func (ln *lane) close() {
	ln.flush()
	ln.commit()
	if ln.l.opt.rotates() || ln.recovering {
		ln.retire(func(*logFile) bool { return true })
	} else {
		for _, f := range ln.files {
			ln.persist(f, f.finish)
		}
	}
	if ln.err == nil {
		for _, f := range ln.files {
			ln.l.names.release(f.name)
		}
	}
	ln.account()
}

// retire completes the file and brings it to the archive.
func (f *logFile) retire() error {
	if err := f.complete(); err != nil || f.file == nil {
		return err
	}
	if f.dest == "" {
		if err := f.commit(); err != nil {
			return err
		}
		dest, err := f.l.place(f.name, f.opened, f.closed)
		if err != nil {
			return err
		}
		if err := f.l.ledger.Rotated(f.id, f.size, f.written, f.closed, dest); err != nil {
			return err
		}
		f.dest = dest
	}
	f.l.hooks().at("rotated")
	err := f.l.toArchive(ledger.File{
		ID: f.id, Name: f.name, Opened: f.opened, Closed: f.closed, Dest: f.dest, Length: f.size,
	}, f.info)
	if err == nil {
		f.drop()
	}
	return err
}

// place chooses a place in the archive for a log.
func (l *Logger) place(name string, opened, closed time.Time) (string, error) {
	return archive.Free(l.opt.archiveDir(), name, opened, closed, l.ledger.Promised)
}

// toArchive renames a file that the ledger has as rotated, and leaves the rest to
// the archiver. If the file is not where it was made, somebody has taken it, or it
// was renamed before a crash.
func (l *Logger) toArchive(f ledger.File, info os.FileInfo) error {
	if l.opt.journal() {
		// The record must be on disk before the name changes.
		if err := l.ledger.Sync(); err != nil {
			return err
		}
	}
	src, err := l.rename(&f, info)
	if err != nil {
		return err
	}
	l.hooks().at("renamed")
	if src == "" {
		return l.ledger.Forgotten(f.ID)
	}
	if err := l.ledger.Moved(f.ID); err != nil {
		return err
	}
	l.hooks().at("moved")
	l.rotations.Add(1)
	l.keeper.Add(archive.Job{ID: f.ID, Src: src, Rel: f.Dest})
	return nil
}

// rename brings a finished log to its place in the archive, or beside the logs if
// the archive is on another file system, and returns where it is; "" if it is
// nowhere.
func (l *Logger) rename(f *ledger.File, info os.FileInfo) (string, error) {
	from, to, aside := l.logPath(f.Name), filepath.Join(l.opt.archiveDir(), f.Dest), l.asidePath(f)
	if now, err := os.Lstat(from); err != nil || !sameFile(now, info, f) {
		for _, place := range []string{to, aside} {
			if now, err := os.Lstat(place); err == nil && sameFile(now, info, f) {
				return place, nil
			}
		}
		l.log.Warn("finished log has disappeared", "file", from)
		return "", nil
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return "", err
	}
	err := renameNew(from, to)
	switch {
	case errors.Is(err, fs.ErrExist):
		// Another process had the same idea.
		dest, err := l.place(f.Name, f.Opened, f.Closed)
		if err != nil {
			return "", err
		}
		if err := l.ledger.Rotated(f.ID, f.Length, 0, f.Closed, dest); err != nil {
			return "", err
		}
		if l.opt.journal() {
			if err := l.ledger.Sync(); err != nil {
				return "", err
			}
		}
		f.Dest = dest
		to = filepath.Join(l.opt.archiveDir(), dest)
		return to, renameNew(from, to)
	case errors.Is(err, syscall.EXDEV):
		if err := os.MkdirAll(filepath.Dir(aside), 0o755); err != nil {
			return "", err
		}
		return aside, os.Rename(from, aside)
	}
	return to, err
}

// asidePath is where a finished log is until it is copied to another file system.
func (l *Logger) asidePath(f *ledger.File) string {
	return filepath.Join(l.opt.LogDir, ".rotated", strconv.FormatUint(f.ID, 10)+"-"+f.Name+".log")
}

// moveAside archives a file that is in the way of a new one.
func (l *Logger) moveAside(laneName, name string) error {
	path := l.logPath(name)
	info, err := os.Lstat(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	if info.Mode().IsRegular() && info.Size() == 0 {
		return os.Remove(path) // made just before a crash, or by somebody who only touched it
	}
	dev, ino := identity(info)
	f := ledger.File{
		Lane: laneName, Name: name, Dev: dev, Ino: ino, Length: info.Size(),
		Opened: openTime(path, info), Closed: info.ModTime(),
	}
	if f.Dest, err = l.place(name, f.Opened, f.Closed); err != nil {
		return err
	}
	if !info.Mode().IsRegular() { // a directory or the like: not for the archiver
		to := filepath.Join(l.opt.archiveDir(), f.Dest)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		return renameNew(path, to)
	}
	if f.ID, err = l.ledger.Opened(f); err != nil {
		return err
	}
	if err := l.ledger.Rotated(f.ID, f.Length, 0, f.Closed, f.Dest); err != nil {
		return err
	}
	l.log.Info("earlier log is archived", "file", path, "as", f.Dest)
	return l.toArchive(f, info)
}

// openTime returns when a log was opened, as far as that can be found out.
func openTime(path string, info os.FileInfo) time.Time {
	if !info.Mode().IsRegular() {
		return info.ModTime()
	}
	f, err := os.Open(path)
	if err != nil {
		return info.ModTime()
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	for range 10 {
		if !s.Scan() {
			break
		}
		if text, ok := strings.CutPrefix(s.Text(), "#open\t"); ok {
			if t, err := time.ParseInLocation("2006-01-02-15-04-05", text, time.Local); err == nil && t.Before(info.ModTime()) {
				return t
			}
		}
	}
	if t, ok := birthTime(path); ok && t.Before(info.ModTime()) {
		return t
	}
	return info.ModTime()
}

// runClock is a goroutine that rotates logs when it is time, and notices those
// that are slow to be written.
func (l *Logger) runClock() {
	const look = time.Second
	next := nextRotation(time.Now(), l.opt.RotationInterval)
	for {
		pause := look
		if !next.IsZero() {
			pause = min(pause, max(time.Until(next), 0))
		}
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-l.quit:
			t.Stop()
			return
		}
		now := time.Now()
		if !next.IsZero() && !now.Before(next) {
			l.Rotate()
			next = nextRotation(now, l.opt.RotationInterval)
		}
		for _, ln := range l.router.list() {
			ln.noticeSlow(now)
		}
	}
}

// nextRotation returns the next time that is a multiple of the interval since
// midnight, local time.
func nextRotation(now time.Time, interval time.Duration) time.Time {
	if interval <= 0 {
		return time.Time{}
	}
	year, month, day := now.Date()
	midnight := time.Date(year, month, day, 0, 0, 0, 0, now.Location())
	next := midnight.Add(now.Sub(midnight).Truncate(interval) + interval)
	if tomorrow := time.Date(year, month, day+1, 0, 0, 0, 0, now.Location()); interval <= 24*time.Hour && next.After(tomorrow) {
		return tomorrow
	}
	return next
}

// slowWrite is how long a write may take before it is said that it is slow.
const slowWrite = 3 * time.Second

// noticeSlow says, once, that a file takes long to be written.
func (ln *lane) noticeSlow(now time.Time) {
	since := ln.sink.since.Load()
	if since == 0 || now.UnixNano()-since < int64(slowWrite) || ln.tries.Load() {
		return
	}
	if ln.slow.CompareAndSwap(false, true) {
		ln.l.log.Warn("log is slow to be written", "path", ln.name)
	}
}
