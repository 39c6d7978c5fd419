// Package archive keeps the log files that are finished: it names them as
// operators of zeekctl know them, moves them to their place, compresses them in
// the background, hands them to the operator's command, and deletes the oldest
// when there are too many.
//
// A finished log is
//
//	<dir>/YYYY-MM-DD/<name>.HH:MM:SS-HH:MM:SS.log[.gz|.zst]
//
// where the date and the first time are those of its opening and the second one
// that of its closing, in local time. When that name is taken, "-2", "-3" and so
// on is put behind the times.
//
// An [Archiver] works through its jobs one after the other, in a goroutine whose
// thread has the lowest priority where the system has such. What it makes appears
// under its final name complete and on disk; before, its name begins with a dot
// and ends in ".tmp". The source is deleted after that, so a job that a crash cut
// short can be done again, whatever the compression is by then. The command may get
// a log twice then. Parts of loggers that do not come back are deleted after a day.
//
// Files in reading order: name.go, archiver.go, compress.go, again.go, command.go,
// retention.go, priority_linux.go.
package archive
