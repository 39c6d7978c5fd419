package codec

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"testing"
	"unicode/utf8"
)

// goldenMessages reads a file of messages as a real Zeek 9.1.0-dev sent them:
// four frames each, every frame behind its length.
func goldenMessages(t testing.TB, serializer string) [][4][]byte {
	t.Helper()
	b, err := os.ReadFile("testdata/events/" + serializer + ".msgs")
	if err != nil {
		t.Fatal(err)
	}
	var msgs [][4][]byte
	for len(b) > 0 {
		var m [4][]byte
		for i := range m {
			n := binary.BigEndian.Uint32(b)
			m[i], b = b[4:4+n], b[4+n:]
		}
		if string(m[2]) != serializer {
			t.Fatalf("message %d has serializer %q", len(msgs), m[2])
		}
		msgs = append(msgs, m)
	}
	if len(msgs) < 40 {
		t.Fatalf("only %d messages", len(msgs))
	}
	return msgs
}

// goldenPair is one event in both formats.
type goldenPair struct{ bin, text []byte }

func goldenPairs(t testing.TB) []goldenPair {
	t.Helper()
	payloads := func(serializer string) (out [][]byte) {
		for _, m := range goldenMessages(t, serializer) {
			if string(m[0]) == "zeek.test.events" {
				out = append(out, m[3])
			}
		}
		return out
	}
	bin, text := payloads(BrokerBinV1), payloads(BrokerJSONV1)
	if len(bin) != len(text) || len(bin) == 0 {
		t.Fatalf("%d events in one format, %d in the other", len(bin), len(text))
	}
	pairs := make([]goldenPair, len(bin))
	for i := range pairs {
		pairs[i] = goldenPair{bin[i], text[i]}
	}
	return pairs
}

// validJSON rewrites Broker's text by the rules in broker_json_write.go, the
// obvious way: it knows only where strings begin and end.
func validJSON(text []byte) []byte {
	var out []byte
	inString := false
	for i := 0; i < len(text); {
		c := text[i]
		r, size := utf8.DecodeRune(text[i:])
		switch {
		case inString && c == '\\' && text[i+1] == 'v':
			out = append(out, `\u000b`...)
			size = 2
		case inString && c == '\\':
			out = append(out, text[i:i+2]...)
			size = 2
		case inString && c < ' ':
			out = fmt.Appendf(out, `\u%04x`, c)
		case r == utf8.RuneError && size == 1:
			out = fmt.Appendf(out, `\udb80\udc%02x`, c)
		default:
			inString = inString != (c == '"')
			out = append(out, text[i:i+size]...)
		}
		i += size
	}
	return out
}

func TestGoldenBinToJSON(t *testing.T) {
	var c Converter
	var ev EventView
	changed := 0
	for i, p := range goldenPairs(t) {
		want := validJSON(p.text)
		if !bytes.Equal(want, p.text) {
			changed++
		}
		got, err := c.AppendJSON(nil, p.bin)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("pair %d: %v\n got %s\nwant %s", i, err, got, want)
		}
		if !json.Valid(got) || !utf8.Valid(got) {
			t.Errorf("pair %d: not JSON: %q", i, got)
		}
		if err := ev.Decode(p.bin); err != nil {
			t.Fatal(err)
		}
		if got := ev.AppendJSON([]byte("x")); !bytes.Equal(got[1:], want) {
			t.Errorf("pair %d: view gives %s", i, got)
		}
		e, err := DecodeEvent(p.bin)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := AppendEventJSON(nil, e); err != nil || !bytes.Equal(got, want) {
			t.Errorf("pair %d: tree gives %s, %v", i, got, err)
		}
	}
	if changed != 4 {
		t.Errorf("%d texts are not JSON, want the 4 known ones", changed)
	}
}

// lossy reports whether Broker's text keeps less than the value: six decimals
// of a real, milliseconds of a timestamp.
func lossy(v DataView) bool {
	switch v.Kind() {
	case KindReal:
		f, _ := v.AsReal()
		var back float64
		fmt.Sscanf(fmt.Sprintf("%f", f), "%g", &back)
		return back != f
	case KindTimestamp:
		ts, _ := v.AsTimestamp()
		return ts.UnixNano()%1e6 != 0 || ts.UnixNano() < 0 && ts.UnixNano()%1e9 != 0
	}
	for e := range v.Elements() {
		if lossy(e) {
			return true
		}
	}
	for k, e := range v.Pairs() {
		if lossy(k) || lossy(e) {
			return true
		}
	}
	return false
}

