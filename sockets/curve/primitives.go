package curve

import (
	"crypto/subtle"

	// Both packages are marked deprecated because they are easy to misuse, not
	// because they are wrong or leave; secretbox, which is not, is made of them.
	// It derives HSalsa20's subkey anew for each box and runs Salsa20 block by
	// block on short ones, which together take longer than all the rest.

	//lint:ignore SA1019 see above: its building blocks are what is wanted here
	"golang.org/x/crypto/poly1305"
	//lint:ignore SA1019 see above: its building blocks are what is wanted here
	"golang.org/x/crypto/salsa20/salsa"
)

// XSalsa20-Poly1305 as secretbox does it: HSalsa20 makes a subkey of the key and
// the first 16 octets of the nonce; Salsa20 with the subkey and the other 8 octets
// makes the keystream, of which the first 32 octets are the key of Poly1305 and
// the rest is for the text; Poly1305 is taken of the sealed text.
const (
	macSize      = poly1305.TagSize
	macKeySize   = 32
	salsaBlock   = 64
	salsaCounter = 8 // where in the counter block the block number is

	// wideKeystream is how much keystream Salsa20's vector code makes at a
	// time. Where there is such code (hasWide), that much costs less than two
	// single blocks.
	wideKeystream = 4 * salsaBlock
)

// subkey is HSalsa20 of the key and the part of a nonce that stays the same.
func subkey(out, key *[32]byte, prefix *[16]byte) {
	salsa.HSalsa20(out, prefix, key, &salsa.Sigma)
}

// keystream is the beginning of a message's keystream.
type keystream [wideKeystream]byte

// make computes the first octets, at least n of them where it has so many.
// counter holds the 8 octets of nonce and block number 0. It leaves the number of
// the first block not computed.
func (k *keystream) make(n int, counter *[16]byte, key *[32]byte) (made int) {
	made = wideKeystream
	if !hasWide || n <= salsaBlock {
		made = min(made, (n+salsaBlock-1)/salsaBlock*salsaBlock)
	}
	salsa.XORKeyStream(k[:made], k[:made], counter, key)
	counter[salsaCounter] = byte(made / salsaBlock)
	return made
}

// macKey is the part of the keystream that keys Poly1305.
func (k *keystream) macKey() *[macKeySize]byte { return (*[macKeySize]byte)(k[:]) }

// crypt makes dst the sealed form of src or the other way round: first with what k
// has of the keystream from octet at on, then with what follows it. dst and src
// are of one length and the same memory or apart.
func (k *keystream) crypt(dst, src []byte, at, made int, counter *[16]byte, key *[32]byte) {
	n := subtle.XORBytes(dst, src, k[at:made])
	dst, src = dst[n:], src[n:]
	if !hasWide {
		salsa.XORKeyStream(dst, src, counter, key)
		return
	}
	whole := len(src) / wideKeystream * wideKeystream
	rest := len(src) - whole
	if rest <= salsaBlock {
		salsa.XORKeyStream(dst, src, counter, key)
		return
	}
	salsa.XORKeyStream(dst[:whole], src[:whole], counter, key)
	// The block number is little-endian; it went on by whole blocks.
	block := uint64(counter[salsaCounter]) + uint64(whole/salsaBlock)
	for i := salsaCounter; i < len(counter); i++ {
		counter[i] = byte(block)
		block >>= 8
	}
	clear(k[:])
	salsa.XORKeyStream(k[:], k[:], counter, key)
	subtle.XORBytes(dst[whole:], src[whole:], k[:])
}

// mac computes the authenticator of the sealed text.
func mac(out *[macSize]byte, sealed []byte, key *[macKeySize]byte) { poly1305.Sum(out, sealed, key) }

// macFits compares in constant time.
func macFits(got *[macSize]byte, sealed []byte, key *[macKeySize]byte) bool {
	return poly1305.Verify(got, sealed, key)
}
