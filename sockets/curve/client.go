package curve

import (
	"crypto/ecdh"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/go-zeromq/zmq4"

	"github.com/znode/znode/sockets"
)

// ClientOptions configures a [Client].
type ClientOptions struct {
	// Server is the server's long-term public key.
	Server Public
	// Secret is the client's long-term secret key. The client keeps a copy: this
	// one may be wiped.
	Secret Secret
	// Public is the key by which the server knows the client. It may be left
	// out; if given, it must belong to Secret.
	Public Public
}

// Client is the client's side of CURVE. It may be used by several sockets.
type Client struct {
	server Public
	public Public
	secret *ecdh.PrivateKey
	random io.Reader
}

// NewClient checks the options and makes a client. Errors name the option and
// show no secret.
func NewClient(opt ClientOptions) (*Client, error) { return newClient(opt, rand.Reader) }

func newClient(opt ClientOptions, random io.Reader) (*Client, error) {
	public, secret, err := ownPair(opt.Public, opt.Secret)
	if err != nil {
		return nil, fmt.Errorf("curve client: %w", err)
	}
	if opt.Server.IsZero() {
		return nil, errors.New("curve client: the server's public key is missing")
	}
	var key [32]byte
	defer clear(key[:])
	if err := agree(&key, secret, &opt.Server); err != nil {
		return nil, fmt.Errorf("curve client: the server's public key is unusable: %w", err)
	}
	return &Client{server: opt.Server, public: public, secret: secret, random: random}, nil
}

// Public returns the client's public key, which the server must know.
func (c *Client) Public() Public { return c.public }

// Format writes the client's public key for every verb; fmt would follow pointers
// to the secret one for some.
func (c Client) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "curve client %s", c.public) }

// Mechanism makes the mechanism of one connection, for [sockets.Options]. The
// connection may be dialled or accepted.
func (c *Client) Mechanism(bool) zmq4.Security { return &clientConn{client: c} }

// clientConn is the mechanism of one connection.
type clientConn struct {
	traffic
	client *Client
}

var (
	_ zmq4.Security      = (*clientConn)(nil)
	_ sockets.FrameCodec = (*clientConn)(nil)
	_ sockets.Wiper      = (*clientConn)(nil)
)

// Handshake implements zmq4.Security. The role does not depend on who accepted.
func (c *clientConn) Handshake(conn *zmq4.Conn, _ bool) error {
	if c.started() {
		return ErrUsed
	}
	h := clientHandshake{client: c.client}
	defer h.wipe()
	hello, err := h.hello()
	if err != nil {
		return err
	}
	if _, err := conn.Write(sockets.AppendCommand(nil, cmdHello, hello)); err != nil {
		return err
	}
	data, err := c.expect(conn, cmdWelcome)
	if errors.Is(err, io.EOF) {
		// A server that cannot open HELLO says nothing.
		return fmt.Errorf("the server closed the connection on HELLO, perhaps its key is not %s: %w", c.client.server, err)
	}
	if err != nil {
		return err
	}
	if err := h.welcome(data); err != nil {
		return err
	}
	initiate, err := h.initiate(sockets.AppendMetadata(nil, socketType, conn.Meta[socketType]))
	if err != nil {
		return err
	}
	if _, err := conn.Write(sockets.AppendCommand(nil, cmdInitiate, initiate)); err != nil {
		return err
	}
	if data, err = c.expect(conn, cmdReady); err != nil {
		return err
	}
	metadata, err := h.ready(data)
	if err != nil {
		return err
	}
	if err := sockets.ParseMetadata(metadata, conn); err != nil {
		return err
	}
	c.start(&h.key, clientPrefix, h.sent, serverPrefix, h.received)
	return nil
}

// expect reads the server's command, or its word that this client's key is not
// authorized.
func (c *clientConn) expect(r io.Reader, name string) (data []byte, err error) {
	got, data, err := sockets.ReadCommand(r)
	if err != nil {
		return nil, err
	}
	if got == cmdError && string(data) == unauthorized {
		return nil, refusef(sockets.ReasonUnauthorized, "the server does not authorize client key %s", c.client.public)
	}
	return data, sockets.ExpectCommand(got, data, name)
}

