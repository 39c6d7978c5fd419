package load

import (
	"bytes"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/znode/znode/bench/internal/rawsock"
	"github.com/znode/znode/bench/internal/zmtp"
)

// dialTimeout bounds connecting and greeting together.
const dialTimeout = 10 * time.Second

// dial connects and shakes hands as a socket of the given type. rest is what
// the broker sent behind its READY.
func dial(addr, socketType string) (fd int, rest []byte, err error) {
	deadline := time.Now().Add(dialTimeout)
	fd, err = rawsock.Dial(addr, deadline)
	if err != nil {
		return -1, nil, err
	}
	rest, err = greet(fd, socketType, deadline)
	if err != nil {
		rawsock.Close(fd)
		return -1, nil, fmt.Errorf("handshake with %s: %w", addr, err)
	}
	return fd, rest, nil
}

func greet(fd int, socketType string, deadline time.Time) ([]byte, error) {
	h := zmtp.NewHandshake(socketType)
	if err := rawsock.WriteAll(fd, zmtp.Greeting(), deadline); err != nil {
		return nil, err
	}
	buf := make([]byte, 4096)
	for {
		if err := rawsock.Wait(fd, unix.POLLIN, deadline); err != nil {
			return nil, err
		}
		n, err := rawsock.Read(fd, buf)
		if err != nil {
			return nil, err
		}
		send, rest, done, err := h.Feed(buf[:n])
		if err != nil {
			return nil, err
		}
		if err := rawsock.WriteAll(fd, send, deadline); err != nil {
			return nil, err
		}
		if done {
			return bytes.Clone(rest), nil
		}
	}
}
