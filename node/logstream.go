package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/znode/znode/codec"
)

// ErrNoLogger is returned when a log is opened on a node that is connected to no
// logger.
var ErrNoLogger = errors.New("node: no connect_log_endpoints, so nobody to log to")

// maxLogBatch bounds a batch in bytes, whatever the number of its records.
const maxLogBatch = 1 << 20

// LogStream writes a log whose columns are the fields of struct T. Records wait
// in a batch until there are Options.WriteBufferSize, or the first has waited for
// Options.FlushInterval. The batch goes to one of the loggers, in turn, that has
// room. Its methods may be called by any goroutine.
type LogStream[T any] struct {
	logBatch
	w *codec.LogWriter[T]
}

// OpenLog opens a log of node n. Several streams of the same log are independent
// of each other: their records may arrive in any order.
func OpenLog[T any](n *Node, s *codec.LogStream[T]) (*LogStream[T], error) {
	l := &LogStream[T]{w: s.NewWriter()}
	if err := l.open(n, s.Header(), l.w); err != nil {
		return nil, err
	}
	return l, nil
}

// Write adds a record; nothing of rec is kept. A record with a value that does
// not fit is left out, with a [*codec.ValueError]. [ErrDropped] says that the
// batch that the record has completed was dropped whole.
func (l *LogStream[T]) Write(rec *T) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.begin(); err != nil {
		return err
	}
	if err := l.w.Write(rec); err != nil {
		l.discarded()
		var value *codec.ValueError
		if errors.As(err, &value) {
			kept := *value // the writer's own is overwritten
			return &kept
		}
		return err
	}
	return l.wrote()
}

// ColumnLog writes a log whose columns are given by a [codec.BatchHeader] instead
// of a struct. All else is as for [LogStream].
type ColumnLog struct {
	logBatch
	w *codec.BatchWriter
}

// OpenColumnLog opens a log with these columns.
func (n *Node) OpenColumnLog(h codec.BatchHeader) (*ColumnLog, error) {
	w, err := codec.NewBatchWriter(h)
	if err != nil {
		return nil, fmt.Errorf("node: %w", err)
	}
	l := &ColumnLog{w: w}
	if err := l.open(n, h, w); err != nil {
		return nil, err
	}
	return l, nil
}

// Write adds a record: values writes one value for each column, in order, and
// must not keep the writer nor call other methods of it.
func (l *ColumnLog) Write(values func(w *codec.BatchWriter)) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.begin(); err != nil {
		return err
	}
	values(l.w)
	if err := l.w.EndRecord(); err != nil {
		l.discarded()
		return err
	}
	return l.wrote()
}

// batchEncoder is what the writers of package codec have in common.
type batchEncoder interface {
	Start(dst []byte)
	Finish() []byte
	Records() int
	Size() int
}

// logBatch is the batch of a log that is being filled.
type logBatch struct {
	n      *Node
	head   codec.BatchHeader
	enc    batchEncoder
	totals *logTotals // of all streams of this log

	mu     sync.Mutex
	begun  bool // a batch is begun
	closed bool
	buf    []byte
}

func (l *logBatch) open(n *Node, h codec.BatchHeader, enc batchEncoder) error {
	if len(n.opt.ConnectLogEndpoints) == 0 {
		return ErrNoLogger
	}
	l.n, l.head, l.enc = n, h, enc
	l.head.Writer = cmp.Or(h.Writer, codec.DefaultWriter)
	l.head.Filter = cmp.Or(h.Filter, codec.DefaultFilter)
	return n.logs.add(l)
}

// begin makes sure that a batch is begun. The caller holds l.mu, here and below.
func (l *logBatch) begin() error {
	if l.closed {
		return ErrClosed
	}
	if !l.begun {
		l.enc.Start(l.buf[:0])
		l.begun = true
	}
	return nil
}

// discarded is called for a record that was left out.
func (l *logBatch) discarded() {
	l.totals.discards.Add(1)
	l.n.logs.discards.Add(1)
}

// wrote is called when the batch has one more record.
func (l *logBatch) wrote() error {
	l.totals.writes.Add(1)
	l.n.logs.writes.Add(1)
	if l.enc.Records() >= l.n.opt.WriteBufferSize || l.enc.Size() >= maxLogBatch {
		return l.flush(l.n.stop)
	}
	if l.enc.Records() == 1 {
		l.n.logs.schedule()
	}
	return nil
}

// maxLogBuffer bounds the memory that a log keeps for its next batch.
const maxLogBuffer = 2 * maxLogBatch

// flush sends the batch. With BlockLogs it waits for room until ctx ends.
func (l *logBatch) flush(ctx context.Context) error {
	records := l.enc.Records()
	if !l.begun || records == 0 {
		return nil
	}
	payload := l.enc.Finish()
	l.begun = false
	if l.buf = payload; cap(payload) > maxLogBuffer {
		l.buf = nil
	}
	return l.n.logs.send(ctx, l.head.Path, records, payload)
}

// Flush sends the records that wait.
func (l *logBatch) Flush() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.flush(l.n.stop)
}

// Close sends the records that wait and ends the stream. Closing the node does
// so too. A second call does nothing.
func (l *logBatch) Close() error {
	l.n.logs.remove(l)
	return l.close(l.n.stop)
}

func (l *logBatch) close(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	err := l.flush(ctx)
	l.closed, l.buf = true, nil
	return err
}
