package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	uatomic "go.uber.org/atomic"

	"github.com/znode/znode/node/internal/archive"
	"github.com/znode/znode/node/internal/ledger"
	"github.com/znode/znode/node/internal/spool"
	"github.com/znode/znode/ring"
	"github.com/znode/znode/sockets"
)

// Logger writes what the nodes of a cluster log. It is a PULL socket whose
// batches become files, one for each path, as Zeek's ASCII writer writes them.
//
// Batches flow so:
//
//	connection goroutines --ring--> router --queues--> lanes --> files
//	                                   |                 ^         |
//	                                   +----> spool -----+      archive
//
// A connection's goroutine keeps what it read, waits for room in the memory
// budget, and puts it into the ring. The router looks up the lane of each
// message by its path. A lane is the goroutine of one path: it checks and
// formats batches in the order they came and writes the file, so paths do not
// wait for each other and the batches of one sender stay in order.
//
// A lane that cannot write as fast as batches come gets them through the spool,
// on disk, until it has caught up; the spool being full, or too much memory
// being in use, stops the reading of sockets. With [DurabilityJournal] every
// batch is in the spool, and on disk, before its lane gets it.
//
// A lane's file is known to the ledger, which is also on disk: how much of it is
// right, up to which batch, and what is to be done with it when it is finished.
// That is what makes a logger go on after a crash where it was.
//
//	goroutine     started by   ends when
//	router        NewLogger    the ring is closed and empty; ends the lanes
//	syncer        router       the router has ended (journal only)
//	lane          router       told to, when all is written or Close gives up
//	clock         NewLogger    Close
//	janitor       NewLogger    Close
//	rejects       NewLogger    Close
//	archiver      NewLogger    Close, when its jobs are done or Close gives up
type Logger struct {
	opt      LoggerOptions
	log      *slog.Logger
	pull     *sockets.PULL
	endpoint string
	dirs     []*ownDir

	budget *memoryBudget // of everything that is read and not yet written
	inRing *memoryBudget // of what the router has not looked at
	ring   *ring.MPSC[*parcel]
	router router
	store  store
	ledger *ledger.Ledger
	keeper *archive.Archiver
	reject rejects
	names  fileNames

	bySender senderCounts

	stop     chan struct{} // closed when what is stuck is to give up
	quit     chan struct{} // closed when the background work is to end
	work     sync.WaitGroup
	chores   sync.WaitGroup // clock, janitor, rejects
	once     sync.Once
	closeErr error

	refused                 [refusalKinds]refusals
	received, receivedBytes atomic.Uint64
	written                 atomic.Uint64 // bytes, to all logs
	discarded               atomic.Uint64 // records for Log::WRITER_NONE
	rotations               atomic.Uint64
	writeErrors             atomic.Uint64
	stuck                   uatomic.Int32 // lanes whose file cannot be written
	lost                    atomic.Uint64 // batches read and neither written nor kept
}

// NewLogger binds the endpoint and starts writing to the directory. What an
// earlier logger left there when it was killed is finished first. When it fails
// nothing is left behind.
func NewLogger(opt LoggerOptions) (*Logger, error) {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if err := opt.Validate(); err != nil {
		return nil, fmt.Errorf("logger: %w", err)
	}
	l := &Logger{
		opt:    opt,
		log:    opt.Log,
		budget: newMemoryBudget(opt.MemoryLimit),
		inRing: newMemoryBudget(min(opt.MemoryLimit/8, ringMemory)),
		ring:   ring.NewMPSC[*parcel](0),
		stop:   make(chan struct{}),
		quit:   make(chan struct{}),
	}
	l.router.init(l)
	if err := l.start(); err != nil {
		return nil, fmt.Errorf("logger: %w", err)
	}
	l.log.Info("logger listens", "endpoint", l.endpoint, "directory", opt.LogDir)
	return l, nil
}

// ringMemory is what connections may read before the router looks at it. More
// would not make the logger faster, but slower: it would not fit the CPU's caches.
const ringMemory = 256 << 10

