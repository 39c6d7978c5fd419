package node

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"os"
)

// newNodeID returns an id as Zeek's nodes have it:
// zeromq_<name>_<hostname>_<pid>_<unique>, where unique is N and 17 characters
// of base 62.
func newNodeID(name string) string {
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "localhost"
	}
	return fmt.Sprintf("zeromq_%s_%s_%d_%s", name, host, os.Getpid(), uniqueID())
}

// uniqueID is Zeek's unique_id("N"): 96 random bits written in base 62.
func uniqueID() string {
	var raw [12]byte
	rand.Read(raw[:]) // never fails: it would end the process
	return "N" + new(big.Int).SetBytes(raw[:]).Text(62)
}
