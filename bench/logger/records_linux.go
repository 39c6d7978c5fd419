package main

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/znode/znode/bench/internal/zmtp"
	"github.com/znode/znode/codec"
)

// conn is a record of Zeek's conn log, with all its columns.
type conn struct {
	TS            time.Time      `zeek:"ts"`
	UID           string         `zeek:"uid"`
	ID            connID         `zeek:"id"`
	Proto         codec.Enum     `zeek:"proto"`
	Service       *string        `zeek:"service"`
	Duration      *time.Duration `zeek:"duration"`
	OrigBytes     *uint64        `zeek:"orig_bytes"`
	RespBytes     *uint64        `zeek:"resp_bytes"`
	ConnState     string         `zeek:"conn_state"`
	LocalOrig     bool           `zeek:"local_orig"`
	LocalResp     bool           `zeek:"local_resp"`
	MissedBytes   uint64         `zeek:"missed_bytes"`
	History       string         `zeek:"history"`
	OrigPkts      uint64         `zeek:"orig_pkts"`
	OrigIPBytes   uint64         `zeek:"orig_ip_bytes"`
	RespPkts      uint64         `zeek:"resp_pkts"`
	RespIPBytes   uint64         `zeek:"resp_ip_bytes"`
	TunnelParents *[]string      `zeek:"tunnel_parents"`
	IPProto       uint64         `zeek:"ip_proto"`
}

type connID struct {
	OrigH netip.Addr `zeek:"orig_h"`
	OrigP codec.Port `zeek:"orig_p"`
	RespH netip.Addr `zeek:"resp_h"`
	RespP codec.Port `zeek:"resp_p"`
}

// randomConn makes a record such as a mixed network has: one in eight is IPv6,
// one in five has no payload.
func randomConn(rng *rand.Rand, now time.Time) *conn {
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
	small := func() uint64 { return uint64(rng.IntN(9000)) }
	c := &conn{
		TS: now, UID: string(uid),
		ID: connID{
			OrigH: addr(10), OrigP: codec.Port{Num: uint16(1024 + rng.IntN(64000)), Proto: codec.ProtoTCP},
			RespH: addr(192), RespP: codec.Port{Num: uint16(rng.IntN(1024)), Proto: codec.ProtoTCP},
		},
		Proto: "tcp", ConnState: "SF", LocalOrig: true, History: "ShADadFf",
		OrigPkts: small(), OrigIPBytes: small(), RespPkts: small(), RespIPBytes: small(), IPProto: 6,
	}
	if rng.IntN(5) > 0 {
		service := []string{"dns", "http", "ssl", "ssh", "ntp"}[rng.IntN(5)]
		duration := time.Duration(rng.Float64() * 20 * float64(time.Second))
		sent, received := small(), 100*small()
		c.Service, c.Duration, c.OrigBytes, c.RespBytes = &service, &duration, &sent, &received
	}
	return c
}

const senderName = "zeromq_worker-1_bench_1_Nbench"

// A parcel is a batch, the same for all that is sent to one path.
type parcel struct {
	payload []byte
	wire    int // bytes of the whole message
	head    int // bytes of the file's header
	text    int // bytes of the batch's lines
}

// parcels makes a batch of so many records for each of the paths.
func parcels(paths, records int, format codec.TextFormat) (list []parcel, err error) {
	opt := codec.DefaultTextOptions()
	opt.Format = format
	formatter, err := codec.NewFormatter(opt)
	if err != nil {
		return nil, err
	}
	for i := range paths {
		p, err := newParcel(fmt.Sprintf("conn%d", i), records, formatter)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

func newParcel(path string, records int, formatter *codec.Formatter) (p parcel, err error) {
	stream, err := codec.NewLogStream[conn](codec.BatchHeader{Stream: "Conn::LOG", Path: path})
	if err != nil {
		return p, err
	}
	w, rng := stream.NewWriter(), rand.New(rand.NewPCG(1, 2))
	now := time.Date(2026, 9, 21, 14, 13, 20, 0, time.UTC)
	w.Start(nil)
	for range records {
		now = now.Add(time.Duration(rng.IntN(1_000_000)))
		if err := w.Write(randomConn(rng, now)); err != nil {
			return p, err
		}
	}
	p.payload = w.Finish()
	var b codec.Batch
	if err := b.DecodeHeader(p.payload); err != nil {
		return p, err
	}
	p.head = len(formatter.AppendHeader(nil, &b, now))
	text, err := formatter.AppendRecords(nil, &b)
	if err != nil {
		return p, err
	}
	p.text = len(text)
	for i, frame := range p.frames() {
		p.wire += len(zmtp.AppendFrame(nil, frame, i < 3))
	}
	return p, nil
}

func (p *parcel) frames() [4][]byte {
	return [4][]byte{[]byte("log-write"), []byte(senderName), []byte("zeek-bin-serializer"), p.payload}
}
