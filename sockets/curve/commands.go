package curve

import (
	"crypto/subtle"
	"fmt"

	"github.com/znode/znode/sockets"
)

// The commands' data, behind their names (RFC 26). Box[X](A->B) is 16 octets
// longer than X.
//
//	HELLO      0  version, 1 and 0          WELCOME   0  long nonce
//	           2  72 zeros                           16  Box[S' + cookie](S->C')
//	          74  C'
//	         106  short nonce               cookie    0  long nonce
//	         114  Box[64 zeros](C'->S)               16  Box[C' + s'](cookie key)
//
//	INITIATE   0  cookie                    vouch     0  long nonce
//	          96  short nonce                        16  Box[C' + S](C->S')
//	         104  Box[C + vouch +
//	              metadata](C'->S')         READY     0  short nonce
//	                                                  8  Box[metadata](S'->C')
const (
	cmdHello    = "HELLO"
	cmdWelcome  = "WELCOME"
	cmdInitiate = "INITIATE"
	cmdReady    = "READY"
	cmdError    = "ERROR"

	helloZeros   = 64
	helloPadding = 72
	helloKeyAt   = 2 + helloPadding
	helloNonceAt = helloKeyAt + KeySize
	helloBoxAt   = helloNonceAt + shortNonceSize
	helloSize    = helloBoxAt + helloZeros + boxOverhead

	cookieBoxSize = KeySize + KeySize + boxOverhead
	cookieSize    = longNonceSize + cookieBoxSize

	welcomeBoxAt = longNonceSize
	welcomeSize  = welcomeBoxAt + KeySize + cookieSize + boxOverhead

	vouchSize = longNonceSize + KeySize + KeySize + boxOverhead

	initiateNonceAt = cookieSize
	initiateBoxAt   = initiateNonceAt + shortNonceSize
	initiateFixed   = KeySize + vouchSize // what is in the box before the metadata
	initiateMin     = initiateBoxAt + initiateFixed + boxOverhead

	readyBoxAt = shortNonceSize
	readyMin   = readyBoxAt + boxOverhead
)

// unauthorized is the data of the one ERROR we send: a reason of three octets
// (RFC 27's status code for a refused client).
const unauthorized = "\x03400"

// socketType is the only property that XPUB, XSUB, PUSH and PULL announce.
const socketType = "Socket-Type"

func refusef(reason sockets.Reason, format string, args ...any) error {
	return &sockets.ProtocolError{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

// sameKey compares in constant time.
func sameKey(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }

// allZero takes the same time whatever it finds.
func allZero(b []byte) bool {
	var any byte
	for _, c := range b {
		any |= c
	}
	return any == 0
}

// wrongSize is the error for data of a length the command never has.
func wrongSize(name string, got, want int) error {
	return refusef(sockets.ReasonHandshake, "%s with %d octets behind its name, want %d", name, got, want)
}
