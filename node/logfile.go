package node

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/znode/znode/codec"
	"github.com/znode/znode/node/internal/ledger"
	"github.com/znode/znode/node/internal/logname"
)

// A logFile is one log with one set of columns, from its first batch until it is
// finished. Lines are appended to its buffer and written in large pieces; the file
// is made by the first write. A file that is there already is archived first.
//
// Its methods that touch the disk can be called again when they fail: the file
// then ends with a whole line, and the buffer has what is missing.
type logFile struct {
	l      *Logger
	ln     *lane
	name   string // without .log
	schema []byte // the columns; nil when they are known by hash only
	hash   uint64 // of the columns
	format *codec.Formatter

	buf     []byte
	head    []byte    // the header
	opened  time.Time // when the header was made; zero before
	seq     uint64    // of the last batch in the buffer
	spooled bool      // the buffer has batches that are in the spool

	file      *os.File // nil before the first write
	info      os.FileInfo
	id        uint64 // in the ledger
	size      int64
	written   uint64 // seq of the last batch in the file
	committed commitPoint

	ending bool      // the #close line is in the buffer or the file
	closed time.Time // its time
	dest   string    // place in the archive, when it is decided
}

// commitPoint is how much of a file is on disk for certain.
type commitPoint struct {
	size int64
	seq  uint64
}

func newLogFile(ln *lane, name string) *logFile {
	format, err := codec.NewFormatter(ln.l.opt.Text)
	if err != nil { // the options were checked at the start
		panic(fmt.Sprintf("node: internal error: %v", err))
	}
	return &logFile{l: ln.l, ln: ln, name: name, format: format}
}

// hashOf is how columns and options are known to the ledger.
func hashOf(b []byte) uint64 {
	h := fnv.New64a()
	h.Write(b)
	return h.Sum64()
}

func (l *Logger) formatHash() uint64 { return hashOf(fmt.Appendf(nil, "%+v", l.opt.Text)) }

func (l *Logger) logPath(name string) string { return filepath.Join(l.opt.LogDir, name+".log") }

func (f *logFile) path() string { return f.l.logPath(f.name) }

// append adds the lines of a batch to the buffer.
func (f *logFile) append(b *codec.Batch) error {
	if f.buf == nil {
		f.buf = takeBuffer()
	}
	buf, err := f.format.AppendRecords(f.buf, b)
	if err != nil {
		return err
	}
	f.buf = buf
	if f.opened.IsZero() {
		f.opened = time.Now()
		f.makeHead(b)
	}
	return nil
}

// makeHead makes the header for the columns of a batch.
func (f *logFile) makeHead(b *codec.Batch) {
	path := b.Path
	b.Path = f.pathField(path)
	f.head = f.format.AppendHeader(nil, b, f.opened)
	b.Path = path
}

// pathField is what the header calls the path: that of the batch, and what was
// put behind it to tell files apart.
func (f *logFile) pathField(path []byte) []byte {
	if name, err := logname.FromPath(path); err == nil && len(f.name) > len(name) {
		return append(path[:len(path):len(path)], f.name[len(name):]...)
	}
	return path
}

// write writes the buffer.
func (f *logFile) write() error {
	for len(f.buf) > 0 {
		if err := f.open(); err != nil {
			return err
		}
		if f.spooled && !f.l.opt.journal() {
			if err := f.l.ledger.Intended(f.id, f.size, int64(len(f.buf)), f.seq); err != nil {
				return err
			}
			f.l.hooks().at("intended")
		}
		n, err := f.put(f.buf)
		if err != nil {
			f.buf = append(f.buf[:0], f.buf[n:]...)
			return err
		}
		f.l.hooks().at("written")
		if f.vanished() {
			continue // what was written last goes to a new file
		}
		f.written, f.spooled = f.seq, false
		f.buf = f.buf[:0]
	}
	return nil
}

// put appends to the file. When it fails it returns how much was written and
// could not be taken back.
func (f *logFile) put(b []byte) (n int, err error) {
	if err := f.l.hooks().beforeWrite(f.name, len(b)); err != nil {
		return 0, err
	}
	n, err = f.file.Write(b)
	if err == nil {
		f.size += int64(n)
		f.l.written.Add(uint64(n))
		f.ln.sink.bytes.Add(int64(n))
		return n, nil
	}
	// What was written may end within a line.
	if n > 0 && f.file.Truncate(f.size) == nil {
		n = 0
	}
	f.size += int64(n)
	return n, err
}

