//go:build !unix

package node

// maxDescriptors is not asked for on this system.
func maxDescriptors() int { return 1 << 20 }
