package codec_test

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"testing"

	"github.com/znode/znode/codec"
)

// conn is a record of Zeek's conn.log, for the benchmark's encoding/json side.
type conn struct {
	TS            float64  `json:"ts"`
	UID           string   `json:"uid"`
	OrigH         string   `json:"id.orig_h"`
	OrigP         uint16   `json:"id.orig_p"`
	RespH         string   `json:"id.resp_h"`
	RespP         uint16   `json:"id.resp_p"`
	Proto         string   `json:"proto"`
	Service       *string  `json:"service,omitempty"`
	Duration      *float64 `json:"duration,omitempty"`
	OrigBytes     *uint64  `json:"orig_bytes,omitempty"`
	RespBytes     *uint64  `json:"resp_bytes,omitempty"`
	ConnState     string   `json:"conn_state"`
	LocalOrig     bool     `json:"local_orig"`
	LocalResp     bool     `json:"local_resp"`
	MissedBytes   uint64   `json:"missed_bytes"`
	History       string   `json:"history"`
	OrigPkts      uint64   `json:"orig_pkts"`
	OrigIPBytes   uint64   `json:"orig_ip_bytes"`
	RespPkts      uint64   `json:"resp_pkts"`
	RespIPBytes   uint64   `json:"resp_ip_bytes"`
	TunnelParents []string `json:"tunnel_parents,omitempty"`
	IPProto       uint64   `json:"ip_proto"`
}

func connHeader() codec.BatchHeader {
	return codec.BatchHeader{Stream: "Conn::LOG", Path: "conn", Fields: []codec.Field{
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
	}}
}

func ptr[T any](v T) *T { return &v }

// connRecords makes connections as a busy sensor sees them: most over IPv4,
// one in eight over IPv6, one in five without payload, times in microseconds
// and durations as differences of such times.
func connRecords(n int) []conn {
	rng := rand.New(rand.NewPCG(1, 2))
	const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	services := []string{"dns", "http", "ssl", "ssh", "ntp"}
	addr := func(six bool, net byte) string {
		b := [4]byte{net, byte(rng.Uint32()), byte(rng.Uint32()), byte(1 + rng.IntN(254))}
		if six {
			return netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 0, net, 14: b[2], 15: b[3]}).String()
		}
		return netip.AddrFrom4(b).String()
	}
	out := make([]conn, n)
	now := int64(1_790_000_000_000_000)
	for i := range out {
		now += rng.Int64N(2000)
		ts := float64(now) / 1e6
		six := rng.IntN(8) == 0
		uid := []byte("C")
		for range 17 {
			uid = append(uid, letters[rng.IntN(len(letters))])
		}
		c := conn{
			TS: ts, UID: string(uid),
			OrigH: addr(six, 10), OrigP: uint16(1024 + rng.IntN(64000)), RespH: addr(six, 192), RespP: uint16(rng.IntN(1024)),
			Proto: "tcp", ConnState: "S0", LocalOrig: true, History: "S", IPProto: 6,
			OrigPkts: uint64(1 + rng.IntN(40)), RespPkts: uint64(rng.IntN(40)),
			OrigIPBytes: uint64(rng.IntN(9000)), RespIPBytes: uint64(rng.IntN(900000)),
		}
		if rng.IntN(5) > 0 {
			c.Service = ptr(services[rng.IntN(len(services))])
			c.Duration = ptr(float64(now+rng.Int64N(20_000_000))/1e6 - ts)
			c.OrigBytes, c.RespBytes = ptr(uint64(rng.IntN(9000))), ptr(uint64(rng.IntN(900000)))
			c.ConnState, c.History = "SF", "ShADadFf"
		}
		out[i] = c
	}
	return out
}

