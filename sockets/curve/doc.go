// Package curve is ZMTP's CURVE mechanism (RFC 25, RFC 26): it authenticates the
// peers of a connection by their Curve25519 keys and encrypts what they say.
//
// A [Server] or a [Client] is made once from keys that are checked then; its
// Mechanism method fits [sockets.Options] and makes one value per connection.
// That value is a [zmq4.Security] for the handshake and a [sockets.FrameCodec]
// for the traffic. zmq4's own sockets cannot carry CURVE, because they write the
// plaintext's length and leave MORE outside of the box; Encrypt and Decrypt
// therefore return [ErrFraming]. Code that frames for itself uses [zmq4.Open]
// and the codec, as the example shows.
//
// Which side is the server is decided by the keys, not by who binds, and not by
// the greeting's as-server octet: libzmq sends 0 there from both sides and reads
// neither.
//
// # Handshake
//
//	client                                  server
//	HELLO     C', proof that S is known  ->
//	          <-  WELCOME   S', cookie with C' and s' that only the server opens
//	INITIATE  cookie, C, vouch, metadata ->
//	          <-  READY     metadata
//	          <-  ERROR     "400", when C is not authorized
//	MESSAGE   frames                    <->
//
// Capitals are public keys, small letters their secrets, C' and S' the pairs made
// for this one connection. Between WELCOME and INITIATE the server holds of a
// connection nothing secret: s' is in the cookie, sealed with a key that is
// replaced every [CookieLife] and wiped after twice that time. What it does
// hold is the nonce of the cookie and that of HELLO, neither of them a secret, so
// that a recorded INITIATE is worthless on another connection.
//
// ERROR with reason 400 tells a client that its key is not authorized; libzmq
// reports that as HANDSHAKE_FAILED_AUTH and gives up. It is the only ERROR that is
// ever sent. Everything else that is wrong closes the connection without a word.
//
// Stricter than libzmq 4.3.4: the server checks the zeros in HELLO and compares the
// S in the vouch with its own key, nonces must rise from HELLO to the last MESSAGE,
// keys of low order are refused, and so are unknown flags inside a box. As in
// libzmq nonces may leave gaps: whoever holds the network can leave out frames,
// just as well as cut the connection, but not repeat, swap or change them.
//
// # Secrets in memory
//
// A [Secret] never shows itself in a log, an error or a text form, except by
// [Secret.Reveal]. Cookie keys, what a handshake agrees on, and the subkeys of a
// connection that has ended are overwritten when they are done with. Copies that
// crypto/ecdh makes and what the compiler spills to a stack are left to the garbage
// collector: Go offers no hold on them.
//
// # Primitives
//
// There is no cryptography of our own here. X25519 is crypto/ecdh's, boxes of the
// handshake are nacl/secretbox's. Traffic uses the parts secretbox is made of,
// because the first 16 octets of a traffic nonce never change and so their HSalsa20
// need be computed only once per connection; primitives.go is the only file that
// does so, and tests hold it against secretbox.
//
// # Files in reading order
//
// z85.go, keys.go; primitives.go, box.go, commands.go; cookie.go, server.go,
// client.go; traffic.go.
package curve
