package codec

import (
	"bytes"
	"encoding/hex"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// bin decodes hexadecimal digits; spaces are for the reader.
func bin(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const (
	one       = "02 0000000000000001"
	eventHead = "0e03" + one + one
)

// TestEventRefused goes through everything that makes a payload no event.
func TestEventRefused(t *testing.T) {
	for _, c := range []struct {
		name, hex string
		offset    int
		reason    error
	}{
		{"nothing", "", 0, ErrTruncated},
		{"no vector", one, 0, ErrNotEvent},
		{"a set outside", "0c03" + one + one + "0e02 0500 0e00", 0, ErrNotEvent},
		{"two elements", "0e02" + one + one, 1, ErrNotEvent},
		{"count too large", "0eff7f" + one, 1, ErrCount},
		{"version 2", "0e03 02 0000000000000002" + one + "0e02 0500 0e00", 2, ErrNotEvent},
		{"version is an integer", "0e03 03 0000000000000001" + one + "0e02 0500 0e00", 2, ErrNotEvent},
		{"version cut", "0e03 02 000000", 2, ErrTruncated},
		{"a log write", "0e03" + one + "02 0000000000000003" + "0e02 0500 0e00", 11, ErrNotEvent},
		{"content is a string", eventHead + "0500", 20, ErrNotEvent},
		{"content of one", eventHead + "0e01 0500", 21, ErrNotEvent},
		{"name is an enum", eventHead + "0e02 0b00 0e00", 22, ErrNotEvent},
		{"name cut", eventHead + "0e02 0503 61", 23, ErrTruncated},
		{"arguments are a set", eventHead + "0e02 0500 0c00", 24, ErrNotEvent},
		{"arguments missing", eventHead + "0e02 0500", 24, ErrTruncated},
		{"metadata is a count", eventHead + "0e03 0500 0e00 " + one, 26, ErrNotEvent},
		{"metadata entry is a count", eventHead + "0e03 0500 0e00 0e01" + one, 28, ErrNotEvent},
		{"metadata entry of one", eventHead + "0e03 0500 0e00 0e01 0e01" + one, 28, ErrNotEvent},
		{"metadata id is none", eventHead + "0e03 0500 0e00 0e01 0e02 00 00", 28, ErrNotEvent},
		{"network timestamp is a count", eventHead + "0e03 0500 0e00 0e01 0e02" + one + one, 39, ErrMismatch},
		{"bytes behind", eventHead + "0e02 0500 0e00 00", 26, ErrTrailing},
		{"tag 15", eventHead + "0e02 0500 0e01 0f", 26, ErrType},
		{"string cut", eventHead + "0e02 0500 0e01 0502 61", 27, ErrTruncated},
		{"real cut", eventHead + "0e02 0500 0e01 04 00000000", 26, ErrTruncated},
		{"length of six bytes", eventHead + "0e02 0500 0e01 05 808080808001", 27, ErrVarbyte},
		{"length of 35 bits", eventHead + "0e02 0500 0e01 05 ffffffff7f", 27, ErrVarbyte},
		{"length in two bytes for none", eventHead + "0e02 0500 0e01 05 8000", 27, ErrVarbyte},
		{"length cut", eventHead + "0e02 0500 0e01 05 80", 28, ErrTruncated},
		{"vector of too many", eventHead + "0e02 0500 0e01 0e ffffffff0f 00", 27, ErrCount},
		{"table of too many", eventHead + "0e02 0500 0e01 0d02 00 00 00", 27, ErrCount},
		{"port protocol 4", eventHead + "0e02 0500 0e01 08 0050 04", 29, ErrProto},
		{"subnet length 129", eventHead + "0e02 0500 0e01 07 20010db8000000000000000000000000 81", 43, ErrRange},
		{"subnet length of IPv4", eventHead + "0e02 0500 0e01 07 00000000000000000000ffff0a000000 08", 43, ErrRange},
		{"set with equal elements", eventHead + "0e02 0500 0e01 0c02 0501 61 0501 61", 26, ErrDuplicate},
		{"set with equal elements apart", eventHead + "0e02 0500 0e01 0c03 0501 61 0501 62 0501 61", 26, ErrDuplicate},
		{"set with both zeros", eventHead + "0e02 0500 0e01 0c02 04 8000000000000000 04 0000000000000000", 26, ErrDuplicate},
		{"set with two trues", eventHead + "0e02 0500 0e01 0c02 0101 0102", 26, ErrDuplicate},
		{"table with equal keys", eventHead + "0e02 0500 0e01 0d02 0101 00 0101 0100", 26, ErrDuplicate},
		{"sets equal but for order", eventHead + "0e02 0500 0e01 0c02 0c02 0100 0101 0c02 0101 0100", 26, ErrDuplicate},
		{"duplicate behind the rest", "0e04" + one + one + "0e02 0500 0e00 0c02 00 00", 26, ErrDuplicate},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := bin(t, c.hex)
			var ev EventView
			err := ev.Decode(b)
			var e *Error
			if !errors.As(err, &e) || !errors.Is(err, c.reason) || e.Offset != c.offset || e.Format != BrokerBinV1 {
				t.Fatalf("got %v, want %v at %d", err, c.reason, c.offset)
			}
			if len(ev.Name()) > 0 || ev.NumArgs() > 0 || len(ev.AppendJSON(nil)) > 0 {
				t.Error("view is not empty after an error")
			}
			if _, err := DecodeEvent(b); !errors.Is(err, c.reason) {
				t.Errorf("DecodeEvent: %v", err)
			}
		})
	}
}

