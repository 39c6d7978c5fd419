package load

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/znode/znode/bench/internal/rawsock"
	"github.com/znode/znode/bench/internal/zmtp"
)

// Main is a load process: it does what args, the flags of a [Config], say, takes
// commands from in until its end, and answers on out. It returns the exit status.
func Main(args []string, in io.Reader, out io.Writer) int {
	RaiseFileLimit()
	reply := json.NewEncoder(out)
	cfg, err := ParseConfig(args)
	var r role
	if err == nil {
		r, err = newRole(cfg)
	}
	if err != nil {
		_ = reply.Encode(Snap{Error: err.Error()})
		return 1
	}
	defer r.close()
	if err := reply.Encode(r.snap()); err != nil {
		return 1
	}
	commands := bufio.NewScanner(in)
	for commands.Scan() {
		snap := Snap{}
		if err := r.do(commands.Text()); err != nil {
			snap.Error = err.Error()
		} else {
			snap = r.snap()
		}
		if err := reply.Encode(snap); err != nil {
			return 1
		}
	}
	return 0
}

// role is one of the things a load process can be.
type role interface {
	do(command string) error
	snap() Snap
	close()
}

func newRole(cfg Config) (role, error) {
	switch cfg.Role {
	case RoleNodes:
		return newNodes(cfg)
	case RoleSilent:
		return newSilent(cfg)
	default:
		return newPeers(cfg)
	}
}

// RaiseFileLimit allows this process as many descriptors as the machine lets
// it, and its children too.
func RaiseFileLimit() {
	var lim unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &lim) == nil {
		lim.Cur = lim.Max
		_ = unix.Setrlimit(unix.RLIMIT_NOFILE, &lim)
	}
}

// peers are the publishers and subscribers of one process.
type peers struct {
	pubs *publishers
	subs *subscribers
	wg   sync.WaitGroup

	mu  sync.Mutex
	err error // the first failure of a goroutine
}

func newPeers(cfg Config) (*peers, error) {
	layout, err := zmtp.NewLayout(cfg.Size)
	if err != nil {
		return nil, err
	}
	ps := &peers{}
	if ps.subs, err = newSubscribers(cfg, layout); err != nil {
		return nil, err
	}
	if ps.pubs, err = newPublishers(cfg, layout); err != nil {
		ps.subs.close()
		return nil, err
	}
	if cfg.Subs > 0 {
		ps.wg.Go(func() { ps.loop(ps.subs.run) })
	}
	if cfg.Pubs > 0 {
		ps.wg.Go(func() { ps.loop(ps.pubs.run) })
	}
	return ps, nil
}

// loop runs one side on its own thread and keeps its error.
func (ps *peers) loop(run func() error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := run(); err != nil {
		ps.mu.Lock()
		defer ps.mu.Unlock()
		if ps.err == nil {
			ps.err = err
		}
		ps.pubs.stop()
		ps.subs.stop()
	}
}

func (ps *peers) do(command string) error {
	name, argument, _ := strings.Cut(command, " ")
	switch name {
	case "snap":
	case "mark":
		ps.subs.mark()
	case "go":
		ps.pubs.start()
	case "pause":
		if len(ps.pubs.all) > 0 {
			ps.pubs.pause()
		}
	case "probe":
		return ps.pubs.probe()
	case "limit":
		n, err := strconv.ParseInt(argument, 10, 64)
		if err != nil {
			return err
		}
		ps.subs.limit.Store(n)
	default:
		return fmt.Errorf("unknown command %q", command)
	}
	return nil
}

func (ps *peers) snap() Snap {
	s := Snap{Clock: rawsock.Clock()}
	for _, p := range ps.pubs.all {
		s.Sent = append(s.Sent, p.sent.Load())
	}
	ps.subs.snap(&s)
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if ps.err != nil {
		s.Error = ps.err.Error()
	}
	return s
}

func (ps *peers) close() {
	ps.pubs.stop()
	ps.subs.stop()
	ps.wg.Wait()
	ps.pubs.close()
	ps.subs.close()
}
