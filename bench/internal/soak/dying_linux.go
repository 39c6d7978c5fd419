package soak

import (
	"fmt"
	"math/rand/v2"

	"github.com/znode/znode/bench/internal/zmtp"
)

// maxDyingEvents bounds what a dying publisher sends before its end.
const maxDyingEvents = 300

// dyingPublisher publishes a few events and ends in the middle of one. What was
// whole before that counts.
func (s *soak) dyingPublisher(rng *rand.Rand) error {
	c, err := dialAs(s.broker.pub, zmtp.XPUB)
	if err != nil {
		return err
	}
	source := s.mortals.Add(1)
	var b builder
	var out []byte
	count := 1 + rng.IntN(maxDyingEvents)
	whole := 0
	for i := range count {
		whole = len(out)
		frames, err := b.message(event{source: source, number: uint64(i + 1)})
		if err != nil {
			return err
		}
		out = appendMessage(out, frames...)
	}
	cut := whole + rng.IntN(len(out)-whole)
	if _, err := c.Write(out[:cut]); err != nil {
		c.Close()
		return fmt.Errorf("dying publisher: %w", err)
	}
	if err := c.leave(); err != nil {
		return fmt.Errorf("dying publisher: %w", err)
	}
	s.sentByMortals.Add(int64(count - 1))
	return nil
}

// dyingSubscriber reads a few events and breaks the connection, or breaks it
// before it has subscribed to anything.
func (s *soak) dyingSubscriber(rng *rand.Rand) error {
	c, err := dialAs(s.broker.sub, zmtp.XSUB)
	if err != nil {
		return err
	}
	defer c.reset()
	subscription := zmtp.AppendSubscribe(nil, prefix)
	if rng.IntN(4) == 0 {
		_, err := c.Write(subscription[:1+rng.IntN(len(subscription)-1)])
		return err
	}
	if _, err := c.Write(subscription); err != nil {
		return err
	}
	c.SetDeadline(s.roundEnds)
	var frames [][]byte
	for range rng.IntN(2000) {
		if frames, err = c.message(frames); err != nil {
			return nil // the round is over
		}
	}
	return nil
}
