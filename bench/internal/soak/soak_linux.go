package soak

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// soak is a run.
type soak struct {
	opt     Options
	rng     *rand.Rand // of the rounds' goroutine
	broker  *server
	loggers []*server
	members []*member
	slow    []*slow
	former  []account // of members that were restarted

	sources    uint64        // members' sources so far
	generation uint64        // of probes
	roundEnds  time.Time     // of the load
	base       base          // of the round
	mortals    atomic.Uint64 // the last source of a dying peer

	sentByMortals, dyingPeers, badPeers, badSent atomic.Int64
}

// Run runs the rounds until their time is over, or ctx is done, and then checks
// the logs. An error says that it could not go on; flaws are in the result.
func Run(ctx context.Context, opt Options) (*Result, error) {
	if err := opt.Validate(); err != nil {
		return nil, err
	}
	s := &soak{opt: opt, rng: rand.New(rand.NewPCG(opt.Seed, 0))}
	s.mortals.Store(firstMortal)
	r := &Result{}
	begin := time.Now()
	err := s.start()
	for err == nil && ctx.Err() == nil && time.Since(begin) < opt.Duration {
		err = s.round(ctx, r)
	}
	r.Took = time.Since(begin)
	if err != nil {
		s.abandon()
		return r, err
	}
	return r, s.finish(r)
}

// start starts all processes and members.
func (s *soak) start() (err error) {
	if s.broker, err = newBroker(s.opt.Znode); err != nil {
		return err
	}
	for name, flags := range map[string][]string{
		"logger-1": {"--archive-compression", "gzip"},
		"logger-2": {"--archive-compression", "none", "--durability", "journal"},
	} {
		l, err := newLogger(s.opt.Znode, name, filepath.Join(s.opt.Dir, name), flags...)
		if err != nil {
			return err
		}
		s.loggers = append(s.loggers, l)
	}
	if s.loggers[0].name != "logger-1" {
		s.loggers[0], s.loggers[1] = s.loggers[1], s.loggers[0]
	}
	for _, p := range append([]*server{s.broker}, s.loggers...) {
		if err := p.start(); err != nil {
			return err
		}
	}
	for i := range s.opt.Members {
		m, err := s.newMember(fmt.Sprintf("worker-%d", i+1))
		if err != nil {
			return err
		}
		s.members = append(s.members, m)
	}
	return nil
}

func (s *soak) newMember(name string) (*member, error) {
	s.sources++
	return newMember(name, s.sources, s.broker, s.loggers)
}

// round is one round, from the moment everybody is there to what is done to them
// before the next.
func (s *soak) round(ctx context.Context, r *Result) error {
	for i := range 2 {
		p, err := newSlow([]string{"stopping", "slow"}[i], s.broker.sub)
		if err != nil {
			return err
		}
		s.slow = append(s.slow, p)
	}
	defer func() {
		for _, p := range s.slow {
			p.close()
		}
		s.slow = nil
	}()
	if err := s.settle(); err != nil {
		return err
	}
	if err := s.open(); err != nil {
		return err
	}
	if err := s.load(ctx); err != nil {
		return err
	}
	b, err := s.check(r)
	if err != nil {
		return err
	}
	r.Rounds++
	fmt.Fprintf(s.opt.Progress, "round %d: %s\n", r.Rounds, b.String())
	for _, p := range s.slow {
		p.close()
	}
	s.slow = nil
	if err := s.idle(); err != nil {
		return err
	}
	if err := s.note(r); err != nil {
		return err
	}
	return s.act(r)
}

