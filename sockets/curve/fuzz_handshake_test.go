package curve

import (
	"bytes"
	"io"
	"net"
	"testing"

	"golang.org/x/crypto/nacl/box"
	"golang.org/x/crypto/nacl/secretbox"

	"github.com/go-zeromq/zmq4"

	"github.com/znode/znode/fuzz/mutate"
	"github.com/znode/znode/fuzz/oracle"
	"github.com/znode/znode/sockets"
)

// FuzzHello: a HELLO is taken exactly if NaCl's box opens and all the rest is as
// RFC 26 says; what is taken is answered with a WELCOME of the right size.
func FuzzHello(tf *testing.F) {
	f := mutate.From(tf)
	v := loadVectors(f)
	hello := v.command(f, cmdHello)
	f.Add(hello)
	f.Add(hello[:100])
	f.Add(append(bytes.Clone(hello), 0))
	for _, at := range []int{0, 1, helloKeyAt - 1, helloKeyAt, helloNonceAt - 1, helloNonceAt, helloBoxAt, helloSize - 1} {
		f.Add(flipped(hello, at, 0x80))
	}
	lowOrderKey := bytes.Clone(hello)
	clear(lowOrderKey[helloKeyAt:helloNonceAt])
	f.Add(lowOrderKey)
	is := v.cast(f)
	secret := [KeySize]byte(v.values["server-secret"])
	f.Fuzz(func(t *testing.T, data []byte) {
		s := serverHandshake{server: v.again(is).server}
		welcome, err := s.hello(data)
		if (err == nil) != helloIsRight(data, &secret) {
			t.Fatalf("error %v", err)
		}
		if err == nil && len(welcome) != welcomeSize || err != nil && welcome != nil {
			t.Fatalf("WELCOME of %d octets", len(welcome))
		}
	})
}

// flipped is data with some bits of one octet changed.
func flipped(data []byte, at int, bits byte) []byte {
	data = bytes.Clone(data)
	data[at] ^= bits
	return data
}

func helloIsRight(data []byte, secret *[KeySize]byte) bool {
	if len(data) != helloSize || !bytes.Equal(data[:74], append([]byte{1, 0}, make([]byte, 72)...)) || data[105]&0x80 != 0 {
		return false
	}
	nonce := [24]byte([]byte("CurveZMQHELLO---" + string(data[106:114])))
	client := [32]byte(data[74:106])
	plain, ok := box.Open(nil, data[114:], &nonce, &client, secret)
	return ok && bytes.Equal(plain, make([]byte, 64))
}

// FuzzWelcome: a WELCOME is taken exactly if NaCl's box opens; inside says that the
// input is what a true server put into the box.
func FuzzWelcome(tf *testing.F) {
	f := mutate.From(tf)
	v := loadVectors(f)
	welcome := v.command(f, cmdWelcome)
	is := v.cast(f)
	secret := [KeySize]byte(v.values["client-random"])
	server := [KeySize]byte(v.values["server-public"])
	serverSecret := [KeySize]byte(v.values["server-secret"])
	nonce := [24]byte([]byte("WELCOME-" + string(welcome[:16])))
	plain, ok := box.Open(nil, welcome[16:], &nonce, &server, &secret)
	if !ok {
		f.Fatal("the vector does not open")
	}
	f.Add(false, welcome)
	f.Add(false, welcome[:159])
	f.Add(false, flipped(welcome, 0, 1))
	f.Add(false, flipped(welcome, welcomeSize-1, 1))
	f.Add(true, plain)
	f.Add(true, make([]byte, len(plain))) // a short-term key of low order
	// What comes before is done once: agreeing on keys takes most of the time.
	begun := clientHandshake{client: is.client}
	if _, err := begun.hello(); err != nil {
		f.Fatal(err)
	}
	client, key := [KeySize]byte(begun.short.PublicKey().Bytes()), new([32]byte)
	box.Precompute(key, &client, &serverSecret)
	f.Fuzz(func(t *testing.T, inside bool, data []byte) {
		if inside {
			data = box.SealAfterPrecomputation(bytes.Clone(welcome[:16]), data, &nonce, key)
		}
		c := begun
		c.client = v.again(is).client
		err := c.welcome(data)
		want := len(data) == welcomeSize && (inside || bytes.Equal(data, welcome))
		if err != nil && want && lowOrder(c.server) {
			return
		}
		if (err == nil) != want {
			t.Fatalf("inside %v: %v", inside, err)
		}
		if err == nil {
			// What the server gave goes back to it unchanged.
			initiate, err := c.initiate(nil)
			if err != nil || !bytes.Equal(initiate[:cookieSize], c.cookie[:]) {
				t.Fatalf("INITIATE: %v", err)
			}
		}
	})
}

