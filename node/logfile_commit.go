package node

import (
	"errors"
	"time"
)

// commit notes in the ledger how much of the file is right, and up to which batch;
// with a journal, when that is on disk.
func (f *logFile) commit() error {
	if f.file == nil || f.size == f.committed.size && f.written == f.committed.seq {
		return nil
	}
	if f.l.opt.journal() {
		if err := f.sync(); err != nil {
			return err
		}
	}
	f.l.hooks().at("on disk")
	if err := f.l.ledger.Committed(f.id, f.size, f.written); err != nil {
		return err
	}
	f.committed = commitPoint{f.size, f.written}
	return nil
}

// sync brings the file to disk. After a failure nobody knows what of the file is
// there, and the system may not try again: so what is not committed is written
// again from the journal.
func (f *logFile) sync() error {
	err := f.l.hooks().beforeSync(f.name)
	if err == nil {
		err = f.file.Sync()
	}
	if err == nil {
		return nil
	}
	// Lines in the buffer are of later batches; they wait.
	later, laterSeq := f.buf, f.seq
	f.buf = nil
	rerr := f.rewrite()
	f.buf, f.seq = append(f.buf, later...), max(laterSeq, f.seq)
	return errors.Join(err, rerr)
}

// rewrite writes everything behind the commit point anew.
func (f *logFile) rewrite() error {
	if err := f.file.Truncate(f.committed.size); err != nil {
		return err
	}
	f.size, f.seq, f.written = f.committed.size, f.committed.seq, f.committed.seq
	if f.size == 0 && len(f.head) > 0 {
		if _, err := f.put(f.head); err != nil {
			return err
		}
	}
	if err := f.ln.replay(f); err != nil {
		return err
	}
	if !f.ending {
		return nil
	}
	f.buf = f.format.AppendClose(f.buf, f.closed)
	return f.write()
}

// complete writes what is left and the #close line.
func (f *logFile) complete() error {
	if f.file == nil && len(f.buf) == 0 {
		return nil
	}
	if !f.ending {
		f.ending, f.closed = true, time.Now()
		f.buf = f.format.AppendClose(f.buf, f.closed)
	}
	return f.write()
}

// finish completes and closes the file, which stays where it is.
func (f *logFile) finish() error {
	if err := f.complete(); err != nil || f.file == nil {
		return err
	}
	if err := f.commit(); err != nil {
		return err
	}
	f.l.hooks().at("finished")
	if err := f.l.ledger.Forgotten(f.id); err != nil {
		return err
	}
	f.drop()
	return nil
}

// drop closes the file.
func (f *logFile) drop() {
	f.buf = f.buf[:0]
	f.dropBuffer()
	if f.file != nil {
		f.file.Close()
		f.file = nil
	}
}
