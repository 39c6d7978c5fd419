// Package logname turns the path of a log, which comes from a peer, into a file
// name that cannot leave its directory.
//
// A path in Zeek is a name such as "conn", but the wire carries any bytes. The
// mapping is injective, so two paths never share a file by accident, and it is
// the identity for the names that Zeek uses: letters, digits, '_', '-' and '.'
// stay, every other byte becomes %XX. A leading dot is written %2E too, so that
// no log is hidden, is "." or "..", or meets the directories that the logger
// keeps beside its logs.
package logname
