package soak

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/znode/znode/codec"
	"github.com/znode/znode/node"
)

// record is what the members log.
type record struct {
	TS     time.Time `zeek:"ts"`
	Source uint64    `zeek:"source"`
	Number uint64    `zeek:"number"`
	Text   string    `zeek:"text"`
}

const logPath = "soak"

var logStream = codec.MustLogStream[record](codec.BatchHeader{Stream: "Soak::LOG", Path: logPath})

// tick is how often a member publishes and logs a little.
const tick = 20 * time.Millisecond

// member is a node of the cluster.
type member struct {
	name   string
	source uint64
	n      *node.Node
	log    *node.LogStream[record]
	tally  *tally

	quit chan struct{} // ends the load of a round; nil between rounds
	wg   sync.WaitGroup
	err  error // of the load; read after wg

	// Written by the load's goroutine, and by the round between loads.
	b       builder
	events  uint64 // numbers given to events
	records uint64 // numbers given to records

	sent    atomic.Int64 // events that the node took, probes too
	refused atomic.Int64 // events that it did not take
}

// newMember makes and starts a member; sources are never used twice.
func newMember(name string, source uint64, broker *server, loggers []*server) (*member, error) {
	m := &member{name: name, source: source, tally: newTally()}
	opt := node.DefaultOptions()
	opt.Node, opt.Mode = name, node.Member
	opt.ConnectXPUBEndpoint, opt.ConnectXSUBEndpoint = "tcp://"+broker.pub, "tcp://"+broker.sub
	for _, l := range loggers {
		opt.ConnectLogEndpoints = append(opt.ConnectLogEndpoints, "tcp://"+l.addr)
	}
	opt.WriteBufferSize = 100
	opt.LogSndHWM = 4 // so that batches are dropped while no logger is there
	opt.FlushInterval = 200 * time.Millisecond
	opt.Linger = patience
	var err error
	if m.n, err = node.New(opt); err != nil {
		return nil, err
	}
	handle := func(e *node.Event) { m.tally.add(decodeEvent(&e.EventView)) }
	m.n.Handle(eventName, handle)
	m.n.Handle(probeName, handle)
	err = m.n.Subscribe(prefix, nil)
	if err == nil {
		m.log, err = node.OpenLog(m.n, logStream)
	}
	if err == nil {
		err = m.n.Start()
	}
	if err != nil {
		return nil, errors.Join(err, m.n.Close())
	}
	return m, nil
}

// got is what the member has received or counted as dropped: what was handled,
// its own events that came back, and those its queue had no room for.
func (m *member) got() int64 {
	s := m.n.Stats()
	return m.tally.count() + int64(s.Own) + int64(s.OnloopDrops)
}

// publish publishes an event.
func (m *member) publish(e event) error {
	payload, err := m.b.encode(e)
	if err != nil {
		return err
	}
	switch err := m.n.PublishEncoded(topic, payload); {
	case err == nil:
		m.sent.Add(1)
	case errors.Is(err, node.ErrDropped):
		m.refused.Add(1)
	default:
		return fmt.Errorf("%s: publish: %w", m.name, err)
	}
	return nil
}

// start begins a round's load.
func (m *member) start(events, records int) {
	m.quit = make(chan struct{})
	m.wg.Go(func() { m.err = m.load(events, records) })
}

// stop ends the load and sends what it has logged.
func (m *member) stop() error {
	close(m.quit)
	m.wg.Wait()
	if err := m.log.Flush(); err != nil && !errors.Is(err, node.ErrDropped) {
		return fmt.Errorf("%s: flush: %w", m.name, err)
	}
	return m.err
}

// load is the goroutine of a round.
func (m *member) load(events, records int) error {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	begin := time.Now()
	var published, logged int
	for {
		select {
		case <-m.quit:
			return nil
		case now := <-ticker.C:
			due := now.Sub(begin).Seconds()
			for ; published < int(due*float64(events)); published++ {
				m.events++
				if err := m.publish(event{source: m.source, number: m.events}); err != nil {
					return err
				}
			}
			for ; logged < int(due*float64(records)); logged++ {
				if err := m.write(now); err != nil {
					return err
				}
			}
		}
	}
}

// text is long enough that logs are rotated by size.
var text = strings.Repeat("soak ", 10)

func (m *member) write(now time.Time) error {
	m.records++
	err := m.log.Write(&record{now, m.source, m.records, text})
	if err != nil && !errors.Is(err, node.ErrDropped) {
		return fmt.Errorf("%s: log: %w", m.name, err)
	}
	return nil
}

// sees reports whether the member knows so many others.
func (m *member) sees(others int) bool { return len(m.n.Nodes()) == others }

// loggedTo reports whether the member has a connection to a logger.
func (m *member) loggedTo(l *server) bool {
	for _, p := range m.n.PUSH().Peers() {
		if p.Peer.Endpoint == "tcp://"+l.addr {
			return p.Connected
		}
	}
	return false
}

// account is what a member leaves behind, alive or not.
type account struct {
	name                      string
	source                    uint64
	records, dropped, batches uint64
	published, refused        int64
}

func (m *member) account() account {
	s := m.n.Stats()
	return account{m.name, m.source, m.records, s.LogDrops, s.LogBatchesTo, m.sent.Load(), m.refused.Load()}
}
