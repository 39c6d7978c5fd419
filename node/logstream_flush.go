package node

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/znode/znode/sockets"
)

// logWrite is the first frame of a log batch's message.
const logWrite = "log-write"

// logTotals are the records of all streams of a log.
type logTotals struct{ writes, discards atomic.Uint64 }

// logFlusher sends the batches of a node's logs.
type logFlusher struct {
	n    *Node
	kick chan struct{} // a batch was begun while no flush was due
	due  atomic.Bool
	done chan struct{} // closed when run has ended; nil before start
	quit chan struct{}

	mu     sync.Mutex
	all    map[*logBatch]struct{}
	totals map[writesKey]*logTotals // also of streams that are closed
	closed bool

	// Of records, but for batches.
	writes, discards, sent, drops, batches atomic.Uint64
	episode                                episode
}

func (f *logFlusher) init(n *Node) {
	f.n = n
	f.kick = make(chan struct{}, 1)
	f.quit = make(chan struct{})
	f.all = make(map[*logBatch]struct{})
	f.totals = make(map[writesKey]*logTotals)
}

func (f *logFlusher) start() {
	f.done = make(chan struct{})
	go f.run()
}

func (f *logFlusher) add(l *logBatch) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return ErrClosed
	}
	f.all[l] = struct{}{}
	k := writesKey{l.head.Stream, l.head.Writer, l.head.Filter, l.head.Path}
	if f.totals[k] == nil {
		f.totals[k] = new(logTotals)
	}
	l.totals = f.totals[k]
	return nil
}

// written returns the records of each log so far.
func (f *logFlusher) written() map[writesKey]logSums {
	f.mu.Lock()
	defer f.mu.Unlock()
	logs := make(map[writesKey]logSums, len(f.totals))
	for k, t := range f.totals {
		logs[k] = logSums{t.writes.Load(), t.discards.Load()}
	}
	return logs
}

func (f *logFlusher) remove(l *logBatch) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.all, l)
}

func (f *logFlusher) list() []*logBatch {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := make([]*logBatch, 0, len(f.all))
	for l := range f.all {
		list = append(list, l)
	}
	return list
}

// schedule makes sure that a flush is due within the interval.
func (f *logFlusher) schedule() {
	if !f.due.Load() && f.due.CompareAndSwap(false, true) {
		select {
		case f.kick <- struct{}{}:
		default:
		}
	}
}

// run is the flusher's goroutine. While no batch waits, it sleeps.
func (f *logFlusher) run() {
	defer close(f.done)
	if f.n.opt.FlushInterval == 0 {
		return
	}
	timer := time.NewTimer(f.n.opt.FlushInterval)
	defer timer.Stop()
	for {
		select {
		case <-f.kick:
		case <-f.quit:
			return
		}
		timer.Reset(f.n.opt.FlushInterval)
		select {
		case <-timer.C:
		case <-f.quit:
			return
		}
		f.due.Store(false)
		for _, l := range f.list() {
			l.Flush() // what is dropped is counted and logged
		}
	}
}

// send hands a batch to a logger, or drops and counts it.
func (f *logFlusher) send(ctx context.Context, path string, records int, payload []byte) error {
	n := f.n
	s := n.scratch()
	defer s.free()
	s.topic = append(s.topic[:0], logWrite...)
	s.serializer = append(s.serializer[:0], logSerializer...)
	err := n.push.Send(s.topic, s.sender, s.serializer, payload)
	if errors.Is(err, sockets.ErrAgain) && n.opt.LogOverflow == BlockLogs {
		f.begin(path)
		err = n.push.SendContext(ctx, s.topic, s.sender, s.serializer, payload)
	}
	if err == nil {
		f.batches.Add(1)
		f.sent.Add(uint64(records))
		if f.episode.under() {
			if dropped, ended := f.episode.over(f.drops.Load()); ended {
				n.log.Info("loggers take log writes again", "dropped", dropped)
			}
		}
		return nil
	}
	f.begin(path)
	f.drops.Add(uint64(records))
	return ErrDropped
}

// begin tells once that the loggers are full.
func (f *logFlusher) begin(path string) {
	if !f.episode.begin(f.drops.Load()) {
		return
	}
	what := "dropping log writes, no logger has room"
	if f.n.opt.LogOverflow == BlockLogs {
		what = "holding log writes back, no logger has room"
	}
	f.n.log.Warn(what, "path", path, "log_sndhwm", f.n.opt.LogSndHWM)
}

// close sends what waits, for as long as the node lingers, and ends the
// flusher.
func (f *logFlusher) close() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if linger := f.n.opt.Linger; linger >= 0 {
		stop := time.AfterFunc(linger, func() {
			cancel()
			f.n.cancel() // ends what other goroutines wait in
		})
		defer stop.Stop()
	}
	close(f.quit)
	if f.done != nil {
		<-f.done
	}
	for _, l := range f.list() {
		l.close(ctx)
	}
}
