package ledger

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// State is where a file is in its life.
type State string

// The states of a file.
const (
	Open    State = "open"
	Rotated State = "rotated"
	Moved   State = "moved"
)

// File is what is remembered of a log file.
type File struct {
	ID     uint64 `json:"id"`     // given by Opened
	State  State  `json:"state"`  //
	Lane   string `json:"lane"`   // the path of the log, as a file name
	Name   string `json:"name"`   // of the file, without .log
	Schema uint64 `json:"schema"` // a hash of the columns
	Format uint64 `json:"format"` // a hash of how the text is written

	Dev, Ino uint64

	Opened time.Time `json:"opened"`
	Closed time.Time `json:"closed,omitzero"` // when rotated

	// Length is how many bytes are known to be right.
	Length int64 `json:"length"`
	// Journal says that all its batches are in the spool until they are
	// committed, so that it can be cut to Length.
	Journal bool `json:"journal,omitempty"`
	// Intent is a write that may or may not have happened.
	Intent *Intent `json:"intent,omitempty"`
	// Dest is the name in the archive, relative to its directory.
	Dest string `json:"dest,omitempty"`
}

// Intent is a write of Size bytes at Offset, after which all batches up to Seq
// are in files.
type Intent struct {
	Offset int64  `json:"offset"`
	Size   int64  `json:"size"`
	Seq    uint64 `json:"seq"`
}

// A lane and a schema have a mark.
type markKey struct {
	lane   string
	schema uint64
}

// Ledger is the memory of a logger; see the package comment.
type Ledger struct {
	mu    sync.Mutex
	dir   string
	file  *os.File
	size  int64 // of the file
	base  int64 // its size after it was last written anew
	next  uint64
	seq   uint64 // no batch has a higher number
	files map[uint64]*File
	marks map[markKey]uint64
}

// name is that of the file, and newName that under which it is written anew.
const (
	name    = "ledger"
	newName = "ledger.new"
)

// OpenDir reads the ledger in a directory, which must exist, or begins one.
func OpenDir(dir string) (*Ledger, error) {
	l := &Ledger{dir: dir, next: 1, files: make(map[uint64]*File), marks: make(map[markKey]uint64)}
	if err := l.load(); err != nil {
		return nil, err
	}
	if err := l.rewrite(); err != nil {
		return nil, err
	}
	return l, nil
}

// Files returns a copy of what is remembered of all files.
func (l *Ledger) Files() []File {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make([]File, 0, len(l.files))
	for _, f := range l.files {
		list = append(list, *f)
	}
	return list
}

// Mark returns the number up to which the batches of a lane with these columns
// are in files; 0 if there are none.
func (l *Ledger) Mark(lane string, schema uint64) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.marks[markKey{lane, schema}]
}

// Seq returns a number that no mark is above.
func (l *Ledger) Seq() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seq
}

// Empty reports whether no file is remembered.
func (l *Ledger) Empty() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.files) == 0
}

// Promised reports whether a name in the archive belongs to a file that is not
// there yet.
func (l *Ledger) Promised(dest string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.files {
		if f.Dest == dest {
			return true
		}
	}
	return false
}

// Opened adds a file, whose ID and State need not be set, and returns its ID.
func (l *Ledger) Opened(f File) (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f.ID, f.State = l.next, Open
	if err := l.record(record{Op: opFile, File: &f}); err != nil {
		return 0, err
	}
	return f.ID, nil
}

// Committed says that the first length bytes of an open file are on disk and
// hold all batches up to seq; 0 leaves the mark as it is.
func (l *Ledger) Committed(id uint64, length int64, seq uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.record(record{Op: opCommit, ID: id, Length: length, Seq: seq})
}

// Intended says that a write of size bytes at offset is about to happen, after
// which all batches up to seq are in files.
func (l *Ledger) Intended(id uint64, offset, size int64, seq uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.record(record{Op: opIntent, ID: id, Length: offset, Size: size, Seq: seq})
}

// Settle is told the length that a file has after a crash. It returns the length
// to which to cut it, so that it has no part of an intended write that did not
// happen in full.
func (l *Ledger) Settle(id uint64, length int64) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.files[id]
	if f == nil || f.Intent == nil {
		return length, nil
	}
	in := *f.Intent
	if length < in.Offset+in.Size {
		return min(length, in.Offset), l.record(record{Op: opCommit, ID: id, Length: min(length, in.Offset)})
	}
	return length, l.record(record{Op: opCommit, ID: id, Length: in.Offset + in.Size, Seq: in.Seq})
}

// Rotated says that a file is complete, has length bytes, was closed at closed,
// and is to be renamed to dest. All batches up to seq are in files; 0 leaves the
// mark as it is.
func (l *Ledger) Rotated(id uint64, length int64, seq uint64, closed time.Time, dest string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.record(record{Op: opRotate, ID: id, Length: length, Seq: seq, At: closed, Dest: dest})
}

// Moved says that a file has its place in the archive.
func (l *Ledger) Moved(id uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.record(record{Op: opMoved, ID: id})
}

// Forgotten says that there is nothing more to do with a file.
func (l *Ledger) Forgotten(id uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.record(record{Op: opForget, ID: id})
}

// ForgetMarks drops the marks: for when the spool is empty, so that nothing has a
// number any more. No lower number than seq may be given to a batch afterwards.
func (l *Ledger) ForgetMarks(seq uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.record(record{Op: opClear, Seq: seq})
}

// Restore writes the ledger anew: for when somebody removed it.
func (l *Ledger) Restore() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.rewrite()
}

// Sync brings all records to disk.
func (l *Ledger) Sync() error {
	l.mu.Lock()
	f := l.file
	l.mu.Unlock()
	err := f.Sync()
	if errors.Is(err, os.ErrClosed) { // written anew meanwhile, and synced with that
		return nil
	}
	return err
}

// Close closes the file; when nothing is remembered it is removed.
func (l *Ledger) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.file.Close()
	if len(l.files) == 0 && len(l.marks) == 0 {
		if rerr := os.Remove(filepath.Join(l.dir, name)); !errors.Is(rerr, os.ErrNotExist) {
			err = errors.Join(err, rerr)
		}
	}
	return err
}
