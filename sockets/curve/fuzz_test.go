package curve

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"testing"

	"golang.org/x/crypto/nacl/secretbox"

	"github.com/znode/znode/fuzz/mutate"
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
			server.WipeOpen()
			if _, _, again := server.Open(0, sealOracle(clientPrefix, 9, 0, nil)[2:]); again != err {
				t.Fatalf("%v, and then %v", err, again)
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
// opens, and with one octet changed it does not. Behind the last nonce, and without
// keys, nothing is sealed or opened.
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
		client.out.nonce = math.MaxUint64 - 1
		last, err := client.Seal(nil, flags, text)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(last, sealOracle(clientPrefix, math.MaxUint64, inner, text)) {
			t.Fatal("the last frame is not what secretbox gives")
		}
		checkNoMore(t, client, other, before, ErrNonces, nil)
		client.WipeSeal()
		other.WipeOpen()
		checkNoMore(t, client, other, before, ErrWiped, ErrWiped)
		var fresh traffic
		fresh.WipeSeal()
		fresh.WipeOpen()
		checkNoMore(t, &fresh, &fresh, before, ErrNoHandshake, ErrNoHandshake)
	})
}

// checkNoMore: out seals nothing, in opens nothing, for these reasons; nil is for none.
func checkNoMore(t *testing.T, out, in *traffic, before []byte, seal, open error) {
	if wire, err := out.Seal(bytes.Clone(before), 0, []byte("x")); !errors.Is(err, seal) || !bytes.Equal(wire, before) {
		t.Fatalf("sealed %q, %v, want %v", wire, err, seal)
	}
	if flags, body, err := in.Open(0, sealOracle(clientPrefix, 9, 0, []byte("x"))[2:]); open != nil && (err != open || flags != 0 || body != nil) {
		t.Fatalf("opened %#x %q, %v, want %v", flags, body, err, open)
	}
}
