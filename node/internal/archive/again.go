package archive

import (
	"bufio"
	"bytes"
	"context"
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
			if same, err := holds(a.ctx, base+s, src); err != nil || same {
				return base + s, err
			}
		}
	}
	return "", nil
}

// holds reports whether a file of the archive holds what src does, which is read
// from its beginning and left there.
func holds(ctx context.Context, file string, src *os.File) (bool, error) {
	f, err := os.Open(file)
	if err != nil {
		return false, nil // somebody else's
	}
	defer f.Close()
	var r io.Reader = f
	switch filepath.Ext(file) {
	case ".gz":
		r, err = gzip.NewReader(f)
	case ".zst":
		var d *zstd.Decoder
		if d, err = zstd.NewReader(f, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow)); err == nil {
			defer d.Close()
			r = d
		}
	}
	if err != nil {
		return false, nil // somebody else's
	}
	same, err := sameStream(bufio.NewReaderSize(r, 64<<10), bufio.NewReaderSize(&stoppable{ctx, src}, 64<<10))
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err != nil {
		same = false
	}
	_, err = src.Seek(0, io.SeekStart)
	return same, err
}

// maxWindow bounds what reading a file of the archive takes of memory; ours have a
// window of 1 MiB.
const maxWindow = 8 << 20

// sameStream reports whether two readers yield the same until their ends. A
// compressed file that was cut off has no end: it yields io.ErrUnexpectedEOF.
func sameStream(a, b io.Reader) (bool, error) {
	var bufs [2][4 << 10]byte
	for {
		n, err := fill(a, bufs[0][:])
		m, berr := fill(b, bufs[1][:])
		if !bytes.Equal(bufs[0][:n], bufs[1][:m]) {
			return false, nil
		}
		switch {
		case err == io.EOF && berr == io.EOF:
			return true, nil
		case err != nil || berr != nil:
			return false, errors.Join(err, berr)
		}
	}
}

// fill is io.ReadFull that tells of an end as the reader does.
func fill(r io.Reader, b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		var m int
		m, err = r.Read(b[n:])
		n += m
	}
	return n, err
}

// partName matches the names of tempName, which a log has until it is complete.
var partName = regexp.MustCompile(`^\..+\.\d\d:\d\d:\d\d-\d\d:\d\d:\d\d(-\d+)?\.log\.[0-9a-f]{8}\.tmp$`)

// partAge is how long nothing may have been added to such a file before it is taken
// for one that a logger left which does not come back. Should that be wrong, as it
// can be in the moment in which a complete part has its log's time and not yet its
// name, the log is compressed again.
const partAge = 24 * time.Hour

// sweep deletes what loggers that do not come back have left: one that does goes on
// with the same names.
func (a *Archiver) sweep() {
	days, err := os.ReadDir(a.opt.Dir)
	if err != nil {
		return
	}
	for _, day := range days {
		if day.IsDir() && dayName.MatchString(day.Name()) {
			a.sweepDay(filepath.Join(a.opt.Dir, day.Name()))
		}
	}
}

func (a *Archiver) sweepDay(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if !partName.MatchString(e.Name()) {
			continue
		}
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || time.Since(info.ModTime()) < partAge {
			continue
		}
		if part := filepath.Join(dir, e.Name()); os.Remove(part) == nil {
			a.opt.Log.Info("part of a log that nobody completed is deleted", "file", part)
		}
	}
}
