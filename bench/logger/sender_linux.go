package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"time"

	"github.com/znode/znode/codec"
	"github.com/znode/znode/sockets"
)

// connectTimeout is how long a logger may take to listen.
const connectTimeout = time.Minute

// sendMain is the sender: it connects, says so, waits for a line, and sends all
// batches as fast as they are taken.
func sendMain(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	fs := flag.NewFlagSet("send", flag.ContinueOnError)
	endpoint := fs.String("endpoint", "", "of the logger")
	paths := fs.Int("paths", 1, "taken in turn")
	records := fs.Int("records", 0, "of one batch")
	batches := fs.Int("batches", 0, "of all paths together")
	err := fs.Parse(args)
	if err == nil {
		err = send(*endpoint, *paths, *records, *batches, stdin, stdout)
	}
	if err != nil {
		fmt.Fprintln(stderr, "send:", err)
		return 1
	}
	return 0
}

func send(endpoint string, paths, records, batches int, stdin io.Reader, stdout io.Writer) error {
	list, err := parcels(paths, records, codec.FormatJSON)
	if err != nil {
		return err
	}
	push, err := sockets.NewPUSH(sockets.DefaultOptions())
	if err != nil {
		return err
	}
	defer push.Close()
	if err := push.Connect(endpoint); err != nil {
		return err
	}
	for deadline := time.Now().Add(connectTimeout); len(push.Peers()) == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			return fmt.Errorf("nobody at %s within %v", endpoint, connectTimeout)
		}
	}
	if _, err := io.WriteString(stdout, "ready\n"); err != nil {
		return err
	}
	in := bufio.NewReader(stdin)
	if _, err := in.ReadString('\n'); err != nil {
		return fmt.Errorf("wait for the start: %w", err)
	}
	for i := range batches {
		frames := list[i%len(list)].frames()
		if err := push.SendContext(context.Background(), frames[:]...); err != nil {
			return err
		}
	}
	// Not before everything is taken does the end of the input mean an end.
	if _, err := in.ReadString('\n'); err != io.EOF {
		return fmt.Errorf("wait for the end: %w", err)
	}
	return nil
}
