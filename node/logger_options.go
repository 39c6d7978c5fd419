package node

import (
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/znode/znode/codec"
	"github.com/znode/znode/node/internal/archive"
	"github.com/znode/znode/sockets"
)

// Durability says what a logger still has when its process is killed.
type Durability string

// The durabilities.
const (
	// DurabilityMemory: what was read and not yet written is lost, which is at
	// most MemoryLimit. What is in the spool is not.
	DurabilityMemory Durability = "memory"
	// DurabilityJournal: every batch is on disk before it is formatted, and is
	// in its log exactly once, whenever the process dies. What was not read from
	// the socket, or for less than about 10 ms, is lost: PUSH and PULL have no
	// acknowledgement.
	DurabilityJournal Durability = "journal"
)

// Compression selects what archived logs are compressed with.
type Compression = archive.Compression

// The compressions.
const (
	CompressionNone Compression = archive.None
	CompressionGzip Compression = archive.Gzip
	CompressionZstd Compression = archive.Zstd
)

// LoggerOptions configures a [Logger]. Start from [DefaultLoggerOptions].
type LoggerOptions struct {
	// Node is the value of the metrics' label "node".
	Node string
	// ListenLogEndpoint is where nodes connect their PUSH sockets.
	ListenLogEndpoint string
	// PULL configures the socket. MaxMessageSize 0 is a quarter of MemoryLimit,
	// which is also the most it may be.
	PULL sockets.Options

	// LogDir is where the logs are written; it is made when it is missing.
	LogDir string
	// Text says how they are written.
	Text codec.TextOptions
	// FlushInterval bounds how long a record waits to be written while others
	// keep coming. When none do, it is written at once.
	FlushInterval time.Duration
	// MaxStreams bounds the files that are open at a time. Batches for further
	// ones are refused.
	MaxStreams int

	// MemoryLimit bounds the memory of batches that are read and not yet
	// written, in bytes. When a log cannot be written as fast as it comes, and is
	// slower than the spool, its batches go there; beyond the limit no socket is
	// read.
	MemoryLimit int64
	// SpoolDir is where batches wait that there is no memory for; "" is .spool
	// in LogDir.
	SpoolDir string
	// SpoolLimit bounds what is there, in bytes. Beyond it no socket is read. A
	// Close that gives up adds what is in memory all the same.
	SpoolLimit int64
	// Durability says what survives a kill.
	Durability Durability

	// RotationInterval is how long a log is written before it is archived and
	// a new one begun, counted from midnight local time; 0 is for ever.
	RotationInterval time.Duration
	// RotationSize is the size in bytes at which that happens too; 0 is none.
	RotationSize int64
	// RotationCommand is run for every archived log; its words are the program
	// and its arguments, and the absolute path of the log comes behind them.
	RotationCommand string
	// ArchiveDir is where logs go when they are finished, into a directory for
	// each day; "" is LogDir.
	ArchiveDir string
	// ArchiveCompression is what they are compressed with.
	ArchiveCompression Compression
	// ArchiveMaxAge and ArchiveMaxSize bound the archive; the oldest logs are
	// deleted. 0 is no bound.
	ArchiveMaxAge  time.Duration
	ArchiveMaxSize int64

	// RejectDir is where malformed batches are kept for inspection; "" is
	// .rejects in LogDir.
	RejectDir string
	// RejectLimit bounds what is there, in bytes; 0 keeps none.
	RejectLimit int64

	// Log gets the few lines the logger writes; nil discards them.
	Log *slog.Logger

	hooks *loggerHooks // of tests
	eager bool         // archiving does not stand back, for tests that wait for it
}

// DefaultLoggerOptions returns Zeek's defaults where it has one. Rotation is
// that of a logger run by zeekctl: every hour.
func DefaultLoggerOptions() LoggerOptions {
	o := LoggerOptions{
		Node:               "znode",
		ListenLogEndpoint:  "tcp://127.0.0.1:5557",
		LogDir:             "logs",
		Text:               codec.DefaultTextOptions(),
		FlushInterval:      time.Second,
		MaxStreams:         1000,
		MemoryLimit:        64 << 20,
		SpoolLimit:         10 << 30,
		Durability:         DurabilityMemory,
		RotationInterval:   time.Hour,
		ArchiveCompression: CompressionGzip,
		RejectLimit:        64 << 20,
		PULL:               sockets.DefaultOptions(),
	}
	o.PULL.MaxMessageSize = 0
	o.PULL.Linger = 0
	return o
}

const (
	// minMemoryLimit leaves room for a few reads of 256 KiB and the buffers of
	// as many files.
	minMemoryLimit = 4 << 20
	// minRotation is the shortest interval that the archive's names can show.
	minRotation = 100 * time.Millisecond
	// maxMessage is the largest message that package sockets takes.
	maxMessage = 1<<31 - 1
)