// vanished looks whether the file is still where it was made. If it was deleted,
// what was written last may have gone with it, and it is true: the caller writes
// that again. If it was moved, all of it is kept there. Either way a new file will
// be made.
func (f *logFile) vanished() bool {
	info, err := os.Lstat(f.path())
	if err == nil && os.SameFile(info, f.info) {
		f.size = info.Size()
		return false
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	deleted := linkCount(f.file) == 0
	f.l.log.Warn("log was taken away while it was written, beginning a new one", "file", f.path(), "deleted", deleted)
	if !deleted {
		f.written = f.seq
		if end := f.format.AppendClose(nil, time.Now()); len(end) > 0 {
			f.file.Write(end)
		}
		if !f.l.opt.journal() || f.file.Sync() == nil {
			_ = f.l.ledger.Committed(f.id, f.size, f.written)
		}
		f.committed.seq = f.written
	}
	_ = f.l.ledger.Forgotten(f.id)
	f.file.Close()
	f.file = nil
	return deleted
}

// open makes the file with its header, if there is none.
func (f *logFile) open() error {
	if f.file != nil {
		return nil
	}
	const flags = os.O_RDWR | os.O_CREATE | os.O_EXCL | os.O_APPEND
	file, err := os.OpenFile(f.path(), flags, 0o644)
	switch {
	case errors.Is(err, fs.ErrExist):
		if err = f.l.moveAside(f.ln.name, f.name); err == nil {
			file, err = os.OpenFile(f.path(), flags, 0o644)
		}
	case errors.Is(err, fs.ErrNotExist):
		if err = f.l.remakeDirs(); err == nil {
			file, err = os.OpenFile(f.path(), flags, 0o644)
		}
	}
	if err != nil {
		return err
	}
	f.l.hooks().at("created")
	f.file, f.size, f.committed.size = file, 0, 0
	if err = f.begin(); err != nil {
		f.file = nil
		file.Close()
		os.Remove(f.path())
	}
	return err
}

// begin notes a new file in the ledger and writes the header.
func (f *logFile) begin() error {
	var err error
	if f.info, err = f.file.Stat(); err != nil {
		return err
	}
	dev, ino := identity(f.info)
	f.id, err = f.l.ledger.Opened(ledger.File{
		Lane: f.ln.name, Name: f.name, Schema: f.hash, Format: f.l.formatHash(),
		Dev: dev, Ino: ino, Opened: f.opened, Journal: f.l.opt.journal(),
	})
	if err != nil {
		return err
	}
	f.l.hooks().at("opened")
	if len(f.head) > 0 {
		if _, err = f.put(f.head); err != nil {
			_ = f.l.ledger.Forgotten(f.id)
		}
	}
	return err
}

// linkNew renames a file, unless the new name is taken, where the system cannot do
// that at once. Where the file system knows no links, the name was found free just
// before.
func linkNew(from, to string) error {
	err := os.Link(from, to)
	if errors.Is(err, fs.ErrExist) {
		a, aerr := os.Lstat(from)
		b, berr := os.Lstat(to)
		if aerr == nil && berr == nil && os.SameFile(a, b) { // linked just before a crash
			err = nil
		}
	}
	switch {
	case err == nil:
		return os.Remove(from)
	case errors.Is(err, fs.ErrExist):
		return err
	}
	if _, lerr := os.Lstat(to); lerr == nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: fs.ErrExist}
	}
	return os.Rename(from, to)
}

// remakeDirs makes directories that somebody removed.
func (l *Logger) remakeDirs() error {
	if err := os.MkdirAll(l.opt.spoolDir(), 0o755); err != nil {
		return err
	}
	if err := os.MkdirAll(l.opt.LogDir, 0o755); err != nil {
		return err
	}
	return l.ledger.Restore()
}

// buffers are for lines. They are kept only while there is something to write.
var buffers = sync.Pool{New: func() any {
	b := make([]byte, 0, writeSize+writeSize/2)
	return &b
}}

// maxPooledBuffer bounds what a large batch leaves in the pool.
const maxPooledBuffer = 2 << 20

func takeBuffer() []byte { return (*buffers.Get().(*[]byte))[:0] }

func (f *logFile) dropBuffer() {
	if f.buf == nil || len(f.buf) > 0 {
		return
	}
	if b := f.buf; cap(b) <= maxPooledBuffer {
		buffers.Put(&b)
	}
	f.buf = nil
}
