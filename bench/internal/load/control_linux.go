package load

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/znode/znode/bench/internal/proc"
)

// Child is a load process, seen from the harness. It belongs to one goroutine.
type Child struct {
	*proc.Process
	Config  Config
	answers chan Snap // one per command, and one when it is ready; closed at its end
}

// Start starts a program that understands a [Config]'s flags and the commands of
// this package, with arguments of its own in front, and waits until its
// connections stand.
func Start(program []string, cfg Config, env ...string) (*Child, error) {
	p, err := proc.StartWith(env, program[0], append(append([]string(nil), program[1:]...), cfg.Args()...)...)
	if err != nil {
		return nil, err
	}
	c := &Child{Process: p, Config: cfg, answers: make(chan Snap)}
	go c.read()
	if _, err := c.answer("start", time.Minute); err != nil {
		c.Stop()
		return nil, err
	}
	return c, nil
}

// read passes on answers until the child ends.
func (c *Child) read() {
	defer close(c.answers)
	dec := json.NewDecoder(bufio.NewReader(c.Stdout))
	for {
		var s Snap
		if err := dec.Decode(&s); err != nil {
			return
		}
		select {
		case c.answers <- s:
		case <-c.Done():
			return
		}
	}
}

// Do gives a command and returns what the child has done by then:
//
//	snap       nothing else
//	probe      publishers send one probe per topic
//	go, pause  publishers begin, or end and finish what they have begun
//	mark       subscribers forget their longest gaps
//	limit N    subscribers read at most N messages per second; 0 ends that
//	join       nodes: leave, then join again
func (c *Child) Do(command string) (Snap, error) {
	return c.DoWithin(command, time.Minute)
}

// DoWithin is Do for commands that may take longer than a minute.
func (c *Child) DoWithin(command string, limit time.Duration) (Snap, error) {
	if _, err := io.WriteString(c.Stdin, command+"\n"); err != nil {
		return Snap{}, errors.Join(fmt.Errorf("load: %s: %w", command, err), c.Ended())
	}
	return c.answer(command, limit)
}

func (c *Child) answer(command string, limit time.Duration) (Snap, error) {
	timeout := time.NewTimer(limit)
	defer timeout.Stop()
	select {
	case s, ok := <-c.answers:
		switch {
		case !ok:
			<-c.Done()
			return s, fmt.Errorf("load: %s: %w", command, c.Ended())
		case s.Error != "":
			return s, fmt.Errorf("load: %s: %s", command, s.Error)
		}
		return s, nil
	case <-timeout.C:
		return Snap{}, fmt.Errorf("load: %s: no answer within %v", command, limit)
	}
}

// Settle probes until every subscriber of the children has heard from every
// publisher of them, so that all subscriptions are known to be in place.
func Settle(limit time.Duration, children ...*Child) error {
	pubs := 0
	for _, c := range children {
		pubs += c.Config.Pubs
	}
	for deadline := time.Now().Add(limit); ; time.Sleep(5 * time.Millisecond) {
		missing := 0
		for _, c := range children {
			command := "snap"
			if c.Config.Pubs > 0 {
				command = "probe"
			}
			if _, err := c.Do(command); err != nil {
				return err
			}
		}
		time.Sleep(5 * time.Millisecond)
		for _, c := range children {
			s, err := c.Do("snap")
			if err != nil {
				return err
			}
			for _, n := range s.Probed {
				if n < pubs {
					missing++
				}
			}
		}
		if missing == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("load: %d subscribers have not heard from all %d publishers after %v", missing, pubs, limit)
		}
	}
}
