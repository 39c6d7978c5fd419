package main

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/znode/znode/codec"
)

func TestParseArg(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "set.json")
	if err := os.WriteFile(file, []byte(`{"@data-type":"set","data":[{"@data-type":"count","data":1}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for arg, want := range map[string]codec.Data{
		"bool:T": codec.BoolData(true), "bool:false": codec.BoolData(false),
		"count:18446744073709551615": codec.CountData(1<<64 - 1),
		"int:-5":                     codec.IntegerData(-5), "integer:5": codec.IntegerData(5),
		"double:1e3": codec.RealData(1000), "real:-0.5": codec.RealData(-.5),
		"text": codec.StringData("text"), "": codec.StringData(""), "a b": codec.StringData("a b"),
		`"a\tb: 5"`: codec.StringData("a\tb: 5"), `"5"`: codec.StringData("5"), "string:http://x": codec.StringData("http://x"),
		"string:": codec.StringData(""), "enum:Notice::ACTION_LOG": codec.EnumData("Notice::ACTION_LOG"),
		"addr:10.0.0.1": codec.AddressData(netip.MustParseAddr("10.0.0.1")), "addr:[::1]": codec.AddressData(netip.MustParseAddr("::1")),
		"subnet:10.0.0.0/8":                      codec.SubnetData(netip.MustParsePrefix("10.0.0.0/8")),
		"port:80/tcp":                            codec.PortData(codec.Port{Num: 80, Proto: codec.ProtoTCP}),
		"port:0/unknown":                         codec.PortData(codec.Port{}),
		"time:2026-01-31T12:00:00.5+01:00":       codec.TimestampData(time.Date(2026, 1, 31, 11, 0, 0, 500_000_000, time.UTC)),
		"interval:1m30s":                         codec.TimespanData(90 * time.Second),
		"none":                                   {},
		"@" + file:                               codec.SetData(codec.CountData(1)),
		`json:{"@data-type":"vector","data":[]}`: codec.VectorData(),
	} {
		if got, err := parseArg(arg); err != nil || !got.Equal(want) {
			t.Errorf("%q is %v, %v, want %v", arg, got, err, want)
		}
	}
	for _, arg := range []string{
		"5", "-5", "1.5", "true", "10.0.0.1", "::1", "10.0.0.0/8", "80/udp", "fe80::1", "nan", "x:y", "http://x", "@", "json:5",
		`"`, `"a`, "port:65536/tcp", "port:1/sctp", "count:1.5", "bool:yes", "subnet:10.0.0.0/33", "addr:fe80::1%eth0",
	} {
		if got, err := parseArg(arg); err == nil {
			t.Errorf("%q is %v", arg, got)
		}
	}
}
