package load

import (
	"errors"
	"fmt"
	"time"

	"github.com/znode/znode/bench/internal/rawsock"
)

// silent holds connections that never say anything.
type silent struct {
	fds []int
}

// silentPerSecond is how fast silent connections are opened, so that no
// broker's accept backlog overflows.
const silentPerSecond = 5000

func newSilent(cfg Config) (*silent, error) {
	s := &silent{}
	start := time.Now()
	for i := range cfg.Silent {
		addr := cfg.PubAddr
		if i%2 == 1 {
			addr = cfg.SubAddr
		}
		fd, err := rawsock.Dial(addr, time.Now().Add(dialTimeout))
		if err != nil {
			s.close()
			return nil, fmt.Errorf("silent connection %d: %w", i, err)
		}
		s.fds = append(s.fds, fd)
		if i%64 == 63 {
			time.Sleep(time.Until(start.Add(time.Duration(i) * time.Second / silentPerSecond)))
		}
	}
	return s, nil
}

func (s *silent) do(command string) error {
	if command != "snap" {
		return errors.New("a silent process only knows snap")
	}
	return nil
}

// snap counts the connections that the broker has not closed.
func (s *silent) snap() Snap {
	snap := Snap{Clock: rawsock.Clock()}
	for _, fd := range s.fds {
		if err := discard(fd); err == nil {
			snap.Count++
		}
	}
	return snap
}

func (s *silent) close() {
	for _, fd := range s.fds {
		rawsock.Close(fd)
	}
}
