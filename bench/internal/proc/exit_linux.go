package proc

// Exit returns how a process that has ended did so: nil for status 0. It waits
// for the end.
func (p *Process) Exit() error {
	<-p.done
	return p.err
}