// connBatch is the same records as a batch.
func connBatch(tb testing.TB, conns []conn) []byte {
	w, err := codec.NewBatchWriter(connHeader())
	if err != nil {
		tb.Fatal(err)
	}
	w.Start(nil)
	for i := range conns {
		writeConn(w, &conns[i])
		if err := w.EndRecord(); err != nil {
			tb.Fatal(err)
		}
	}
	return w.Finish()
}

func writeConn(w *codec.BatchWriter, c *conn) {
	count := func(n *uint64) {
		if n == nil {
			w.Unset()
		} else {
			w.Count(*n)
		}
	}
	w.Timestamp(c.TS)
	w.String(c.UID)
	w.Addr(netip.MustParseAddr(c.OrigH))
	w.Port(codec.Port{Num: c.OrigP, Proto: codec.ProtoTCP})
	w.Addr(netip.MustParseAddr(c.RespH))
	w.Port(codec.Port{Num: c.RespP, Proto: codec.ProtoTCP})
	w.Enum(c.Proto)
	if c.Service == nil {
		w.Unset()
	} else {
		w.String(*c.Service)
	}
	if c.Duration == nil {
		w.Unset()
	} else {
		w.Seconds(*c.Duration)
	}
	count(c.OrigBytes)
	count(c.RespBytes)
	w.String(c.ConnState)
	w.Bool(c.LocalOrig)
	w.Bool(c.LocalResp)
	w.Count(c.MissedBytes)
	w.String(c.History)
	w.Count(c.OrigPkts)
	w.Count(c.OrigIPBytes)
	w.Count(c.RespPkts)
	w.Count(c.RespIPBytes)
	w.Unset()
	w.Count(c.IPProto)
}

// plainJSON is the baseline of the benchmark: the loop over the format that
// one writes first, with nothing but append and strconv. It neither escapes
// nor checks, so it is right for tame batches only.
type plainJSON struct {
	p     []byte
	pos   int
	names []string
}

func (j *plainJSON) u32() uint32 {
	j.pos += 4
	return binary.BigEndian.Uint32(j.p[j.pos-4:])
}

func (j *plainJSON) u64() uint64 {
	j.pos += 8
	return binary.BigEndian.Uint64(j.p[j.pos-8:])
}

func (j *plainJSON) str() []byte {
	n := int(j.u32())
	j.pos += n
	return j.p[j.pos-n : j.pos]
}

func (j *plainJSON) byte() byte {
	j.pos++
	return j.p[j.pos-1]
}

func (j *plainJSON) batch(dst, payload []byte) []byte {
	j.p, j.pos, j.names = payload, 0, j.names[:0]
	for range 4 {
		j.str()
	}
	fields := int(j.u32())
	for range fields {
		if j.byte() == 1 {
			j.str()
		}
		j.names = append(j.names, string(j.str()))
		j.pos += 9
	}
	for range j.u32() {
		dst = append(dst, '{')
		first := true
		for i := range fields {
			typ := j.u32()
			j.u32()
			if j.byte() != 1 {
				continue
			}
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = append(dst, '"')
			dst = append(dst, j.names[i]...)
			dst = append(dst, '"', ':')
			dst = j.value(dst, codec.Type(typ))
		}
		dst = append(dst, '}', '\n')
	}
	return dst
}

func (j *plainJSON) value(dst []byte, typ codec.Type) []byte {
	switch typ {
	case codec.TypeBool:
		return strconv.AppendBool(dst, j.u64() != 0)
	case codec.TypeInt:
		return strconv.AppendInt(dst, int64(j.u64()), 10)
	case codec.TypeCount:
		return strconv.AppendUint(dst, j.u64(), 10)
	case codec.TypePort:
		dst = strconv.AppendUint(dst, j.u64(), 10)
		j.u32()
		return dst
	case codec.TypeDouble, codec.TypeTime, codec.TypeInterval:
		return strconv.AppendFloat(dst, math.Float64frombits(j.u64()), 'f', -1, 64)
	case codec.TypeString, codec.TypeEnum:
		dst = append(dst, '"')
		dst = append(dst, j.str()...)
		return append(dst, '"')
	case codec.TypeAddr:
		dst = append(dst, '"')
		if j.byte() == 4 {
			for i := range 4 {
				if i > 0 {
					dst = append(dst, '.')
				}
				dst = strconv.AppendUint(dst, uint64(j.byte()), 10)
			}
		} else {
			dst = netip.AddrFrom16([16]byte(j.p[j.pos:])).AppendTo(dst)
			j.pos += 16
		}
		return append(dst, '"')
	}
	panic(fmt.Sprintf("no such type in this benchmark: %v", typ))
}

