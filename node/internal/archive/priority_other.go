//go:build !linux

package archive

// lowerPriority does nothing where priorities are those of processes.
func lowerPriority() {}