// Validate reports the first option that has a value it cannot take.
func (o *LoggerOptions) Validate() error {
	if _, err := sockets.ParseEndpoint(o.ListenLogEndpoint); err != nil {
		return err
	}
	if err := o.Text.Validate(); err != nil {
		return err
	}
	switch {
	case o.LogDir == "":
		return errors.New("log directory: empty, want a path")
	case o.FlushInterval <= 0:
		return fmt.Errorf("flush interval: %v, must be positive", o.FlushInterval)
	case o.MemoryLimit < minMemoryLimit:
		return fmt.Errorf("memory limit: %d bytes, the least is %d", o.MemoryLimit, minMemoryLimit)
	case o.MaxStreams < 1:
		return fmt.Errorf("max streams: %d, the least is 1", o.MaxStreams)
	case int64(o.PULL.MaxMessageSize) > o.MemoryLimit/4:
		return fmt.Errorf("max message size: %d bytes is more than a quarter of the memory limit of %d bytes; lower the one or raise the other",
			o.PULL.MaxMessageSize, o.MemoryLimit)
	case o.RejectLimit < 0:
		return fmt.Errorf("reject limit: %d bytes, must not be negative", o.RejectLimit)
	}
	pull := o.pull()
	if err := pull.Validate(); err != nil {
		return err
	}
	return o.validateDisk()
}

func (o *LoggerOptions) validateDisk() error {
	switch {
	case o.Durability != DurabilityMemory && o.Durability != DurabilityJournal:
		return fmt.Errorf("durability: %q, want %s or %s", o.Durability, DurabilityMemory, DurabilityJournal)
	case o.ArchiveCompression != CompressionNone && o.ArchiveCompression != CompressionGzip && o.ArchiveCompression != CompressionZstd:
		return fmt.Errorf("archive compression: %q, want %s, %s or %s", o.ArchiveCompression, CompressionNone, CompressionGzip, CompressionZstd)
	case o.RotationInterval != 0 && o.RotationInterval < minRotation:
		return fmt.Errorf("rotation interval: %v, want 0 for never, or at least %v", o.RotationInterval, minRotation)
	case o.RotationSize < 0:
		return fmt.Errorf("rotation size: %d bytes, must not be negative", o.RotationSize)
	case o.ArchiveMaxAge < 0:
		return fmt.Errorf("archive max age: %v, must not be negative", o.ArchiveMaxAge)
	case o.ArchiveMaxSize < 0:
		return fmt.Errorf("archive max size: %d bytes, must not be negative", o.ArchiveMaxSize)
	case filepath.Clean(o.spoolDir()) == filepath.Clean(o.LogDir):
		return fmt.Errorf("spool directory: %s is the log directory, want another one", o.SpoolDir)
	}
	if pull := o.pull(); o.SpoolLimit < 2*int64(pull.MaxMessageSize) {
		return fmt.Errorf("spool limit: %d bytes is less than two messages of the max message size of %d bytes",
			o.SpoolLimit, pull.MaxMessageSize)
	}
	if words := strings.Fields(o.RotationCommand); len(words) > 0 {
		if _, err := exec.LookPath(words[0]); err != nil {
			return fmt.Errorf("rotation command: %w", err)
		}
	}
	return nil
}

// pull is the socket's options with the default message size filled in.
func (o *LoggerOptions) pull() sockets.Options {
	p := o.PULL
	if p.MaxMessageSize == 0 {
		p.MaxMessageSize = int(min(o.MemoryLimit/4, maxMessage))
	}
	if p.Log == nil {
		p.Log = o.Log
	}
	return p
}

func (o *LoggerOptions) spoolDir() string   { return orBelow(o.SpoolDir, o.LogDir, ".spool") }
func (o *LoggerOptions) rejectDir() string  { return orBelow(o.RejectDir, o.LogDir, ".rejects") }
func (o *LoggerOptions) archiveDir() string { return orBelow(o.ArchiveDir, o.LogDir, "") }

func orBelow(dir, parent, name string) string {
	if dir != "" {
		return dir
	}
	return filepath.Join(parent, name)
}

// rotates reports whether logs are rotated at all.
func (o *LoggerOptions) rotates() bool { return o.RotationInterval > 0 || o.RotationSize > 0 }

func (o *LoggerOptions) journal() bool { return o.Durability == DurabilityJournal }

func (o *LoggerOptions) archiveOptions() archive.Options {
	return archive.Options{
		Dir:         o.archiveDir(),
		Compression: o.ArchiveCompression,
		Command:     strings.Fields(o.RotationCommand),
		MaxAge:      o.ArchiveMaxAge,
		MaxBytes:    o.ArchiveMaxSize,
		Eager:       o.eager,
		Log:         o.Log,
	}
}

// loggerHooks let tests look at and disturb what a logger does. All may be nil.
type loggerHooks struct {
	// step is called between the steps that a crash can fall between.
	step func(name string)
	// write is called before n bytes are written to a log; it may take its time
	// or fail.
	write func(file string, n int) error
	// read is called before something is read from the spool.
	read func() error
	// sync is called before a log is brought to disk.
	sync func(file string) error
	// received is called with so many messages when they were read.
	received func(messages int)
}

func (h *loggerHooks) hasReceived(messages int) {
	if h != nil && h.received != nil {
		h.received(messages)
	}
}

func (h *loggerHooks) at(step string) {
	if h != nil && h.step != nil {
		h.step(step)
	}
}

func (h *loggerHooks) beforeWrite(file string, n int) error {
	if h == nil || h.write == nil {
		return nil
	}
	return h.write(file, n)
}

func (h *loggerHooks) beforeSync(file string) error {
	if h == nil || h.sync == nil {
		return nil
	}
	return h.sync(file)
}

func (h *loggerHooks) beforeRead() error {
	if h == nil || h.read == nil {
		return nil
	}
	return h.read()
}
