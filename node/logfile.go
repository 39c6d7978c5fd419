package node

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/znode/znode/codec"
	"github.com/znode/znode/node/internal/archive"
	"github.com/znode/znode/node/internal/logname"
)

// A logFile is one log with one set of columns. Lines are appended to its buffer
// and written in large pieces; the file is made by the first write. A file that
// is there already is moved aside, so nothing that somebody wrote is lost.
//
// After a failed write the file ends with a whole line and the buffer still has
// what is missing, so the write can be tried again.
type logFile struct {
	l      *Logger
	name   string // without .log
	schema []byte
	format *codec.Formatter

	buf    []byte
	opened time.Time // when the header was made; zero before
	file   *os.File  // nil before the first write
	size   int64
}

func newLogFile(l *Logger, name string, b *codec.Batch) (*logFile, error) {
	format, err := codec.NewFormatter(l.opt.Text)
	if err != nil {
		return nil, err
	}
	return &logFile{l: l, name: name, schema: append([]byte(nil), b.Schema()...), format: format}, nil
}

func (f *logFile) path() string { return filepath.Join(f.l.opt.LogDir, f.name+".log") }

// append adds the lines of a batch to the buffer, with the header in front if
// they are the first.
func (f *logFile) append(b *codec.Batch) error {
	if f.buf == nil {
		f.buf = takeBuffer()
	}
	start := len(f.buf)
	opened := f.opened
	if f.opened.IsZero() {
		opened = time.Now()
		path := b.Path
		b.Path = f.pathField(path)
		f.buf = f.format.AppendHeader(f.buf, b, opened)
		b.Path = path
	}
	buf, err := f.format.AppendRecords(f.buf, b)
	if err != nil {
		f.buf = f.buf[:start]
		return err
	}
	f.buf, f.opened = buf, opened
	return nil
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
	if f.file == nil {
		if err := f.open(); err != nil {
			return err
		}
	}
	n, err := f.file.Write(f.buf)
	if err != nil {
		// What was written may end within a line.
		if n > 0 {
			if terr := f.file.Truncate(f.size); terr != nil {
				f.size += int64(n)
				f.buf = append(f.buf[:0], f.buf[n:]...)
			}
		}
		return err
	}
	f.size += int64(n)
	f.buf = f.buf[:0]
	return nil
}

// open makes the file.
func (f *logFile) open() error {
	const flags = os.O_WRONLY | os.O_CREATE | os.O_EXCL | os.O_APPEND
	file, err := os.OpenFile(f.path(), flags, 0o644)
	if errors.Is(err, fs.ErrExist) {
		if err = f.moveAside(); err == nil {
			file, err = os.OpenFile(f.path(), flags, 0o644)
		}
	}
	if err != nil {
		return err
	}
	f.file, f.size = file, 0
	return nil
}

// moveAside archives a file that is there before us.
func (f *logFile) moveAside() error {
	info, err := os.Lstat(f.path())
	if err != nil {
		return err
	}
	rel, err := archive.Free(f.l.opt.LogDir, f.name, info.ModTime(), info.ModTime(), nil)
	if err != nil {
		return err
	}
	to := filepath.Join(f.l.opt.LogDir, rel)
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	if err := os.Rename(f.path(), to); err != nil {
		return fmt.Errorf("move an earlier log aside: %w", err)
	}
	f.l.log.Info("earlier log moved aside", "file", f.path(), "to", to)
	return nil
}

// close writes what is left and the #close line and closes the file.
func (f *logFile) close() error {
	if !f.opened.IsZero() {
		f.buf = f.format.AppendClose(f.buf, time.Now())
		f.opened = time.Time{}
	}
	if len(f.buf) > 0 {
		if err := f.write(); err != nil {
			return err
		}
	}
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file = nil
	f.dropBuffer()
	return err
}

// abandon drops what cannot be written.
func (f *logFile) abandon() {
	f.buf = f.buf[:0]
	f.dropBuffer()
	if f.file != nil {
		f.file.Close()
		f.file = nil
	}
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
