package archive

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// gzipLevel costs half of what gzip's default does, for a few percent of size.
const gzipLevel = 3

// convert writes what src holds to a file of the archive, compressed, and returns
// its name: that of rel, or another one where somebody else's log has it. The file
// appears under that name when it is complete and on disk. It has the time of src.
func (a *Archiver) convert(src *os.File, rel string) (to string, in, out int64, err error) {
	info, err := src.Stat()
	if err != nil {
		return "", 0, 0, err
	}
	dir := filepath.Join(a.opt.Dir, filepath.Dir(rel))
	tmp, err := tempName(src.Name(), rel, info)
	if err != nil {
		return "", 0, 0, err
	}
	tmp = filepath.Join(dir, tmp)
	// What a crash left may have its final name too: it is not to be written to.
	if err = os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", 0, 0, err
	}
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, info.Mode().Perm())
	if err != nil {
		return "", 0, 0, err
	}
	defer func() {
		f.Close()
		os.Remove(f.Name())
	}()
	if in, err = compress(a.ctx, f, src, a.opt.Compression); err != nil {
		return "", 0, 0, err
	}
	if err = f.Sync(); err != nil {
		return "", 0, 0, err
	}
	if out, err = f.Seek(0, io.SeekEnd); err != nil {
		return "", 0, 0, err
	}
	if err = f.Close(); err != nil {
		return "", 0, 0, err
	}
	_ = os.Chtimes(f.Name(), info.ModTime(), info.ModTime())
	if to, err = a.publish(f.Name(), rel); err != nil {
		return "", 0, 0, err
	}
	syncDir(dir)
	return to, in, out, nil
}

// tempName is what a log is called in the archive until it is complete: the same
// after a crash, and another for another logger's log, whose host may have a log in
// the same place.
func tempName(src, rel string, info fs.FileInfo) (string, error) {
	place, err := filepath.Abs(src)
	if err != nil {
		return "", err
	}
	host, _ := os.Hostname()
	sum := crc32.ChecksumIEEE(fmt.Appendf(nil, "%s:%s:%d:%d", host, place, info.Size(), info.ModTime().UnixNano()))
	return fmt.Sprintf(".%s.%08x.tmp", filepath.Base(rel), sum), nil
}

// publish gives a complete file the name of rel. Several loggers may share an
// archive and rotate in the same second: no file is ever replaced. One of the same
// time and content is this one, from before a crash.
func (a *Archiver) publish(tmp, rel string) (to string, err error) {
	mine, err := os.Lstat(tmp)
	if err != nil {
		return "", err
	}
	for n := 1; n <= maxSame; n++ {
		to = filepath.Join(a.opt.Dir, numbered(rel, n)+a.opt.Compression.suffix())
		err = linkNew(tmp, to)
		if !errors.Is(err, fs.ErrExist) {
			return to, err
		}
		if there, err := os.Lstat(to); err != nil || !there.ModTime().Equal(mine.ModTime()) {
			continue
		}
		if same, err := sameContent(tmp, to); err != nil || same {
			return to, err
		}
	}
	return "", err
}

// sameContent reports whether two files hold the same.
func sameContent(a, b string) (bool, error) {
	var files [2]*bufio.Reader
	var sizes [2]int64
	for i, name := range []string{a, b} {
		f, err := os.Open(name)
		if err != nil {
			return false, err
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return false, err
		}
		files[i], sizes[i] = bufio.NewReaderSize(f, 64<<10), info.Size()
	}
	if sizes[0] != sizes[1] {
		return false, nil
	}
	return sameStream(files[0], files[1])
}

// linkNew gives a file another name, which nothing has. Where the file system
// knows no links it is renamed, and the name looked at just before.
func linkNew(from, to string) error {
	err := os.Link(from, to)
	if err == nil || errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, lerr := os.Lstat(to); lerr == nil {
		return fs.ErrExist
	}
	return os.Rename(from, to)
}

// compress copies src to dst until its end or that of ctx, and returns how much
// it read.
func compress(ctx context.Context, dst io.Writer, src io.Reader, c Compression) (int64, error) {
	src = &stoppable{ctx, src}
	buffered := bufio.NewWriterSize(dst, 256<<10)
	var w io.WriteCloser
	var err error
	switch c {
	case Gzip:
		w, err = gzip.NewWriterLevel(buffered, gzipLevel)
	case Zstd:
		w, err = zstd.NewWriter(buffered, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20), zstd.WithLowerEncoderMem(true))
	default:
		w = plain{buffered}
	}
	if err != nil {
		return 0, err
	}
	n, err := io.CopyBuffer(w, src, make([]byte, 256<<10))
	if cerr := w.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = buffered.Flush()
	}
	return n, err
}

// plain is no compression.
type plain struct{ io.Writer }

func (plain) Close() error { return nil }

// stoppable is a reader that fails when its context ends.
type stoppable struct {
	ctx context.Context
	r   io.Reader
}

func (s *stoppable) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.r.Read(p)
}

func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		d.Close()
	}
}