// start opens everything, or nothing.
func (l *Logger) start() error {
	var err error
	if l.dirs, err = useDirs(&l.opt); err != nil {
		return err
	}
	if err = l.openState(); err == nil {
		if l.pull, err = sockets.NewPULL(l.opt.pull(), l.receive); err == nil {
			if l.endpoint, err = l.pull.Bind(l.opt.ListenLogEndpoint); err != nil {
				l.pull.Close()
			}
		}
		if err != nil {
			l.store.spool.Close(nil)
			l.ledger.Close()
		}
	}
	if err != nil {
		abandonDirs(l.dirs)
		return err
	}
	archiving := l.opt.archiveOptions()
	archiving.Done = func(id uint64) error {
		l.hooks().at("archived")
		return l.ledger.Forgotten(id)
	}
	l.keeper = archive.Start(archiving)
	l.reject.init(l)
	l.store.init(l)
	l.recoverFiles()
	l.chores.Go(l.reject.run)
	l.chores.Go(l.runClock)
	l.chores.Go(l.store.runJanitor)
	l.work.Go(l.router.run)
	return nil
}

// openState opens the ledger and the spool.
func (l *Logger) openState() error {
	dir := l.opt.spoolDir()
	var err error
	if l.ledger, err = ledger.OpenDir(dir); err != nil {
		return err
	}
	if l.store.spool, err = spool.Open(dir, spool.Options{Limit: l.opt.SpoolLimit}); err != nil {
		l.ledger.Close()
	}
	return err
}

// Endpoint returns the endpoint bound, with the real port.
func (l *Logger) Endpoint() string { return l.endpoint }

// PULL returns the socket, for its figures.
func (l *Logger) PULL() *sockets.PULL { return l.pull }

// Rotate archives all logs that have something in them and begins new ones. It
// does not wait for that.
func (l *Logger) Rotate() { l.router.rotate() }

// Close stops accepting and reading, writes what was read, ends the files with
// #close and archives them, if they are rotated at all. When a file cannot be
// written, that is tried again until ctx is done; what is left then is put into
// the spool, where the next logger finds it, and so are archive jobs. Close
// returns an error when something is left. Later calls return the same.
func (l *Logger) Close(ctx context.Context) error {
	l.once.Do(func() { l.closeErr = l.close(ctx) })
	return l.closeErr
}

// drainTime bounds the taking in of what is in the sockets at the end. A sender
// that goes on sending would keep it up for ever.
const drainTime = time.Second

func (l *Logger) close(ctx context.Context) error {
	giveUp := context.AfterFunc(ctx, func() {
		close(l.stop)
		l.budget.release()
		l.inRing.release()
	})
	// What senders have handed over is theirs no more: it is taken in first.
	drain, cancel := context.WithTimeout(ctx, drainTime)
	_ = l.pull.Drain(drain)
	cancel()
	l.pull.Close()
	l.ring.Close()
	l.work.Wait()
	if giveUp() {
		close(l.stop)
	}
	errs := l.router.rescue()
	close(l.quit)
	l.chores.Wait()
	l.keeper.Close(ctx)
	if n := l.keeper.Stats().Waiting; n > 0 {
		errs = append(errs, fmt.Errorf("%d finished logs are not yet archived", n))
	}
	errs = append(errs, l.closeState()...)
	unlockDirs(l.dirs)
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("logger: close: %w", err)
	}
	l.log.Info("logger closed", "endpoint", l.endpoint)
	return nil
}

// closeState closes the spool and the ledger. When nothing is left in the spool,
// nothing is numbered any more.
func (l *Logger) closeState() (errs []error) {
	var err error
	if err = l.store.spool.Close(l.ledger.Sync); err == nil && l.store.spool.Stats().Segments == 0 {
		err = l.ledger.ForgetMarks(l.store.seq)
	}
	if err != nil {
		errs = append(errs, fmt.Errorf("spool: %w", err))
	}
	if err := l.ledger.Close(); err != nil {
		errs = append(errs, fmt.Errorf("ledger: %w", err))
	}
	return errs
}
