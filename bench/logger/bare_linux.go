package main

import (
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"

	"github.com/znode/znode/bench/internal/zmtp"
)

// pieceSize is how much is read and written at a time. More would not fit the
// processor's caches, less would cost more calls.
const pieceSize = 256 << 10

// bareMain is the bare side: it takes one sender, reads everything, and writes so
// many bytes of text for so many bytes read. It ends when its input does.
func bareMain(args []string, stdin io.Reader, stderr io.Writer) int {
	fs := flag.NewFlagSet("bare", flag.ContinueOnError)
	listen := fs.String("listen", "", "host:port")
	dir := fs.String("dir", "", "of the file")
	wire := fs.Int64("wire", 0, "bytes to read in all")
	text := fs.Int64("text", 0, "bytes to write in all")
	err := fs.Parse(args)
	if err == nil {
		err = bare(*listen, *dir, *wire, *text)
	}
	if err != nil {
		fmt.Fprintln(stderr, "bare:", err)
		return 1
	}
	_, _ = io.Copy(io.Discard, stdin)
	return 0
}

func bare(listen, dir string, wire, text int64) error {
	l, err := net.Listen("tcp4", listen)
	if err != nil {
		return err
	}
	defer l.Close()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	nc, err := l.Accept()
	if err != nil {
		return err
	}
	defer nc.Close()
	f, err := os.Create(filepath.Join(dir, "bare.log"))
	if err != nil {
		return err
	}
	defer f.Close()
	got, err := greet(nc)
	if err != nil {
		return err
	}
	in, out := make([]byte, pieceSize), make([]byte, pieceSize)
	var written int64
	for got < wire {
		n, err := nc.Read(in)
		if err != nil {
			return fmt.Errorf("after %d of %d bytes: %w", got, wire, err)
		}
		got += int64(n)
		due := int64(float64(got) / float64(wire) * float64(text))
		for due-written >= pieceSize || got == wire && written < text {
			n, err := f.Write(out[:min(pieceSize, text-written)])
			if err != nil {
				return err
			}
			written += int64(n)
		}
	}
	if got != wire {
		return fmt.Errorf("read %d bytes, want %d", got, wire)
	}
	return nil
}

// greet shakes hands as a PULL socket and returns how many bytes of messages it
// has read already.
func greet(nc net.Conn) (read int64, err error) {
	if _, err := nc.Write(zmtp.Greeting()); err != nil {
		return 0, err
	}
	h := zmtp.NewHandshake("PULL")
	buf := make([]byte, 4096)
	for {
		n, err := nc.Read(buf)
		if err != nil {
			return 0, fmt.Errorf("handshake: %w", err)
		}
		send, rest, done, err := h.Feed(buf[:n])
		if err != nil {
			return 0, err
		}
		if _, err := nc.Write(send); err != nil {
			return 0, err
		}
		if done {
			return int64(len(rest)), nil
		}
	}
}
