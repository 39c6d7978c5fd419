package archive

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// What a crash left half done, in the archive.

// earlier returns the file that was made of a log before a crash with another
// compression than the present one, "" if there is none. It has the log's time and
// holds the same.
func (a *Archiver) earlier(src *os.File, rel string) (string, error) {
	info, err := src.Stat()
	if err != nil {
		return "", err
	}
	for n := 1; n <= maxSame; n++ {
		base := filepath.Join(a.opt.Dir, numbered(rel, n))
		if used, err := exists(base); err != nil || !used {
			return "", err
		}
		for _, s := range suffixes {
			there, err := os.Lstat(base + s)
			if err != nil || s == a.opt.Compression.suffix() || os.SameFile(there, info) || !there.ModTime().Equal(info.ModTime()) {
				continue
			}
			if same, err := holds(base+s, src); err != nil || same {
				return base + s, err
			}
		}
	}
	return "", nil
}

// holds reports whether a file of the archive holds what src does, which is read
// from its beginning and left there.
func holds(file string, src *os.File) (bool, error) {
	f, err := os.Open(file)
	if err != nil {
		return false, err
	}
	defer f.Close()
	var r io.Reader = f
	switch filepath.Ext(file) {
	case ".gz":
		r, err = gzip.NewReader(f)
	case ".zst":
		var d *zstd.Decoder
		if d, err = zstd.NewReader(f, zstd.WithDecoderConcurrency(1)); err == nil {
			defer d.Close()
			r = d
		}
	}
	if err != nil {
		return false, nil // somebody else's
	}
	same, err := sameStream(bufio.NewReaderSize(r, 64<<10), bufio.NewReaderSize(src, 64<<10))
	if err != nil {
		same = false
	}
	_, err = src.Seek(0, io.SeekStart)
	return same, err
}

// sameStream reports whether two readers yield the same until their ends.
func sameStream(a, b io.Reader) (bool, error) {
	var bufs [2][4 << 10]byte
	for {
		n, err := io.ReadFull(a, bufs[0][:])
		m, berr := io.ReadFull(b, bufs[1][:])
		if !bytes.Equal(bufs[0][:n], bufs[1][:m]) {
			return false, nil
		}
		switch {
		case atEnd(err) || atEnd(berr):
			return atEnd(err) && atEnd(berr), nil
		case err != nil || berr != nil:
			return false, errors.Join(err, berr)
		}
	}
}

func atEnd(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

// partName matches the names of tempName, which a log has until it is complete.
var partName = regexp.MustCompile(`^\..+\.log\.[0-9a-f]{8}\.tmp$`)

// partAge is how long nothing may have been added to such a file before it is taken
// for one that a logger left which does not come back. Should that be wrong, the log
// is compressed again.
const partAge = 24 * time.Hour

// sweep deletes what loggers that do not come back have left: one that does goes on
// with the same names.
func (a *Archiver) sweep() {
	parts, err := filepath.Glob(filepath.Join(a.opt.Dir, "????-??-??", ".*.tmp"))
	if err != nil {
		return
	}
	for _, part := range parts {
		info, err := os.Lstat(part)
		if err != nil || !info.Mode().IsRegular() || !partName.MatchString(filepath.Base(part)) || time.Since(info.ModTime()) < partAge {
			continue
		}
		if err := os.Remove(part); err == nil {
			a.opt.Log.Info("part of a log that nobody completed is deleted", "file", part)
		}
	}
}
