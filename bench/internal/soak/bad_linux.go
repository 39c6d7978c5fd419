package soak

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/znode/znode/bench/internal/zmtp"
)

// bad is a peer that breaks the rules. Whatever it does, only its own connection
// may suffer.
type bad struct {
	name string
	// act gets a new connection and a peer's type that suits the port; what it
	// returns is only that the other side has had enough.
	act func(c *conn, rng *rand.Rand, kind string) error
}

// bads are the kinds of bad peers for any port.
var bads = []bad{
	{"garbage", func(c *conn, rng *rand.Rand, _ string) error {
		b := make([]byte, 1+rng.IntN(4096))
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		_, err := c.Write(b)
		return err
	}},
	{"http", func(c *conn, _ *rand.Rand, _ string) error {
		_, err := c.Write([]byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"))
		return err
	}},
	{"half-a-greeting", func(c *conn, rng *rand.Rand, _ string) error {
		_, err := c.Write(zmtp.Greeting()[:rng.IntN(64)])
		time.Sleep(time.Duration(rng.IntN(300)) * time.Millisecond) // it says nothing for a while
		return err
	}},
	{"unknown-mechanism", func(c *conn, rng *rand.Rand, _ string) error {
		g := zmtp.Greeting()
		copy(g[12:], "GSSAPI")
		_, err := c.Write(g)
		return err
	}},
	{"no-ready", func(c *conn, rng *rand.Rand, _ string) error {
		b := append(zmtp.Greeting(), 4, byte(rng.IntN(256)))
		for range rng.IntN(300) {
			b = append(b, byte(rng.Uint32()))
		}
		_, err := c.Write(b)
		return err
	}},
	{"wrong-type", func(c *conn, _ *rand.Rand, _ string) error { return c.handshake("REP") }},
	{"huge-frame", func(c *conn, rng *rand.Rand, kind string) error {
		if err := c.handshake(kind); err != nil {
			return err
		}
		_, err := c.Write(binary.BigEndian.AppendUint64([]byte{2}, rng.Uint64()|1<<40))
		return err
	}},
	{"reserved-flags", func(c *conn, rng *rand.Rand, kind string) error {
		if err := c.handshake(kind); err != nil {
			return err
		}
		_, err := c.Write([]byte{byte(8 + rng.IntN(248)), 1, 'x'})
		return err
	}},
	{"unknown-command", func(c *conn, _ *rand.Rand, kind string) error {
		if err := c.handshake(kind); err != nil {
			return err
		}
		_, err := c.Write([]byte("\x04\x06\x05HELLO"))
		return err
	}},
	{"endless-message", func(c *conn, rng *rand.Rand, kind string) error {
		if err := c.handshake(kind); err != nil {
			return err
		}
		b := make([]byte, 0, 1<<16)
		for len(b) < 1<<16-16 {
			b = append(b, 1, 3, 'a', 'b', 'c') // there is always more
		}
		_, err := c.Write(b)
		return err
	}},
}

// badPeer is one bad peer at one of the ports.
func (s *soak) badPeer(rng *rand.Rand) error {
	ports := []struct{ addr, kind string }{
		{s.broker.pub, zmtp.XPUB}, {s.broker.sub, zmtp.XSUB}, {s.loggers[0].addr, "PUSH"}, {s.loggers[1].addr, "PUSH"},
	}
	port := ports[rng.IntN(len(ports))]
	kind := bads[rng.IntN(len(bads))]
	c, err := dial(port.addr)
	if err != nil {
		return nil // a logger that is away
	}
	c.SetDeadline(time.Now().Add(patience))
	err = kind.act(c, rng, port.kind)
	if rng.IntN(2) == 0 {
		c.reset()
	} else {
		c.Close()
	}
	if err != nil && !gone(err) {
		return fmt.Errorf("bad peer %s: %w", kind.name, err)
	}
	s.badPeers.Add(1)
	return nil
}

// badBatches sends a logger batches that it has to refuse, and counts them.
func (s *soak) badBatches(rng *rand.Rand) error {
	l := s.loggers[rng.IntN(len(s.loggers))]
	c, err := dialAs(l.addr, "PUSH")
	if err != nil {
		return nil // it is away
	}
	var out []byte
	count := 1 + rng.IntN(20)
	for range count {
		payload := make([]byte, rng.IntN(200))
		for i := range payload {
			payload[i] = byte(rng.Uint32())
		}
		frames := [][]byte{[]byte("log-write"), []byte("soak_bad"), []byte("zeek-bin-serializer"), payload}
		switch rng.IntN(3) {
		case 0:
			frames = frames[:1+rng.IntN(3)]
		case 1:
			frames[2] = []byte("another-serializer")
		}
		out = appendMessage(out, frames...)
	}
	if _, err := c.Write(out); err != nil {
		c.Close()
		return fmt.Errorf("bad batches: %w", err)
	}
	if err := c.leave(); err != nil {
		return fmt.Errorf("bad batches: %w", err)
	}
	s.badSent.Add(int64(count))
	return nil
}
