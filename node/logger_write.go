package node

import (
	"bytes"
	"errors"
	"time"

	"github.com/znode/znode/codec"
	"github.com/znode/znode/node/internal/spool"
)

// writerASCII and writerNone are the writers that mean something here.
const (
	writerASCII = "Log::WRITER_ASCII"
	writerNone  = "Log::WRITER_NONE"
)

// add formats a batch, and writes when enough has come together.
func (ln *lane) add(it logItem) {
	if len(ln.formatted) == 0 {
		ln.since = time.Now()
		ln.oldest.Store(it.at)
	}
	ln.format(&it)
	if it.parcel == nil {
		it.sender, it.payload = nil, nil // the reader's memory
	}
	ln.formatted = append(ln.formatted, it)
	ln.whole = it.entry || !ln.l.opt.journal()
	size := 0
	for _, f := range ln.files {
		size += len(f.buf)
	}
	if size >= writeSize || len(ln.formatted) >= maxFormatted || time.Since(ln.since) >= ln.l.opt.FlushInterval {
		ln.account()
		ln.flush()
		if ln.whole {
			ln.rotateIfLarge()
			ln.commitIfDue()
		}
	}
}

// maxFormatted bounds the batches whose lines wait to be written, for those that
// have none.
const maxFormatted = 4096

// format adds the lines of a batch to the buffer of its file.
func (ln *lane) format(it *logItem) {
	b := &ln.batch
	if err := b.DecodeHeader(it.payload); err != nil {
		ln.l.refuseBatch(refusedBatch, it, b, err)
		return
	}
	if b.NumRecords == 0 {
		return
	}
	switch string(b.Writer) {
	case writerASCII:
	case writerNone:
		ln.l.discarded.Add(uint64(b.NumRecords))
		return
	default:
		if !ln.warned {
			ln.warned = true
			ln.l.log.Warn("log has another writer, written as ASCII", "path", ln.name, "writer", quoted(b.Writer))
		}
	}
	if ln.textTooLarge(b, len(it.payload)) {
		ln.discard(refusedBatch, it, b, errTextTooLarge)
		return
	}
	f := ln.fileFor(b)
	if f == nil {
		ln.discard(refusedStreams, it, b, errStreams)
		return
	}
	if it.seq <= f.seq {
		return // is in a file since before a crash
	}
	if err := f.append(b); err != nil {
		ln.discard(refusedBatch, it, b, err)
		ln.dropIfNew(f)
		return
	}
	f.seq = it.seq
	f.spooled = f.spooled || it.parcel == nil
	it.file = f
	ln.tallies.of(b).records.Add(uint64(b.NumRecords))
}

// discard refuses a batch whose header is right.
func (ln *lane) discard(why refusal, it *logItem, b *codec.Batch, err error) {
	ln.tallies.of(b).discarded.Add(uint64(b.NumRecords))
	ln.l.refuseBatch(why, it, b, err)
}

var errTextTooLarge = errors.New("the names of its columns would make its text out of proportion")

// textTooLarge reports whether the text of a batch could be out of proportion:
// JSON repeats the names of columns in every record, so a long name makes much of
// little.
func (ln *lane) textTooLarge(b *codec.Batch, size int) bool {
	if ln.l.opt.Text.Format != codec.FormatJSON {
		return false
	}
	names := 0
	for i := range b.Fields {
		names += len(b.Fields[i].Name) + len(`"":,`)
	}
	return int64(names)*int64(b.NumRecords) > max(ln.l.opt.MemoryLimit/2, 4*int64(size))
}

// fileFor returns the file with the batch's columns, nil if there can be none.
func (ln *lane) fileFor(b *codec.Batch) *logFile {
	for _, f := range ln.files {
		if bytes.Equal(f.schema, b.Schema()) {
			return f
		}
	}
	hash := hashOf(b.Schema())
	for _, f := range ln.files {
		if f.schema == nil && f.hash == hash { // from before a crash
			f.schema = bytes.Clone(b.Schema())
			f.makeHead(b)
			return f
		}
	}
	if len(ln.files) >= maxVariants {
		return nil
	}
	name := ln.l.names.claim(ln.name, ln.l.opt.MaxStreams)
	if name == "" {
		return nil
	}
	f := newLogFile(ln, name)
	f.schema, f.hash = bytes.Clone(b.Schema()), hash
	f.seq = ln.l.ledger.Mark(ln.name, hash)
	f.written, f.committed.seq = f.seq, f.seq
	ln.files = append(ln.files, f)
	ln.files0.Store(int32(len(ln.files)))
	return f
}

// dropIfNew drops a file that was made for a batch that is no good.
func (ln *lane) dropIfNew(f *logFile) {
	last := len(ln.files) - 1
	if ln.files[last] != f || !f.opened.IsZero() {
		return
	}
	f.dropBuffer()
	ln.l.names.release(f.name)
	ln.files[last] = nil
	ln.files = ln.files[:last]
	ln.files0.Store(int32(last))
}

