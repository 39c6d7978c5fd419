package side

import (
	"bufio"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/znode/znode/bench/internal/proc"
)

// Names of the sides.
const (
	Znode  = "znode"
	Libzmq = "libzmq"
	Pump   = "pump"
)

// readyTimeout is how long a broker may take to listen.
const readyTimeout = time.Minute

// Side is a broker that can be started.
type Side struct {
	Name    string
	Missing string // why it cannot be; empty if it can

	command func(pub, sub, metrics string) []string
}

// Broker is one running. Its standard input stays open as long as it should run.
type Broker struct {
	*proc.Process
	PubAddr string // for publishers
	SubAddr string // for subscribers

	metrics string
}

// Start starts the broker on free ports of the loopback and returns once it
// listens. env is added to its environment; a znode gets the further flags.
func (s *Side) Start(env []string, znodeArgs ...string) (*Broker, error) {
	if s.Missing != "" {
		return nil, fmt.Errorf("%s: %s", s.Name, s.Missing)
	}
	var errs []error
	// Another process may take a port between our choice and the broker's bind.
	for range 3 {
		b, err := s.start(env, znodeArgs)
		if err == nil {
			return b, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

func (s *Side) start(env, znodeArgs []string) (*Broker, error) {
	addrs, err := freeAddrs(3)
	if err != nil {
		return nil, err
	}
	b := &Broker{PubAddr: addrs[0], SubAddr: addrs[1], metrics: addrs[2]}
	command := s.command(b.PubAddr, b.SubAddr, b.metrics)
	if s.Name == Znode {
		command = append(command, znodeArgs...)
	}
	if b.Process, err = proc.StartWith(env, command[0], command[1:]...); err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(readyTimeout); ; time.Sleep(2 * time.Millisecond) {
		ok, err := listening(b.PubAddr, b.SubAddr)
		if err == nil && ok {
			return b, nil
		}
		if err = errors.Join(err, b.Ended()); err != nil {
			b.Stop()
			return nil, err
		}
		if time.Now().After(deadline) {
			b.Stop()
			return nil, fmt.Errorf("%s does not listen on %s and %s after %v", s.Name, b.PubAddr, b.SubAddr, readyTimeout)
		}
	}
}

// Dropped returns how many messages the broker says it has dropped for slow
// subscribers, of all peers together.
func (b *Broker) Dropped() (float64, error) {
	const name = "znode_broker_peer_dropped_total"
	client := http.Client{Timeout: 5 * time.Second}
	resp, err := client.Get("http://" + b.metrics + "/metrics")
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	sum, found := 0.0, false
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		v, ok, err := sample(lines.Text(), name)
		if err != nil {
			return 0, err
		}
		sum, found = sum+v, found || ok
	}
	if err := lines.Err(); err != nil {
		return 0, err
	}
	if !found {
		return 0, fmt.Errorf("no metric %s", name)
	}
	return sum, nil
}

// sample reads one line of the Prometheus text format if it is of the metric.
func sample(line, name string) (v float64, ok bool, err error) {
	rest, ok := strings.CutPrefix(line, name)
	if !ok || rest == "" || (rest[0] != '{' && rest[0] != ' ') {
		return 0, false, nil
	}
	if rest[0] == '{' {
		end := strings.LastIndexByte(rest, '}')
		rest = rest[end+1:]
	}
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0, false, fmt.Errorf("metric line %q", line)
	}
	v, err = strconv.ParseFloat(fields[0], 64)
	return v, err == nil, err
}
