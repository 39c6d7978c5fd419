package node

import (
	"cmp"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/znode/znode/node/internal/archive"
	"github.com/znode/znode/node/internal/ledger"
	"github.com/znode/znode/node/internal/logname"
	"github.com/znode/znode/node/internal/spool"
)

// recoverFiles looks after the files that an earlier logger did not finish:
//
//   - Those being written are cut to what is known to be right and become the
//     files of lanes, which first get what the spool has for them and are then
//     rotated.
//   - Those that were being rotated are brought to the archive.
//   - Those in the archive are left to the archiver.
//
// What cannot be done is said and left as it is.
func (l *Logger) recoverFiles() {
	for _, f := range l.ledger.Files() {
		var err error
		switch f.State {
		case ledger.Open:
			err = l.recoverOpen(f)
		case ledger.Rotated:
			err = l.toArchive(f, nil)
		case ledger.Moved:
			l.keeper.Add(archive.Job{ID: f.ID, Src: l.movedPath(&f), Rel: f.Dest})
		}
		if err != nil {
			l.log.Error("log of an earlier run is left as it is", "file", l.logPath(f.Name), "error", err)
		}
	}
}

// movedPath is where a file is that was moved.
func (l *Logger) movedPath(f *ledger.File) string {
	if aside := l.asidePath(f); exists(aside) {
		return aside
	}
	return filepath.Join(l.opt.archiveDir(), f.Dest)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// recoverOpen takes over a file that was being written.
func (l *Logger) recoverOpen(f ledger.File) error {
	path := l.logPath(f.Name)
	info, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) || err == nil && !sameFile(info, nil, &f) {
		l.log.Warn("log of an earlier run has disappeared", "file", path)
		return l.ledger.Forgotten(f.ID)
	}
	if err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	size, err := l.cutToRight(file, &f, info.Size())
	if err == nil && size == 0 {
		file.Close()
		if err = os.Remove(path); err == nil {
			err = l.ledger.Forgotten(f.ID)
		}
		return err
	}
	if err != nil {
		file.Close()
		return err
	}
	l.log.Info("log of an earlier run is finished", "file", path, "bytes", size, "cut", info.Size()-size)
	ln := l.router.recovered(f.Lane)
	mark := l.ledger.Mark(f.Lane, f.Schema)
	lf := newLogFile(ln, f.Name)
	lf.hash, lf.opened, lf.file, lf.info, lf.id = f.Schema, f.Opened, file, info, f.ID
	lf.size, lf.seq, lf.written, lf.committed = size, mark, mark, commitPoint{size, mark}
	if f.Format != l.formatHash() {
		// Written with other options: nothing may be added, not even #close.
		lf.ending, lf.closed = true, info.ModTime()
		err := lf.retire()
		if err != nil {
			file.Close()
		}
		return err
	}
	l.names.reserve(f.Name)
	ln.files = append(ln.files, lf)
	ln.files0.Store(int32(len(ln.files)))
	return nil
}

// cutToRight cuts a file to what is known to be right and returns its size.
func (l *Logger) cutToRight(file *os.File, f *ledger.File, size int64) (int64, error) {
	to := size
	var err error
	if f.Journal {
		to = min(size, f.Length)
	} else {
		if to, err = l.ledger.Settle(f.ID, size); err == nil {
			to, err = lastLine(file, to)
		}
		if err != nil {
			return size, err
		}
	}
	if to < size {
		if err := file.Truncate(to); err != nil {
			return size, err
		}
	}
	if f.Journal && to < f.Length {
		l.log.Error("log is shorter than it was when it was brought to disk", "file", file.Name(), "bytes", to, "want", f.Length)
	}
	return to, nil
}

// lastLine returns where the last whole line of a file ends, at or before size.
func lastLine(file *os.File, size int64) (int64, error) {
	buf := make([]byte, 64<<10)
	for size > 0 {
		n := min(size, int64(len(buf)))
		if _, err := file.ReadAt(buf[:n], size-n); err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		for i := n - 1; i >= 0; i-- {
			if buf[i] == '\n' {
				return size - n + i + 1, nil
			}
		}
		size -= n
	}
	return 0, nil
}

// recovered returns the lane of a name, for a file or batches of an earlier run.
// It is not started.
func (r *router) recovered(name string) *lane {
	path := string(logname.ToPath(name))
	r.mu.Lock()
	defer r.mu.Unlock()
	ln := r.lanes[path]
	if ln == nil {
		ln = newLane(r.l, path, name)
		ln.recovering = true
		r.lanes[path] = ln
	}
	return ln
}

// recoverSpool gives the lanes what an earlier logger left in the spool, and
// starts them. It is the router's.
func (l *Logger) recoverSpool() {
	found := make(map[*lane]*foundRefs)
	batches := 0
	skipped, err := l.store.spool.Scan(func(e spool.Entry, ref spool.Ref) {
		l.store.seq = max(l.store.seq, e.Seq+uint64(e.Count)-1)
		ln := l.laneOf(&e)
		if ln == nil {
			l.store.spool.Done(ref)
			return
		}
		r := found[ln]
		if r == nil {
			r = new(foundRefs)
			found[ln] = r
		}
		r.add(e.Seq, ref)
		batches += e.Count
	})
	if err != nil {
		l.log.Error("spool of an earlier run cannot be read", "directory", l.opt.spoolDir(), "error", err)
	}
	if batches > 0 || skipped > 0 {
		l.log.Info("spool of an earlier run is read", "batches", batches, "torn_bytes", skipped)
	}
	for ln, r := range found {
		ln.disk = r.merge()
		ln.sent += uint64(ln.disk.Len())
		l.budget.force(int64(ln.disk.Bytes()))
	}
	l.hooks().at("recovered")
	for _, ln := range l.router.list() {
		l.work.Go(ln.run)
	}
}

// foundRefs are the entries of one lane. Those that a logger put into the spool
// from memory, when it was closed in trouble, come behind entries with higher
// numbers.
type foundRefs struct {
	early   []earlyRef
	inOrder spool.Refs
	deltas  []byte // of the numbers of those in order, as uvarints
	last    uint64
}

type earlyRef struct {
	seq uint64
	ref spool.Ref
}

func (r *foundRefs) add(seq uint64, ref spool.Ref) {
	if seq < r.last {
		r.early = append(r.early, earlyRef{seq, ref})
		return
	}
	r.inOrder.Push(ref)
	r.deltas = binary.AppendUvarint(r.deltas, seq-r.last)
	r.last = seq
}

// merge returns all refs in the order of their numbers.
func (r *foundRefs) merge() (all spool.Refs) {
	early, deltas := r.early, r.deltas
	slices.SortFunc(early, func(a, b earlyRef) int { return cmp.Compare(a.seq, b.seq) })
	var seq uint64
	for ref := range r.inOrder.All {
		delta, n := binary.Uvarint(deltas)
		deltas = deltas[n:]
		seq += delta
		for len(early) > 0 && early[0].seq < seq {
			all.Push(early[0].ref)
			early = early[1:]
		}
		all.Push(ref)
	}
	for _, e := range early {
		all.Push(e.ref)
	}
	return all
}

// laneOf returns the lane for an entry of the spool, nil if there is none.
func (l *Logger) laneOf(e *spool.Entry) *lane {
	for _, payload := range e.Messages {
		_, path, ok := batchNames(payload)
		if !ok {
			return nil
		}
		if ln := l.router.lanes[string(path)]; ln != nil {
			return ln
		}
		name, err := logname.FromPath(path)
		if err != nil {
			return nil
		}
		return l.router.recovered(name)
	}
	return nil
}
