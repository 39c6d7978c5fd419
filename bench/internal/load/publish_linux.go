package load

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/znode/znode/bench/internal/rawsock"
	"github.com/znode/znode/bench/internal/zmtp"
)

// publisher is one raw XPUB.
type publisher struct {
	link
	batch  *batch
	wire   []byte // the batch as it goes out: its bytes, or with CURVE their sealed form
	sealed []byte // memory for the latter
	off    int    // bytes of wire written; 0: the next batch begins
	first  uint64
	sent   atomic.Uint64 // messages completely written
}

// publishers writes batches to all its connections from one goroutine.
type publishers struct {
	cfg    Config
	layout zmtp.Layout
	all    []*publisher
	poller *rawsock.Poller

	mu      sync.Mutex // run holds it while it publishes
	begun   sync.Cond  // publishing or stopped has changed
	publish atomic.Bool
	stopped atomic.Bool
	waiting bool
}

// newPublishers connects all publishers.
func newPublishers(cfg Config, layout zmtp.Layout) (*publishers, error) {
	ps := &publishers{cfg: cfg, layout: layout}
	ps.begun.L = &ps.mu
	client, err := curveFromEnviron()
	if err != nil {
		return nil, err
	}
	if ps.poller, err = rawsock.NewPoller(); err != nil {
		return nil, err
	}
	for i := range cfg.Pubs {
		l, err := dial(cfg.PubAddr, zmtp.XPUB, client)
		if err != nil {
			ps.close()
			return nil, fmt.Errorf("publisher %d: %w", i, err)
		}
		ps.all = append(ps.all, &publisher{link: l, batch: newBatch(&ps.layout, cfg.FirstPub+i, cfg.Topics)})
		if err := ps.poller.Add(l.fd, rawsock.In, i); err != nil {
			ps.close()
			return nil, err
		}
	}
	return ps, nil
}

// run publishes whenever it is told to, until stop.
func (ps *publishers) run() error {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	for {
		for !ps.publish.Load() && !ps.stopped.Load() {
			ps.waiting = true
			ps.begun.Broadcast()
			ps.begun.Wait()
		}
		ps.waiting = false
		if ps.stopped.Load() {
			return nil
		}
		round := ps.flood
		if ps.cfg.Rate > 0 {
			round = ps.paced
		}
		if err := round(); err != nil {
			return err
		}
	}
}

// start begins publishing.
func (ps *publishers) start() {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.publish.Store(true)
	ps.begun.Broadcast()
}

// pause ends publishing and waits until every message begun is written.
func (ps *publishers) pause() {
	ps.publish.Store(false)
	ps.mu.Lock()
	defer ps.mu.Unlock()
	for !ps.waiting && !ps.stopped.Load() {
		ps.begun.Wait()
	}
}

// stop ends run, which closes nothing.
func (ps *publishers) stop() {
	ps.publish.Store(false)
	ps.stopped.Store(true)
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.begun.Broadcast()
}

func (ps *publishers) close() {
	for _, p := range ps.all {
		rawsock.Close(p.fd)
	}
	ps.poller.Close()
}

// flood writes batch after batch to every connection that takes bytes, until
// told to pause, and then what is left of the batches begun.
func (ps *publishers) flood() error {
	for i, p := range ps.all {
		if err := ps.poller.Set(p.fd, rawsock.In|rawsock.Out, i); err != nil {
			return err
		}
	}
	for !ps.stopped.Load() {
		_, err := ps.poller.Wait(100, func(i int, events uint32) error {
			if err := ps.ready(ps.all[i], events); err != nil {
				return fmt.Errorf("publisher %d: %w", ps.cfg.FirstPub+i, err)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if ps.publish.Load() {
			continue
		}
		if left, err := ps.settle(); left == 0 || err != nil {
			return err
		}
	}
	return nil
}

func (ps *publishers) ready(p *publisher, events uint32) error {
	if events&rawsock.In != 0 {
		if err := discard(p.fd); err != nil {
			return err
		}
	}
	if events&rawsock.Out == 0 || (p.off == 0 && !ps.publish.Load()) {
		return nil
	}
	return p.writeMore()
}

// settle stops watching publishers that have no batch begun, and returns how
// many have one.
func (ps *publishers) settle() (left int, err error) {
	for i, p := range ps.all {
		if p.off > 0 {
			left++
		} else if err := ps.poller.Set(p.fd, rawsock.In, i); err != nil {
			return left, err
		}
	}
	return left, nil
}

// encode returns messages of the batch as they go out, good until the next call.
func (p *publisher) encode(messages []byte) (wire []byte, err error) {
	if p.codec == nil {
		return messages, nil
	}
	p.sealed, err = seal(p.sealed[:0], p.codec, messages)
	return p.sealed, err
}

// writeMore writes once.
func (p *publisher) writeMore() (err error) {
	if p.off == 0 {
		p.batch.stamp(p.first)
		if p.wire, err = p.encode(p.batch.bytes); err != nil {
			return err
		}
	}
	n, err := rawsock.Write(p.fd, p.wire[p.off:])
	if err != nil {
		return err
	}
	p.off += n
	// Sealed messages are of one size too.
	p.sent.Store(p.first + uint64(p.off/(len(p.wire)/p.batch.messages)))
	if p.off == len(p.wire) {
		p.off = 0
		p.first += uint64(p.batch.messages)
	}
	return nil
}

// probe writes one probe of each topic on every connection. It must not run
// while publishing.
func (ps *publishers) probe() error {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	for i, p := range ps.all {
		if err := discard(p.fd); err != nil {
			return fmt.Errorf("publisher %d: %w", ps.cfg.FirstPub+i, err)
		}
		wire, err := p.encode(p.batch.probes(ps.cfg.Topics))
		if err == nil {
			err = rawsock.WriteAll(p.fd, wire, time.Now().Add(dialTimeout))
		}
		if err != nil {
			return fmt.Errorf("publisher %d: %w", ps.cfg.FirstPub+i, err)
		}
	}
	return nil
}

// discard reads away what is there: subscriptions, which a raw publisher has no
// use for.
func discard(fd int) error {
	var buf [16 << 10]byte
	for {
		n, err := rawsock.Read(fd, buf[:])
		if n == 0 || err != nil {
			return err
		}
	}
}
