package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	uatomic "go.uber.org/atomic"

	"github.com/znode/znode/ring"
	"github.com/znode/znode/sockets"
)

// Logger writes what the nodes of a cluster log. It is a PULL socket whose
// batches become files, one for each path, as Zeek's ASCII writer writes them.
//
// Batches flow so:
//
//	connection goroutines --ring--> router --queues--> lanes --> files
//
// A connection's goroutine keeps what it read, waits for room in the memory
// budget, and puts it into the ring. The router looks up the lane of each
// message by its path. A lane is the goroutine of one path: it checks and
// formats batches in the order they came and writes the file, so paths do not
// wait for each other and the batches of one sender stay in order.
type Logger struct {
	opt      LoggerOptions
	log      *slog.Logger
	pull     *sockets.PULL
	endpoint string
	dir      *lockedDir

	budget *budget
	ring   *ring.MPSC[*parcel]
	router router
	names  names
	stop   chan struct{} // closed when a stuck lane is to give up
	stuck  uatomic.Int32 // lanes whose file cannot be written
	wg     sync.WaitGroup
	closed sync.Once

	refused                 [refusalKinds]refusals
	received, receivedBytes atomic.Uint64
}

// NewLogger binds the endpoint and starts writing to the directory. When it
// fails nothing is left behind.
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
		budget: newBudget(opt.MemoryLimit),
		ring:   ring.NewMPSC[*parcel](0),
		stop:   make(chan struct{}),
	}
	l.router.init(l)
	var err error
	if l.dir, err = lockDir(opt.LogDir); err != nil {
		return nil, fmt.Errorf("logger: log directory: %w", err)
	}
	if l.pull, err = sockets.NewPULL(opt.pull(), l.receive); err == nil {
		if l.endpoint, err = l.pull.Bind(opt.ListenLogEndpoint); err != nil {
			l.pull.Close()
		}
	}
	if err != nil {
		l.dir.abandon()
		return nil, fmt.Errorf("logger: %w", err)
	}
	l.wg.Go(l.router.run)
	l.log.Info("logger listens", "endpoint", l.endpoint, "directory", opt.LogDir)
	return l, nil
}

// Endpoint returns the endpoint bound, with the real port.
func (l *Logger) Endpoint() string { return l.endpoint }

// PULL returns the socket, for its figures.
func (l *Logger) PULL() *sockets.PULL { return l.pull }

// Close stops accepting and reading, writes what was read, ends the files with
// #close and closes them. When a file cannot be written, it is tried again until
// ctx is done; the error then says what is lost. Later calls wait for the first.
func (l *Logger) Close(ctx context.Context) error {
	var err error
	l.closed.Do(func() { err = l.close(ctx) })
	return err
}

func (l *Logger) close(ctx context.Context) error {
	end := context.AfterFunc(ctx, func() {
		close(l.stop)
		l.budget.release()
	})
	l.pull.Close()
	l.ring.Close()
	l.wg.Wait()
	if end() {
		close(l.stop)
	}
	err := errors.Join(l.router.errors()...)
	l.dir.unlock()
	if err != nil {
		return fmt.Errorf("logger: close: %w", err)
	}
	l.log.Info("logger closed", "endpoint", l.endpoint)
	return nil
}

// lockedDir is a directory that no other logger uses.
type lockedDir struct {
	path string
	made string   // the topmost directory that lockDir made, "" if none
	file *os.File // holds the lock
}

// lockDir makes the directory if it is missing, makes sure that files can be
// made in it, and locks it.
func lockDir(path string) (*lockedDir, error) {
	d := &lockedDir{path: path, made: missingParent(path)}
	if err := os.MkdirAll(path, 0o755); err != nil {
		return nil, err
	}
	err := d.probe()
	if err == nil {
		d.file, err = os.Open(path)
	}
	if err == nil {
		if err = lockFile(d.file); err != nil {
			err = fmt.Errorf("%s: %w", path, err)
		}
	}
	if err != nil {
		d.abandon()
		return nil, err
	}
	return d, nil
}

// missingParent returns the topmost of path and its parents that does not exist.
func missingParent(path string) string {
	made := ""
	for p := filepath.Clean(path); ; p = filepath.Dir(p) {
		if _, err := os.Lstat(p); err == nil || p == filepath.Dir(p) {
			return made
		}
		made = p
	}
}

// probe makes a file and removes it.
func (d *lockedDir) probe() error {
	f, err := os.CreateTemp(d.path, ".probe-*")
	if err != nil {
		var p *os.PathError
		if errors.As(err, &p) {
			return fmt.Errorf("cannot write to %s: %w", d.path, p.Err)
		}
		return err
	}
	f.Close()
	return os.Remove(f.Name())
}

func (d *lockedDir) unlock() {
	if d.file != nil {
		d.file.Close()
	}
}

// abandon unlocks the directory and removes those that lockDir made, if they are
// still empty.
func (d *lockedDir) abandon() {
	d.unlock()
	if d.made == "" {
		return
	}
	for p := filepath.Clean(d.path); os.Remove(p) == nil && p != d.made; {
		p = filepath.Dir(p)
	}
}
