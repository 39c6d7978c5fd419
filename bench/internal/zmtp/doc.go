// Package zmtp is the part of ZMTP 3.0 (RFC 23) with the NULL mechanism that a
// load generator needs: a handshake, subscriptions, and one fixed message shape
// whose boundaries are found by comparing a few bytes.
//
// It shares no code with the sockets package, so that a mistake there is not
// made here too, and it trusts the broker under test to be on this machine.
//
// Files: handshake.go, frame.go, layout.go.
package zmtp