func TestGoldenJSONToBin(t *testing.T) {
	var c Converter
	exact := 0
	for i, p := range goldenPairs(t) {
		v, err := DecodeData(p.bin)
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := c.AppendBin(nil, p.text)
		if err != nil {
			t.Errorf("pair %d: %v", i, err)
			continue
		}
		ours, err := c.AppendBin(nil, validJSON(p.text))
		if err != nil || !bytes.Equal(ours, theirs) {
			t.Errorf("pair %d: the two forms differ: %v", i, err)
		}
		again, err := c.AppendJSON(nil, theirs)
		if err != nil || !bytes.Equal(again, validJSON(p.text)) {
			t.Errorf("pair %d: read and written again: %v\n%s", i, err, again)
		}
		if lossy(v) {
			continue
		}
		exact++
		if !bytes.Equal(theirs, p.bin) {
			t.Errorf("pair %d:\n got %x\nwant %x", i, theirs, p.bin)
		}
	}
	if exact < 25 {
		t.Errorf("only %d pairs compared", exact)
	}
}

func TestGoldenRoundTrip(t *testing.T) {
	for _, m := range goldenMessages(t, BrokerBinV1) {
		e, err := DecodeEvent(m[3])
		if err != nil {
			t.Fatal(err)
		}
		got, err := AppendEvent([]byte("front"), e)
		if err != nil || !bytes.Equal(got[5:], m[3]) {
			t.Errorf("%s: %v\n got %x\nwant %x", e.Name, err, got[5:], m[3])
		}
		v, err := DecodeData(m[3])
		if err != nil {
			t.Fatal(err)
		}
		if got, err := v.Data().Append(nil); err != nil || !bytes.Equal(got, m[3]) {
			t.Errorf("%s: as data: %v", e.Name, err)
		}
	}
	for _, m := range goldenMessages(t, BrokerJSONV1) {
		e, err := DecodeEventJSON(m[3])
		if err != nil {
			t.Fatal(err)
		}
		got, err := AppendEventJSON(nil, e)
		if err != nil || !bytes.Equal(got, validJSON(m[3])) {
			t.Errorf("%s: %v\n got %s\nwant %s", e.Name, err, got, m[3])
		}
	}
}

// TestGoldenCut cuts and damages every golden payload at every byte: no input
// may make a reader panic, every error says where, and the readers agree.
func TestGoldenCut(t *testing.T) {
	var c Converter
	var ev EventView
	check := func(b []byte) {
		evErr := ev.Decode(b)
		_, err := DecodeData(b)
		_, jsonErr := c.AppendJSON(nil, b)
		for _, err := range []error{evErr, err, jsonErr} {
			var e *Error
			if err != nil && (!errors.As(err, &e) || e.Offset < 0 || e.Offset > len(b) || e.Reason == nil) {
				t.Fatalf("%x: error %#v", b, err)
			}
		}
		if (err == nil) != (jsonErr == nil) || evErr == nil && err != nil {
			t.Fatalf("%x: readers disagree: %v, %v, %v", b, evErr, err, jsonErr)
		}
	}
	for _, m := range goldenMessages(t, BrokerBinV1) {
		if len(m[3]) > 1000 {
			continue
		}
		for i := range m[3] {
			if err := ev.Decode(m[3][:i]); !errors.Is(err, ErrTruncated) && !errors.Is(err, ErrCount) {
				t.Fatalf("cut at %d: %v", i, err)
			}
			check(m[3][:i:i])
			for _, x := range []byte{0x01, 0x0e, 0x80, 0xff} {
				b := bytes.Clone(m[3])
				b[i] ^= x
				check(b)
			}
		}
	}
	for _, p := range goldenPairs(t) {
		if len(p.text) > 3000 {
			continue
		}
		for i := range p.text {
			if _, err := c.AppendBin(nil, p.text[:i]); err == nil {
				t.Fatalf("%s: accepted", p.text[:i])
			}
			for _, x := range []byte{0x01, 0x20, 0x80} {
				b := bytes.Clone(p.text)
				b[i] ^= x
				if out, err := c.AppendBin(nil, b); err == nil {
					if _, err := DecodeData(out); err != nil {
						t.Fatalf("%s: made %x: %v", b, out, err)
					}
				}
			}
		}
	}
}
