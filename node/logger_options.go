package node

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/znode/znode/codec"
	"github.com/znode/znode/sockets"
)

// LoggerOptions configures a [Logger]. Start from [DefaultLoggerOptions].
type LoggerOptions struct {
	// Node is the value of the metrics' label "node".
	Node string
	// ListenLogEndpoint is where nodes connect their PUSH sockets.
	ListenLogEndpoint string
	// LogDir is where the logs are written; it is made when it is missing.
	LogDir string
	// Text says how they are written.
	Text codec.TextOptions

	// FlushInterval bounds how long a record waits to be written while others
	// keep coming. When none do, it is written at once.
	FlushInterval time.Duration
	// RotationInterval is how long a log is written before it is archived and
	// a new one begun, counted from midnight local time; 0 is for ever.
	RotationInterval time.Duration

	// MemoryLimit bounds the memory of batches that are read and not yet
	// written, in bytes. Beyond it no socket is read.
	MemoryLimit int64
	// MaxStreams bounds the files that are open at a time. Batches for further
	// ones are refused.
	MaxStreams int

	// PULL configures the socket. MaxMessageSize 0 is a quarter of MemoryLimit,
	// which is also the most it may be.
	PULL sockets.Options
	// Log gets the few lines the logger writes; nil discards them.
	Log *slog.Logger
}

// DefaultLoggerOptions returns Zeek's defaults where it has one.
func DefaultLoggerOptions() LoggerOptions {
	o := LoggerOptions{
		Node:              "znode",
		ListenLogEndpoint: "tcp://127.0.0.1:5557",
		LogDir:            "logs",
		Text:              codec.DefaultTextOptions(),
		FlushInterval:     time.Second,
		MemoryLimit:       64 << 20,
		MaxStreams:        1000,
		PULL:              sockets.DefaultOptions(),
	}
	o.PULL.MaxMessageSize = 0
	o.PULL.Linger = 0
	return o
}

// minMemoryLimit leaves room for a few reads of 256 KiB and the buffers of as
// many files.
const minMemoryLimit = 4 << 20

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
	case o.RotationInterval < 0:
		return fmt.Errorf("rotation interval: %v, must not be negative", o.RotationInterval)
	case o.MemoryLimit < minMemoryLimit:
		return fmt.Errorf("memory limit: %d bytes, the least is %d", o.MemoryLimit, minMemoryLimit)
	case o.MaxStreams < 1:
		return fmt.Errorf("max streams: %d, the least is 1", o.MaxStreams)
	case int64(o.PULL.MaxMessageSize) > o.MemoryLimit/4:
		return fmt.Errorf("max message size: %d bytes is more than a quarter of the memory limit of %d bytes; lower the one or raise the other",
			o.PULL.MaxMessageSize, o.MemoryLimit)
	}
	pull := o.pull()
	return pull.Validate()
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

// maxMessage is the largest message that package sockets takes.
const maxMessage = 1<<31 - 1
