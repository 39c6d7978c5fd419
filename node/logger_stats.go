package node

// LoggerStats is what a logger has done so far.
type LoggerStats struct {
	Messages uint64 // read from the socket
	Bytes    uint64 // of these, without frame headers
	Records  uint64 // formatted for a file; written at latest a flush interval later
	Refused  uint64 // messages that were not written, for whatever reason
	Files    int    // being written
	Stuck    int    // paths whose files cannot be written at the moment
	Memory   int64  // bytes of what is read and not yet written
}

// Stats returns the logger's figures.
func (l *Logger) Stats() LoggerStats {
	s := LoggerStats{
		Messages: l.received.Load(),
		Bytes:    l.receivedBytes.Load(),
		Files:    l.names.count(),
		Stuck:    int(l.stuck.Load()),
		Memory:   l.budget.stats().used,
	}
	for k := range l.refused {
		s.Refused += l.refused[k].n.Load()
	}
	for _, ln := range l.router.list() {
		if list := ln.tallies.list.Load(); list != nil {
			for _, c := range *list {
				s.Records += c.records.Load()
			}
		}
	}
	return s
}