const connCount = 1000

func perRecord(b *testing.B) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*connCount), "ns/record")
}

// BenchmarkConnJSON turns 1,000 records of 22 fields into JSON lines. The
// ratios between its variants are what counts.
func BenchmarkConnJSON(b *testing.B) {
	conns := connRecords(connCount)
	payload := connBatch(b, conns)
	b.Run("impl=plain", func(b *testing.B) {
		var j plainJSON
		var dst []byte
		b.SetBytes(int64(len(payload)))
		b.ReportAllocs()
		for b.Loop() {
			dst = j.batch(dst[:0], payload)
		}
		perRecord(b)
	})
	b.Run("impl=encodingjson", func(b *testing.B) {
		b.SetBytes(int64(len(payload)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := json.Marshal(conns); err != nil {
				b.Fatal(err)
			}
		}
		perRecord(b)
	})
	b.Run("impl=codec", func(b *testing.B) {
		benchFormat(b, payload, func(o *codec.TextOptions) { o.Format = codec.FormatJSON })
	})
}

// BenchmarkConnTSV is the same for TSV.
func BenchmarkConnTSV(b *testing.B) {
	benchFormat(b, connBatch(b, connRecords(connCount)), func(*codec.TextOptions) {})
}

// benchFormat measures from payload to text.
func benchFormat(b *testing.B, payload []byte, change func(*codec.TextOptions)) {
	f := newFormatter(b, change)
	var batch codec.Batch
	var dst []byte
	b.SetBytes(int64(len(payload)))
	b.ReportAllocs()
	for b.Loop() {
		err := batch.DecodeHeader(payload)
		if err != nil {
			b.Fatal(err)
		}
		if dst, err = f.AppendRecords(dst[:0], &batch); err != nil {
			b.Fatal(err)
		}
	}
	perRecord(b)
}

// BenchmarkConnDecode checks a batch and looks at every value.
func BenchmarkConnDecode(b *testing.B) {
	payload := connBatch(b, connRecords(connCount))
	var batch codec.Batch
	b.SetBytes(int64(len(payload)))
	b.ReportAllocs()
	for b.Loop() {
		if err := batch.DecodeHeader(payload); err != nil {
			b.Fatal(err)
		}
		r, present := batch.Records(), 0
		for r.Next() {
			for i := range batch.Fields {
				if r.Value(i).Present {
					present++
				}
			}
		}
		if r.Err() != nil || present == 0 {
			b.Fatal(present, r.Err())
		}
	}
	perRecord(b)
}

// BenchmarkConnHeader reads what a logger routes a batch by.
func BenchmarkConnHeader(b *testing.B) {
	payload := connBatch(b, connRecords(1))
	var batch codec.Batch
	b.ReportAllocs()
	for b.Loop() {
		if err := batch.DecodeHeader(payload); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkConnWrite writes records of 22 fields.
func BenchmarkConnWrite(b *testing.B) {
	conns := connRecords(connCount)
	w, err := codec.NewBatchWriter(connHeader())
	if err != nil {
		b.Fatal(err)
	}
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		w.Start(dst[:0])
		for i := range conns {
			writeConn(w, &conns[i])
			if err := w.EndRecord(); err != nil {
				b.Fatal(err)
			}
		}
		dst = w.Finish()
	}
	perRecord(b)
}
