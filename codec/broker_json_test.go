package codec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// jsonValue is a value of the named type with this text as its data.
func jsonValue(typ, data string) string {
	return `{"@data-type":"` + typ + `","data":` + data + `}`
}

// TestJSONReads has the forms that Broker reads beside those it writes (CAF:
// detail/json.cpp and its parsers), and the few that only this package reads.
func TestJSONReads(t *testing.T) {
	ts := func(s string) Data {
		at, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return TimestampData(at)
	}
	addr := func(s string) Data { return AddressData(netip.MustParseAddr(s)) }
	subnet := func(s string) Data { return SubnetData(netip.MustParsePrefix(s)) }
	for _, c := range []struct {
		typ, data string
		want      Data
	}{
		{"none", `{}`, Data{}},
		{"none", `null`, Data{}},
		{"none", `[1,{"a":[nan,"]"]}]`, Data{}},
		{"boolean", `true`, BoolData(true)},
		{"count", `0`, CountData(0)},
		{"count", `-0`, CountData(0)},
		{"count", `+7`, CountData(7)},
		{"count", `18446744073709551615`, CountData(math.MaxUint64)},
		{"count", `0x1F`, CountData(31)},
		{"count", `0b101`, CountData(5)},
		{"count", `017`, CountData(15)},
		{"integer", `-9223372036854775808`, IntegerData(math.MinInt64)},
		{"integer", `9223372036854775807`, IntegerData(math.MaxInt64)},
		{"integer", `-0x10`, IntegerData(-16)},
		{"integer", `0`, IntegerData(0)},
		{"real", `1.0`, RealData(1)},
		{"real", `1e3`, RealData(1000)},
		{"real", `1E+3`, RealData(1000)},
		{"real", `-2.5e-1`, RealData(-0.25)},
		{"real", `.5`, RealData(0.5)},
		{"real", `5.`, RealData(5)},
		{"real", `-0.0`, RealData(math.Copysign(0, -1))},
		{"real", `0e5`, RealData(0)},
		{"real", `nan`, RealData(math.NaN())},
		{"real", `-nan`, RealData(math.NaN())},
		{"real", `inf`, RealData(math.Inf(1))},
		{"real", `-inf`, RealData(math.Inf(-1))},
		{"real", `"nan"`, RealData(math.NaN())},
		{"real", `"-inf"`, RealData(math.Inf(-1))},
		{"real", `1e400`, RealData(math.Inf(1))},
		{"real", `1e-400`, RealData(0)},
		{"real", `123456789012345678901234567890.0`, RealData(123456789012345678901234567890.0)},
		{"string", `""`, StringData("")},
		{"string", `"\"\\\/\b\f\n\r\t\v"`, StringData("\"\\/\b\f\n\r\t\v")},
		{"string", "\"\x00\x01\n\t\v\x7f\"", StringData("\x00\x01\n\t\v\x7f")},
		{"string", "\"\xff\xfe\xc3\"", StringData("\xff\xfe\xc3")},
		{"string", `"\u0041\u00e9\u20AC\u0000"`, StringData("Aé€\x00")},
		{"string", `"\ud83d\ude00"`, StringData("😀")},
		{"string", `"\udb80\udc7f\udb80\udcff"`, StringData("\U000f007f\xff")},
		{"string", `"\udc00"`, StringData("\xed\xb0\x80")},
		{"string", strconv.Quote(strings.Repeat("x", 128)), StringData(strings.Repeat("x", 128))},
		{"string", `"\u0041` + strings.Repeat("x", 127) + `"`, StringData("A" + strings.Repeat("x", 127))},
		{"enum-value", `"Notice::ACTION_LOG"`, EnumData("Notice::ACTION_LOG")},
		{"address", `"10.1.2.3"`, addr("10.1.2.3")},
		{"address", `"010.001.002.003"`, addr("10.1.2.3")},
		{"address", `"::ffff:10.1.2.3"`, addr("10.1.2.3")},
		{"address", `"2001:DB8::1"`, addr("2001:db8::1")},
		{"address", `"1:2:3:4:5:6:1.2.3.4"`, addr("1:2:3:4:5:6:102:304")},
		{"subnet", `"10.1.2.3/8"`, subnet("10.0.0.0/8")},
		{"subnet", `"10.0.0.0\/8"`, subnet("10.0.0.0/8")},
		{"subnet", `"0.0.0.0/0"`, subnet("0.0.0.0/0")},
		{"subnet", `"::/ +08"`, subnet("::/8")},
		{"subnet", `"2001:db8::/127"`, subnet("2001:db8::/127")},
		{"subnet", `"ffff:ffff::/33"`, subnet("ffff:ffff::/33")},
		{"port", `"80"`, PortData(Port{80, ProtoTCP})},
		{"port", `"53/udp"`, PortData(Port{53, ProtoUDP})},
		{"port", `"8/icmp"`, PortData(Port{8, ProtoICMP})},
		{"port", `"65535/?"`, PortData(Port{65535, ProtoUnknown})},
		{"port", `"80/sctp"`, PortData(Port{80, ProtoUnknown})},
		{"port", `"80/"`, PortData(Port{80, ProtoUnknown})},
		{"port", `" \t+080/tcp"`, PortData(Port{80, ProtoTCP})},
		{"timestamp", `"2020-09-01T15:58:42.372"`, ts("2020-09-01T15:58:42.372Z")},
		{"timestamp", `"2020-09-01T15:58:42"`, ts("2020-09-01T15:58:42Z")},
		{"timestamp", `"2020-09-01T15:58:42."`, ts("2020-09-01T15:58:42Z")},
		{"timestamp", `"2020-09-01T15:58:42.123456789Z"`, ts("2020-09-01T15:58:42.123456789Z")},
		{"timestamp", `"2020-09-01T15:58:42.1+02:00"`, ts("2020-09-01T13:58:42.1Z")},
		{"timestamp", `"2020-09-01T15:58:42-0130"`, ts("2020-09-01T17:28:42Z")},
		{"timestamp", `"2020-09-01T15:58:42+02"`, ts("2020-09-01T13:58:42Z")},
		{"timestamp", `"2000-02-29T00:00:00Z"`, ts("2000-02-29T00:00:00Z")},
		{"timestamp", `"1969-12-31T23:59:59.5"`, ts("1969-12-31T23:59:59.5Z")},
		{"timestamp", `"1677-09-21T00:12:43.145224192"`, Data{kind: KindTimestamp, num: 1 << 63}},
		{"timestamp", `"2262-04-11T23:47:16.854775807"`, Data{kind: KindTimestamp, num: math.MaxInt64}},
		{"timespan", `"0s"`, TimespanData(0)},
		{"timespan", `"-500ms"`, TimespanData(-500 * time.Millisecond)},
		{"timespan", `"1.5s"`, TimespanData(1500 * time.Millisecond)},
		{"timespan", `"1e3us"`, TimespanData(time.Millisecond)},
		{"timespan", `".5min"`, TimespanData(30 * time.Second)},
		{"timespan", `" 2h"`, TimespanData(2 * time.Hour)},
		{"timespan", `"1.9ns"`, TimespanData(1)},
		{"timespan", `"9223372036854775807ns"`, TimespanData(math.MaxInt64)},
		{"timespan", `"-9223372036854775808ns"`, TimespanData(math.MinInt64)},
		{"set", `[` + jsonValue("count", "2") + `,` + jsonValue("count", "1") + `]`, SetData(CountData(1), CountData(2))},
		{"set", `[]`, SetData()},
		{"vector", ` [ ` + jsonValue("none", "{}") + " \f\v\r\n, " + jsonValue("set", " [ ] ") + ` ] `, VectorData(Data{}, SetData())},
		{"table", `[{"key":` + jsonValue("count", "2") + `,"value":` + jsonValue("none", "{}") + `},` +
			`{"more":[{}],"value":` + jsonValue("vector", "[]") + `,"key":` + jsonValue("count", "1") + `,"key":0}]`,
			TableData(Pair{CountData(1), VectorData()}, Pair{CountData(2), Data{}})},
	} {
		var conv Converter
		for _, text := range []string{
			jsonValue(c.typ, c.data),
			jsonValue(c.typ, c.data) + "\n\x00\x01", // a NUL ends the text
			` { "data" : ` + c.data + ` , "@data-type" : "` + c.typ + `" } `,
			`{"x":{"data":[]},"\u0040data-type":"` + c.typ + `","d\u0061ta":` + c.data + `,"data":0,"@data-type":7}`,
		} {
			want, err := c.want.Append([]byte("kept"))
			if err != nil {
				t.Fatal(err)
			}
			got, err := conv.AppendBin([]byte("kept"), []byte(text))
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: %x, %v, want %x", text, got, err, want)
			}
		}
	}
}

