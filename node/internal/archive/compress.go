package archive

import (
	"bufio"
	"context"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// gzipLevel costs half of what gzip's default does, for a few percent of size.
const gzipLevel = 3

// convert writes what src holds to a file named to, compressed. The file appears
// under that name when it is complete and on disk. It has the time of src.
func (a *Archiver) convert(src *os.File, to string) (in, out int64, err error) {
	info, err := src.Stat()
	if err != nil {
		return 0, 0, err
	}
	tmp := filepath.Join(filepath.Dir(to), "."+filepath.Base(to)+".tmp")
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, info.Mode().Perm())
	if err != nil {
		return 0, 0, err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(tmp)
		}
	}()
	if in, err = compress(a.ctx, f, src, a.opt.Compression); err != nil {
		return 0, 0, err
	}
	if err = f.Sync(); err != nil {
		return 0, 0, err
	}
	if out, err = f.Seek(0, io.SeekEnd); err != nil {
		return 0, 0, err
	}
	if err = f.Close(); err != nil {
		return 0, 0, err
	}
	_ = os.Chtimes(tmp, info.ModTime(), info.ModTime())
	if err = os.Rename(tmp, to); err != nil {
		return 0, 0, err
	}
	syncDir(filepath.Dir(to))
	return in, out, nil
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
