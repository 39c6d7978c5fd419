// Package spool is a queue of log batches on disk, for those that there is no
// memory for and those that must not be lost.
//
// # Segments
//
// A spool is a directory of segments, which are only appended to and are deleted
// whole. A segment begins with 8 bytes that name the format; entries follow:
//
//	 0       4       8       9          17         25        29       33
//	+-------+-------+-------+----------+----------+---------+--------+------//
//	| n     | crc   | flags | seq      | time     | count   | raw    | body
//	+-------+-------+-------+----------+----------+---------+--------+------//
//
// All integers are big-endian. n is the number of bytes behind crc, crc their
// CRC32C. flags bit 0: the body is compressed with S2, raw is its length before.
// The body is count messages:
//
//	+------+--------+------+---------//
//	| len8 | sender | n32  | payload
//	+------+--------+------+---------//
//
// They are numbered seq, seq+1 and so on. Numbers grow in the order in which
// messages are to be written, which need not be that of their place on disk. time
// is when they were received, in nanoseconds since 1970.
//
// A segment ends where an entry is not complete or not right: that is where a
// process died. Nothing is appended to it afterwards.
//
// # Use
//
// One goroutine appends. What it has appended can be read once [Spool.Flush] has
// returned, and survives a power failure once [Spool.Sync] has. A [Ref] says where
// an entry is; [Refs] keeps many in a few bytes each. Every entry appended or
// found by [Spool.Scan] is pending until somebody calls [Spool.Done] for it, from
// any goroutine; a segment without pending entries can be reclaimed. [Reader]s
// read, one for each goroutine.
//
// # Files in reading order
//
// entry.go, refs.go, segment.go, spool.go, scan.go, reader.go
package spool
