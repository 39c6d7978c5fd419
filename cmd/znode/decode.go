package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/znode/znode/cmd/znode/internal/option"
)

func decodeCommand() *command {
	return &command{
		name:      "decode",
		arguments: "FILE|-",
		summary:   "print batches of log writes and events from a file",
		text: "Prints what is in a file, or in what comes on stdin: batches of log writes\n" +
			"(zeek-bin-serializer) and events (broker-bin-v1, broker-json-v1). One of them as\n" +
			"it is, several each behind its length in 4 bytes (big-endian), events in JSON\n" +
			"one a line, or what znode sub --format raw writes. Which it is shows itself.",
		examples: []string{
			"znode decode batches | head",
			"znode sub --format raw --count 1000 > events; znode decode --format pretty events",
		},
		prepare: func() ([]option.Flag, action) {
			form := formJSON
			flags := []option.Flag{{
				Name: "format", Kind: option.Enum(formJSON, formPretty), Dst: &form,
				Help: "JSON lines, or lines for people (default json)",
			}}
			return flags, func(_ context.Context, p process, s *option.Settings) error {
				if len(s.Args) != 1 {
					return usageErrorf("znode decode takes one file, or - for stdin; got %d", len(s.Args))
				}
				return decodeFile(p, s.Args[0], form)
			}
		},
	}
}

func decodeFile(p process, name, form string) error {
	in := p.stdin
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			if e, ok := errors.AsType[*fs.PathError](err); ok {
				err = e.Err
			}
			return fmt.Errorf("%s: %w", option.Printable(name), err)
		}
		defer file.Close()
		in = file
	} else {
		name = "stdin"
	}
	d := &decoder{out: newPrinter(p.stdout, form), name: option.Printable(name), people: p.stderr}
	d.in = newItems(flushFirst{in, d.out})
	return d.run()
}

// flushFirst writes what is printed before it reads more of the input: what comes
// through a pipe may be a while in coming.
type flushFirst struct {
	in  io.Reader
	out *printer
}

// Read is called by the decoder, while it prints.
func (r flushFirst) Read(p []byte) (int, error) {
	if err := r.out.flush(); err != nil {
		return 0, err
	}
	return r.in.Read(p)
}

// decoder prints all items of one input.
type decoder struct {
	in     *items
	out    *printer
	name   string
	people io.Writer
	bad    bool
}

// run goes on behind an item that cannot be read, and fails at the end.
func (d *decoder) run() error {
	var ended error
	err := d.out.print(func(yield func(message) bool) {
		for {
			m, err := d.in.next()
			if err != nil {
				ended = err
				return
			}
			if !yield(m) {
				return
			}
		}
	}, func(m message, err error) {
		d.bad = true
		fmt.Fprintf(d.people, "znode: %s: item %d, %d bytes at offset %d: %v\n", d.name, d.in.count, len(m.payload), d.in.at, err)
	})
	switch {
	case err != nil:
		return err
	case ended != io.EOF:
		return fmt.Errorf("%s: %w", d.name, ended)
	case d.bad:
		return exitStatus(statusFailure)
	}
	return nil
}