// clientHandshake is one handshake. Its methods are called in the order of the
// commands.
type clientHandshake struct {
	client *Client

	short  *ecdh.PrivateKey // c'
	hkey   [32]byte         // of boxes between C' and S
	server Public           // S'
	cookie [cookieSize]byte
	key    [32]byte // of boxes between C' and S'

	sent     uint64 // our last short nonce
	received uint64 // the server's last short nonce
}

func (h *clientHandshake) wipe() {
	clear(h.hkey[:])
	clear(h.key[:])
	h.short = nil
}

// hello makes the connection's own pair and returns the data of HELLO.
func (h *clientHandshake) hello() ([]byte, error) {
	var err error
	if h.short, err = generate(h.client.random); err != nil {
		return nil, err
	}
	if err := agree(&h.hkey, h.short, &h.client.server); err != nil {
		return nil, err
	}
	h.sent = 1
	data := make([]byte, helloNonceAt, helloSize)
	data[0] = 1 // version 1.0
	copy(data[helloKeyAt:], h.short.PublicKey().Bytes())
	data = binary.BigEndian.AppendUint64(data, h.sent)
	return appendBox(data, make([]byte, helloZeros), shortNonce(helloPrefix, h.sent), &h.hkey), nil
}

// welcome judges WELCOME. If it opens, the peer has the server's secret key.
func (h *clientHandshake) welcome(data []byte) error {
	if len(data) != welcomeSize {
		return wrongSize(cmdWelcome, len(data), welcomeSize)
	}
	nonce := longNonce(welcomePrefix, (*[longNonceSize]byte)(data))
	plain, ok := openBox(data[welcomeBoxAt:], nonce, &h.hkey)
	if !ok {
		return refusef(sockets.ReasonSecurity, "WELCOME does not open: it is not from the server with key %s", h.client.server)
	}
	h.server = Public(plain)
	h.cookie = [cookieSize]byte(plain[KeySize:])
	return agree(&h.key, h.short, &h.server)
}

// initiate returns the data of INITIATE.
func (h *clientHandshake) initiate(metadata []byte) ([]byte, error) {
	var key [32]byte
	defer clear(key[:])
	if err := agree(&key, h.client.secret, &h.server); err != nil {
		return nil, err
	}
	var nonce [longNonceSize]byte
	if _, err := io.ReadFull(h.client.random, nonce[:]); err != nil {
		return nil, fmt.Errorf("curve: random numbers: %w", err)
	}
	var vouch [2 * KeySize]byte
	copy(vouch[:], h.short.PublicKey().Bytes())
	copy(vouch[KeySize:], h.client.server[:])

	plain := make([]byte, 0, initiateFixed+len(metadata))
	plain = append(plain, h.client.public[:]...)
	plain = append(plain, nonce[:]...)
	plain = appendBox(plain, vouch[:], longNonce(vouchPrefix, &nonce), &key)
	plain = append(plain, metadata...)

	h.sent++
	data := append(make([]byte, 0, initiateMin+len(metadata)), h.cookie[:]...)
	data = binary.BigEndian.AppendUint64(data, h.sent)
	return appendBox(data, plain, shortNonce(initiatePrefix, h.sent), &h.key), nil
}

// ready judges READY and returns the server's metadata.
func (h *clientHandshake) ready(data []byte) (metadata []byte, err error) {
	if len(data) < readyMin {
		return nil, wrongSize(cmdReady, len(data), readyMin)
	}
	h.received = binary.BigEndian.Uint64(data)
	metadata, ok := openBox(data[readyBoxAt:], shortNonce(readyPrefix, h.received), &h.key)
	if !ok {
		return nil, refusef(sockets.ReasonSecurity, "READY does not open")
	}
	return metadata, nil
}
