package soak

import (
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/znode/znode/bench/internal/zmtp"
)

// conn is a connection by hand: it can do what no socket would.
type conn struct {
	*net.TCPConn
	buf  []byte // received
	used int    // bytes of it that were returned
}

// dial connects and sends nothing.
func dial(addr string) (*conn, error) {
	nc, err := net.DialTimeout("tcp4", addr, patience)
	if err != nil {
		return nil, err
	}
	return &conn{TCPConn: nc.(*net.TCPConn)}, nil
}

// dialAs connects and shakes hands as a socket of this type.
func dialAs(addr, socketType string) (*conn, error) {
	c, err := dial(addr)
	if err != nil {
		return nil, err
	}
	if err := c.handshake(socketType); err != nil {
		c.Close()
		return nil, fmt.Errorf("handshake as %s: %w", socketType, err)
	}
	return c, nil
}

func (c *conn) handshake(socketType string) error {
	c.SetDeadline(time.Now().Add(patience))
	defer c.SetDeadline(time.Time{})
	if _, err := c.Write(zmtp.Greeting()); err != nil {
		return err
	}
	h := zmtp.NewHandshake(socketType)
	in := make([]byte, 4096)
	for {
		n, err := c.Read(in)
		if err != nil {
			return err
		}
		send, rest, done, err := h.Feed(in[:n])
		if err != nil {
			return err
		}
		if _, err := c.Write(send); err != nil {
			return err
		}
		if done {
			c.buf = append(c.buf, rest...)
			return nil
		}
	}
}

// message returns the frames of the next message, valid until the next call.
func (c *conn) message(frames [][]byte) ([][]byte, error) {
	for {
		frames = frames[:0]
		for at := c.used; ; {
			f, ok, err := zmtp.ParseFrame(c.buf[at:])
			if err != nil {
				return nil, err
			}
			if !ok {
				break
			}
			at += f.Size
			frames = append(frames, f.Body)
			if !f.More() {
				c.used = at
				return frames, nil
			}
		}
		if err := c.fill(); err != nil {
			return nil, err
		}
	}
}

// fill reads more behind what is not used yet.
func (c *conn) fill() error {
	c.buf = c.buf[:copy(c.buf, c.buf[c.used:])]
	c.used = 0
	if cap(c.buf)-len(c.buf) < 16<<10 {
		grown := make([]byte, len(c.buf), 2*cap(c.buf)+32<<10)
		copy(grown, c.buf)
		c.buf = grown
	}
	n, err := c.Read(c.buf[len(c.buf):cap(c.buf)])
	c.buf = c.buf[:len(c.buf)+n]
	if n > 0 {
		return nil
	}
	return err
}

// appendMessage appends the wire form of a message.
func appendMessage(dst []byte, frames ...[]byte) []byte {
	for i, f := range frames {
		dst = zmtp.AppendFrame(dst, f, i < len(frames)-1)
	}
	return dst
}

// leave ends what is sent and waits until the peer has read all of it and closes
// too.
func (c *conn) leave() error {
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	if err := c.CloseWrite(); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, c.TCPConn); err != nil {
		return fmt.Errorf("waiting for the peer to close: %w", err)
	}
	return nil
}

// reset breaks the connection.
func (c *conn) reset() {
	c.SetLinger(0)
	c.Close()
}

// gone reports whether an error only says that the other side is not there.
func gone(err error) bool {
	var op *net.OpError
	return errors.Is(err, io.EOF) || errors.As(err, &op)
}
