package soak

import (
	"errors"
	"fmt"
	"io"
	"time"
)

// Options says what is run.
type Options struct {
	Duration time.Duration // of all rounds; the last one is finished
	Round    time.Duration // of load in a round
	Members  int           // nodes that publish, subscribe and log
	Events   int           // a second, of each member
	Records  int           // a second, of each member
	Seed     uint64        // of what goes wrong, and when
	Znode    string        // the binary
	Dir      string        // where the loggers write; must exist
	Progress io.Writer     // gets a line per round
}

// Validate reports the first value that no run can have.
func (o *Options) Validate() error {
	switch {
	case o.Round < 100*time.Millisecond:
		return fmt.Errorf("a round of %v, want at least 100ms", o.Round)
	case o.Duration < o.Round:
		return fmt.Errorf("a duration of %v is shorter than a round of %v", o.Duration, o.Round)
	case o.Members < 2 || o.Members > 100:
		return fmt.Errorf("%d members, want 2 to 100", o.Members)
	case o.Events < 1 || o.Records < 1:
		return errors.New("events and records: want at least one a second")
	}
	return nil
}

const (
	// patience is how long anything may take that should happen.
	patience = time.Minute
	// poll is the pause between two looks at something that should happen.
	poll = 20 * time.Millisecond
)

// await asks until the answer is yes, and fails with what when it never is.
func await(what string, ok func() (bool, error)) error {
	for deadline := time.Now().Add(patience); ; time.Sleep(poll) {
		switch yes, err := ok(); {
		case err != nil:
			return fmt.Errorf("%s: %w", what, err)
		case yes:
			return nil
		case time.Now().After(deadline):
			return fmt.Errorf("not within %v: %s", patience, what)
		}
	}
}
