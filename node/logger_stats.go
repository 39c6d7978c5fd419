package node

import "time"

// LoggerStats is what a logger has done so far.
type LoggerStats struct {
	Messages uint64 // read from the socket
	Bytes    uint64 // of these, without frame headers
	Records  uint64 // formatted for a file; written at latest a flush interval later
	Written  uint64 // bytes, to all logs
	Refused  uint64 // messages that were not written, for whatever reason
	Lost     uint64 // batches that were read and neither written nor kept; 0 until Close gives up

	Files     int           // being written
	Stuck     int           // paths whose files cannot be written at the moment
	Memory    int64         // bytes of what is read and not yet written
	Spool     int64         // bytes on disk
	SpoolFull bool          // no socket is read until there is room
	Spooled   uint64        // batches that went into the spool
	Lag       time.Duration // age of the oldest batch that is being worked on or cannot be

	Rotations uint64 // logs that were finished and renamed
	Archived  uint64 // of these, compressed and in their place
	Rejected  uint64 // refused batches that were kept for inspection
}

// Stats returns the logger's figures.
func (l *Logger) Stats() LoggerStats {
	var s LoggerStats
	now := time.Now().UnixNano()
	older := func(at int64) {
		if at > 0 {
			s.Lag = max(s.Lag, time.Duration(now-at))
		}
	}
	older(l.router.oldest.Load())
	older(l.store.sync.oldest.Load())
	for _, ln := range l.router.all() {
		for _, c := range ln.tallies.all() {
			s.Records += c.records.Load()
		}
		older(ln.oldest.Load())
	}
	l.opt.hooks.at("stats")
	// In the order of a batch's way: what is counted among Records is in Memory, or
	// written; what is in neither Memory nor Spool is in a file, and that among Files
	// until it is rotated.
	s.Memory = l.budget.stats().used
	s.Spool = l.store.spool.Stats().Bytes
	s.Files = l.names.count()
	s.Messages, s.Bytes = l.received.Load(), l.receivedBytes.Load()
	s.Written = l.written.Load()
	s.Lost = l.lost.Load() + l.store.broken.Load()
	s.Stuck = int(l.stuck.Load())
	s.SpoolFull, s.Spooled = l.store.full.Load(), l.store.spooled.Load()
	s.Rotations, s.Archived = l.rotations.Load(), l.keeper.Stats().Archived
	s.Rejected = l.reject.kept.Load()
	for k := range l.refused {
		s.Refused += l.refused[k].n.Load()
	}
	return s
}
