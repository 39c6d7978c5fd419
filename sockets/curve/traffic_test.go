package curve

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"golang.org/x/crypto/nacl/secretbox"

	"github.com/go-zeromq/zmq4"

	"github.com/znode/znode/sockets"
)

// testKey is the agreed key of the traffic in these tests.
var testKey = [32]byte{1, 2, 3}

// newTraffic returns the codecs of a server and its client.
func newTraffic() (server, client *traffic) {
	server, client = new(traffic), new(traffic)
	server.start(&testKey, serverPrefix, 1, clientPrefix, 2)
	client.start(&testKey, clientPrefix, 2, serverPrefix, 1)
	return server, client
}

// sealOracle is what Seal must give, by secretbox.
func sealOracle(prefix string, nonce uint64, inner byte, text []byte) []byte {
	n := shortNonce(prefix, nonce)
	sealed := append([]byte(messageName), n[16:]...)
	sealed = secretbox.Seal(sealed, append([]byte{inner}, text...), &n, &testKey)
	if len(sealed) <= 255 {
		return append([]byte{0, byte(len(sealed))}, sealed...)
	}
	return append(binary.BigEndian.AppendUint64([]byte{2}, uint64(len(sealed))), sealed...)
}

// sizes are lengths of bodies around every edge: the frame's short header, the
// first keystream, its blocks and their groups, and some in between.
func sizes() []int {
	list := []int{1000, 4096, 65536, 65537, 1 << 20}
	for _, edge := range []int{0, 31, 95, 159, 222, 223, 255, 256, 223 + 64, 223 + 256, 223 + 256 + 64, 223 + 512} {
		for n := max(0, edge-2); n <= edge+2; n++ {
			list = append(list, n)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// TestSealAgainstSecretbox compares every length with the oracle and opens it.
func TestSealAgainstSecretbox(t *testing.T) {
	server, client := newTraffic()
	for i, n := range append(sizes(), seq(0, 1200)...) {
		text := body(n)
		flags, inner := [...]byte{0, flagMore, flagCommand}[i%3], [...]byte{0, sealedMore, sealedCommand}[i%3]
		before := []byte("before")
		wire, err := server.Seal(before, flags, text)
		if err != nil {
			t.Fatal(err)
		}
		wire, ok := bytes.CutPrefix(wire, before)
		want := sealOracle(serverPrefix, uint64(2+i), inner, text)
		if !ok || !bytes.Equal(wire, want) {
			t.Fatalf("body of %d octets: sealed not as secretbox does", n)
		}
		if !bytes.Equal(text, body(n)) {
			t.Fatalf("body of %d octets was changed", n)
		}
		outer, sealed, rest := cutFrame(t, wire)
		if len(sealed) != n+Overhead || len(rest) > 0 || Overhead != server.Overhead() {
			t.Fatalf("body of %d octets: sealed to %d", n, len(sealed))
		}
		got, plain, err := client.Open(outer, sealed)
		if err != nil || got != flags || !bytes.Equal(plain, text) {
			t.Fatalf("body of %d octets opens with flags %#x, error %v", n, got, err)
		}
		if n > 0 && &plain[0] != &sealed[Overhead] {
			t.Fatal("not opened in place")
		}
	}
}

func seq(from, to int) (list []int) {
	for n := from; n < to; n++ {
		list = append(list, n)
	}
	return list
}

// TestSealRandom does the same for random lengths and contents, several frames in
// one piece of memory.
func TestSealRandom(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	server, client := newTraffic()
	nonce := uint64(2)
	var wire, want []byte
	var texts [][]byte
	for range 300 {
		text := make([]byte, r.IntN(3000))
		for i := range text {
			text[i] = byte(r.Uint32())
		}
		nonce++
		want = append(want, sealOracle(clientPrefix, nonce, sealedMore, text)...)
		wire, _ = client.Seal(wire, flagMore, text)
		texts = append(texts, text)
	}
	if !bytes.Equal(wire, want) {
		t.Fatal("sealed not as secretbox does")
	}
	for _, text := range texts {
		var flags byte
		var sealed []byte
		flags, sealed, wire = cutFrame(t, wire)
		if _, plain, err := server.Open(flags, sealed); err != nil || !bytes.Equal(plain, text) {
			t.Fatalf("frame of %d octets does not open: %v", len(text), err)
		}
	}
}

// sealed returns the body of a sealed frame of n octets from the client.
func sealed(t *testing.T, client *traffic, n int) []byte {
	t.Helper()
	wire, err := client.Seal(nil, 0, body(n))
	if err != nil {
		t.Fatal(err)
	}
	_, sealed, _ := cutFrame(t, wire)
	return sealed
}

// TestOpenRefuses: what is not the next MESSAGE is refused, and everything after
// it too.
func TestOpenRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(first, second []byte) (flags byte, sealed []byte)
		reason sockets.Reason
		err    error
	}{
		"repeated":          {func(a, _ []byte) (byte, []byte) { return 0, a }, sockets.ReasonSecurity, errReplay},
		"MORE outside":      {func(_, b []byte) (byte, []byte) { return flagMore, b }, sockets.ReasonSecurity, errOuterFlags},
		"COMMAND outside":   {func(_, b []byte) (byte, []byte) { return flagCommand, b }, sockets.ReasonSecurity, errOuterFlags},
		"plaintext":         {func(_, b []byte) (byte, []byte) { return 0, []byte("zeek.cluster.nodeid.plaintext.of.a.NULL.peer") }, sockets.ReasonSecurity, errNoMessage},
		"empty":             {func(_, b []byte) (byte, []byte) { return 0, nil }, sockets.ReasonSecurity, errNoMessage},
		"short":             {func(_, b []byte) (byte, []byte) { return 0, b[:Overhead-1] }, sockets.ReasonSecurity, errNoMessage},
		"cut":               {func(_, b []byte) (byte, []byte) { return 0, b[:len(b)-1] }, sockets.ReasonSecurity, errBox},
		"longer":            {func(_, b []byte) (byte, []byte) { return 0, append(b, 0) }, sockets.ReasonSecurity, errBox},
		"other direction":   {fromServer, sockets.ReasonSecurity, errBox},
		"flags unknown":     {withInner(0x04), sockets.ReasonFrame, errInnerFlags},
		"flags high":        {withInner(0x80), sockets.ReasonFrame, errInnerFlags},
		"COMMAND with MORE": {withInner(sealedMore | sealedCommand), sockets.ReasonFrame, errInnerFlags},
	} {
		t.Run(name, func(t *testing.T) {
			server, client := newTraffic()
			first := sealed(t, client, 50)
			kept := bytes.Clone(first)
			if _, _, err := server.Open(0, first); err != nil {
				t.Fatal(err)
			}
			second := sealed(t, client, 50)
			flags, bad := c.change(kept, bytes.Clone(second))
			_, _, err := server.Open(flags, bad)
			if !errors.Is(err, c.err) {
				t.Fatalf("error %v, want %v", err, c.err)
			}
			wantReason(t, err, c.reason)
			if _, plain, again := server.Open(0, second); again != err || plain != nil {
				t.Fatalf("after that the right frame gives %v", again)
			}
		})
	}
}

// withInner seals the next frame with these flags inside the box.
func withInner(inner byte) func(_, second []byte) (byte, []byte) {
	return func(_, second []byte) (byte, []byte) {
		nonce := binary.BigEndian.Uint64(second[messageNonceAt:])
		return 0, sealOracle(clientPrefix, nonce, inner, body(50))[2:]
	}
}

// fromServer seals the next frame as the other side would: reflected traffic.
func fromServer(_, second []byte) (byte, []byte) {
	nonce := binary.BigEndian.Uint64(second[messageNonceAt:])
	return 0, sealOracle(serverPrefix, nonce, 0, body(50))[2:]
}

// TestOpenReordered: a frame that was overtaken is lost for good; a gap is none of
// the codec's business, since TCP makes none.
func TestOpenReordered(t *testing.T) {
	server, client := newTraffic()
	first, second := sealed(t, client, 5), sealed(t, client, 6)
	if _, _, err := server.Open(0, second); err != nil {
		t.Fatal(err)
	}
	if _, _, err := server.Open(0, first); !errors.Is(err, errReplay) {
		t.Fatalf("error %v", err)
	}
}

// TestOpenFlipped flips every bit of a sealed frame.
func TestOpenFlipped(t *testing.T) {
	for _, n := range []int{0, 40, 300} {
		_, client := newTraffic()
		good := sealed(t, client, n)
		for bit := range len(good) * 8 {
			bad := bytes.Clone(good)
			bad[bit/8] ^= 1 << (bit % 8)
			server, _ := newTraffic()
			_, plain, err := server.Open(0, bad)
			if plain != nil {
				t.Fatalf("bit %d flipped and something came out", bit)
			}
			wantReason(t, err, sockets.ReasonSecurity)
		}
		server, _ := newTraffic()
		if _, _, err := server.Open(0, good); err != nil {
			t.Fatal(err)
		}
	}
}

// TestNonces uses up the nonces of a connection.
func TestNonces(t *testing.T) {
	server, client := newTraffic()
	client.out.nonce = math.MaxUint64 - 1
	last := sealed(t, client, 3)
	dst := []byte("kept")
	for range 2 {
		got, err := client.Seal(dst, 0, body(3))
		if !errors.Is(err, ErrNonces) || string(got) != "kept" {
			t.Fatalf("%q, %v", got, err)
		}
	}
	if _, plain, err := server.Open(0, bytes.Clone(last)); err != nil || !bytes.Equal(plain, body(3)) {
		t.Fatalf("the last nonce: %v", err)
	}
	if _, _, err := server.Open(0, last); !errors.Is(err, errReplay) {
		t.Fatalf("after the last nonce: %v", err)
	}
}

// TestBeforeHandshake: a mechanism that has no keys does nothing, and zmq4's own
// way to send is refused with the reason.
func TestBeforeHandshake(t *testing.T) {
	is := newCast(t)
	for _, m := range []zmq4.Security{is.server.Mechanism(true), is.client.Mechanism(false)} {
		codec := m.(sockets.FrameCodec)
		if _, err := codec.Seal(nil, 0, nil); !errors.Is(err, ErrNoHandshake) {
			t.Errorf("Seal: %v", err)
		}
		if _, _, err := codec.Open(0, make([]byte, 100)); !errors.Is(err, ErrNoHandshake) {
			t.Errorf("Open: %v", err)
		}
		if n, err := m.Encrypt(io.Discard, body(3)); n != 0 || !errors.Is(err, ErrFraming) {
			t.Errorf("Encrypt: %v", err)
		}
		if n, err := m.Decrypt(io.Discard, body(3)); n != 0 || !errors.Is(err, ErrFraming) {
			t.Errorf("Decrypt: %v", err)
		}
		if m.Type() != zmq4.CurveSecurity {
			t.Errorf("Type: %s", m.Type())
		}
	}
}

// TestTrafficAllocates: no frame costs an allocation, a refused one neither.
func TestTrafficAllocates(t *testing.T) {
	for _, n := range []int{0, 20, 200, 1000, 100_000} {
		server, client := newTraffic()
		text, wire := body(n), make([]byte, 0, longHeader+Overhead+n)
		var err error
		if got := testing.AllocsPerRun(100, func() {
			if wire, err = client.Seal(wire[:0], flagMore, text); err != nil {
				t.Fatal(err)
			}
			sealed := wire[len(wire)-n-Overhead:]
			if _, _, err = server.Open(0, sealed); err != nil {
				t.Fatal(err)
			}
		}); got != 0 {
			t.Errorf("%v allocations for a frame of %d octets", got, n)
		}
		damaged := make([]byte, Overhead+n)
		copy(damaged, wire[len(wire)-n-Overhead:])
		if got := testing.AllocsPerRun(100, func() {
			server.in.err = nil
			if _, _, err = server.Open(0, damaged); err == nil {
				t.Fatal("a damaged frame was opened")
			}
		}); got != 0 {
			t.Errorf("%v allocations for a damaged frame of %d octets", got, n)
		}
	}
}
