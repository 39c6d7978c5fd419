package codec

import (
	"encoding/json"
	"testing"
	"time"
)

// typicalEvent is an event of eleven arguments, one of each scalar kind, with
// a network timestamp.
func typicalEvent(t testing.TB) []byte {
	t.Helper()
	for _, p := range goldenPairs(t) {
		e, err := DecodeEvent(p.bin)
		if err != nil {
			t.Fatal(err)
		}
		if e.Name == "Evt::scalars" {
			e.Metadata = []Metadata{{MetadataNetworkTimestamp, TimestampData(time.Unix(1700000000, 5e8))}}
			b, err := AppendEvent(nil, e)
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
	}
	t.Fatal("no Evt::scalars")
	return nil
}

var benchBytes []byte

func BenchmarkEventView(b *testing.B) {
	payload := typicalEvent(b)
	b.Run("event=typical", func(b *testing.B) {
		var ev EventView
		b.ReportAllocs()
		b.SetBytes(int64(len(payload)))
		for b.Loop() {
			if err := ev.Decode(payload); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("event=typical/read=args", func(b *testing.B) {
		var ev EventView
		b.ReportAllocs()
		n := 0
		for b.Loop() {
			if err := ev.Decode(payload); err != nil {
				b.Fatal(err)
			}
			for a := range ev.Args() {
				n += int(a.Kind())
			}
		}
	})
}

// jsonData is what a straightforward program has encoding/json write.
type jsonData struct {
	Type string `json:"@data-type"`
	Data any    `json:"data"`
}

func toJSONData(d Data) jsonData {
	j := jsonData{Type: d.Kind().String()}
	switch d.Kind() {
	case KindBoolean:
		j.Data, _ = d.AsBool()
	case KindCount:
		j.Data, _ = d.AsCount()
	case KindInteger:
		j.Data, _ = d.AsInteger()
	case KindReal:
		j.Data, _ = d.AsReal()
	case KindString:
		j.Data, _ = d.AsString()
	case KindEnum:
		j.Data, _ = d.AsEnum()
	case KindTimestamp:
		t, _ := d.AsTimestamp()
		j.Data = t.Format("2006-01-02T15:04:05.000")
	case KindTimespan:
		s, _ := d.AsTimespan()
		j.Data = s.String()
	case KindAddress:
		j.Data, _ = d.AsAddress()
	case KindSubnet:
		j.Data, _ = d.AsSubnet()
	case KindPort:
		p, _ := d.AsPort()
		j.Data = p.String()
	default:
		list := make([]jsonData, 0, d.Len())
		for e := range d.Elements() {
			list = append(list, toJSONData(e))
		}
		j.Data = list
	}
	return j
}

func BenchmarkBinToJSON(b *testing.B) {
	payload := typicalEvent(b)
	b.Run("method=converter", func(b *testing.B) {
		var c Converter
		b.ReportAllocs()
		for b.Loop() {
			benchBytes, _ = c.AppendJSON(benchBytes[:0], payload)
		}
	})
	b.Run("method=view", func(b *testing.B) {
		var ev EventView
		b.ReportAllocs()
		for b.Loop() {
			if err := ev.Decode(payload); err != nil {
				b.Fatal(err)
			}
			benchBytes = ev.AppendJSON(benchBytes[:0])
		}
	})
	b.Run("method=encoding-json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			v, err := DecodeData(payload)
			if err != nil {
				b.Fatal(err)
			}
			if benchBytes, err = json.Marshal(toJSONData(v.Data())); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkJSONToBin(b *testing.B) {
	var c Converter
	text, err := c.AppendJSON(nil, typicalEvent(b))
	if err != nil {
		b.Fatal(err)
	}
	b.Run("method=converter", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			benchBytes, _ = c.AppendBin(benchBytes[:0], text)
		}
	})
	b.Run("method=encoding-json", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			var v any
			if err := json.Unmarshal(text, &v); err != nil {
				b.Fatal(err)
			}
		}
	})
}
