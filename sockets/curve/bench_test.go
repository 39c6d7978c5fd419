package curve

import (
	"fmt"
	"testing"

	"golang.org/x/crypto/nacl/secretbox"
)

// benchSizes are lengths of bodies in octets.
var benchSizes = []int{20, 200, 1000, 16384}

// BenchmarkSeal compares sealing a frame with secretbox, which gives the same box
// but computes the subkey every time.
func BenchmarkSeal(b *testing.B) {
	for _, size := range benchSizes {
		text := body(size)
		b.Run(fmt.Sprintf("impl=curve/size=%d", size), func(b *testing.B) {
			server, _ := newTraffic()
			wire := make([]byte, 0, longHeader+Overhead+size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				wire, _ = server.Seal(wire[:0], flagMore, text)
			}
		})
		b.Run(fmt.Sprintf("impl=secretbox/size=%d", size), func(b *testing.B) {
			plain := append([]byte{sealedMore}, text...)
			sealed := make([]byte, 0, len(plain)+secretbox.Overhead)
			var nonce uint64
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				nonce++
				n := shortNonce(serverPrefix, nonce)
				sealed = secretbox.Seal(sealed[:0], plain, &n, &testKey)
			}
		})
	}
}

// BenchmarkOpen opens frames of which each is new, so what is timed includes
// copying the sealed frame to where it is opened.
func BenchmarkOpen(b *testing.B) {
	for _, size := range benchSizes {
		sealed := sealOracle(serverPrefix, 2, sealedMore, body(size))
		sealed = sealed[len(sealed)-size-Overhead:]
		b.Run(fmt.Sprintf("impl=curve/size=%d", size), func(b *testing.B) {
			_, client := newTraffic()
			frame := make([]byte, len(sealed))
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				copy(frame, sealed)
				client.in.nonce = 1
				if _, _, err := client.Open(0, frame); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("impl=secretbox/size=%d", size), func(b *testing.B) {
			frame, plain := make([]byte, len(sealed)), make([]byte, 0, size+1)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				copy(frame, sealed)
				nonce := shortNonce(serverPrefix, 2)
				if _, ok := secretbox.Open(plain, frame[messageTagAt:], &nonce, &testKey); !ok {
					b.Fatal("does not open")
				}
			}
		})
	}
}

// BenchmarkHandshake is both sides' computations of one handshake, and the one
// step by which a stranger can make the server work.
func BenchmarkHandshake(b *testing.B) {
	v := loadVectors(b)
	is := v.cast(b)
	all := sides(b, v)
	for _, name := range []string{"server", "client"} {
		side := all[name]
		b.Run("side="+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := play(side.mechanism(), side.typ, side.takes); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	hello := v.command(b, cmdHello)
	b.Run("side=server/step=HELLO", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s := serverHandshake{server: v.again(is).server}
			if _, err := s.hello(hello); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("side=server/step=garbage", func(b *testing.B) {
		garbage := append([]byte(nil), hello...)
		garbage[helloBoxAt] ^= 1
		b.ReportAllocs()
		for b.Loop() {
			s := serverHandshake{server: is.server}
			if _, err := s.hello(garbage); err == nil {
				b.Fatal("taken")
			}
		}
	})
}