func lowOrder(p Public) bool {
	own, err := privateKey(body(32))
	return err == nil && agree(new([32]byte), own, &p) != nil
}

// FuzzInitiate: an INITIATE is taken exactly if it is the vectors' one; if the
// input is put into its box by a true client, exactly if key and vouch are right,
// whatever the metadata.
func FuzzInitiate(tf *testing.F) {
	f := mutate.From(tf)
	v := loadVectors(f)
	initiate := v.command(f, cmdInitiate)
	is := v.cast(f)
	in := v.insideInitiate(f)
	short, peer, genuine := in.client, in.server, in.plain
	f.Add(false, initiate)
	f.Add(false, initiate[:initiateMin])
	f.Add(true, genuine)
	f.Add(true, genuine[:initiateFixed])
	f.Add(true, append(bytes.Clone(genuine), 0, 0, 0, 0, 0))
	f.Add(true, make([]byte, initiateFixed))
	for _, at := range []int{0, longNonceSize, initiateNonceAt + 7, initiateBoxAt, len(initiate) - 1} {
		f.Add(false, flipped(initiate, at, 2))
	}
	f.Add(true, flipped(genuine, 3, 1))
	f.Add(true, flipped(genuine, KeySize, 1))
	f.Add(true, flipped(genuine, KeySize-1, 0x80)) // X25519 takes it for the same key
	f.Add(true, flipped(genuine, initiateFixed-1, 1))
	// A vouch that opens and is for somebody else.
	secret := [KeySize]byte(v.values["client-secret"])
	vouchNonce := longNonce(vouchPrefix, (*[longNonceSize]byte)(genuine[KeySize:]))
	own, err := privateKey(short[:])
	if err != nil {
		f.Fatal(err)
	}
	vouched := append(own.PublicKey().Bytes(), v.values["server-public"]...)
	for _, at := range []int{0, KeySize} {
		other := bytes.Clone(genuine[:KeySize+longNonceSize])
		f.Add(true, box.Seal(other, flipped(vouched, at, 1), &vouchNonce, &peer, &secret))
	}
	// What comes before is done once: agreeing on keys takes most of the time.
	begun := serverHandshake{server: v.again(is).server}
	if _, err := begun.hello(v.command(f, cmdHello)); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, inside bool, data []byte) {
		plain := data
		if inside {
			data = in.seal(plain)
		}
		s := begun
		client, metadata, err := s.initiate(data)
		want := bytes.Equal(data, initiate)
		if inside {
			want = len(plain) >= initiateFixed && bytes.Equal(plain[:initiateFixed], genuine[:initiateFixed])
		}
		if (err == nil) != want {
			t.Fatalf("inside %v: %v", inside, err)
		}
		if err != nil {
			if client != (Public{}) || metadata != nil {
				t.Fatal("a refused INITIATE has a client")
			}
			return
		}
		if client != is.client.public || inside && !bytes.Equal(metadata, plain[initiateFixed:]) {
			t.Fatalf("client %v, metadata %q", client, metadata)
		}
		// It is taken with the cookie's key one life later, and not after two.
		checkCookies(t, begun, data, &cookies{previous: begun.server.cookies.current}, true)
		checkCookies(t, begun, data, &cookies{}, false)
	})
}

