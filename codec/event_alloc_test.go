package codec

import (
	"net/netip"
	"testing"
	"time"
)

// raceDetector is set where sync.Pool drops things at random to find races, so
// that what is pooled is allocated again.
var raceDetector bool

// noAllocs fails if f allocates, once it has run a few times.
func noAllocs(t *testing.T, name string, f func()) {
	t.Helper()
	for range 3 {
		f()
	}
	if n := testing.AllocsPerRun(200, f); n > 0 && !raceDetector {
		t.Errorf("%s: %v allocations", name, n)
	}
}

// unorderedEvent has sets that must be brought into order.
var unorderedEvent = func() []byte {
	b, err := AppendEventArgs(nil, "Evt::sets", Set[uint]{3, 1, 2}, Set[netip.Addr]{netip.IPv6Unspecified()}, map[string]uint{"a": 1, "b": 2})
	if err != nil {
		panic(err)
	}
	for i := range b { // the first set has 1, 2, 3: make it 9, 2, 3
		if b[i] == byte(KindSet) && b[i+1] == 3 {
			b[i+10] = 9
			return b
		}
	}
	panic("no set")
}()

func TestEventAllocs(t *testing.T) {
	var payloads [][]byte
	for _, m := range goldenMessages(t, BrokerBinV1) {
		payloads = append(payloads, m[3])
	}
	payloads = append(payloads, unorderedEvent)
	var ev EventView
	var conv Converter
	var build EventBuilder
	var buf, text []byte
	topic := []byte("zeek.test")
	for _, p := range payloads {
		if err := ev.Decode(p); err != nil {
			t.Fatal(err)
		}
		name := string(ev.Name())
		source, err := conv.AppendJSON(nil, p)
		if err != nil {
			t.Fatal(err)
		}
		noAllocs(t, name+": Decode", func() {
			if ev.Decode(p) != nil {
				t.Fatal("Decode")
			}
			ev.Timestamp()
		})
		noAllocs(t, name+": walk", func() {
			n := 0
			for a := range ev.Args() {
				n += walk(a)
			}
			n += int(ev.Arg(1).Kind())
		})
		noAllocs(t, name+": EventView.AppendJSON", func() { text = ev.AppendMessage(ev.AppendJSON(text[:0]), topic) })
		noAllocs(t, name+": Converter.AppendJSON", func() { text, _ = conv.AppendJSON(text[:0], p) })
		noAllocs(t, name+": Converter.AppendBin", func() {
			var err error
			if buf, err = conv.AppendBin(buf[:0], source); err != nil {
				t.Fatal(err)
			}
		})
		noAllocs(t, name+": EventBuilder", func() {
			build.Start(buf[:0], "copy")
			for a := range ev.Args() {
				build.View(a)
			}
			buf, _ = build.Finish()
		})
	}
}

// walk looks at all of a value.
func walk(v DataView) int {
	n := 1
	for e := range v.Elements() {
		n += walk(e)
	}
	for k, e := range v.Pairs() {
		n += walk(k) + walk(e)
	}
	a, _ := v.AsAddress()
	p, _ := v.AsSubnet()
	s, _ := v.AsString()
	at, _ := v.AsTimestamp()
	return n + a.BitLen() + p.Bits() + len(s) + at.Nanosecond()
}

