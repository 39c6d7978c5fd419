package codec

import (
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
)

type logConnID struct {
	OrigH netip.Addr `zeek:"orig_h"`
	OrigP Port       `zeek:"orig_p"`
}

type logBase struct {
	TS  time.Time
	UID string
}

// logEverything has a column of every type.
type logEverything struct {
	logBase
	ID       logConnID  `zeek:"id"`
	Tunnel   *logConnID `zeek:"tunnel"`
	Proto    Enum
	Service  *string `zeek:"service"`
	Bytes    uint64  `zeek:"orig_bytes,optional"`
	Delta    int16
	Ratio    float64
	Duration time.Duration
	Local    bool
	Net      netip.Prefix
	Raw      []byte
	State    string              `zeek:"state,enum"`
	Tags     map[string]struct{} `zeek:"tags"`
	Parents  []string            `zeek:"parents,set,optional"`
	Ports    Set[Port]
	Answers  []netip.Addr
	TTLs     []*time.Duration `zeek:"ttls"`
	Unlogged any              `zeek:"-"`
}

func logValue() logEverything {
	service, ttl := "ssh", time.Minute
	return logEverything{
		logBase: logBase{time.Unix(1700000000, 250e6).UTC(), "Cxyz"},
		ID:      logConnID{netip.MustParseAddr("10.0.0.1"), Port{22, ProtoTCP}},
		Proto:   "tcp", Service: &service, Bytes: 0, Delta: -3, Ratio: 0.25, Duration: 1500 * time.Millisecond, Local: true,
		Net: netip.MustParsePrefix("2001:db8::/32"), Raw: []byte("\x00raw"), State: "S0",
		Tags: map[string]struct{}{"a": {}}, Parents: []string{}, Ports: Set[Port]{{1, ProtoUDP}},
		Answers: []netip.Addr{netip.MustParseAddr("::1")}, TTLs: []*time.Duration{&ttl, nil},
	}
}

func TestLogStream(t *testing.T) {
	s, err := NewLogStream[logEverything](BatchHeader{Stream: "Test::LOG", Path: "test"})
	if err != nil {
		t.Fatal(err)
	}
	type column struct {
		name          string
		typ, sub      Type
		optional      bool
		firstRecord   string
		secondPresent bool
	}
	want := []column{
		{"ts", TypeTime, 0, false, "2023-11-14 22:13:20.25 +0000 UTC", true},
		{"uid", TypeString, 0, false, "Cxyz", true},
		{"id.orig_h", TypeAddr, 0, false, "10.0.0.1", true},
		{"id.orig_p", TypePort, 0, false, "22/tcp", true},
		{"tunnel.orig_h", TypeAddr, 0, true, "-", true},
		{"tunnel.orig_p", TypePort, 0, true, "-", true},
		{"proto", TypeEnum, 0, false, "tcp", true},
		{"service", TypeString, 0, true, "ssh", false},
		{"orig_bytes", TypeCount, 0, true, "-", true},
		{"delta", TypeInt, 0, false, "-3", true},
		{"ratio", TypeDouble, 0, false, "0.25", true},
		{"duration", TypeInterval, 0, false, "1.5s", true},
		{"local", TypeBool, 0, false, "true", true},
		{"net", TypeSubnet, 0, false, "2001:db8::/32", true},
		{"raw", TypeString, 0, false, "\x00raw", true},
		{"state", TypeEnum, 0, false, "S0", true},
		{"tags", TypeTable, TypeString, false, "[a]", true},
		{"parents", TypeTable, TypeString, true, "[]", false},
		{"ports", TypeTable, TypePort, false, "[1/udp]", true},
		{"answers", TypeVector, TypeAddr, false, "[::1]", true},
		{"ttls", TypeVector, TypeInterval, false, "[1m0s -]", true},
	}
	first, second := logValue(), logValue()
	second.Tunnel, second.Bytes, second.Service, second.Parents = &second.ID, 7, nil, nil
	w := s.NewWriter()
	w.Start([]byte("kept"))
	for _, rec := range []*logEverything{&first, &second} {
		if err := w.Write(rec); err != nil {
			t.Fatal(err)
		}
	}
	if w.Records() != 2 || w.Size() == 0 {
		t.Error(w.Records(), w.Size())
	}
	payload := w.Finish()[4:]
	var b Batch
	if err := b.Decode(payload); err != nil {
		t.Fatal(err)
	}
	if string(b.Stream) != "Test::LOG" || string(b.Writer) != DefaultWriter || string(b.Filter) != DefaultFilter || string(b.Path) != "test" || len(b.Fields) != len(want) {
		t.Fatalf("%s %s %s %s, %d columns", b.Stream, b.Writer, b.Filter, b.Path, len(b.Fields))
	}
	records := b.Records()
	records.Next()
	for i, c := range want {
		f := b.Fields[i]
		if string(f.Name) != c.name || f.Type != c.typ || f.Subtype != c.sub || f.Optional != c.optional {
			t.Errorf("column %d is %s %v[%v] %v, want %+v", i, f.Name, f.Type, f.Subtype, f.Optional, c)
		}
		if got := logText(records.Value(i)); got != c.firstRecord {
			t.Errorf("%s is %q, want %q", c.name, got, c.firstRecord)
		}
	}
	records.Next()
	for i, c := range want {
		if records.Value(i).Present != c.secondPresent {
			t.Errorf("second record: %s present: %v", c.name, !c.secondPresent)
		}
	}

	r := s.NewReader()
	if err := r.Bind(&b); err != nil {
		t.Fatal(err)
	}
	records = b.Records()
	for _, want := range []logEverything{first, second} {
		if !records.Next() {
			t.Fatal(records.Err())
		}
		var got logEverything
		got.Parents = []string{"old"}
		if err := r.Scan(&records, &got); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	}
}

