package node

import (
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/znode/znode/codec"
	"github.com/znode/znode/sockets"
	"github.com/znode/znode/sockets/zmqtest"
)

// BenchmarkNode measures from a raw peer's write to the return of a handler that
// decodes name and arguments, over loopback. One operation is one event.
func BenchmarkNode(b *testing.B) {
	for _, kinds := range []TelemetryKinds{TelemetryInfo, TelemetryInfo | TelemetryVerbose | TelemetryDebug} {
		for _, hwm := range []int{0, 10000} {
			b.Run(fmt.Sprintf("hwm=%d/telemetry=%s", hwm, kinds), func(b *testing.B) { benchNode(b, hwm, kinds) })
		}
	}
}

func benchNode(b *testing.B, hwm int, kinds TelemetryKinds) {
	const chunk = 1000
	var buf []byte
	for range chunk {
		buf = append(buf, testEvent(b, "zeek.bench.events", "zeromq_worker-1_vm_1_Nabcdefghijklmnopq", "Bench::event")...)
	}
	opt := testNodeOptions(b)
	opt.OnloopQueueHWM = hwm
	opt.Telemetry.CoreMetrics = kinds
	sum := uint64(0)
	n, peer := startWithRaw(b, opt, func(n *Node) {
		n.Handle("Bench::event", func(e *Event) {
			for a := range e.Args() {
				switch a.Kind() {
				case codec.KindCount:
					v, _ := a.AsCount()
					sum += v
				case codec.KindString:
					v, _ := a.AsString()
					sum += uint64(len(v))
				case codec.KindInteger:
					v, _ := a.AsInteger()
					sum += uint64(v)
				}
			}
		})
	})
	b.SetBytes(int64(len(buf) / chunk))
	b.ReportAllocs()
	b.ResetTimer()
	start, before := time.Now(), ownUsage()
	sent := uint64(0)
	for sent < uint64(b.N) {
		peer.xpub.SendBytes(b, buf)
		sent += chunk
		if sent%(100*chunk) == 0 {
			await(b, "handlers", func() bool { return sent-done(n) < 500*chunk })
		}
	}
	await(b, "handlers", func() bool { return done(n) == sent })
	b.StopTimer()
	b.ReportMetric(float64(sent)/time.Since(start).Seconds()/1e6, "Mevents/s")
	used := ownUsage()
	// Of both ends and the kernel; unlike the rate it does not depend on who else
	// uses the machine.
	b.ReportMetric(float64(used.User+used.System-before.User-before.System)/float64(sent), "cpu-ns/event")
	b.ReportMetric(float64(n.Stats().OnloopDrops), "drops")
}

// done is the number of events that will not be handled any more.
func done(n *Node) uint64 { return n.handled.Load() + n.onloopDrops.Load() }

// BenchmarkPublish measures from PublishEncoded to a raw peer that only reads.
// One operation is one event.
func BenchmarkPublish(b *testing.B) {
	opt := testNodeOptions(b)
	opt.XPUBSndHWM = 0
	n, peer := startWithRaw(b, opt, nil)
	peer.xsub.Subscribe(b, "zeek.bench")
	await(b, "the subscription", func() bool { return n.XPUB().Matches([]byte("zeek.bench")) })
	msg := testEvent(b, "zeek.bench.events", n.ID(), "Bench::event")
	_, _, _, payload, _ := sockets.Message(msg).Split()
	b.SetBytes(int64(len(msg)))
	b.ReportAllocs()
	read := make(chan error, 1)
	go func() {
		_, err := io.CopyN(io.Discard, peer.xsub, int64(b.N*len(msg)))
		read <- err
	}()
	b.ResetTimer()
	for range b.N {
		if err := n.PublishEncoded("zeek.bench.events", payload); err != nil {
			b.Fatal(err)
		}
	}
	if err := <-read; err != nil {
		b.Fatal(err)
	}
}

// BenchmarkLogWrite measures the writing of a record to a log whose batches a
// logger takes. One operation is one record.
func BenchmarkLogWrite(b *testing.B) {
	sink := testNodeOptions(b)
	sink.ListenLogEndpoint = zmqtest.Loopback
	s := newNode(b, sink)
	startNode(b, s)
	n, l := logTo(b, func(o *Options) { o.LogOverflow = BlockLogs }, s.LogEndpoint())
	rec := &logLine{1, "a line of some length, as logs have it"}
	b.ReportAllocs()
	for b.Loop() {
		if err := l.Write(rec); err != nil {
			b.Fatal(err)
		}
	}
	n.Close()
	b.ReportMetric(float64(n.Stats().LogDrops), "drops")
}