// flush writes what is formatted and lets go of the batches.
func (ln *lane) flush() {
	for _, f := range ln.files {
		if len(f.buf) > 0 && !ln.persist(f, f.write) {
			return
		}
	}
	ln.release()
}

// release lets go of the batches whose lines are written.
func (ln *lane) release() {
	if len(ln.formatted) == 0 {
		return
	}
	var cost int64
	for start := 0; start < len(ln.formatted); {
		p, end := ln.formatted[start].parcel, start
		for ; end < len(ln.formatted) && ln.formatted[end].parcel == p; end++ {
			it := &ln.formatted[end]
			cost += it.cost()
			switch {
			case !it.entry:
			case ln.l.opt.journal():
				ln.uncommitted.Push(it.ref)
			default:
				ln.l.store.spool.Done(it.ref)
			}
		}
		if p != nil {
			ln.l.done(p, int32(end-start))
		}
		start = end
	}
	ln.memory.Add(-cost)
	ln.l.store.inLanes.Add(-cost)
	if ln.watched.Load() {
		select {
		case ln.freed <- struct{}{}:
		default:
		}
	}
	clear(ln.formatted)
	ln.formatted = ln.formatted[:0]
	ln.oldest.Store(0)
	if ln.uncommitted.Len() > 0 && ln.dirtySince.IsZero() {
		ln.dirtySince = time.Now()
	}
}

// commitIfDue commits what was written long enough ago, or what keeps the spool
// full.
func (ln *lane) commitIfDue() {
	if ln.dirtySince.IsZero() {
		return
	}
	if ln.l.store.full.Load() || time.Since(ln.dirtySince) >= commitEvery {
		ln.commit()
	}
}

// commit brings the files to disk, notes that in the ledger, and lets go of the
// batches in the journal.
func (ln *lane) commit() {
	if ln.err != nil || ln.uncommitted.Len() == 0 {
		return
	}
	for _, f := range ln.files {
		if !ln.persist(f, f.commit) {
			return
		}
	}
	ln.l.hooks().at("committed")
	ln.letGo()
}

// letGo lets go of the batches in the journal, which are in files on disk.
func (ln *lane) letGo() {
	for {
		ref, ok := ln.uncommitted.Pop()
		if !ok {
			break
		}
		ln.l.store.spool.Done(ref)
	}
	ln.dirtySince = time.Time{}
}

// replay writes all batches that are not committed to a file that was cut to what
// is.
func (ln *lane) replay(f *logFile) error {
	var reader spool.Reader
	var b codec.Batch
	for ref := range ln.uncommitted.All {
		e, err := reader.Read(ref)
		if err != nil {
			return err
		}
		seq := e.Seq - 1
		for _, payload := range e.Messages {
			seq++
			if seq <= f.seq || b.DecodeHeader(payload) != nil || !bytes.Equal(b.Schema(), f.schema) {
				continue
			}
			if f.append(&b) == nil {
				f.seq = seq
			}
		}
		if len(f.buf) >= writeSize {
			if err := f.write(); err != nil {
				return err
			}
		}
	}
	return f.write()
}

// persist does something with a file until it succeeds, and says when trouble
// begins and ends. It is false when Close has given up before.
func (ln *lane) persist(f *logFile, do func() error) bool {
	if ln.err != nil {
		return false
	}
	ln.sink.begin()
	defer ln.sink.end()
	err := do()
	if err == nil {
		ln.wasSlow(f)
		return true
	}
	err = ln.insist(trouble{began: "log cannot be written, trying again", over: "log is written again", file: f.path()}, err, do)
	if err != nil {
		return false
	}
	ln.slow.Store(false)
	return true
}

// trouble is what is said of something that a lane tries again and again.
type trouble struct {
	began, over, file string
	final             error // one that trying again does not mend; nil if there is none
}

// insist does what failed with err until it succeeds or fails for good, and says
// when the trouble begins and ends. When Close gives up before, ln.err is set.
func (ln *lane) insist(t trouble, err error, do func() error) error {
	began, pause := time.Now(), minBackoff
	ln.l.log.Error(t.began, "path", ln.name, "file", t.file, "error", err)
	ln.l.stuck.Inc()
	defer ln.l.stuck.Dec()
	ln.tries.Store(true)
	defer ln.tries.Store(false)
	for {
		ln.l.writeErrors.Add(1)
		wait := time.NewTimer(pause)
		select {
		case <-wait.C:
		case <-ln.l.stop:
			wait.Stop()
			ln.err = errGaveUp(t.file, err)
			return err
		}
		if err = do(); err == nil {
			ln.l.log.Info(t.over, "path", ln.name, "file", t.file, "after", time.Since(began).Round(time.Millisecond).String())
			return nil
		}
		if t.final != nil && errors.Is(err, t.final) {
			return err
		}
		pause = min(2*pause, maxBackoff)
	}
}

// wasSlow says that a file is not slow any more, if it was said that it is.
func (ln *lane) wasSlow(f *logFile) {
	if ln.slow.CompareAndSwap(true, false) {
		ln.l.log.Info("log is written again", "file", f.path())
	}
}