func TestEventDepth(t *testing.T) {
	nested := func(containers int) []byte {
		b := bin(t, eventHead+"0e02 0500")
		b = append(b, bytes.Repeat([]byte{14, 1}, containers-2)...)
		return append(b, 0)
	}
	var ev EventView
	var c Converter
	if err := ev.Decode(nested(MaxDepth)); err != nil {
		t.Fatal(err)
	}
	text := ev.AppendJSON(nil)
	if out, err := c.AppendBin(nil, text); err != nil || !bytes.Equal(out, nested(MaxDepth)) {
		t.Errorf("JSON of depth %d: %v", MaxDepth, err)
	}
	err := ev.Decode(nested(MaxDepth + 1))
	if !errors.Is(err, ErrDepth) {
		t.Fatalf("got %v", err)
	}
	if _, err := DecodeData(nested(100000)); !errors.Is(err, ErrDepth) {
		t.Fatalf("got %v", err)
	}
	deeper := bytes.Replace(text, []byte(`{"@data-type":"none","data":{}}`), []byte(`{"@data-type":"set","data":[]}`), 1)
	if _, err := c.AppendBin(nil, deeper); !errors.Is(err, ErrDepth) {
		t.Fatalf("JSON of depth %d: %v", MaxDepth+1, err)
	}
	d := CountData(1)
	for range MaxDepth {
		d = VectorData(d)
	}
	if _, err := d.Append(nil); err != nil {
		t.Error(err)
	}
	if _, err := VectorData(d).Append(nil); !errors.Is(err, ErrDepth) {
		t.Errorf("got %v", err)
	}
}

// TestEventUnordered reads what Broker reads but does not write: sets and
// tables out of order, any true boolean, more elements than an event has.
func TestEventUnordered(t *testing.T) {
	b := bin(t, "0e04"+one+one+"0e04 0501 78 0e02"+
		"0c03 0501 62 0501 61 0500"+
		"0d02 0102 0c02 0501 7a 0501 79 0100 00"+
		"0e01 0e02"+one+"09 0000000000000001"+
		"00"+ // behind the metadata
		"0bff01"+strings.Repeat("41", 255)) // behind the content
	var ev EventView
	if err := ev.Decode(b); err != nil {
		t.Fatal(err)
	}
	e, err := DecodeEvent(b)
	if err != nil {
		t.Fatal(err)
	}
	const want = `x({"", "a", "b"}, {F: nil, T: {"y", "z"}}) at 1970-01-01T00:00:00.000000001Z`
	back, err := AppendEvent(nil, e)
	if err != nil {
		t.Fatal(err)
	}
	var again EventView
	if err := again.Decode(back); err != nil || again.String() != want {
		t.Errorf("got %s, %v", again.String(), err)
	}
	if got := ev.String(); got != `x({"b", "a", ""}, {T: {"z", "y"}, F: nil}) at 1970-01-01T00:00:00.000000001Z` {
		t.Errorf("in the order of the message: %s", got)
	}
	var c Converter
	fromConverter, err := c.AppendJSON(nil, b)
	if err != nil || !bytes.Equal(fromConverter, ev.AppendJSON(nil)) {
		t.Errorf("%v: %s\n%s", err, fromConverter, ev.AppendJSON(nil))
	}
	if got := ev.Arg(0).AppendJSON(nil); !bytes.Contains(fromConverter, got) {
		t.Errorf("argument alone: %s", got)
	}
	const set = `{"@data-type":"set","data":[{"@data-type":"string","data":""},{"@data-type":"string","data":"a"},{"@data-type":"string","data":"b"}]}`
	if !bytes.Contains(fromConverter, []byte(set)) {
		t.Errorf("set is not in order: %s", fromConverter)
	}
}

