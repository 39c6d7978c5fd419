package node

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// An ownDir is a directory that a logger writes to.
type ownDir struct {
	path string
	made string   // the topmost directory that was made for it, "" if none
	file *os.File // holds the lock; nil without one
}

// useDir makes the directory if it is missing, makes sure that files can be made
// in it, and locks it if that is asked for.
func useDir(path string, lock bool) (*ownDir, error) {
	d := &ownDir{path: path, made: missingParent(path)}
	if err := os.MkdirAll(path, 0o755); err != nil {
		return nil, err
	}
	err := d.probe()
	if err == nil && lock {
		if d.file, err = os.Open(path); err == nil {
			err = lockFile(d.file)
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", path, err)
		}
	}
	if err != nil {
		d.abandon()
		return nil, err
	}
	return d, nil
}

// missingParent returns the topmost of path and its parents that does not exist.
func missingParent(path string) string {
	made := ""
	for p := filepath.Clean(path); ; p = filepath.Dir(p) {
		if _, err := os.Lstat(p); err == nil || p == filepath.Dir(p) {
			return made
		}
		made = p
	}
}

// probe makes a file and removes it.
func (d *ownDir) probe() error {
	f, err := os.CreateTemp(d.path, ".probe-*")
	if err != nil {
		var p *os.PathError
		if errors.As(err, &p) {
			return fmt.Errorf("cannot write to %s: %w", d.path, p.Err)
		}
		return err
	}
	f.Close()
	return os.Remove(f.Name())
}

func (d *ownDir) unlock() {
	if d.file != nil {
		d.file.Close()
	}
}

// abandon unlocks the directory and removes those that were made for it, if they
// are still empty.
func (d *ownDir) abandon() {
	d.unlock()
	if d.made == "" {
		return
	}
	for p := filepath.Clean(d.path); os.Remove(p) == nil && p != d.made; {
		p = filepath.Dir(p)
	}
}

// useDirs makes and checks the directories of a logger. The archive may be shared
// with others; the rest is locked.
func useDirs(opt *LoggerOptions) ([]*ownDir, error) {
	var dirs []*ownDir
	for _, d := range []struct {
		name, path string
		lock       bool
	}{
		{"log", opt.LogDir, true},
		{"spool", opt.spoolDir(), true},
		{"archive", opt.ArchiveDir, false},
	} {
		if d.path == "" {
			continue
		}
		dir, err := useDir(d.path, d.lock)
		if err != nil {
			abandonDirs(dirs)
			return nil, fmt.Errorf("%s directory: %w", d.name, err)
		}
		dirs = append(dirs, dir)
	}
	return dirs, nil
}

func unlockDirs(dirs []*ownDir) {
	for _, d := range dirs {
		d.unlock()
	}
}

// abandonDirs takes back useDirs.
func abandonDirs(dirs []*ownDir) {
	for i := len(dirs) - 1; i >= 0; i-- {
		dirs[i].abandon()
	}
}