// checkCookies: with these keys of cookies a good INITIATE is taken, or not.
func checkCookies(t *testing.T, s serverHandshake, initiate []byte, keys *cookies, want bool) {
	server := *s.server
	server.cookies = keys
	s.server = &server
	if _, _, err := s.initiate(initiate); (err == nil) != want {
		t.Fatalf("%v, want it taken: %v", err, want)
	}
}

// insideInitiate is what lies in the box of the vectors' INITIATE.
type insideInitiate struct {
	client, server [KeySize]byte // c' and S'
	key            [32]byte      // of the two
	plain          []byte
	head           []byte // what comes before the box
}

func (v vectors) insideInitiate(f *mutate.F) *insideInitiate {
	initiate := v.command(f, cmdInitiate)
	server, err := privateKey(v.values["server-random"][:KeySize])
	if err != nil {
		f.Fatal(err)
	}
	in := &insideInitiate{
		client: [KeySize]byte(v.values["client-random"]), server: [KeySize]byte(server.PublicKey().Bytes()), head: initiate[:initiateBoxAt],
	}
	nonce, ok := shortNonce(initiatePrefix, 2), false
	if in.plain, ok = box.Open(nil, initiate[initiateBoxAt:], &nonce, &in.server, &in.client); !ok {
		f.Fatal("the vector does not open")
	}
	box.Precompute(&in.key, &in.server, &in.client)
	return in
}

// seal is the data of an INITIATE with this in its box.
func (in *insideInitiate) seal(plain []byte) []byte {
	nonce := shortNonce(initiatePrefix, 2)
	return box.SealAfterPrecomputation(bytes.Clone(in.head), plain, &nonce, &in.key)
}

// FuzzReady: a READY is taken exactly if it is the vectors' one or the true
// server's, with what it holds.
func FuzzReady(tf *testing.F) {
	f := mutate.From(tf)
	v := loadVectors(f)
	ready := v.command(f, cmdReady)
	f.Add(false, ready)
	f.Add(false, ready[:readyMin])
	f.Add(true, sockets.AppendMetadata(nil, socketType, "XPUB"))
	f.Add(true, []byte{})
	welcomed := v.welcomed(f)
	f.Fuzz(func(t *testing.T, inside bool, data []byte) {
		c, plain := *welcomed, data
		if inside {
			data = sealReady(&c, plain)
		}
		metadata, err := c.ready(data)
		if (err == nil) != (inside || bytes.Equal(data, ready)) {
			t.Fatalf("inside %v: %v", inside, err)
		}
		if err == nil && inside && !bytes.Equal(metadata, plain) {
			t.Fatalf("metadata %q, want %q", metadata, plain)
		}
	})
}

// welcomed is the vectors' client when it has taken WELCOME.
func (v vectors) welcomed(f *mutate.F) *clientHandshake {
	c := &clientHandshake{client: v.cast(f).client}
	if _, err := c.hello(); err != nil {
		f.Fatal(err)
	}
	if err := c.welcome(v.command(f, cmdWelcome)); err != nil {
		f.Fatal(err)
	}
	return c
}

// sealReady is the data of a true server's READY with this metadata.
func sealReady(c *clientHandshake, metadata []byte) []byte {
	nonce := shortNonce(readyPrefix, 1)
	return secretbox.Seal(bytes.Clone(nonce[16:]), metadata, &nonce, &c.key)
}

// halves is a connection of two net.Pipes, so that one direction can end before
// the other.
type halves struct {
	net.Conn // what is read from
	out      net.Conn
}

func (h halves) Write(p []byte) (int, error) { return h.out.Write(p) }
func (h halves) Close() error                { h.out.Close(); return h.Conn.Close() }

