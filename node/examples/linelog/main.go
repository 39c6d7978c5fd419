// Command linelog reads lines from standard input and logs each of them, with
// the time, as a stream of a Zeek cluster:
//
//	tail -F app.log | linelog -loggers tcp://10.0.0.5:5557 -path app
//
// It is an example of how little a sensor takes. What no logger takes waits, and
// with it whoever writes the lines.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/znode/znode/codec"
	"github.com/znode/znode/node"
)

// line is a record of the log; its fields are the columns.
type line struct {
	TS   time.Time `zeek:"ts"`
	Host string    `zeek:"host"`
	Line []byte    `zeek:"line"` // a string in the log
}

// maxLine bounds a line, in bytes; a longer one ends the program.
const maxLine = 1 << 20

func main() {
	if err := run(os.Args[1:], os.Stdin); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "linelog:", err)
		}
		os.Exit(1)
	}
}

// linger is how long what waits at the end of the input is offered to loggers.
const linger = 30 * time.Second

func run(args []string, in io.ReadCloser) (err error) {
	opt := node.DefaultOptions()
	// A sensor that only logs needs no broker.
	opt.ConnectXPUBEndpoint, opt.ConnectXSUBEndpoint = "", ""
	opt.LogOverflow, opt.Linger = node.BlockLogs, linger
	opt.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	host, _ := os.Hostname()
	flags := flag.NewFlagSet("linelog", flag.ContinueOnError)
	flags.StringVar(&opt.Node, "node", "linelog", "name of this sensor")
	loggers := flags.String("loggers", "tcp://127.0.0.1:5557", "where the loggers listen, separated by commas")
	stream := flags.String("stream", "Lines::LOG", "name of the log stream")
	path := flags.String("path", "lines", "name of the log file")
	if err := flags.Parse(args); err != nil {
		return err
	}
	opt.ConnectLogEndpoints = strings.Split(*loggers, ",")
	log, err := codec.NewLogStream[line](codec.BatchHeader{Stream: *stream, Path: *path})
	if err != nil {
		return err
	}
	n, err := node.New(opt)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Close()) }() // sends what waits
	if err := n.Start(); err != nil {
		return err
	}
	lines, err := node.OpenLog(n, log)
	if err != nil {
		return err
	}

	// A signal ends the input, so that what was read is still sent.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(signals)
	stopped := make(chan struct{})
	defer close(stopped)
	go func() {
		select {
		case <-signals:
			in.Close()
		case <-stopped:
		}
	}()

	scanner := bufio.NewScanner(in)
	scanner.Buffer(nil, maxLine)
	for scanner.Scan() {
		if err := lines.Write(&line{TS: time.Now(), Host: host, Line: scanner.Bytes()}); err != nil {
			return err
		}
	}
	if err := scanner.Err(); !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}
