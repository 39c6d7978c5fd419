package codec

import (
	"net/netip"
	"testing"
	"time"
)

// benchConn is a record like one of conn.log, of 21 columns.
type benchConn struct {
	TS          time.Time           `zeek:"ts"`
	UID         string              `zeek:"uid"`
	ID          benchConnID         `zeek:"id"`
	Proto       Enum                `zeek:"proto"`
	Service     *string             `zeek:"service"`
	Duration    *time.Duration      `zeek:"duration"`
	OrigBytes   *uint64             `zeek:"orig_bytes"`
	RespBytes   *uint64             `zeek:"resp_bytes"`
	ConnState   string              `zeek:"conn_state,optional"`
	LocalOrig   bool                `zeek:"local_orig"`
	LocalResp   bool                `zeek:"local_resp"`
	MissedBytes uint64              `zeek:"missed_bytes"`
	History     string              `zeek:"history,optional"`
	OrigPkts    uint64              `zeek:"orig_pkts"`
	OrigIPBytes uint64              `zeek:"orig_ip_bytes"`
	RespPkts    uint64              `zeek:"resp_pkts"`
	RespIPBytes uint64              `zeek:"resp_ip_bytes"`
	Parents     map[string]struct{} `zeek:"tunnel_parents,optional"`
}

type benchConnID struct {
	OrigH netip.Addr `zeek:"orig_h"`
	OrigP Port       `zeek:"orig_p"`
	RespH netip.Addr `zeek:"resp_h"`
	RespP Port       `zeek:"resp_p"`
}

func benchRecord() benchConn {
	service, span, n := "http", 1234567*time.Microsecond, uint64(4711)
	return benchConn{
		TS: time.Unix(1700000000, 123456e3), UID: "CHhAvVGS1DHFjwGM9",
		ID:    benchConnID{netip.MustParseAddr("192.168.1.10"), Port{51234, ProtoTCP}, netip.MustParseAddr("93.184.216.34"), Port{80, ProtoTCP}},
		Proto: "tcp", Service: &service, Duration: &span, OrigBytes: &n, RespBytes: &n, ConnState: "SF", LocalOrig: true, History: "ShADadFf",
		OrigPkts: 7, OrigIPBytes: 5000, RespPkts: 9, RespIPBytes: 6000,
	}
}

func BenchmarkLogStream(b *testing.B) {
	s := MustLogStream[benchConn](BatchHeader{Stream: "Conn::LOG", Path: "conn"})
	rec := benchRecord()
	w := s.NewWriter()
	var buf []byte
	write := func(b *testing.B) {
		w.Start(buf[:0])
		for range 1000 {
			if err := w.Write(&rec); err != nil {
				b.Fatal(err)
			}
		}
		buf = w.Finish()
	}
	b.Run("op=write/records=1000", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			write(b)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/record")
	})
	b.Run("op=read/records=1000", func(b *testing.B) {
		var batch Batch
		var got benchConn
		r := s.NewReader()
		write(b)
		b.ReportAllocs()
		for b.Loop() {
			if batch.DecodeHeader(buf) != nil || r.Bind(&batch) != nil {
				b.Fatal("header")
			}
			for records := batch.Records(); records.Next(); {
				if err := r.Scan(&records, &got); err != nil {
					b.Fatal(err)
				}
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/record")
	})
}

func BenchmarkEventType(b *testing.B) {
	type args struct {
		Conn benchConnID
		User string
		OK   bool
		Size uint64
	}
	et := MustEventType[args]("Evt::bench")
	in := args{benchRecord().ID, "root", true, 42}
	var buf []byte
	b.Run("op=append", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			buf, _ = et.Append(buf[:0], &in)
		}
	})
	b.Run("op=decode", func(b *testing.B) {
		var ev EventView
		var got args
		b.ReportAllocs()
		for b.Loop() {
			if ev.Decode(buf) != nil || et.Decode(&ev, &got) != nil {
				b.Fatal("Decode")
			}
		}
	})
}
