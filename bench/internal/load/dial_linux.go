package load

import (
	"bytes"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/znode/znode/bench/internal/rawsock"
	"github.com/znode/znode/bench/internal/zmtp"
	"github.com/znode/znode/sockets"
	"github.com/znode/znode/sockets/curve"
)

// dialTimeout bounds connecting and greeting together.
const dialTimeout = time.Minute

// link is a connection to the broker after its handshake.
type link struct {
	fd    int
	rest  []byte             // what the broker sent behind its READY
	codec sockets.FrameCodec // nil without CURVE
}

// dial connects and shakes hands as a socket of the given type, with CURVE unless
// client is nil.
func dial(addr, socketType string, client *curve.Client) (l link, err error) {
	deadline := time.Now().Add(dialTimeout)
	if l.fd, err = rawsock.Dial(addr, deadline); err != nil {
		return l, err
	}
	if client != nil {
		l.codec, err = greetCurve(l.fd, client, socketType, deadline)
	} else {
		l.rest, err = greet(l.fd, socketType, deadline)
	}
	if err != nil {
		rawsock.Close(l.fd)
		return l, fmt.Errorf("handshake with %s: %w", addr, err)
	}
	return l, nil
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
