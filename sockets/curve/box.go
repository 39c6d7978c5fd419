package curve

import (
	"crypto/ecdh"
	"encoding/binary"

	"golang.org/x/crypto/nacl/secretbox"

	"github.com/znode/znode/sockets"
)

// Prefixes of nonces (RFC 26). Short nonces are counters of 8 octets behind 16,
// long ones 16 random octets behind 8.
const (
	helloPrefix    = "CurveZMQHELLO---"
	initiatePrefix = "CurveZMQINITIATE"
	readyPrefix    = "CurveZMQREADY---"
	clientPrefix   = "CurveZMQMESSAGEC" // MESSAGE from the client
	serverPrefix   = "CurveZMQMESSAGES" // MESSAGE from the server
	welcomePrefix  = "WELCOME-"
	cookiePrefix   = "COOKIE--"
	vouchPrefix    = "VOUCH---"

	nonceSize      = 24
	shortNonceSize = 8
	longNonceSize  = 16

	boxOverhead = secretbox.Overhead
)

func shortNonce(prefix string, n uint64) (nonce [nonceSize]byte) {
	copy(nonce[:], prefix)
	binary.BigEndian.PutUint64(nonce[nonceSize-shortNonceSize:], n)
	return nonce
}

func longNonce(prefix string, n *[longNonceSize]byte) (nonce [nonceSize]byte) {
	copy(nonce[:], prefix)
	copy(nonce[nonceSize-longNonceSize:], n[:])
	return nonce
}

// agree computes the key of boxes between the owner of a secret key and that of a
// public one, as NaCl's crypto_box_beforenm does. It refuses public keys of low
// order, with which anyone could compute the result, and those beyond 2^255: X25519
// ignores that bit (RFC 7748, section 5), so one secret key would prove two names.
func agree(key *[32]byte, own *ecdh.PrivateKey, peer *Public) error {
	if peer[KeySize-1]&0x80 != 0 {
		return refusef(sockets.ReasonSecurity, "public key beyond 2^255")
	}
	remote, err := ecdh.X25519().NewPublicKey(peer[:])
	if err != nil {
		return refusef(sockets.ReasonSecurity, "%v", err)
	}
	shared, err := own.ECDH(remote)
	if err != nil {
		return refusef(sockets.ReasonSecurity, "%v", err)
	}
	copy(key[:], shared)
	clear(shared)
	subkey(key, key, new([16]byte))
	return nil
}

// appendBox appends the box of message, 16 octets longer.
func appendBox(dst, message []byte, nonce [nonceSize]byte, key *[32]byte) []byte {
	return secretbox.Seal(dst, message, &nonce, key)
}

// openBox returns what is in a box, in new memory.
func openBox(box []byte, nonce [nonceSize]byte, key *[32]byte) (message []byte, ok bool) {
	return secretbox.Open(nil, box, &nonce, key)
}