// logText prints a value for comparison.
func logText(v Value) string {
	if !v.Present {
		return "-"
	}
	switch v.Type {
	case TypeTime:
		return v.Time().String()
	case TypeInterval:
		return v.Interval().String()
	case TypePort:
		return v.Port().String()
	case TypeAddr:
		return v.Addr().String()
	case TypeSubnet:
		return v.Subnet().String()
	case TypeTable, TypeVector:
		var parts []string
		for e := v.Elements(); e.Next(); {
			parts = append(parts, logText(e.Value()))
		}
		return "[" + strings.Join(parts, " ") + "]"
	case TypeBool:
		return map[bool]string{true: "true", false: "false"}[v.Bool()]
	case TypeInt:
		return IntegerData(v.Int()).String()
	case TypeCount:
		return CountData(v.Count()).String()
	case TypeDouble:
		return RealData(v.Double()).String()
	}
	return string(v.Bytes())
}

func TestLogStreamRefused(t *testing.T) {
	h := BatchHeader{Stream: "X::LOG", Path: "x"}
	type self struct{ Next *self }
	for _, c := range []struct {
		declare func() error
		want    string
	}{
		{func() error { _, err := NewLogStream[struct{ M map[string]int }](h); return err }, "M: Go map[string]int: Zeek logs no table: unsupported type"},
		{func() error { _, err := NewLogStream[struct{ V []logConnID }](h); return err }, "V: Go []codec.logConnID: Zeek logs no container of record: unsupported type"},
		{func() error { _, err := NewLogStream[struct{ V [][]int }](h); return err }, "V: Go [][]int: Zeek logs no container of vector: unsupported type"},
		{func() error { _, err := NewLogStream[struct{ A any }](h); return err }, "A: Go interface {}: Zeek logs no any: unsupported type"},
		{func() error { _, err := NewLogStream[struct{ D Data }](h); return err }, "D: Go codec.Data: Zeek logs no any: unsupported type"},
		{func() error { _, err := NewLogStream[self](h); return err }, "Next: Go codec.self: record within itself: unsupported type"},
		{func() error {
			_, err := NewLogStream[struct {
				A int
				B int `zeek:"a"`
			}](h)
			return err
		}, "B: Go int: second column a: invalid zeek tag"},
		{func() error {
			_, err := NewLogStream[struct {
				A int `zeek:"a b"`
			}](h)
			return err
		}, "A: Go int: column name a b: invalid zeek tag"},
		{func() error { _, err := NewLogStream[int](h); return err }, "Go int: a record must be a struct: unsupported type"},
		{func() error {
			h := h
			h.Fields = []Field{NewField("a", TypeInt)}
			_, err := NewLogStream[struct{ A int }](h)
			return err
		}, "Go struct { A int }: columns given beside those of the struct: unsupported type"},
	} {
		var e *ValueError
		if err := c.declare(); !errors.As(err, &e) || err.Error() != "codec: X::LOG: "+c.want {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
	if _, err := NewLogStream[struct{ A int }](BatchHeader{Stream: "X::LOG"}); err == nil {
		t.Error("log without path")
	}
	defer func() {
		if recover() == nil {
			t.Error("MustLogStream did not panic")
		}
	}()
	MustLogStream[struct{ A chan int }](h)
}

// TestLogWriteRefused drops a record with a value that does not fit and keeps
// those around it.
func TestLogWriteRefused(t *testing.T) {
	s := MustLogStream[logEverything](BatchHeader{Stream: "Test::LOG", Path: "test"})
	w := s.NewWriter()
	w.Start(nil)
	good := logValue()
	if err := w.Write(&good); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*logEverything){
		"ID.OrigH: Go netip.Addr as Zeek addr: invalid netip.Addr: value does not fit the declared type":   func(r *logEverything) { r.ID.OrigH = netip.Addr{} },
		"Net: Go netip.Prefix as Zeek subnet: invalid netip.Prefix: value does not fit the declared type":  func(r *logEverything) { r.Net = netip.Prefix{} },
		"Ports[1]: Go codec.Port as Zeek port: codec.Port: unknown transport protocol":                     func(r *logEverything) { r.Ports = Set[Port]{{}, {1, 9}} },
		"Tunnel.OrigP: Go codec.Port as Zeek port: codec.Port: unknown transport protocol":                 func(r *logEverything) { r.Tunnel = &logConnID{r.ID.OrigH, Port{1, 4}} },
		"Answers[0]: Go netip.Addr as Zeek addr: invalid netip.Addr: value does not fit the declared type": func(r *logEverything) { r.Answers = make([]netip.Addr, 1) },
	} {
		bad := logValue()
		spoil(&bad)
		if err := w.Write(&bad); err == nil || err.Error() != "codec: Test::LOG: "+want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	if err := w.Write(&good); err != nil {
		t.Fatal(err)
	}
	var b Batch
	if err := b.Decode(w.Finish()); err != nil || b.NumRecords != 2 {
		t.Errorf("%d records, %v", b.NumRecords, err)
	}
}

// TestLogReader reads batches of other columns than those of the struct.
func TestLogReader(t *testing.T) {
	type conn struct {
		UID  string
		Size uint8   `zeek:"size,optional"`
		Note *string `zeek:"note"`
	}
	s := MustLogStream[conn](BatchHeader{Stream: "C::LOG", Path: "c"})
	read := func(fields []Field, write func(w *BatchWriter)) (conn, error) {
		w, err := NewBatchWriter(BatchHeader{Stream: "C::LOG", Path: "c", Fields: fields})
		if err != nil {
			t.Fatal(err)
		}
		w.Start(nil)
		write(w)
		if err := w.EndRecord(); err != nil {
			t.Fatal(err)
		}
		var b Batch
		if err := b.DecodeHeader(w.Finish()); err != nil {
			t.Fatal(err)
		}
		r := s.NewReader()
		got := conn{Size: 9}
		if err := r.Bind(&b); err != nil {
			return got, err
		}
		if err := r.Bind(&b); err != nil {
			t.Error(err)
		}
		records := b.Records()
		records.Next()
		return got, r.Scan(&records, &got)
	}
	uid, size := NewField("uid", TypeString), NewField("size", TypeCount)
	got, err := read([]Field{size, NewField("other", TypeTime), uid}, func(w *BatchWriter) { w.Count(5); w.Unset(); w.String("C1") })
	if err != nil || got != (conn{"C1", 5, nil}) {
		t.Error(got, err)
	}
	got, err = read([]Field{uid}, func(w *BatchWriter) { w.String("C2") })
	if err != nil || got != (conn{"C2", 0, nil}) {
		t.Error(got, err)
	}
	for want, c := range map[string]struct {
		fields []Field
		write  func(w *BatchWriter)
	}{
		"codec: C::LOG: Zeek string: no column uid: value does not fit the declared type": {[]Field{size}, func(w *BatchWriter) { w.Count(1) }},
		"codec: C::LOG: Zeek count: column size is set[count]: value does not fit the declared type": {
			[]Field{uid, NewContainerField("size", TypeTable, TypeCount)}, func(w *BatchWriter) { w.String(""); w.Set(0) }},
		"codec: C::LOG: UID: Go string as Zeek string: unset: value does not fit the declared type": {[]Field{uid}, func(w *BatchWriter) { w.Unset() }},
		"codec: C::LOG: Size: Go uint8 as Zeek count: count: number out of range": {
			[]Field{uid, size}, func(w *BatchWriter) { w.String(""); w.Count(256) }},
	} {
		if _, err := read(c.fields, c.write); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	if err := s.NewReader().Scan(&Records{}, &conn{}); err == nil {
		t.Error("Scan before Bind")
	}
}
