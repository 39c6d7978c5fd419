package curve

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"testing"

	"golang.org/x/crypto/nacl/box"
	"golang.org/x/crypto/nacl/secretbox"

	"github.com/go-zeromq/zmq4"

	"github.com/znode/znode/fuzz/mutate"
	"github.com/znode/znode/sockets"
)

// FuzzZ85: what decodes encodes to the same text, and every four octets come back.
func FuzzZ85(tf *testing.F) {
	f := mutate.From(tf)
	for _, s := range []string{"", "HelloWorld", "%nSc0", "%nSc1", "#####", "00000", "Hell", "~~~~~", "abc\xffd"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if data, err := DecodeZ85(text); err == nil {
			if again, err := EncodeZ85(data); err != nil || again != text {
				t.Fatalf("%q became %x and %q, %v", text, data, again, err)
			}
		}
		if _, err := EncodeZ85([]byte(text)); (err == nil) != (len(text)%4 == 0) {
			t.Fatalf("%d octets: %v", len(text), err)
		}
		whole := []byte(text)[:len(text)/4*4]
		encoded, err := EncodeZ85(whole)
		if err != nil {
			t.Fatal(err)
		}
		if data, err := DecodeZ85(encoded); err != nil || !bytes.Equal(data, whole) {
			t.Fatalf("%x became %q and %x, %v", whole, encoded, data, err)
		}
	})
}

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
	short := [KeySize]byte(v.values["client-random"])
	serverShort, err := privateKey(v.values["server-random"][:KeySize])
	if err != nil {
		f.Fatal(err)
	}
	peer := [KeySize]byte(serverShort.PublicKey().Bytes())
	nonce := shortNonce(initiatePrefix, 2)
	genuine, ok := box.Open(nil, initiate[initiateBoxAt:], &nonce, &peer, &short)
	if !ok {
		f.Fatal("the vector does not open")
	}
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
	key := new([32]byte)
	box.Precompute(key, &peer, &short)
	f.Fuzz(func(t *testing.T, inside bool, data []byte) {
		plain := data
		if inside {
			data = box.SealAfterPrecomputation(bytes.Clone(initiate[:initiateBoxAt]), plain, &nonce, key)
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
	})
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
	is := v.cast(f)
	c := clientHandshake{client: is.client}
	if _, err := c.hello(); err != nil {
		f.Fatal(err)
	}
	if err := c.welcome(v.command(f, cmdWelcome)); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, inside bool, data []byte) {
		plain, nonce := data, shortNonce(readyPrefix, 1)
		if inside {
			data = secretbox.Seal(bytes.Clone(nonce[16:]), plain, &nonce, &c.key)
		}
		c := c
		metadata, err := c.ready(data)
		if (err == nil) != (inside || bytes.Equal(data, ready)) {
			t.Fatalf("inside %v: %v", inside, err)
		}
		if err == nil && inside && !bytes.Equal(metadata, plain) {
			t.Fatalf("metadata %q, want %q", metadata, plain)
		}
	})
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
// its greeting. It ends, succeeds exactly for the vectors' commands, and sends no
// more than a right handshake does.
func FuzzHandshake(tf *testing.F) {
	f := mutate.From(tf)
	v := loadVectors(f)
	is := v.cast(f)
	for name, side := range sides(f, v) {
		f.Add(name == "server", side.takes)
		f.Add(name == "server", append(bytes.Clone(side.takes), v.frames["client"][0].wire...))
		f.Add(name == "server", side.takes[:side.first])
		f.Add(name == "server", sockets.AppendCommand(nil, cmdError, []byte(unauthorized)))
	}
	all := sides(f, v)
	f.Fuzz(func(t *testing.T, server bool, data []byte) {
		side, m := all["client"], v.again(is).client.Mechanism(false)
		if server {
			side, m = all["server"], v.again(is).server.Mechanism(true)
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
			b, _ := io.ReadAll(peerIn)
			sent <- b
		}()
		_, err := zmq4.Open(nc, m, side.typ, nil, server, nil)
		nc.Close()
		got := <-sent
		want := bytes.HasPrefix(data, side.takes)
		if (err == nil) != want {
			t.Fatalf("server %v: %v", server, err)
		}
		if len(got) < 64 || !bytes.HasPrefix(side.gives, got[64:]) || want && len(got) != 64+len(side.gives) {
			t.Fatalf("server %v sent %q", server, got)
		}
	})
}

