package curve

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// CookieLife is how long one cookie key seals new cookies. For as long again it
// opens those it sealed, so a handshake may take this long at least; then it is
// wiped (RFC 26 wants a short interval, for example 60 seconds).
const CookieLife = 60 * time.Second

// cookies seals and opens the cookies of one server, in which the connections'
// short-term secrets wait for INITIATE. It has keys only while there are
// handshakes: the timer that wipes them runs no longer than that.
type cookies struct {
	random io.Reader

	mu       sync.Mutex
	current  *[32]byte // nil when the last one has had its time
	previous *[32]byte // opens only
}

// seal appends a cookie with this nonce that holds C' and s'.
func (c *cookies) seal(dst []byte, nonce *[longNonceSize]byte, public *Public, secret *[KeySize]byte) ([]byte, error) {
	var plain [2 * KeySize]byte
	defer clear(plain[:])
	copy(plain[:], public[:])
	copy(plain[KeySize:], secret[:])

	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current == nil {
		key := new([32]byte)
		if _, err := io.ReadFull(c.random, key[:]); err != nil {
			return nil, fmt.Errorf("curve: random numbers: %w", err)
		}
		c.current = key
		// While there is a previous key the timer runs already.
		if c.previous == nil {
			time.AfterFunc(CookieLife, c.rotate)
		}
	}
	dst = append(dst, nonce[:]...)
	return appendBox(dst, plain[:], longNonce(cookiePrefix, nonce), c.current), nil
}

// rotate is what the timer does: it wipes the previous key and retires the
// current one.
func (c *cookies) rotate() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.previous != nil {
		clear(c.previous[:])
	}
	c.previous, c.current = c.current, nil
	if c.previous != nil {
		time.AfterFunc(CookieLife, c.rotate)
	}
}

// open returns what seal put into a cookie, if the key still exists.
func (c *cookies) open(cookie *[cookieSize]byte, public *Public, secret *[KeySize]byte) (ok bool) {
	nonce := longNonce(cookiePrefix, (*[longNonceSize]byte)(cookie[:]))
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, key := range [...]*[32]byte{c.current, c.previous} {
		if key == nil {
			continue
		}
		if plain, ok := openBox(cookie[longNonceSize:], nonce, key); ok {
			copy(public[:], plain)
			copy(secret[:], plain[KeySize:])
			clear(plain)
			return true
		}
	}
	return false
}
