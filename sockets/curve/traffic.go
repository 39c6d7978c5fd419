package curve

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/go-zeromq/zmq4"

	"github.com/znode/znode/sockets"
)

// A sealed frame's body, the data of MESSAGE with its name (RFC 26):
//
//	0          8             16            32      33
//	| \x07     | short nonce | Poly1305's  | flags | body
//	| MESSAGE  |             | tag         |       |
//	                                       | sealed        |
//
// It travels in a frame without MORE and without COMMAND. The sealed flags are
// libzmq's: 0x01 MORE as RFC 26 has it, and 0x02 COMMAND, which RFC 26 lacks.
const (
	messageName = "\x07MESSAGE"

	messageNonceAt = len(messageName)
	messageTagAt   = messageNonceAt + shortNonceSize
	messageTextAt  = messageTagAt + macSize
	messageBodyAt  = messageTextAt + 1

	sealedMore    = 0x01
	sealedCommand = 0x02
)

// Overhead is how much longer a frame's body gets by sealing, in octets.
const Overhead = messageBodyAt

// Bits of a ZMTP frame's flags (RFC 23) and the lengths of its header.
const (
	flagMore    = 0x01
	flagLong    = 0x02
	flagCommand = 0x04

	maxShort   = math.MaxUint8
	longHeader = 9
)

var (
	// ErrFraming is what Encrypt and Decrypt return.
	ErrFraming = errors.New("curve: zmq4's own sockets cannot carry CURVE, they frame the plaintext's length and flags: use Seal and Open of the mechanism instead")
	// ErrUsed is returned by a second handshake of one mechanism value.
	ErrUsed = errors.New("curve: a mechanism value serves one connection, make another one")
	// ErrNoHandshake is returned by Seal and Open before a handshake.
	ErrNoHandshake = errors.New("curve: there are no keys before the handshake")
	// ErrWiped is returned by Seal and Open after their keys were wiped.
	ErrWiped = errors.New("curve: the keys of this connection are wiped")
	// ErrNonces is returned by Seal after 2^64 frames: the connection must end.
	ErrNonces = errors.New("curve: all nonces of this connection are used up")
)

// What a peer's frame can be refused for. The errors are made once, because they
// need no memory per frame then.
var (
	errOuterFlags = frameError(sockets.ReasonSecurity, "a frame that is not a MESSAGE of CURVE: it has MORE or COMMAND outside of the box")
	errNoMessage  = frameError(sockets.ReasonSecurity, "a frame that is not a MESSAGE of CURVE")
	errReplay     = frameError(sockets.ReasonSecurity, "a MESSAGE with a nonce that is not above the last: repeated or out of order")
	errBox        = frameError(sockets.ReasonSecurity, "a MESSAGE that does not open: damaged, forged or sealed with another key")
	errInnerFlags = frameError(sockets.ReasonFrame, "a MESSAGE with flags that CURVE does not know")
)

func frameError(reason sockets.Reason, detail string) error {
	return &sockets.ProtocolError{Reason: reason, Detail: detail}
}

// traffic is the codec of one connection. One goroutine may seal while another
// one opens.
type traffic struct {
	// Behind pointers so that printing what holds a mechanism shows no keys.
	out, in *direction
}

// direction is what a connection needs to seal, or to open.
type direction struct {
	key   [32]byte // subkey for this direction's nonce prefix
	nonce uint64   // the last one used
	err   error    // why there will be no more frames; never nil again

	_ [64]byte // the other direction's goroutine runs elsewhere
}

func newDirection(key *[32]byte, prefix string, nonce uint64) *direction {
	d := &direction{nonce: nonce}
	subkey(&d.key, key, (*[nonceSize - shortNonceSize]byte)([]byte(prefix)))
	return d
}

// start makes the codec ready: nonces go on where the handshake stopped.
func (t *traffic) start(key *[32]byte, out string, sent uint64, in string, received uint64) {
	t.out = newDirection(key, out, sent)
	t.in = newDirection(key, in, received)
}

func (t *traffic) started() bool { return t.out != nil }

// WipeSeal implements sockets.Wiper: Seal gives [ErrWiped] from now on.
func (t *traffic) WipeSeal() { t.out.wipe() }

// WipeOpen implements sockets.Wiper: Open gives [ErrWiped] from now on, unless it
// has failed already.
func (t *traffic) WipeOpen() { t.in.wipe() }

func (d *direction) wipe() {
	if d == nil {
		return
	}
	clear(d.key[:])
	if d.err == nil {
		d.err = ErrWiped
	}
}

