package load

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/znode/znode/bench/internal/hist"
	"github.com/znode/znode/bench/internal/rawsock"
	"github.com/znode/znode/bench/internal/zmtp"
	"github.com/znode/znode/sockets/curve"
)

// readBytes is how much a subscriber reads at once.
const readBytes = 256 << 10

// subscriber is one raw XSUB.
type subscriber struct {
	link
	opener *opener // nil without CURVE
	stream *stream
	last   int64 // clock of the last piece
	gap    int64 // longest time between two pieces since the mark
}

// subscribers reads all its connections from one goroutine.
type subscribers struct {
	cfg     Config
	layout  zmtp.Layout
	poller  *rawsock.Poller
	buf     []byte
	stopped atomic.Bool
	limit   atomic.Int64 // messages per second of all together; 0: none
	crawled int64        // clock when a limited read was last allowed
	allowed int64        // bytes that may be read now under a limit

	mu      sync.Mutex // guards the subscribers' counts
	all     []*subscriber
	latency hist.Histogram
}

// newSubscribers connects all subscribers and sends their subscriptions.
func newSubscribers(cfg Config, layout zmtp.Layout) (*subscribers, error) {
	ss := &subscribers{cfg: cfg, layout: layout, buf: make([]byte, readBytes+layout.Head)}
	client, err := curveFromEnviron()
	if err != nil {
		return nil, err
	}
	if client != nil {
		// A piece may begin with a whole frame but its last byte.
		ss.buf = make([]byte, readBytes+layout.Size+curve.Overhead)
	}
	if ss.poller, err = rawsock.NewPoller(); err != nil {
		return nil, err
	}
	for i := range cfg.Subs {
		if err := ss.connect(i, client); err != nil {
			ss.close()
			return nil, fmt.Errorf("subscriber %d: %w", i, err)
		}
	}
	return ss, nil
}

func (ss *subscribers) connect(i int, client *curve.Client) error {
	l, err := dial(ss.cfg.SubAddr, zmtp.XSUB, client)
	if err != nil {
		return err
	}
	s := &subscriber{link: l, stream: newStream(&ss.layout, &ss.latency)}
	ss.all = append(ss.all, s)
	if err := s.stream.feed(l.rest, 0); err != nil {
		return err
	}
	var wire []byte
	for _, prefix := range ss.cfg.Prefixes(ss.cfg.FirstSub + i) {
		wire = zmtp.AppendSubscribe(wire, prefix)
	}
	if l.codec != nil {
		s.opener = &opener{codec: l.codec}
		if wire, err = seal(nil, l.codec, wire); err != nil {
			return err
		}
	}
	if err := rawsock.WriteAll(l.fd, wire, time.Now().Add(dialTimeout)); err != nil {
		return err
	}
	return ss.poller.Add(l.fd, rawsock.In, i)
}

// run reads until stop.
func (ss *subscribers) run() error {
	for !ss.stopped.Load() {
		if limit := ss.limit.Load(); limit > 0 {
			if err := ss.crawl(limit); err != nil {
				return err
			}
			continue
		}
		_, err := ss.poller.Wait(100, func(i int, _ uint32) error {
			_, err := ss.read(i, readBytes)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// read takes one piece of at most size bytes.
func (ss *subscribers) read(i, size int) (int, error) {
	s := ss.all[i]
	ss.mu.Lock()
	defer ss.mu.Unlock()
	start := s.begin(ss.buf)
	n, err := rawsock.Read(s.fd, ss.buf[start:start+size])
	if err != nil {
		return 0, fmt.Errorf("subscriber %d: %w", ss.cfg.FirstSub+i, err)
	}
	if n > 0 {
		now := rawsock.Clock()
		if s.last != 0 {
			s.gap = max(s.gap, now-s.last)
		}
		s.last = now
		if ss.cfg.Rate == 0 {
			now = 0
		}
		if err := s.feed(ss.buf[:start+n], now); err != nil {
			return 0, fmt.Errorf("subscriber %d: %w", ss.cfg.FirstSub+i, err)
		}
		return n, nil
	}
	return 0, s.feed(ss.buf[:start], 0)
}

// begin places what was left of the last piece at the start of buf and returns its
// length.
func (s *subscriber) begin(buf []byte) int {
	if s.opener != nil {
		return s.opener.begin(buf)
	}
	return s.stream.begin(buf)
}

// feed takes a piece, with what begin placed before it.
func (s *subscriber) feed(b []byte, now int64) error {
	if s.opener != nil {
		var err error
		if b, err = s.opener.open(s.stream.carry, b); err != nil {
			return err
		}
		s.stream.carry = s.stream.carry[:0]
	}
	return s.stream.feed(b, now)
}

const (
	// crawlStep is how often a slow subscriber reads.
	crawlStep = 2 * time.Millisecond
	// crawlBurst is how much time a slow subscriber makes up for when it was
	// not woken in time.
	crawlBurst = 100 * time.Millisecond
)

// crawl reads as much as a slow subscriber may by now, and waits for a step.
func (ss *subscribers) crawl(limit int64) error {
	now := rawsock.Clock()
	perSecond := limit * int64(ss.layout.Size)
	since := min(now-ss.crawled, int64(crawlBurst))
	ss.crawled = now
	ss.allowed = min(ss.allowed+since*perSecond/int64(time.Second), perSecond*int64(crawlBurst)/int64(time.Second))
	for progress := true; progress && ss.allowed > 0; {
		progress = false
		for i := range ss.all {
			n, err := ss.read(i, int(min(ss.allowed, readBytes)))
			if err != nil {
				return err
			}
			ss.allowed -= int64(n)
			progress = progress || n > 0
			if ss.allowed <= 0 {
				break
			}
		}
	}
	time.Sleep(crawlStep)
	return nil
}

// mark forgets the longest gaps.
func (ss *subscribers) mark() {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	for _, s := range ss.all {
		s.gap = 0
		if s.last != 0 {
			s.last = rawsock.Clock()
		}
	}
}

// snap adds the subscribers' counts to a snap.
func (ss *subscribers) snap(to *Snap) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	now := rawsock.Clock()
	for _, s := range ss.all {
		to.Received = append(to.Received, s.stream.received)
		to.Probed = append(to.Probed, len(s.stream.probed))
		to.Newest = max(to.Newest, slices.Max(s.stream.next))
		to.Misordered += s.stream.misordered
		gap := s.gap
		if s.last != 0 {
			gap = max(gap, now-s.last)
		}
		to.Gaps = append(to.Gaps, gap)
	}
	if ss.cfg.Rate > 0 {
		copied := ss.latency
		to.Latency = &copied
	}
}

func (ss *subscribers) stop() { ss.stopped.Store(true) }

func (ss *subscribers) close() {
	for _, s := range ss.all {
		rawsock.Close(s.fd)
	}
	ss.poller.Close()
}
