// Package ledger remembers, across the death of the process, which log files a
// logger has begun, how far each is known to be right, and what is still to be
// done with those that are finished.
//
// # What is remembered
//
// A file is identified by device and inode, for its name is used again after a
// rotation. It goes through these states; each change is one record:
//
//	Opened --> open --Rotated--> rotated --Moved--> moved --Forgotten--> (gone)
//	             |                                                          ^
//	             +-------------------------- Forgotten --------------------+
//
//	open     <name>.log is being written
//	rotated  it is complete; it is to be renamed, or was and nobody noted it
//	moved    it has its place in the archive; compression and so on are to come
//
// Batches are numbered (see package spool). For every lane (the path of a log)
// and every list of columns the ledger has the number up to which all batches are
// in files: the mark. Two records advance it:
//
//   - Committed says that the first length bytes of a file are on disk and hold
//     all batches up to a number. After a crash the file is cut to that length and
//     what comes after the number is written again.
//   - Intended says that the next bytes of a file, at an offset, will bring it to a
//     number. After a crash the length of the file tells whether they did; see
//     [Ledger.Settle]. It is for batches that are in the spool only because there
//     was no memory, where batches that are not may come in between.
//
// # On disk
//
// The file "ledger" begins with 8 bytes that name the format. Records follow: a
// 4-byte length, a 4-byte CRC32C, both big-endian, and the record, which is JSON:
// there are few. It ends where a record is not complete. When much of it is out of
// date it is written anew under another name, brought to disk and renamed.
//
// All methods are safe for concurrent use. A method that fails has not changed
// anything and can be called again.
package ledger
