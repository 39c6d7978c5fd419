package codec

import (
	"bytes"
	"errors"
	"math"
	"net/netip"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

type goConnID struct {
	OrigH netip.Addr
	OrigP Port
}

type goInner struct {
	Note  string
	Count uint32 `zeek:",optional"`
}

type goEmbedded struct {
	Shared bool
}

// goEverything has a field of every shape.
type goEverything struct {
	goEmbedded
	Int      int32
	Uint     uint16
	Float    float64
	Float32  float32
	Text     string
	Bytes    []byte
	Enum     Enum
	Color    string `zeek:"color,enum"`
	Addr     netip.Addr
	Net      netip.Prefix
	Port     Port
	At       time.Time
	Span     time.Duration
	Any      any
	Data     Data
	View     DataView
	Vector   []int
	Set      Set[string]
	Tagged   []uint64 `zeek:",set"`
	Enums    []string `zeek:"enums,enum"`
	MapSet   map[goConnID]struct{}
	Table    map[string]goInner
	Record   goInner
	Optional *goInner
	Unset    *string
	Zero     string `zeek:"zero,optional"`
	Nested   [][]*bool
	skipped  int
	Dashed   chan int `zeek:"-"`
}

func fullValue() goEverything {
	yes := true
	id := goConnID{netip.MustParseAddr("10.0.0.1"), Port{80, ProtoTCP}}
	return goEverything{
		goEmbedded: goEmbedded{true},
		Int:        -7, Uint: 65535, Float: 0.1, Float32: 0.5, Text: "text\xff", Bytes: []byte{0, 1}, Enum: "A::B", Color: "C::RED",
		Addr: netip.MustParseAddr("2001:db8::1"), Net: netip.MustParsePrefix("10.0.0.0/8"), Port: Port{53, ProtoUDP},
		At: time.Unix(1700000000, 123456789).UTC(), Span: -time.Second, Any: Enum("X"), Data: SetData(CountData(1)), View: DataView{[]byte{1, 1}},
		Vector: []int{3, 1, 2}, Set: Set[string]{"b", "a"}, Tagged: []uint64{2, 1}, Enums: []string{"E1", "E2"},
		MapSet:   map[goConnID]struct{}{id: {}},
		Table:    map[string]goInner{"z": {"last", 0}, "a": {"first", 1}},
		Record:   goInner{"r", 9},
		Optional: &goInner{"o", 0},
		Nested:   [][]*bool{{&yes, nil}, {}},
		skipped:  5,
	}
}

const fullText = `Evt::all(T, -7, 65535, 0.1, 0.5, "text\xff", "\x00\x01", A::B, C::RED, 2001:db8::1, 10.0.0.0/8, 53/udp, ` +
	`2023-11-14T22:13:20.123456789Z, -1s, X, {1}, T, [3, 1, 2], {"a", "b"}, {1, 2}, [E1, E2], {[10.0.0.1, 80/tcp]}, ` +
	`{"a": ["first", 1], "z": ["last", nil]}, ["r", 9], ["o", nil], nil, nil, [[T, nil], []])`

func TestEventType(t *testing.T) {
	et, err := NewEventType[goEverything]("Evt::all")
	if err != nil {
		t.Fatal(err)
	}
	in := fullValue()
	b, err := et.Append([]byte("kept"), &in)
	if err != nil {
		t.Fatal(err)
	}
	var ev EventView
	if err := ev.Decode(b[4:]); err != nil {
		t.Fatal(err)
	}
	if got := ev.String(); got != fullText {
		t.Errorf("got  %s\nwant %s", got, fullText)
	}
	var out goEverything
	out.Vector = []int{9, 9, 9, 9, 9} // to be filled again
	out.Table = map[string]goInner{"old": {}}
	out.Zero = "old"
	if err := et.Decode(&ev, &out); err != nil {
		t.Fatal(err)
	}
	want := fullValue()
	want.skipped = 0
	want.Any = EnumData("X")
	want.Set = Set[string]{"a", "b"}
	want.Tagged = []uint64{1, 2}
	if !out.View.Data().Equal(want.View.Data()) {
		t.Errorf("view is %v", out.View)
	}
	out.View = want.View
	if !reflect.DeepEqual(out, want) {
		t.Errorf("got  %+v\nwant %+v", out, want)
	}
	again, err := AppendEventArgs(nil, "Evt::all", true, in.Int, in.Uint, in.Float, in.Float32, in.Text, in.Bytes, in.Enum, Enum(in.Color), in.Addr, in.Net,
		in.Port, in.At, in.Span, in.Any, in.Data, in.View, in.Vector, in.Set, Set[uint64](in.Tagged), []Enum{"E1", "E2"}, in.MapSet, in.Table, in.Record,
		in.Optional, nil, (*string)(nil), in.Nested)
	if err != nil || !bytes.Equal(again, b[4:]) {
		t.Errorf("from arguments: %v\n%x\n%x", err, again, b[4:])
	}
	at := time.Unix(3, 0)
	if b, err = et.AppendAt(nil, &in, at); err != nil {
		t.Fatal(err)
	}
	if err := ev.Decode(b); err != nil {
		t.Fatal(err)
	}
	if got, ok := ev.Timestamp(); !ok || !got.Equal(at) {
		t.Errorf("timestamp %v", got)
	}
}

func TestEventScan(t *testing.T) {
	var ev EventView
	if err := ev.Decode(typicalEvent(t)); err != nil {
		t.Fatal(err)
	}
	var (
		yes  bool
		n    int64
		u    *uint64
		s    string
		at   time.Time
		addr netip.Addr
		some any
		port Port
		enum Enum
	)
	if err := ev.Scan(&yes, &n, &u, nil, &s, &at, nil, &addr, &some, &port, &enum); err != nil {
		t.Fatal(err)
	}
	if !yes || n != -5 || u == nil || *u != 42 || s != "hello" || at.Unix() != 1700000000 || addr.String() != "10.1.2.3" ||
		some.(Data).String() != "10.0.0.0/8" || port.Num != 443 || enum != "Vec::GREEN_2" {
		t.Error(yes, n, u, s, at, addr, some, port, enum)
	}
	for _, c := range []struct {
		args []any
		want string
	}{
		{[]any{&yes}, "Zeek event: 11 arguments where there should be 1: value does not fit the declared type"},
		{[]any{&yes, &u, nil, nil, nil, nil, nil, nil, nil, nil, nil}, "[1]: Go uint64 as Zeek count: integer: value does not fit the declared type"},
		{[]any{yes, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil}, "[0]: Go bool: not a pointer: unsupported type"},
		{[]any{new(chan int), nil, nil, nil, nil, nil, nil, nil, nil, nil, nil}, "[0]: Go chan int: unsupported type"},
	} {
		if err := ev.Scan(c.args...); err == nil || err.Error() != "codec: "+c.want {
			t.Errorf("got  %v\nwant codec: %s", err, c.want)
		}
	}
	d, err := DataOf(map[string][]int{"a": {1}})
	if err != nil || d.String() != `{"a": [1]}` {
		t.Error(d, err)
	}
	raw, _ := d.Append(nil)
	var back map[string][]int8
	if err := (DataView{raw}).Scan(&back); err != nil || back["a"][0] != 1 {
		t.Error(back, err)
	}
	if d, err := DataOf(nil); err != nil || d.Kind() != KindNone {
		t.Error(d, err)
	}
}

// TestGoValueRefused has values that their Zeek type cannot hold, and what the
// error says.
func TestGoValueRefused(t *testing.T) {
	type inner struct {
		Addrs []netip.Addr
	}
	deep := []any{nil}
	deep[0] = deep
	for _, c := range []struct {
		arg    any
		want   string
		reason error
	}{
		{inner{[]netip.Addr{netip.IPv6Unspecified(), {}}}, "Addrs[1]: Go netip.Addr as Zeek addr: invalid netip.Addr", ErrMismatch},
		{netip.Prefix{}, "Go netip.Prefix as Zeek subnet: invalid netip.Prefix", ErrMismatch},
		{Port{1, 7}, "Go codec.Port as Zeek port: codec.Port", ErrProto},
		{time.Time{}, "Go time.Time as Zeek time: time beyond 64 bits of nanoseconds", ErrRange},
		{Set[int]{1, 1}, "Go codec.Set[int] as Zeek set[int]: set", ErrDuplicate},
		{SetData(Data{}, Data{}), "Go codec.Data as Zeek any: set", ErrDuplicate},
		{map[float64]int{0: 1, math.Copysign(0, -1): 2, 1: 3}, "", nil},
		{map[string]any{"k": make(chan int)}, "[0]: Go interface {} as Zeek any: chan int", ErrType},
		{[2]int{}, "Go [2]int: unsupported type", ErrType},
		{complex(1, 1), "Go complex128: unsupported type", ErrType},
		{deep, "Zeek vector of any: vector", ErrDepth},
	} {
		out, err := AppendEventArgs([]byte("kept"), "e", 1, c.arg)
		if c.reason == nil {
			if err != nil {
				t.Errorf("%v: %v", c.arg, err)
			}
			continue
		}
		var e *ValueError
		if !errors.Is(err, c.reason) || !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "codec: e: [1]") || string(out) != "kept" {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
}

func TestEventTypeDecodeRefused(t *testing.T) {
	type login struct {
		Host  netip.Addr
		Ports Set[uint8]
		Who   struct {
			Name string
			ID   *int16
		}
	}
	et := MustEventType[login]("SSH::login")
	var ev EventView
	host := netip.MustParseAddr("10.0.0.1")
	for _, c := range []struct {
		args []any
		want string
	}{
		{[]any{host, Set[uint]{}, []any{"x", nil}}, ""},
		{[]any{host, Set[uint]{}, []any{"x", 5, "more"}}, ""},
		{[]any{host, Set[uint]{}, []any{"x"}}, ""},
		{[]any{host, Set[uint]{}}, "codec: Zeek event: 2 arguments where there should be 3: value does not fit the declared type"},
		{[]any{host, Set[uint]{}, []any{}}, "codec: SSH::login: Who.Name: Go string as Zeek string: none: value does not fit the declared type"},
		{[]any{host, Set[uint]{}, []any{"x", 1 << 15}}, "codec: SSH::login: Who.ID: Go int16 as Zeek int: integer: number out of range"},
		{[]any{host, Set[uint]{1, 300}, []any{"x"}}, "codec: SSH::login: Ports[1]: Go uint8 as Zeek count: count: number out of range"},
		{[]any{host, []uint{1}, []any{"x"}}, "codec: SSH::login: Ports: Go codec.Set[uint8] as Zeek set[count]: vector: value does not fit the declared type"},
		{[]any{"10.0.0.1", Set[uint]{}, []any{"x"}}, "codec: SSH::login: Host: Go netip.Addr as Zeek addr: string: value does not fit the declared type"},
		{[]any{nil, Set[uint]{}, []any{"x"}}, "codec: SSH::login: Host: Go netip.Addr as Zeek addr: none: value does not fit the declared type"},
	} {
		b, err := AppendEventArgs(nil, "SSH::login", c.args...)
		if err != nil {
			t.Fatal(err)
		}
		if err := ev.Decode(b); err != nil {
			t.Fatal(err)
		}
		var got string
		if err := et.Decode(&ev, new(login)); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s\n got %s\nwant %s", ev.String(), got, c.want)
		}
	}
	huge, err := AppendEventArgs(nil, "x", make([]any, 1000))
	if err != nil {
		t.Fatal(err)
	}
	if err := ev.Decode(huge); err != nil {
		t.Fatal(err)
	}
	var big [][64]string
	if err := ev.Scan(&big); !errors.Is(err, ErrType) {
		t.Error(err)
	}
	var rows []struct{ A, B, C string }
	if err := ev.Scan(&rows); !errors.Is(err, ErrMismatch) || cap(rows) > 16 {
		t.Errorf("%v, capacity %d for elements that do not fit", err, cap(rows))
	}
}

func TestDeclarationRefused(t *testing.T) {
	type list struct {
		Next  *list
		Elems []list
	}
	if _, err := NewEventType[list]("ok"); err != nil {
		t.Errorf("recursive type: %v", err)
	}
	refused := func(name string, err error, want string) {
		t.Helper()
		var e *ValueError
		if !errors.As(err, &e) || err.Error() != want {
			t.Errorf("%s: got  %v\nwant %s", name, err, want)
		}
	}
	_, err := NewEventType[int]("e")
	refused("no struct", err, "codec: e: Go int: arguments must be a struct: unsupported type")
	_, err = NewEventType[struct{ A struct{ B []func() } }]("e")
	refused("func", err, "codec: e: A.B: Go func(): unsupported type")
	_, err = NewEventType[struct {
		A int `zeek:"a,maybe"`
	}]("e")
	refused("option", err, "codec: e: A: Go int: option maybe: invalid zeek tag")
	_, err = NewEventType[struct {
		A int `zeek:"a,enum"`
	}]("e")
	refused("enum", err, "codec: e: A: Go int: enum is for strings: invalid zeek tag")
	_, err = NewEventType[struct {
		A map[int]struct{} `zeek:"a,set"`
	}]("e")
	refused("set", err, "codec: e: A: Go map[int]struct {}: set is for slices: invalid zeek tag")
	_, err = NewEventType[struct {
		a int `zeek:"a"`
	}]("e")
	refused("unexported", err, "codec: e: a: Go int: tag on an unexported field: invalid zeek tag")
	_, err = NewEventType[struct{ A struct{ b int } }]("e")
	refused("nothing exported", err, "codec: e: A: Go struct { b int }: no exported fields: unsupported type")
	_, err = NewEventType[struct{ A **int }]("e")
	refused("pointer to pointer", err, "codec: e: A: Go **int: pointer to pointer: unsupported type")
	_, err = NewEventType[struct{ A error }]("e")
	refused("interface", err, "codec: e: A: Go error: unsupported type")
	defer func() {
		if recover() == nil {
			t.Error("MustEventType did not panic")
		}
	}()
	MustEventType[chan int]("e")
}

func TestSnakeCase(t *testing.T) {
	for in, want := range map[string]string{
		"TS": "ts", "UID": "uid", "OrigBytes": "orig_bytes", "OrigIPBytes": "orig_ip_bytes", "ID": "id", "RespH": "resp_h", "A": "a", "HTTP2Ok": "http2_ok",
		"already_So": "already_so",
	} {
		if got := snakeCase(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

// TestGoValueShared uses types from several goroutines at once, from the first
// use on.
func TestGoValueShared(t *testing.T) {
	type own struct { // known to no other test
		Table map[Enum]map[int]struct{}
		Rec   *own
	}
	in := own{map[Enum]map[int]struct{}{"a": {1: {}, 2: {}}, "b": nil}, &own{}}
	var wg sync.WaitGroup
	texts := make([]string, 8)
	for i := range texts {
		wg.Go(func() {
			et := MustEventType[own]("Evt::shared")
			var ev EventView
			for range 50 {
				b, err := et.Append(nil, &in)
				if err != nil {
					t.Error(err)
					return
				}
				var out own
				if err := ev.Decode(b); err != nil {
					t.Error(err)
				} else if err := et.Decode(&ev, &out); err != nil || len(out.Table["a"]) != 2 {
					t.Error(out, err)
				}
			}
			texts[i] = ev.String()
		})
	}
	wg.Wait()
	for _, s := range texts {
		if s != "Evt::shared({a: {1, 2}, b: {}}, [{}, nil])" {
			t.Error(s)
		}
	}
}
