package soak

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"
)

// trouble starts what goes wrong in a round. Each kind has a goroutine of its
// own, which ends with ctx, and its own random numbers.
func (s *soak) trouble(ctx context.Context, g *errgroup.Group) {
	each := func(between time.Duration, act func(*rand.Rand) error) {
		rng := rand.New(rand.NewPCG(s.rng.Uint64(), s.rng.Uint64()))
		g.Go(func() error {
			for ctx.Err() == nil {
				if err := act(rng); err != nil {
					return err
				}
				pause(ctx, time.Duration(rng.Int64N(int64(2*between))))
			}
			return nil
		})
	}
	each(40*time.Millisecond, s.counted(s.dyingPublisher))
	each(60*time.Millisecond, s.counted(s.dyingSubscriber))
	each(30*time.Millisecond, s.badPeer)
	each(100*time.Millisecond, s.badBatches)
	stopping, slow := s.slow[0], s.slow[1]
	each(200*time.Millisecond, func(rng *rand.Rand) error {
		stopping.hold(true, 0)
		pause(ctx, time.Duration(rng.Int64N(int64(s.opt.Round/2))))
		stopping.hold(false, 0)
		return nil
	})
	slow.hold(false, time.Second/time.Duration(1+s.opt.Events/4))
}

// counted counts the peers that have died.
func (s *soak) counted(act func(*rand.Rand) error) func(*rand.Rand) error {
	return func(rng *rand.Rand) error {
		s.dyingPeers.Add(1)
		return act(rng)
	}
}

// actions are what is done between rounds, in turn.
var actions = []struct {
	name string
	act  func(*soak) error
}{
	{"nothing", func(*soak) error { return nil }},
	{"logger-2 killed", func(s *soak) error { return s.endLogger(1, (*server).kill) }},
	{"broker stopped", func(s *soak) error { return s.restartBroker((*server).stop) }},
	{"member restarted", (*soak).restartMember},
	{"logger-1 stopped", func(s *soak) error { return s.endLogger(0, (*server).stop) }},
	{"broker killed", func(s *soak) error { return s.restartBroker((*server).kill) }},
	{"both loggers stopped", func(s *soak) error {
		return errors.Join(s.endLogger(0, (*server).stop), s.endLogger(1, (*server).stop))
	}},
}

// act does the next action.
func (s *soak) act(r *Result) error {
	a := actions[(r.Rounds-1)%len(actions)]
	r.Actions = append(r.Actions, a.name)
	if err := a.act(s); err != nil {
		return fmt.Errorf("%s: %w", a.name, err)
	}
	return nil
}

// restartBroker ends the broker and starts it where it was.
func (s *soak) restartBroker(end func(*server) error) error {
	if err := end(s.broker); err != nil {
		return err
	}
	return s.broker.start()
}

// endLogger ends a logger that has read everything. It returns when the members
// have noticed, so that none sends into a connection that is dead. The logger is
// started again in the middle of the next round.
func (s *soak) endLogger(i int, end func(*server) error) error {
	l := s.loggers[i]
	if err := l.carry(); err != nil {
		return err
	}
	if err := end(l); err != nil {
		return err
	}
	return await("the members notice", func() (bool, error) {
		for _, m := range s.members {
			if m.loggedTo(l) {
				return false, nil
			}
		}
		return true, nil
	})
}

// restartMember ends one member, whose place another one takes.
func (s *soak) restartMember() error {
	i := s.rng.IntN(len(s.members))
	m := s.members[i]
	if err := m.n.Close(); err != nil {
		return err
	}
	s.former = append(s.former, m.account())
	var err error
	s.members[i], err = s.newMember(m.name)
	return err
}
