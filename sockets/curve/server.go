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

// ServerOptions configures a [Server].
type ServerOptions struct {
	// Secret is the server's long-term secret key. The server keeps a copy: this
	// one may be wiped.
	Secret Secret
	// Public is the key that clients know. It may be left out; if given, it
	// must belong to Secret.
	Public Public
	// Authorize decides whether the client with this key, which it has proved
	// to own, may enter. What it returns as identity is then what
	// [sockets.Peer.Identity] returns; a refused client is sent ERROR 400. It is
	// called on the goroutine of the connection, by several at once.
	Authorize func(client Public) (identity any, ok bool)
}

// Server is the server's side of CURVE. It may be used by several sockets.
type Server struct {
	public    Public
	secret    *ecdh.PrivateKey
	authorize func(Public) (any, bool)
	random    io.Reader
	cookies   *cookies
}

// NewServer checks the options and makes a server. Errors name the option and
// show no secret.
func NewServer(opt ServerOptions) (*Server, error) { return newServer(opt, rand.Reader) }

func newServer(opt ServerOptions, random io.Reader) (*Server, error) {
	public, secret, err := ownPair(opt.Public, opt.Secret)
	if err != nil {
		return nil, fmt.Errorf("curve server: %w", err)
	}
	if opt.Authorize == nil {
		return nil, errors.New("curve server: Authorize is missing, so nobody could enter")
	}
	return &Server{
		public:    public,
		secret:    secret,
		authorize: opt.Authorize,
		random:    random,
		cookies:   &cookies{random: random},
	}, nil
}

// Public returns the server's public key, which its clients need.
func (s *Server) Public() Public { return s.public }

// Format writes the server's public key for every verb; fmt would follow pointers
// to the secret one for some.
func (s Server) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "curve server %s", s.public) }

// Mechanism makes the mechanism of one connection, for [sockets.Options]. The
// connection may be accepted or dialled.
func (s *Server) Mechanism(bool) zmq4.Security { return &serverConn{server: s} }

// serverConn is the mechanism of one connection.
type serverConn struct {
	traffic
	server   *Server
	identity any
}

var (
	_ zmq4.Security      = (*serverConn)(nil)
	_ sockets.FrameCodec = (*serverConn)(nil)
	_ sockets.Wiper      = (*serverConn)(nil)
	_ sockets.Identifier = (*serverConn)(nil)
)

// PeerIdentity implements sockets.Identifier: what Authorize returned.
func (c *serverConn) PeerIdentity() any { return c.identity }

// Handshake implements zmq4.Security. The role does not depend on who accepted.
func (c *serverConn) Handshake(conn *zmq4.Conn, _ bool) error {
	if c.started() {
		return ErrUsed
	}
	h := serverHandshake{server: c.server}
	defer h.wipe()
	data, err := expectCommand(conn, cmdHello)
	if err != nil {
		return err
	}
	welcome, err := h.hello(data)
	if err != nil {
		return err
	}
	if _, err := conn.Write(sockets.AppendCommand(nil, cmdWelcome, welcome)); err != nil {
		return err
	}
	if data, err = expectCommand(conn, cmdInitiate); err != nil {
		return err
	}
	client, metadata, err := h.initiate(data)
	if err != nil {
		return err
	}
	// Who is not authorized has no say in anything else.
	identity, ok := c.server.authorize(client)
	if !ok {
		// Whether the peer still takes it makes no difference.
		_, _ = conn.Write(sockets.AppendCommand(nil, cmdError, []byte(unauthorized)))
		return refusef(sockets.ReasonUnauthorized, "client key %s is not authorized", client)
	}
	if err := sockets.ParseMetadata(metadata, conn); err != nil {
		return err
	}
	ready := h.ready(sockets.AppendMetadata(nil, socketType, conn.Meta[socketType]))
	if _, err := conn.Write(sockets.AppendCommand(nil, cmdReady, ready)); err != nil {
		return err
	}
	c.identity = identity
	c.start(&h.key, serverPrefix, h.sent, clientPrefix, h.received)
	return nil
}

// expectCommand reads a command and checks its name.
func expectCommand(r io.Reader, name string) (data []byte, err error) {
	got, data, err := sockets.ReadCommand(r)
	if err != nil {
		return nil, err
	}
	return data, sockets.ExpectCommand(got, data, name)
}

// serverHandshake is one handshake. Its methods are called in the order of the
// commands.
type serverHandshake struct {
	server *Server

	// All that is kept from HELLO to INITIATE, and no secret: the cookie must
	// be the one that this connection was given, or a recorded INITIATE would
	// lead to the same keys and nonces again.
	cookieNonce [longNonceSize]byte
	received    uint64 // the client's last short nonce

	// From INITIATE on.
	key  [32]byte // of boxes between C' and S'
	sent uint64   // our last short nonce
}

func (h *serverHandshake) wipe() { clear(h.key[:]) }

