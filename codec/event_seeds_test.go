package codec

import (
	"fmt"
	"strings"
)

// oddJSON are texts that each take a path of the reader which real events do not,
// most of them into an error.
func oddJSON() (texts []string) {
	for kind, list := range map[string][]string{
		"boolean": {`true`, `"true"`, `1`},
		"count":   {`0b101`, `0x1f`, `017`, `0b`, `08`, `18446744073709551616`, `-1`, `"1"`, `[1]`, `{`, ``, `1.0`},
		"integer": {`-0b1`, `+5`, `9223372036854775808`, `-9223372036854775809`},
		"real":    {`1.5e+3`, `1e-2`, `1e`, `.`, `"nan"`, `"-inf"`, `"+inf"`, `-inf`, `"1"`, `1`, `"x`},
		"string":  {`"\u00`, `"\`, `"\q"`, `"\ud800x"`, `"\ud800\u0041"`, `"\udc00"`, `5`, ``, `"` + strings.Repeat(`\n`, 200) + `"`},
		"address": {`"1.2.3.256"`, `"1.2.3"`, `"1.2.3.4.5"`, `"::"`, `":"`, `"1::2::3"`, `"1:2:3:4:5:6:7:8"`, `"1:2:3:4:5:6:7:8:9"`,
			`"1:2:3:4:5:6:7::"`, `"1:2:3:4:5:6:7:8::"`, `"::1.2.3.4"`, `"::1.2.3"`, `"1:2:3:4:5:6:7:1.2.3.4"`, `"1:g"`, `"1:"`, `"1x2"`, `"12345::"`, `4`},
		"subnet": {`"10.0.0.0"`, `"10.0.0.0/"`, `"10.0.0.0/33"`, `"10.255.0.0/9"`, `"::/129"`, `"::ff/ +127"`, `"x/8"`, `"10.0.0.0/8x"`},
		"port":   {`" \t+80/udp"`, `"65536/tcp"`, `"/tcp"`, `"80tcp"`, `"80"`, `"80/icmp"`, `"80/sctp"`},
		"timestamp": {`"1969-12-31T23:59:59.5"`, `"1600-01-01T00:00:00"`, `"2262-04-12T00:00:00"`, `"1677-09-21T00:12:43.1"`, `"1677-01-01T00:00:00"`,
			`"2262-04-11T23:47:16.9"`, `"2000-02-29T00:00:00Z"`, `"2001-02-29T00:00:00"`, `"2001-02-28T00:00:00+02"`, `"2001-04-31T00:00:00"`,
			`"2001-04-30T00:00:00-02:30"`, `"2001-04-30T00:00:00+0230"`, `"2001-04-30T00:00:00*1"`, `"2001-04-30T00:00:00."`,
			`"2001-04-30T00:00:00.x"`, `"2001-04-30T00:00:00.1234567890"`, `"2001-13-01T00:00:00"`, `"2001x"`},
		"timespan": {`" \t1s"`, `"5ns"`, `"5us"`, `"5ms"`, `"-5min"`, `"5h"`, `"5d"`, `"s"`, `"1e300h"`, `"1.5s"`, `"9223372036854775808ns"`,
			`"-9223372036854775808ns"`, `"9999999999h"`, `5`},
		"enum-value": {`"A::B"`, `7`},
		"none":       {`{}`, `{"a":1}`, `null`, `[]`},
		"set":        {`{}`, ``, `5`, `[`, `[{"@data-type":"count","data":1},{"data":1,"@data-type":"count"}]`},
		"vector":     {`[{"@data-type":"none","data":{}},]`, `[x]`},
		"table": {`[{}]`, `[{"key":{"@data-type":"count","data":1}}]`, `[5]`, `[{"key"5]`, `[{"other":[1,{"a":"b"},null],"key":{"@data-type":"count","data":1},"value":{"@data-type":"none","data":{}}}]`,
			`[{"value":{"@data-type":"none","data":{}},"key":{"@data-type":"count","data":1}}]`,
			`[{"key":{"@data-type":"count","data":1},"value":5}]`, `[{"value":[,"key":1}]`},
		"odd": {`1`},
	} {
		for _, data := range list {
			texts = append(texts, fmt.Sprintf(`{"@data-type":%q,"data":%s}`, kind, data), fmt.Sprintf(`{"data":%s,"@data-type":%q}`, data, kind))
		}
	}
	value := `{"@data-type":"count","data":1}`
	return append(texts,
		`{"@data-type":"string","data":"\`, `{"@data-type":"string","data":"\u00`, `{"@data-type":"address","data":`,
		"", "{", "[]", "{}", `{"@data-type":5}`, `{"@data-type":"count"}`, `{"data":1}`, value+"x", "\xef\xbb\xbf"+value,
		`{"topic":5,"@data-type":"count","data":1}`, `{"topic":"a\u0062","@data-type":"count","data":1}`, `{"topic":"a`, `{"topic":[[{"x":[1,2,"\"",true,null,-1.5e3]}]],"data":1,"@data-type":"count"}`,
		`{"topic":`+strings.Repeat("[", 300), `{"topic":{"a":1,}}`, `{"topic":{"a"1}}`, `{"topic":{5:1}}`, `{"topic":what}`, `{"topic":[1 2]}`,
		strings.Repeat(`{"@data-type":"vector","data":[`, 70), strings.Repeat(`{"data":[`, 70),
		`{"@data-type":"vector","data":[`+strings.Repeat(value+",", 199)+value+`]}`,
		`{"@data-type":"set","data":[`+manyCounts(150)+`]}`)
}

// manyCounts are different values, not in their order.
func manyCounts(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`{"@data-type":"count","data":%d}`, i*77%n)
	}
	return strings.Join(list, ",")
}

// oddBin are payloads of the kind that oddJSON has as text.
func oddBin() (payloads [][]byte) {
	set := func(kind Kind, elems ...string) string {
		return string(appendVarbyte([]byte{byte(kind)}, len(elems))) + strings.Join(elems, "")
	}
	word := func(kind Kind, low byte) string { return string(append([]byte{byte(kind)}, 0, 0, 0, 0, 0, 0, 0, low)) }
	yes, no := "\x01\x01", "\x01\x00"
	var counts, pairs []string
	for i := range 150 {
		counts = append(counts, word(KindCount, byte(i*77%150)))
		pairs = append(pairs, counts[i], no)
	}
	table := func(pairs ...string) string {
		return string(appendVarbyte([]byte{byte(KindTable)}, len(pairs)/2)) + strings.Join(pairs, "")
	}
	one, two := word(KindCount, 1), word(KindCount, 2)
	event := func(parts ...string) string {
		return set(KindVector, one, one, set(KindVector, parts...))
	}
	name, args := "\x05\x01n", set(KindVector)
	for _, p := range []string{
		strings.Repeat("\x0e\x01", 70) + "\x00",
		set(KindSet, yes, no), set(KindSet, no, yes), set(KindSet, "\x01\x02", no),
		set(KindSet, counts...), table(pairs...), set(KindVector, counts...),
		set(KindSet, set(KindSet, two, one), set(KindSet, one)), set(KindSet, table(two, no), table(one, no, two, no), table(two, yes), table(one, no)),
		set(KindSet, set(KindVector, one), set(KindVector), set(KindVector, one, two), set(KindVector, two)),
		table(set(KindSet, yes, no), one, set(KindSet, no), table(two, one, one, two)),
		set(KindSet, "\x04\x7f\xf8\x00\x00\x00\x00\x00\x00", "\x04\x3f\xf0\x00\x00\x00\x00\x00\x00", "\x04\xbf\xf0\x00\x00\x00\x00\x00\x00"),
		set(KindSet, "\x04\xbf\xf0\x00\x00\x00\x00\x00\x00", "\x04\x3f\xf0\x00\x00\x00\x00\x00\x00", "\x04\x3f\xf0\x00\x00\x00\x00\x00\x00"),
		set(KindSet, word(KindInteger, 1), "\x03\xff\xff\xff\xff\xff\xff\xff\xff", "\x05\x01b", "\x05\x02aa", "\x05\x00"),
		event(name, args, set(KindVector, one)), event(name, args, set(KindVector, set(KindVector, one, one))),
		event(name, args, set(KindVector, set(KindVector, one, word(KindTimestamp, 1)))),
		event(name, args, set(KindVector, set(KindVector, two, one))), event(name, args, set(KindVector, set(KindVector, yes, one))),
		event(name, args, one), event(name, args, args, args), event(name), event(one, args), event(name, one),
		set(KindVector, one, two, args), set(KindVector, two, one, args), set(KindVector, yes, one, args), set(KindVector, one, one, one), one,
	} {
		payloads = append(payloads, []byte(p))
	}
	return payloads
}