// FuzzOpen: a frame is opened exactly if secretbox opens it, its nonce is new and
// its flags are known; then with the same text, and never again.
func FuzzOpen(tf *testing.F) {
	f := mutate.From(tf)
	for _, inner := range []byte{0, 1, 2, 3, 4} {
		f.Add(byte(0), sealOracle(clientPrefix, 3, inner, body(10))[2:])
		f.Add(byte(flagMore), sealOracle(clientPrefix, 4, inner, nil)[2:])
	}
	f.Add(byte(0), sealOracle(clientPrefix, 2, 0, body(10))[2:])
	f.Add(byte(flagLong), sealOracle(clientPrefix, 3, 0, body(300))[9:])
	f.Add(byte(0), []byte(messageName))
	f.Fuzz(func(t *testing.T, flags byte, data []byte) {
		server, _ := newTraffic()
		sealed := bytes.Clone(data)
		got, plain, err := server.Open(flags, sealed)
		var want []byte
		ok := false
		if flags&(flagMore|flagCommand) == 0 && len(data) >= 33 && string(data[:8]) == "\x07MESSAGE" {
			n := binary.BigEndian.Uint64(data[8:])
			nonce := shortNonce(clientPrefix, n)
			want, ok = secretbox.Open(nil, data[16:], &nonce, &testKey)
			ok = ok && n > 2 && want[0] < 3
		}
		if (err == nil) != ok {
			t.Fatalf("error %v, secretbox says %v", err, ok)
		}
		if err != nil {
			if plain != nil {
				t.Fatal("a refused frame has a body")
			}
			return
		}
		if !bytes.Equal(plain, want[1:]) || got != [...]byte{0, flagMore, flagCommand}[want[0]] {
			t.Fatalf("flags %#x, body %q, want %q", got, plain, want)
		}
		if _, _, err := server.Open(flags, data); err == nil {
			t.Fatal("opened twice")
		}
	})
}

// FuzzSeal: what is sealed is what secretbox gives, whatever lies before it; it
// opens, and with one octet changed it does not.
func FuzzSeal(tf *testing.F) {
	f := mutate.From(tf)
	f.Add([]byte("before"), byte(0), []byte("zeek"), uint16(3), byte(1))
	f.Add([]byte{}, byte(flagMore), body(223), uint16(40), byte(0x80))
	f.Add([]byte{1}, byte(flagCommand), body(700), uint16(0), byte(0))
	f.Fuzz(func(t *testing.T, before []byte, flags byte, text []byte, at uint16, flip byte) {
		flags &= flagMore | flagCommand
		if flags == flagMore|flagCommand {
			flags = flagCommand
		}
		server, client := newTraffic()
		wire, err := client.Seal(bytes.Clone(before), flags, text)
		if err != nil {
			t.Fatal(err)
		}
		inner := map[byte]byte{0: 0, flagMore: 1, flagCommand: 2}[flags]
		wire, ok := bytes.CutPrefix(wire, before)
		if !ok || !bytes.Equal(wire, sealOracle(clientPrefix, 3, inner, text)) {
			t.Fatal("not what secretbox gives")
		}
		outer, sealed, _ := cutFrame(t, wire)
		changed := bytes.Clone(sealed)
		changed[int(at)%len(changed)] ^= flip
		_, _, err = server.Open(outer, changed)
		if (err == nil) != (flip == 0) {
			t.Fatalf("with %#x changed at %d: %v", flip, int(at)%len(sealed), err)
		}
		other, _ := newTraffic()
		got, plain, err := other.Open(outer, sealed)
		if err != nil || got != flags || !bytes.Equal(plain, text) {
			t.Fatalf("flags %#x, body %q, %v", got, plain, err)
		}
	})
}
