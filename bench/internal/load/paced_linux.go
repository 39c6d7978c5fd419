package load

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/znode/znode/bench/internal/rawsock"
)

// paced writes one message at a time, each at its moment and with the clock in
// it, the publishers taking turns. It keeps to the schedule: after a delay, the
// messages that are due follow at once.
func (ps *publishers) paced() error {
	// Without this the kernel may wake us 50 us late.
	if err := unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("timer slack: %w", err)
	}
	interval := int64(time.Second) / int64(ps.cfg.Rate)
	due := rawsock.Clock()
	for i := 0; ps.publish.Load(); i++ {
		p := ps.all[i%len(ps.all)]
		ts := unix.NsecToTimespec(due)
		for unix.ClockNanosleep(unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, &ts, nil) == unix.EINTR {
		}
		msg := p.batch.message(int(p.first) % p.batch.messages)
		p.batch.layout.Stamp(msg, p.batch.publisher, p.first, rawsock.Clock())
		wire, err := p.encode(msg)
		if err == nil {
			err = rawsock.WriteAll(p.fd, wire, time.Now().Add(dialTimeout))
		}
		if err != nil {
			return fmt.Errorf("publisher %d: %w", p.batch.publisher, err)
		}
		p.first++
		p.sent.Store(p.first)
		due += interval
	}
	return nil
}