// settle waits until everybody is there and hears everybody, and nothing is
// under way any more.
func (s *soak) settle() error {
	err := await("all members see each other", func() (bool, error) {
		for _, m := range s.members {
			if !m.sees(len(s.members) - 1) {
				return false, nil
			}
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	s.generation++
	err = await("everybody hears every member", func() (bool, error) {
		if err := s.probe(); err != nil {
			return false, err
		}
		time.Sleep(poll)
		return s.allHeard(), nil
	})
	if err != nil {
		return err
	}
	// What comes behind the last probe was sent behind it.
	s.generation++
	if err := s.probe(); err != nil {
		return err
	}
	return await("the last probe of every member arrives", func() (bool, error) { return s.allHeard(), nil })
}

// probe has every member publish a probe of this generation.
func (s *soak) probe() error {
	for _, m := range s.members {
		if err := m.publish(event{source: m.source, number: s.generation, probe: true}); err != nil {
			return err
		}
	}
	return nil
}

// allHeard reports whether everybody has a probe of this generation of all
// members. A member does not get its own.
func (s *soak) allHeard() bool {
	for _, from := range s.members {
		for _, m := range s.members {
			if m != from && !m.tally.heard(from.source, s.generation) {
				return false
			}
		}
		for _, p := range s.slow {
			if !p.tally.heard(from.source, s.generation) {
				return false
			}
		}
	}
	return true
}

// load lets the members work, and trouble happen, for the time of a round.
func (s *soak) load(ctx context.Context) error {
	s.roundEnds = time.Now().Add(s.opt.Round)
	ctx, cancel := context.WithDeadline(ctx, s.roundEnds)
	defer cancel()
	for _, m := range s.members {
		m.start(s.opt.Events, s.opt.Records)
	}
	g, ctx := errgroup.WithContext(ctx)
	s.trouble(ctx, g)
	g.Go(func() error { return s.revive(ctx) })
	err := g.Wait()
	for _, m := range s.members {
		err = errors.Join(err, m.stop())
	}
	for _, p := range s.slow {
		p.hold(false, 0)
	}
	return err
}

// revive starts the loggers again that were ended before this round, a while
// after it has begun.
func (s *soak) revive(ctx context.Context) error {
	pause(ctx, s.opt.Round/3)
	for _, l := range s.loggers {
		if l.running() {
			continue
		}
		if err := l.start(); err != nil {
			return err
		}
	}
	return nil
}

// check waits until everything is accounted for.
func (s *soak) check(r *Result) (b balance, err error) {
	err = await("every event is delivered or counted as dropped", func() (bool, error) {
		b, err = s.balance()
		return b.balanced(len(s.members)), err
	})
	if err != nil {
		return b, fmt.Errorf("%w: %s: unaccounted for, members and slow ones: %d", err, b.String(), b.unaccounted(len(s.members)))
	}
	var sent, read, refused int64
	err = await("the loggers have read every batch", func() (bool, error) {
		sent, read, refused, err = s.batches()
		return sent == read, err
	})
	if err != nil {
		return b, fmt.Errorf("%w: %d batches sent, %d read", err, sent, read)
	}
	r.Batches = sent
	if bad := s.badSent.Load(); refused != bad {
		r.flaw("round %d: %d bad batches sent, %d refused", r.Rounds+1, bad, refused)
	}
	r.BadBatches = refused
	r.Published += b.sent
	r.Delivered += b.delivered
	r.DroppedForMembers += b.toMembers
	for _, p := range b.toSlow {
		r.DeliveredSlow += p.delivered
		r.DroppedSlow += p.dropped
	}
	s.checkTallies(r)
	return b, nil
}

// checkTallies looks for events that came twice, in the wrong order, or changed.
func (s *soak) checkTallies(r *Result) {
	tell := func(name string, t *tally) {
		if misordered, strange := t.flaws(); misordered+strange > 0 {
			r.flaw("round %d: %s got %d events twice or behind later ones, and %d that nobody published", r.Rounds+1, name, misordered, strange)
		}
	}
	for _, m := range s.members {
		tell(m.name, m.tally)
	}
	for _, p := range s.slow {
		tell(p.name, p.tally)
	}
}

// idle waits until only the members are connected, so that what is used is always
// used for the same.
func (s *soak) idle() error {
	return await("only the members are connected", func() (bool, error) {
		f, err := s.broker.scrape()
		return f.sum("znode_broker_connections") == float64(2*len(s.members)), err
	})
}

// finish ends everything in order and checks what is left.
func (s *soak) finish(r *Result) error {
	for _, l := range s.loggers {
		if !l.running() {
			if err := l.start(); err != nil {
				return err
			}
		}
	}
	for _, m := range s.members {
		if err := m.n.Close(); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	err := await("the loggers have read every batch", func() (bool, error) {
		sent, read, _, err := s.batches()
		return sent == read, err
	})
	if err != nil {
		return err
	}
	for _, p := range append([]*server{s.broker}, s.loggers...) {
		if err := p.stop(); err != nil {
			return err
		}
	}
	for _, a := range s.accounts() {
		r.Refused += a.refused
	}
	r.DyingPeers, r.BadPeers = s.dyingPeers.Load(), s.badPeers.Load()
	r.judge()
	r.finished = true
	return s.checkLogs(r)
}

// abandon ends what runs, however.
func (s *soak) abandon() {
	for _, m := range s.members {
		go m.n.Close() // it lingers for somebody who may never come
	}
	for _, p := range append([]*server{s.broker}, s.loggers...) {
		if p != nil && p.p != nil {
			p.p.Stop()
		}
	}
}

// accounts returns those of all members there ever were.
func (s *soak) accounts() []account {
	all := append([]account(nil), s.former...)
	for _, m := range s.members {
		all = append(all, m.account())
	}
	return all
}

// pause waits, or until ctx is done.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
