package load

import (
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/go-zeromq/zmq4"
	"golang.org/x/sys/unix"

	"github.com/znode/znode/bench/internal/rawsock"
	"github.com/znode/znode/bench/internal/zmtp"
	"github.com/znode/znode/sockets"
	"github.com/znode/znode/sockets/curve"
)

// zeekCurve begins Zeek's own variables of keys, which the libzmq peers read too.
const zeekCurve = "ZEEK_CLUSTER_BACKEND_ZEROMQ_CURVE_"

// curveFromEnviron returns a CURVE client with the keys of Zeek's environment, nil
// when there are none.
func curveFromEnviron() (*curve.Client, error) {
	server, secret := os.Getenv(zeekCurve+"SERVER_PUBLICKEY"), os.Getenv(zeekCurve+"CLIENT_SECRETKEY")
	if server == "" && secret == "" {
		return nil, nil
	}
	var keys curve.ClientOptions
	var err error
	if keys.Server, err = curve.ParsePublic(server); err != nil {
		return nil, fmt.Errorf("server's public key: %w", err)
	}
	if keys.Secret, err = curve.ParseSecret(secret); err != nil {
		return nil, fmt.Errorf("client's secret key: %w", err)
	}
	return curve.NewClient(keys)
}

// handshakeConn is a descriptor as far as a handshake needs it.
type handshakeConn struct {
	net.Conn // nil: only what is below is called
	fd       int
	deadline time.Time
}

func (c *handshakeConn) Read(b []byte) (int, error) {
	for {
		if err := rawsock.Wait(c.fd, unix.POLLIN, c.deadline); err != nil {
			return 0, err
		}
		if n, err := rawsock.Read(c.fd, b); n > 0 || err != nil {
			return n, err
		}
	}
}

func (c *handshakeConn) Write(b []byte) (int, error) {
	if err := rawsock.WriteAll(c.fd, b, c.deadline); err != nil {
		return 0, err
	}
	return len(b), nil
}

func (c *handshakeConn) SetDeadline(time.Time) error { return nil }
func (c *handshakeConn) Close() error                { return nil } // who dialled closes

// greetCurve is greet with CURVE. It reads nothing behind READY.
func greetCurve(fd int, client *curve.Client, socketType string, deadline time.Time) (sockets.FrameCodec, error) {
	m := client.Mechanism(false)
	conn := &handshakeConn{fd: fd, deadline: deadline}
	if _, err := zmq4.Open(conn, m, zmq4.SocketType(socketType), nil, false, nil); err != nil {
		return nil, err
	}
	codec, ok := m.(sockets.FrameCodec)
	if !ok {
		return nil, io.ErrUnexpectedEOF
	}
	return codec, nil
}

// seal appends wire, whole frames, sealed.
func seal(dst []byte, codec sockets.FrameCodec, wire []byte) ([]byte, error) {
	for len(wire) > 0 {
		f, ok, err := zmtp.ParseFrame(wire)
		if err != nil || !ok {
			return dst, fmt.Errorf("frames to seal end in the middle of one: %w", err)
		}
		if dst, err = codec.Seal(dst, f.Flags, f.Body); err != nil {
			return dst, err
		}
		wire = wire[f.Size:]
	}
	return dst, nil
}

// opener turns what a subscriber reads into what it would have read without CURVE.
type opener struct {
	codec sockets.FrameCodec
	carry []byte // a frame's beginning
	plain []byte
}

// begin places what was left of the last piece at the start of buf and returns its
// length: the next piece is read behind it.
func (o *opener) begin(buf []byte) int {
	n := copy(buf, o.carry)
	o.carry = o.carry[:0]
	return n
}

// open opens the frames of a piece, in place, and returns them behind before. The
// memory is good until the next call.
func (o *opener) open(before, b []byte) ([]byte, error) {
	o.plain = append(o.plain[:0], before...)
	for {
		f, ok, err := zmtp.ParseFrame(b)
		if err != nil {
			return nil, err
		}
		if !ok {
			o.carry = append(o.carry, b...)
			return o.plain, nil
		}
		flags, body, err := o.codec.Open(f.Flags, f.Body)
		if err != nil {
			return nil, err
		}
		o.plain = zmtp.AppendFrame(o.plain, body, flags&1 != 0)
		b = b[f.Size:]
	}
}
