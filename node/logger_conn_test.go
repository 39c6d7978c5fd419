package node

import (
	"math/rand/v2"
	"net/netip"

	"github.com/znode/znode/codec"
)

// connBatch is a batch of connections as a busy sensor sees them: most over
// IPv4, one in eight over IPv6, one in five without payload.
func connBatch(path string, records int) ([]byte, error) {
	w, err := codec.NewBatchWriter(codec.BatchHeader{Stream: "Conn::LOG", Path: path, Fields: []codec.Field{
		codec.NewField("ts", codec.TypeTime),
		codec.NewField("uid", codec.TypeString),
		codec.NewField("id.orig_h", codec.TypeAddr),
		codec.NewField("id.orig_p", codec.TypePort),
		codec.NewField("id.resp_h", codec.TypeAddr),
		codec.NewField("id.resp_p", codec.TypePort),
		codec.NewField("proto", codec.TypeEnum),
		codec.NewField("service", codec.TypeString),
		codec.NewField("duration", codec.TypeInterval),
		codec.NewField("orig_bytes", codec.TypeCount),
		codec.NewField("resp_bytes", codec.TypeCount),
		codec.NewField("conn_state", codec.TypeString),
		codec.NewField("local_orig", codec.TypeBool),
		codec.NewField("local_resp", codec.TypeBool),
		codec.NewField("missed_bytes", codec.TypeCount),
		codec.NewField("history", codec.TypeString),
		codec.NewField("orig_pkts", codec.TypeCount),
		codec.NewField("orig_ip_bytes", codec.TypeCount),
		codec.NewField("resp_pkts", codec.TypeCount),
		codec.NewField("resp_ip_bytes", codec.TypeCount),
		codec.NewContainerField("tunnel_parents", codec.TypeTable, codec.TypeString),
		codec.NewField("ip_proto", codec.TypeCount),
	}})
	if err != nil {
		return nil, err
	}
	rng := rand.New(rand.NewPCG(1, 2))
	now := 1_790_000_000.0
	w.Start(nil)
	for range records {
		now += rng.Float64() / 1000
		writeConn(w, rng, now)
		if err := w.EndRecord(); err != nil {
			return nil, err
		}
	}
	return w.Finish(), nil
}

func writeConn(w *codec.BatchWriter, rng *rand.Rand, now float64) {
	const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	uid := []byte("C")
	for range 17 {
		uid = append(uid, letters[rng.IntN(len(letters))])
	}
	six := rng.IntN(8) == 0
	addr := func(net byte) netip.Addr {
		a, b := byte(rng.Uint32()), byte(rng.Uint32())
		if six {
			return netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 0, net, 14: a, 15: b})
		}
		return netip.AddrFrom4([4]byte{net, a, b, 7})
	}
	payload := rng.IntN(5) > 0
	unlessEmpty := func(set func()) {
		if payload {
			set()
		} else {
			w.Unset()
		}
	}
	w.Timestamp(now)
	w.Bytes(uid)
	w.Addr(addr(10))
	w.Port(codec.Port{Num: uint16(1024 + rng.IntN(64000)), Proto: codec.ProtoTCP})
	w.Addr(addr(192))
	w.Port(codec.Port{Num: uint16(rng.IntN(1024)), Proto: codec.ProtoTCP})
	w.Enum("tcp")
	unlessEmpty(func() { w.String([]string{"dns", "http", "ssl", "ssh", "ntp"}[rng.IntN(5)]) })
	unlessEmpty(func() { w.Seconds(rng.Float64() * 20) })
	unlessEmpty(func() { w.Count(uint64(rng.IntN(9000))) })
	unlessEmpty(func() { w.Count(uint64(rng.IntN(900000))) })
	w.String("SF")
	w.Bool(true)
	w.Bool(false)
	w.Count(0)
	w.String("ShADadFf")
	for range 4 {
		w.Count(uint64(rng.IntN(9000)))
	}
	w.Unset()
	w.Count(6)
}

// noisyNumbers is a batch of numbered records with text that does not compress.
func noisyNumbers(first, count int) []byte {
	w, err := codec.NewBatchWriter(codec.BatchHeader{Stream: "Test::LOG", Path: "noise", Fields: []codec.Field{
		codec.NewField("n", codec.TypeCount), codec.NewField("noise", codec.TypeString),
	}})
	if err != nil {
		panic(err)
	}
	rng := rand.New(rand.NewPCG(uint64(first), 1))
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	w.Start(nil)
	for i := range count {
		var noise [200]byte
		var bits uint64
		for j := range noise {
			if bits >>= 6; j%10 == 0 {
				bits = rng.Uint64()
			}
			noise[j] = letters[bits%uint64(len(letters))]
		}
		w.Count(uint64(first + i))
		w.Bytes(noise[:])
		if err := w.EndRecord(); err != nil {
			panic(err)
		}
	}
	return w.Finish()
}