func TestEventAccessors(t *testing.T) {
	var ev EventView
	if err := ev.Decode(typicalEvent(t)); err != nil {
		t.Fatal(err)
	}
	if string(ev.Name()) != "Evt::scalars" || ev.NumArgs() != 11 {
		t.Fatalf("%s", ev.String())
	}
	if ts, ok := ev.Timestamp(); !ok || !ts.Equal(time.Unix(1700000000, 5e8)) {
		t.Errorf("timestamp %v", ts)
	}
	if _, ok := ev.Metadata(2); ok {
		t.Error("has metadata 2")
	}
	got := make([]any, 0, 11)
	add := func(v any, ok bool) {
		if !ok {
			t.Errorf("argument %d is of another kind", len(got))
		}
		got = append(got, v)
	}
	next := func() DataView { return ev.Arg(len(got)) }
	b, ok := next().AsBool()
	add(b, ok)
	i, ok := next().AsInteger()
	add(i, ok)
	n, ok := next().AsCount()
	add(n, ok)
	f, ok := next().AsReal()
	add(f, ok)
	s, ok := next().AsString()
	add(string(s), ok)
	at, ok := next().AsTimestamp()
	add(at, ok)
	d, ok := next().AsTimespan()
	add(d, ok)
	a, ok := next().AsAddress()
	add(a, ok)
	p, ok := next().AsSubnet()
	add(p, ok)
	port, ok := next().AsPort()
	add(port, ok)
	enum, ok := next().AsEnum()
	add(string(enum), ok)
	want := []any{
		true, int64(-5), uint64(42), 3.25, "hello", time.Unix(1700000000, 123456e3).UTC(), 1500 * time.Millisecond,
		netip.MustParseAddr("10.1.2.3"), netip.MustParsePrefix("10.0.0.0/8"), Port{443, ProtoTCP}, "Vec::GREEN_2",
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("argument %d: %v, want %v", i, got[i], want[i])
		}
	}
	// Nothing answers for another kind.
	for v := range ev.Args() {
		answers := 0
		for _, ok := range []bool{
			second(v.AsBool()), second(v.AsInteger()), second(v.AsCount()), second(v.AsReal()), second(v.AsString()),
			second(v.AsTimestamp()), second(v.AsTimespan()), second(v.AsAddress()), second(v.AsSubnet()), second(v.AsPort()),
			second(v.AsEnum()),
		} {
			answers += truth(ok)
		}
		if answers != 1 || v.Len() != 0 {
			t.Errorf("%v: %d answers", v, answers)
		}
	}
	for _, i := range []int{-1, 11, 1 << 30} {
		if ev.Arg(i).Kind() != KindNone {
			t.Errorf("argument %d", i)
		}
	}
}

func second[T any](_ T, ok bool) bool { return ok }

func TestEventText(t *testing.T) {
	var ev EventView
	if err := ev.Decode(typicalEvent(t)); err != nil {
		t.Fatal(err)
	}
	const want = `Evt::scalars(T, -5, 42, 3.25, "hello", 2023-11-14T22:13:20.123456Z, 1.5s, 10.1.2.3, 10.0.0.0/8, 443/tcp, ` +
		`Vec::GREEN_2) at 2023-11-14T22:13:20.5Z`
	if got := ev.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	d := VectorData(Data{}, RealData(2), RealData(1e300), StringData("a\n\x00\xff"), EnumData("no name"), PortData(Port{}), SubnetData(netip.MustParsePrefix("::/0")),
		SetData(CountData(2), CountData(1)), TableData(Pair{StringData("k"), VectorData()}))
	const text = `[nil, 2.0, 1e+300, "a\n\x00\xff", "no name", 0/?, ::/0, {1, 2}, {"k": []}]`
	if got := d.String(); got != text {
		t.Errorf("got  %s\nwant %s", got, text)
	}
	b, err := d.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	if v, err := DecodeData(b); err != nil || v.String() != text {
		t.Errorf("%v, %v", v, err)
	}
}