// Format writes a placeholder for every verb; fmt would follow the pointers for
// some.
func (t traffic) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[curve connection]") }

// Type implements zmq4.Security.
func (t *traffic) Type() zmq4.SecurityType { return zmq4.CurveSecurity }

// Encrypt implements zmq4.Security: it refuses with [ErrFraming].
func (t *traffic) Encrypt(io.Writer, []byte) (int, error) { return 0, ErrFraming }

// Decrypt implements zmq4.Security: it refuses with [ErrFraming].
func (t *traffic) Decrypt(io.Writer, []byte) (int, error) { return 0, ErrFraming }

// Overhead implements sockets.FrameCodec.
func (t *traffic) Overhead() int { return Overhead }

// Seal implements sockets.FrameCodec. body must not share memory with what dst has
// room for.
func (t *traffic) Seal(dst []byte, flags byte, body []byte) ([]byte, error) {
	if t.out == nil {
		return dst, ErrNoHandshake
	}
	return t.out.seal(dst, flags, body)
}

// Open implements sockets.FrameCodec. After an error it opens nothing more.
func (t *traffic) Open(flags byte, sealed []byte) (plainFlags byte, body []byte, err error) {
	if t.in == nil {
		return 0, nil, ErrNoHandshake
	}
	return t.in.open(flags, sealed)
}

func (d *direction) seal(dst []byte, flags byte, body []byte) ([]byte, error) {
	if d.err != nil {
		return dst, d.err
	}
	if d.nonce == math.MaxUint64 {
		return dst, ErrNonces
	}
	d.nonce++
	size := Overhead + len(body)
	dst = slices.Grow(dst, longHeader+size)
	if size > maxShort {
		dst = binary.BigEndian.AppendUint64(append(dst, flagLong), uint64(size))
	} else {
		dst = append(dst, 0, byte(size))
	}
	frame := dst[len(dst) : len(dst)+size]
	dst = dst[:len(dst)+size]
	copy(frame, messageName)
	binary.BigEndian.PutUint64(frame[messageNonceAt:], d.nonce)

	var counter [16]byte
	var stream keystream
	copy(counter[:], frame[messageNonceAt:messageTagAt])
	made := stream.make(macKeySize+1+len(body), &counter, &d.key)
	// The stream's rest overwrites its beginning.
	macKey := *stream.macKey()
	text := frame[messageTextAt:]
	text[0] = stream[macKeySize] ^ sealFlags(flags)
	stream.crypt(text[1:], body, macKeySize+1, made, &counter, &d.key)
	mac((*[macSize]byte)(frame[messageTagAt:]), text, &macKey)
	return dst, nil
}

func (d *direction) open(flags byte, sealed []byte) (plainFlags byte, body []byte, err error) {
	if d.err == nil {
		plainFlags, body, d.err = d.openNext(flags, sealed)
	}
	return plainFlags, body, d.err
}

func (d *direction) openNext(flags byte, sealed []byte) (plainFlags byte, body []byte, err error) {
	if flags&(flagMore|flagCommand) != 0 {
		return 0, nil, errOuterFlags
	}
	if len(sealed) < Overhead || string(sealed[:messageNonceAt]) != messageName {
		return 0, nil, errNoMessage
	}
	nonce := binary.BigEndian.Uint64(sealed[messageNonceAt:])
	if nonce <= d.nonce {
		return 0, nil, errReplay
	}
	text := sealed[messageTextAt:]
	var counter [16]byte
	var stream keystream
	copy(counter[:], sealed[messageNonceAt:messageTagAt])
	made := stream.make(macKeySize+len(text), &counter, &d.key)
	if !macFits((*[macSize]byte)(sealed[messageTagAt:]), text, stream.macKey()) {
		return 0, nil, errBox
	}
	d.nonce = nonce
	inner := text[0] ^ stream[macKeySize]
	body = text[1:]
	stream.crypt(body, body, macKeySize+1, made, &counter, &d.key)
	plainFlags, ok := openFlags(inner)
	if !ok {
		return 0, nil, errInnerFlags
	}
	return plainFlags, body, nil
}

// sealFlags and openFlags translate between a frame's flags and those in the box.
func sealFlags(flags byte) byte {
	sealed := flags & flagMore
	if flags&flagCommand != 0 {
		sealed |= sealedCommand
	}
	return sealed
}

func openFlags(sealed byte) (flags byte, ok bool) {
	switch sealed {
	case 0:
		return 0, true
	case sealedMore:
		return flagMore, true
	case sealedCommand:
		return flagCommand, true
	}
	return 0, false
}