// hello judges HELLO and returns the data of WELCOME.
func (h *serverHandshake) hello(data []byte) (welcome []byte, err error) {
	if len(data) != helloSize {
		return nil, wrongSize(cmdHello, len(data), helloSize)
	}
	if data[0] != 1 || data[1] != 0 {
		return nil, refusef(sockets.ReasonHandshake, "HELLO of version %d.%d, want 1.0", data[0], data[1])
	}
	if !allZero(data[2:helloKeyAt]) {
		return nil, refusef(sockets.ReasonHandshake, "HELLO with padding that is not zero")
	}
	var key [32]byte
	defer clear(key[:])
	client := Public(data[helloKeyAt:helloNonceAt])
	if err := agree(&key, h.server.secret, &client); err != nil {
		return nil, err
	}
	h.received = binary.BigEndian.Uint64(data[helloNonceAt:])
	zeros, ok := openBox(data[helloBoxAt:], shortNonce(helloPrefix, h.received), &key)
	if !ok || !allZero(zeros) {
		return nil, refusef(sockets.ReasonSecurity, "HELLO does not open: the client has another key for this server")
	}
	return h.welcome(&client, &key)
}

// welcome makes WELCOME with a new short-term pair, which only the cookie keeps.
func (h *serverHandshake) welcome(client *Public, key *[32]byte) ([]byte, error) {
	short, err := generate(h.server.random)
	if err != nil {
		return nil, err
	}
	secret := (*[KeySize]byte)(short.Bytes())
	defer clear(secret[:])
	var nonces [2 * longNonceSize]byte
	if _, err := io.ReadFull(h.server.random, nonces[:]); err != nil {
		return nil, fmt.Errorf("curve: random numbers: %w", err)
	}
	h.cookieNonce = [longNonceSize]byte(nonces[:])
	plain := append(make([]byte, 0, KeySize+cookieSize), short.PublicKey().Bytes()...)
	if plain, err = h.server.cookies.seal(plain, &h.cookieNonce, client, secret); err != nil {
		return nil, err
	}
	nonce := [longNonceSize]byte(nonces[longNonceSize:])
	data := append(make([]byte, 0, welcomeSize), nonce[:]...)
	return appendBox(data, plain, longNonce(welcomePrefix, &nonce), key), nil
}

// initiate judges INITIATE and returns the client's key, which it has proved to
// own, and its metadata.
func (h *serverHandshake) initiate(data []byte) (client Public, metadata []byte, err error) {
	if len(data) < initiateMin {
		return Public{}, nil, wrongSize(cmdInitiate, len(data), initiateMin)
	}
	var short Public
	var secret [KeySize]byte
	defer clear(secret[:])
	cookie := (*[cookieSize]byte)(data)
	if !sameKey(cookie[:longNonceSize], h.cookieNonce[:]) {
		return Public{}, nil, refusef(sockets.ReasonSecurity, "INITIATE with a cookie of another connection")
	}
	if !h.server.cookies.open(cookie, &short, &secret) {
		return Public{}, nil, refusef(sockets.ReasonSecurity, "INITIATE with a cookie that does not open or came too late")
	}
	own, err := privateKey(secret[:])
	if err != nil {
		return Public{}, nil, err
	}
	if err := agree(&h.key, own, &short); err != nil {
		return Public{}, nil, err
	}
	nonce := binary.BigEndian.Uint64(data[initiateNonceAt:])
	if nonce <= h.received {
		return Public{}, nil, refusef(sockets.ReasonSecurity, "INITIATE with nonce %d after %d", nonce, h.received)
	}
	h.received = nonce
	plain, ok := openBox(data[initiateBoxAt:], shortNonce(initiatePrefix, nonce), &h.key)
	if !ok {
		return Public{}, nil, refusef(sockets.ReasonSecurity, "INITIATE does not open")
	}
	client = Public(plain)
	if err := h.vouched(own, &client, &short, plain[KeySize:initiateFixed]); err != nil {
		return Public{}, nil, err
	}
	return client, plain[initiateFixed:], nil
}

// vouched checks that the owner of the client's long-term key made its short-term
// key for us.
func (h *serverHandshake) vouched(own *ecdh.PrivateKey, client, short *Public, vouch []byte) error {
	var key [32]byte
	defer clear(key[:])
	if err := agree(&key, own, client); err != nil {
		return err
	}
	nonce := longNonce(vouchPrefix, (*[longNonceSize]byte)(vouch))
	plain, ok := openBox(vouch[longNonceSize:], nonce, &key)
	if !ok {
		return refusef(sockets.ReasonSecurity, "vouch of client key %s does not open", client)
	}
	if !sameKey(plain[:KeySize], short[:]) || !sameKey(plain[KeySize:], h.server.public[:]) {
		return refusef(sockets.ReasonSecurity, "vouch of client key %s is for another connection or server", client)
	}
	return nil
}

// ready makes READY.
func (h *serverHandshake) ready(metadata []byte) []byte {
	h.sent = 1
	data := binary.BigEndian.AppendUint64(make([]byte, 0, readyMin+len(metadata)), h.sent)
	return appendBox(data, metadata, shortNonce(readyPrefix, h.sent), &h.key)
}