func TestJSONRefused(t *testing.T) {
	two := func(typ, a, b string) string { return jsonValue(typ, "["+a+","+b+"]") }
	one := jsonValue("count", "1")
	for _, c := range []struct {
		text   string
		reason error
	}{
		{"", ErrTruncated},
		{"  ", ErrTruncated},
		{"7", ErrSyntax},
		{"[]", ErrSyntax},
		{"{}", ErrType},
		{`{"data":1}`, ErrType},
		{`{"@data-type":"count"}`, ErrMismatch},
		{`{"@data-type":"counter","data":1}`, ErrType},
		{`{"@data-type":1,"data":1}`, ErrType},
		{`{"@data-type":"count","data":1,}`, ErrSyntax},
		{`{"@data-type":"count","data":1}x`, ErrTrailing},
		{`{"@data-type":"count","data":1}` + "\x01\x00", ErrTrailing},
		{`{"@data-type":"count"` + "\x00" + `,"data":1}`, ErrSyntax},
		{`{"@data-type":"count" "data":1}`, ErrSyntax},
		{`{"@data-type" "count"}`, ErrSyntax},
		{`{@data-type:"count"}`, ErrSyntax},
		{jsonValue("boolean", `True`), ErrMismatch},
		{jsonValue("boolean", `1`), ErrMismatch},
		{jsonValue("boolean", `"true"`), ErrMismatch},
		{jsonValue("count", `-1`), ErrRange},
		{jsonValue("count", `1.0`), ErrMismatch},
		{jsonValue("count", `1e3`), ErrMismatch},
		{jsonValue("count", `08`), ErrMismatch},
		{jsonValue("count", `0x`), ErrMismatch},
		{jsonValue("count", `"1"`), ErrMismatch},
		{jsonValue("count", `null`), ErrMismatch},
		{jsonValue("count", ``), ErrSyntax},
		{jsonValue("count", `[1]`), ErrMismatch},
		{jsonValue("count", `18446744073709551616`), ErrRange},
		{jsonValue("integer", `9223372036854775808`), ErrRange},
		{jsonValue("integer", `-9223372036854775809`), ErrRange},
		{jsonValue("real", `1`), ErrMismatch},
		{jsonValue("real", `.`), ErrMismatch},
		{jsonValue("real", `1e`), ErrMismatch},
		{jsonValue("real", `1.0e+`), ErrMismatch},
		{jsonValue("real", `1.0.0`), ErrMismatch},
		{jsonValue("real", `0x1p4`), ErrMismatch},
		{jsonValue("real", `1.0_0`), ErrSyntax},
		{jsonValue("real", `"1.0"`), ErrMismatch},
		{jsonValue("real", `Infinity`), ErrMismatch},
		{jsonValue("string", `1`), ErrMismatch},
		{jsonValue("string", `"\x"`), ErrSyntax},
		{jsonValue("string", `"\u12g4"`), ErrSyntax},
		{jsonValue("string", `"\ud83d"`), ErrSyntax},
		{jsonValue("string", `"\ud83d\n"`), ErrSyntax},
		{jsonValue("string", `"\ud83d\u0041"`), ErrSyntax},
		{`{"@data-type":"string","data":"abc`, ErrTruncated},
		{`{"@data-type":"string","data":"abc\`, ErrTruncated},
		{`{"@data-type":"string","data":"abc\u12`, ErrTruncated},
		{jsonValue("address", `"10.1.2"`), ErrSyntax},
		{jsonValue("address", `"10.1.2.256"`), ErrSyntax},
		{jsonValue("address", `"fe80::1%eth0"`), ErrSyntax},
		{jsonValue("address", `1`), ErrMismatch},
		{jsonValue("subnet", `"10.0.0.0"`), ErrSyntax},
		{jsonValue("subnet", `"10.0.0.0/"`), ErrSyntax},
		{jsonValue("subnet", `"10.0.0.0/8 "`), ErrSyntax},
		{jsonValue("subnet", `"10.0.0.0/33"`), ErrRange},
		{jsonValue("subnet", `"::/129"`), ErrRange},
		{jsonValue("subnet", `"::/99999999999999999999"`), ErrRange},
		{jsonValue("port", `"65536/tcp"`), ErrRange},
		{jsonValue("port", `"/tcp"`), ErrSyntax},
		{jsonValue("port", `"80x/tcp"`), ErrSyntax},
		{jsonValue("port", `80`), ErrMismatch},
		{jsonValue("timestamp", `"2020-09-01"`), ErrSyntax},
		{jsonValue("timestamp", `"2020-09-01 15:58:42"`), ErrSyntax},
		{jsonValue("timestamp", `"2020-09-01T15:58:42.1234567890"`), ErrSyntax},
		{jsonValue("timestamp", `"2020-09-01T15:58:42.Z"`), ErrSyntax},
		{jsonValue("timestamp", `"2020-09-01T15:58:42z"`), ErrSyntax},
		{jsonValue("timestamp", `"2020-09-01T15:58:42+2"`), ErrSyntax},
		{jsonValue("timestamp", `"2020-09-01T15:58:42Z "`), ErrSyntax},
		{jsonValue("timestamp", `"2021-02-29T00:00:00"`), ErrRange},
		{jsonValue("timestamp", `"1900-02-29T00:00:00"`), ErrRange},
		{jsonValue("timestamp", `"2020-13-01T00:00:00"`), ErrRange},
		{jsonValue("timestamp", `"2020-00-01T00:00:00"`), ErrRange},
		{jsonValue("timestamp", `"2020-04-31T00:00:00"`), ErrRange},
		{jsonValue("timestamp", `"2020-09-01T24:00:00"`), ErrRange},
		{jsonValue("timestamp", `"2020-09-01T23:59:60"`), ErrRange},
		{jsonValue("timestamp", `"1677-09-21T00:12:43.145224191"`), ErrRange},
		{jsonValue("timestamp", `"2262-04-11T23:47:16.854775808"`), ErrRange},
		{jsonValue("timestamp", `"9999-01-01T00:00:00"`), ErrRange},
		{jsonValue("timespan", `"1"`), ErrSyntax},
		{jsonValue("timespan", `"s"`), ErrSyntax},
		{jsonValue("timespan", `"1d"`), ErrSyntax},
		{jsonValue("timespan", `"1s "`), ErrSyntax},
		{jsonValue("timespan", `"9223372036854775808ns"`), ErrRange},
		{jsonValue("timespan", `"1e10s"`), ErrRange},
		{jsonValue("timespan", `"9223372037s"`), ErrRange},
		{jsonValue("timespan", `1`), ErrMismatch},
		{jsonValue("vector", `{}`), ErrMismatch},
		{jsonValue("vector", `[1]`), ErrSyntax},
		{jsonValue("vector", `[`+one+`,]`), ErrSyntax},
		{jsonValue("vector", `[`+one+one+`]`), ErrSyntax},
		{two("set", one, one), ErrDuplicate},
		{two("set", jsonValue("real", "0.0"), jsonValue("real", "-0.0")), ErrDuplicate},
		{two("set", two("set", one, jsonValue("count", "2")), two("set", jsonValue("count", "2"), one)), ErrDuplicate},
		{jsonValue("table", `[{"key":`+one+`,"value":`+one+`},{"value":`+one+`,"key":`+one+`}]`), ErrDuplicate},
		{jsonValue("table", `[{"key":`+one+`}]`), ErrMismatch},
		{jsonValue("table", `[{"value":`+one+`}]`), ErrMismatch},
		{jsonValue("table", `[{}]`), ErrMismatch},
		{jsonValue("table", `[`+one+`]`), ErrMismatch},
		{`{"x":` + strings.Repeat("[", 300) + strings.Repeat("]", 300) + `,"@data-type":"none"}`, ErrDepth},
		{`{"x":[}],"@data-type":"none"}`, ErrSyntax},
		{`{"x":maybe,"@data-type":"none"}`, ErrSyntax},
		{`{"x":1..2,"@data-type":"none"}`, ErrSyntax},
		{`{"x":{"a"},"@data-type":"none"}`, ErrSyntax},
	} {
		var conv Converter
		got, err := conv.AppendBin([]byte("kept"), []byte(c.text))
		var e *Error
		if !errors.Is(err, c.reason) || !errors.As(err, &e) || e.Offset < 0 || e.Offset > len(c.text) || e.Format != BrokerJSONV1 {
			t.Errorf("%s: %v, want %v", c.text, err, c.reason)
		}
		if string(got) != "kept" {
			t.Errorf("%s: buffer is %q", c.text, got)
		}
		// What was open then is not part of what comes next.
		want, _ := SetData(CountData(1), CountData(2)).Append(nil)
		got, err = conv.AppendBin(nil, []byte(two("set", jsonValue("count", "2"), one)))
		if err != nil || !bytes.Equal(got, want) || len(conv.sort.elems) != 0 {
			t.Fatalf("after %s: %x, %v", c.text, got, err)
		}
	}
}

// TestJSONBackwards reads containers in each other whose types, and whose keys, stand
// behind their contents, and sees that none is passed over more than once.
func TestJSONBackwards(t *testing.T) {
	backwards := func(typ, data string) string {
		return `{ "x" : [ {} ] , "d\u0061ta" : ` + data + ` , "@data-type" : "` + typ + `" }`
	}
	one := jsonValue("count", "1")
	for name, c := range map[string]struct {
		wrap    func(inner string) (backward, forward string)
		members int // a level has that may be read later
	}{
		"vector": {func(in string) (string, string) {
			return backwards("vector", "["+in+"]"), jsonValue("vector", "["+in+"]")
		}, 1},
		"table": {func(in string) (string, string) {
			return backwards("table", `[{"value":`+in+`,"key":`+backwards("vector", "["+one+"]")+`}]`),
				jsonValue("table", `[{"key":`+jsonValue("vector", "["+one+"]")+`,"value":`+in+`}]`)
		}, 3},
	} {
		text, plain := one, one
		levels := MaxDepth - 2
		for range levels {
			text, _ = c.wrap(text)
			_, plain = c.wrap(plain)
		}
		var conv Converter
		got, err := conv.AppendBin(nil, []byte(text))
		want, _ := new(Converter).AppendBin(nil, []byte(plain))
		if err != nil || !bytes.Equal(got, want) || len(want) < levels {
			t.Errorf("%s: %v", name, err)
		}
		if n := len(conv.spans); n != levels*c.members {
			t.Errorf("%s: %d members passed, %d levels", name, n, levels)
		}
		for i, s := range conv.spans {
			if s.end <= s.start || i > 0 && s.start <= conv.spans[i-1].start {
				t.Fatalf("%s: %v", name, conv.spans)
			}
		}
		source := []byte(text)
		noAllocs(t, name, func() { got, _ = conv.AppendBin(got[:0], source) })
	}
}

// TestJSONMessage reads and writes messages of the WebSocket API.
func TestJSONMessage(t *testing.T) {
	var c Converter
	var ev EventView
	for _, p := range goldenPairs(t) {
		if err := ev.Decode(p.bin); err != nil {
			t.Fatal(err)
		}
		text := ev.AppendMessage([]byte("x"), []byte("a\"\xff"))[1:]
		want := `{"type":"data-message","topic":"a\"\udb80\udcff",` + string(validJSON(p.text[1:]))
		if string(text) != want {
			t.Fatalf("got  %s\nwant %s", text, want)
		}
		out, topic, ok, err := c.AppendBinMessage(nil, text)
		plain, _ := c.AppendBin(nil, p.text)
		if err != nil || !ok || string(topic) != "a\"\xff" || !bytes.Equal(out, plain) {
			t.Fatalf("%s: %x, %q, %v, %v", text, out, topic, ok, err)
		}
	}
	for text, want := range map[string]string{
		`{"topic":"/a","topic":"/b","@data-type":"none"}`:                    "/a",
		`{"topic":"","@data-type":"none"}`:                                   "",
		`{"topic":7,"@data-type":"none","topic":"\/b"}`:                      "/b",
		`{"@data-type":"none","data":{"topic":"/a"}}`:                        "-",
		`{"@data-type":"vector","data":[{"topic":"x","@data-type":"none"}]}`: "-",
	} {
		_, topic, ok, err := c.AppendBinMessage(nil, []byte(text))
		if err != nil || ok != (want != "-") || ok && string(topic) != want {
			t.Errorf("%s: %q, %v, %v", text, topic, ok, err)
		}
	}
}

// TestJSONReal compares with printf's rules, for which fmt stands, and reading
// with strconv.
func TestJSONReal(t *testing.T) {
	r := seededRand(t)
	var c Converter
	check := func(f float64) {
		b, _ := RealData(f).Append(nil)
		text, err := c.AppendJSON(nil, b)
		if err != nil {
			t.Fatal(err)
		}
		want := strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%f", f), "+"))
		if !finite(f) {
			want = `"` + want + `"`
		}
		if string(text) != jsonValue("real", want) {
			t.Fatalf("%g: %s, want %s", f, text, want)
		}
	}
	read := func(number string) {
		want, _ := strconv.ParseFloat(number, 64)
		wantBin, _ := RealData(want).Append(nil)
		got, err := c.AppendBin(nil, []byte(jsonValue("real", number)))
		if err != nil || !bytes.Equal(got, wantBin) {
			t.Fatalf("%s: %x, %v, want %x", number, got, err, wantBin)
		}
	}
	for _, w := range interesting {
		check(math.Float64frombits(w))
	}
	for range rounds(20000) {
		f := math.Float64frombits(r.Uint64())
		if r.IntN(2) == 0 {
			f = float64(r.Int64()>>r.IntN(60)) / math.Pow10(r.IntN(12))
		}
		check(f)
		if finite(f) {
			read(strconv.FormatFloat(f, 'f', 6, 64))
			read(strconv.FormatFloat(f, 'e', -1, 64))
			read(strconv.FormatFloat(f, 'e', r.IntN(30), 64))
		}
	}
	half := overflowDigits + ".0" // rounds to even, which is infinity
	below := overflowDigits[:307] + "79.9"
	for _, s := range []string{
		half, "-" + half, "000" + half, below, "-" + below, overflowDigits[:300] + "000000000.0", overflowDigits[:300] + "999999999.0",
		"1.7976931348623157e308", "1.7976931348623158e308", "1.7976931348623159e308", "0.00017976931348623159e312",
		"1e308", "1e309", "9e308", "0." + strings.Repeat("0", 400) + "1e700", "0." + strings.Repeat("0", 400) + "1e720", "1e99999999999999999999",
		"-1e99999999999999999999", "1e-99999999999999999999", "0e99999999999999999999", "0.0e400", "5e-324", "2e-324", "3e-324",
	} {
		read(s)
	}
	if strings.Contains(half, "e") || len(overflowDigits) != 309 {
		t.Error("overflowDigits")
	}
}

// TestBrokerTime compares dates with package time.
func TestBrokerTime(t *testing.T) {
	r := seededRand(t)
	values := []int64{0, 1, -1, -1e9, -1e9 - 1, 1e6, 999999, -999999, 86400e9, -86400e9, -86400e9 - 1, math.MaxInt64, math.MinInt64}
	for range rounds(20000) {
		values = append(values, int64(r.Uint64())>>r.IntN(40))
	}
	for y := 1678; y < 2262; y++ { // around every leap day
		values = append(values, time.Date(y, 2, 28, 23, 59, 59, 1e6, time.UTC).UnixNano(), time.Date(y, 3, 1, 0, 0, 0, 0, time.UTC).UnixNano())
	}
	for _, ns := range values {
		want := time.Unix(ns/1e9, 0).UTC().Format("2006-01-02T15:04:05") + fmt.Sprintf(".%03d", max(0, ns/1e6%1000))
		if got := appendBrokerTime(nil, ns); string(got) != want {
			t.Fatalf("%d: %s, want %s", ns, got, want)
		}
		full := time.Unix(0, ns).UTC().Format("2006-01-02T15:04:05.999999999Z07:00")
		if got, reason := parseBrokerTime([]byte(full)); reason != nil || got != ns {
			t.Fatalf("%s: %d, %v, want %d", full, got, reason, ns)
		}
		span := appendBrokerTimespan(nil, ns)
		if got, reason := parseTimespan(span); reason != nil || got != ns {
			t.Fatalf("%s: %d, %v, want %d", span, got, reason, ns)
		}
	}
}

// TestParseAddr compares with net/netip, which differs in leading zeros of
// IPv4, in zones, and in a :: that stands for nothing.
func TestParseAddr(t *testing.T) {
	r := seededRand(t)
	check := func(s string) {
		want, err := netip.ParseAddr(s)
		if err != nil && strings.Count(s, "::") == 1 {
			// Without the second colon it is what it was meant to be.
			if rest, ok := strings.CutPrefix(s, "::"); !ok {
				rest = strings.Replace(s, "::", ":", 1)
				want, err = netip.ParseAddr(rest)
			} else if !strings.HasPrefix(rest, ":") {
				want, err = netip.ParseAddr(rest)
			}
			if strings.Contains(s, ":::") || strings.Count(s, ":") < 7 || !want.Is6() {
				err = errors.ErrUnsupported
			}
		}
		got, ok := parseAddr([]byte(s))
		if ok != (err == nil) || ok && netip.AddrFrom16(got) != netip.AddrFrom16(want.As16()) {
			t.Fatalf("%q: %v, %v, want %v, %v", s, netip.AddrFrom16(got), ok, want, err)
		}
	}
	for _, s := range []string{
		"", ":", "::", ":::", "1", "1.2.3", "1.2.3.4", "1.2.3.4.5", "1.2.3.4.", ".1.2.3", "256.1.1.1", "1..2.3", "::1", "1::", "1::2::3", "1:2:3:4:5:6:7:8",
		"1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "::1:2:3:4:5:6:7:8", "1::2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8::", "1:2:3:4:5:6:7::8",
		"::1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6::1.2.3.4", "1:2:3:4:5:6:7::1.2.3.4", "::1:2:3:4:5:6:7:8:9", "1::3:4:5:6:7:8", "1:2:3:4::5:6:7:8", "12345::", "g::", "1:", ":1", "::1:",
		"::1.2.3.4", "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:7:1.2.3.4", "1:2:3:4:5:1.2.3.4", "::1.2.3", "::1.2.3.4:5", "1.2.3.4::", "::ffff:1.2.3.4", "::1.2.3.400",
	} {
		check(s)
	}
	for range rounds(50000) {
		b := make([]byte, r.IntN(20))
		for i := range b {
			b[i] = "0123456789abcdefF::::::...."[r.IntN(27)]
		}
		if s := string(b); !leadingZero(s) {
			check(s)
		}
	}
	for range rounds(5000) {
		d := randomData(r, 0)
		if a, ok := d.AsAddress(); ok {
			check(a.String())
		}
	}
}

// leadingZero reports whether s might hold an IPv4 number such as 01.
func leadingZero(s string) bool {
	if !strings.Contains(s, ".") {
		return false
	}
	for _, part := range strings.FieldsFunc(s, func(r rune) bool { return r == '.' || r == ':' }) {
		if len(part) > 1 && part[0] == '0' {
			return true
		}
	}
	return false
}

// TestJSONString writes every byte and many pieces of UTF-8, and reads them
// back through encoding/json, too, for what that can hold.
func TestJSONString(t *testing.T) {
	r := seededRand(t)
	var c Converter
	check := func(s string) {
		b, _ := StringData(s).Append(nil)
		text, err := c.AppendJSON(nil, b)
		if err != nil || !utf8.Valid(text) {
			t.Fatalf("%q: %s, %v", s, text, err)
		}
		var v struct{ Data string }
		if err := json.Unmarshal(text, &v); err != nil {
			t.Fatalf("%q: %s: %v", s, text, err)
		}
		if utf8.ValidString(s) && v.Data != s {
			t.Fatalf("%q became %q for encoding/json", s, v.Data)
		}
		if back, err := c.AppendBin(nil, text); err != nil || !bytes.Equal(back, b) {
			t.Fatalf("%q: %x, %v", s, back, err)
		}
	}
	for i := range 256 {
		check(string([]byte{byte(i)}))
		check(string([]byte{'a', byte(i), 0x80}))
	}
	check("\xed\xa0\x80\xef\xbf\xbd\U000f00ff\u2028</script>")
	for range rounds(20000) {
		check(randomText(r))
	}
}

func TestKindNames(t *testing.T) {
	for k := KindNone; k <= KindVector; k++ {
		if kindNamed([]byte(k.String())) != int(k) {
			t.Errorf("%d is %s", k, k)
		}
	}
	if kindNamed([]byte("unknown")) != -1 || kindNamed(nil) != -1 || Kind(15).String() != "unknown" {
		t.Error("a kind that is none has a name")
	}
}
