// Package pump is the limit that a broker is held against: one thread that takes
// bytes from publishers and writes the same bytes to every subscriber, with
// large reads and writes and nothing else.
//
// It completes handshakes, asks every publisher for everything, and swallows
// subscriptions. With one publisher it does not look at the bytes at all; with
// several it looks for the end of the last whole message in each piece, since
// the pieces of different publishers must not mix. Nothing is lost: it reads on
// only when every subscriber has taken the piece before.
//
// The side package has the same in C, which costs less CPU (the Go runtime's
// bookkeeping around blocking system calls shows) and is used where there is a
// compiler.
//
// Linux only. Files: pump_linux.go, cut.go.
package pump