// FuzzHandshake runs a whole handshake against a peer that sends anything behind
// its greeting, or that is true and puts anything for metadata into its last command.
// It ends, succeeds exactly for the vectors' commands, or for a type that fits, and
// sends no more than a right handshake does. The peer may close after so many octets
// that it has read, 0 is for none: then there is no success.
func FuzzHandshake(tf *testing.F) {
	f := mutate.From(tf)
	v := loadVectors(f)
	is := v.cast(f)
	all := sides(f, v)
	for name, side := range all {
		server := name == "server"
		f.Add(server, false, uint16(0), side.takes)
		f.Add(server, false, uint16(0), append(bytes.Clone(side.takes), v.frames["client"][0].wire...))
		f.Add(server, false, uint16(0), side.takes[:side.first])
		f.Add(server, false, uint16(0), sockets.AppendCommand(nil, cmdError, []byte(unauthorized)))
		for _, typ := range []string{"XPUB", "XSUB", "SUB", "PULL", "NOSUCH", ""} {
			f.Add(server, true, uint16(0), sockets.AppendMetadata(nil, socketType, typ))
			f.Add(server, true, uint16(0), sockets.AppendMetadata([]byte("\x01a\x00\x00\x00\x02bc"), "socket-TYPE", typ))
		}
		for _, n := range []int{63, 64 + len(side.gives) - side.last - 1, 64 + len(side.gives) - 1, 64 + len(side.gives)} {
			f.Add(server, false, uint16(n), side.takes)
		}
		f.Add(server, true, uint16(0), []byte{})
		f.Add(server, true, uint16(0), []byte("\x0bSocket-Type\x00\x00\x00\x04XSU"))
	}
	welcomed, in := v.welcomed(f), v.insideInitiate(f)
	f.Words("\x0bSocket-Type\x00\x00\x00\x04", "XPUB", "XSUB", "\x01a\x00\x00\x00\x00")
	f.Fuzz(func(t *testing.T, server, inside bool, reads uint16, data []byte) {
		side, m := all["client"], v.again(is).client.Mechanism(false)
		if server {
			side, m = all["server"], v.again(is).server.Mechanism(true)
		}
		want := bytes.HasPrefix(data, side.takes)
		if inside {
			metadata := data[:min(len(data), 2000)] // no more than a command may hold
			name, last := cmdReady, sealReady(welcomed, metadata)
			if server {
				name, last = cmdInitiate, in.seal(append(bytes.Clone(in.plain[:initiateFixed]), metadata...))
			}
			data = sockets.AppendCommand(bytes.Clone(side.takes[:side.first]), name, last)
			_, want = oracle.ReadHello(string(side.typ), oracle.AppendCommand(oracle.Hello("")[:64], "READY", metadata))
		}
		in, peerOut := net.Pipe()
		peerIn, out := net.Pipe()
		nc := halves{in, out}
		go func() {
			peerOut.Write(append(greeting("CURVE"), data...))
			peerOut.Close()
		}()
		sent := make(chan []byte, 1)
		go func() {
			var from io.Reader = peerIn
			if reads > 0 {
				from = io.LimitReader(peerIn, int64(reads))
			}
			b, _ := io.ReadAll(from)
			peerIn.Close()
			sent <- b
		}()
		_, err := zmq4.Open(nc, m, side.typ, nil, server, nil)
		nc.Close()
		got := <-sent
		whole := 64 + len(side.gives)
		most := whole
		if reads > 0 {
			most = int(reads)
		}
		want = want && most >= whole
		if (err == nil) != want {
			t.Fatalf("server %v, inside %v, read up to %d: %v", server, inside, reads, err)
		}
		if len(got) < min(64, most) || len(got) > 64 && !bytes.HasPrefix(side.gives, got[64:]) || want && len(got) != whole {
			t.Fatalf("server %v sent %q", server, got)
		}
	})
}