// TestEventErrorAllocs sees to it that a peer who sends garbage costs nothing.
func TestEventErrorAllocs(t *testing.T) {
	var ev EventView
	var conv Converter
	var buf []byte
	typical := typicalEvent(t)
	for i := range typical {
		cut := typical[:i]
		noAllocs(t, "Decode", func() {
			if ev.Decode(cut) == nil {
				t.Fatal("accepted")
			}
		})
		noAllocs(t, "AppendJSON", func() { buf, _ = conv.AppendJSON(buf[:0], cut) })
	}
	for _, h := range []string{
		eventHead + "0e02 0500 0e01 0c02 0501 61 0501 61", eventHead + "0e02 0500 0e01 0c03 0501 61 0501 62 0501 61", eventHead + "0e02 0500 0e01 0f",
	} {
		b := bin(t, h)
		noAllocs(t, "Decode", func() { ev.Decode(b) })
		noAllocs(t, "AppendJSON", func() { buf, _ = conv.AppendJSON(buf[:0], b) })
	}
	for _, s := range []string{
		"", "{", `{"@data-type":"real","data":1}`, `{"@data-type":"real","data":"1"}`, `{"@data-type":"port","data":"x"}`, `{"@data-type":"address","data":"1.2.3"}`,
		`{"@data-type":"timestamp","data":"x"}`, `{"@data-type":"timespan","data":"1e99s"}`, `{"@data-type":"count","data":99999999999999999999}`,
		`{"@data-type":"real","data":1e99999}`, `{"@data-type":"no\u0020such","data":"x"}`,
		`{"@data-type":"set","data":[{"@data-type":"none","data":{}},{"@data-type":"none","data":{}}]}`,
	} {
		text := []byte(s)
		noAllocs(t, s, func() { buf, _ = conv.AppendBin(buf[:0], text) })
	}
	type args struct {
		A netip.Addr
		B Set[uint]
	}
	et := MustEventType[args]("x")
	var got args
	for _, values := range [][]any{{1}, {1, 2}, {netip.IPv6Unspecified(), Set[uint]{1}, 3}, {netip.IPv6Unspecified(), Set[string]{"a"}}} {
		b, err := AppendEventArgs(nil, "x", values...)
		if err != nil {
			t.Fatal(err)
		}
		if err := ev.Decode(b); err != nil {
			t.Fatal(err)
		}
		noAllocs(t, "EventType.Decode", func() {
			if et.Decode(&ev, &got) == nil {
				t.Fatal("accepted")
			}
		})
		noAllocs(t, "Scan", func() {
			if ev.Scan(&got.A, &got.B) == nil {
				t.Fatal("accepted")
			}
		})
	}
}

func TestGoValueAllocs(t *testing.T) {
	type args struct {
		ID    goConnID
		Bytes *uint64
		Tags  map[string]struct{}
		Table map[netip.Addr]uint64
		Set   Set[goConnID]
		Raw   []byte
		At    time.Time
		Rates []float64
	}
	n := uint64(7)
	in := args{
		ID: fullValue().Record.id(), Bytes: &n, Tags: map[string]struct{}{"a": {}, "b": {}, "c": {}},
		Table: map[netip.Addr]uint64{netip.IPv6Unspecified(): 1, netip.IPv4Unspecified(): 2}, Set: Set[goConnID]{fullValue().Record.id()},
		Raw: []byte("raw"), At: time.Unix(1, 2), Rates: []float64{1, 2},
	}
	et := MustEventType[args]("Evt::args")
	var buf []byte
	noAllocs(t, "EventType.Append", func() {
		var err error
		if buf, err = et.AppendAt(buf[:0], &in, in.At); err != nil {
			t.Fatal(err)
		}
	})
	var ev EventView
	if err := ev.Decode(buf); err != nil {
		t.Fatal(err)
	}
	// Strings and new map keys are copied; the rest is filled in place.
	type plain struct {
		ID    goConnID
		Bytes *uint64
		Tags  DataView
		Table map[netip.Addr]uint64
		Set   Set[goConnID]
		Raw   []byte
		At    time.Time
		Rates []float64
	}
	plainType := MustEventType[plain]("Evt::args")
	var out plain
	noAllocs(t, "EventType.Decode", func() {
		if err := plainType.Decode(&ev, &out); err != nil {
			t.Fatal(err)
		}
	})

	s := MustLogStream[logEverything](BatchHeader{Stream: "Test::LOG", Path: "test"})
	rec, bad := logValue(), logValue()
	bad.Ports = Set[Port]{{1, 9}}
	w := s.NewWriter()
	noAllocs(t, "LogWriter", func() {
		w.Start(buf[:0])
		for range 10 {
			if err := w.Write(&rec); err != nil {
				t.Fatal(err)
			}
			if w.Write(&bad) == nil {
				t.Fatal("accepted")
			}
		}
		buf = w.Finish()
	})
	type numbers struct {
		TS    time.Time
		ID    logConnID
		Delta int16
		Ports Set[Port]
		Raw   []byte
	}
	r := MustLogStream[numbers](BatchHeader{Stream: "Test::LOG", Path: "test"}).NewReader()
	var b Batch
	var num numbers
	noAllocs(t, "LogReader", func() {
		if b.DecodeHeader(buf) != nil || r.Bind(&b) != nil {
			t.Fatal("header")
		}
		for records := b.Records(); records.Next(); {
			if err := r.Scan(&records, &num); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func (goInner) id() goConnID { return goConnID{netip.MustParseAddr("10.0.0.1"), Port{80, ProtoTCP}} }
