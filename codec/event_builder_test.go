package codec

import (
	"bytes"
	"errors"
	"math"
	"net/netip"
	"testing"
	"time"
)

// buildData writes a value with the builder's methods.
func buildData(b *EventBuilder, d Data) {
	switch d.Kind() {
	case KindNone:
		b.None()
	case KindBoolean:
		v, _ := d.AsBool()
		b.Bool(v)
	case KindCount:
		v, _ := d.AsCount()
		b.Count(v)
	case KindInteger:
		v, _ := d.AsInteger()
		b.Integer(v)
	case KindReal:
		v, _ := d.AsReal()
		b.Real(v)
	case KindString:
		v, _ := d.AsString()
		if len(v)%2 == 0 {
			b.String(v)
		} else {
			b.Bytes([]byte(v))
		}
	case KindEnum:
		v, _ := d.AsEnum()
		b.Enum(v)
	case KindTimestamp:
		v, _ := d.AsTimestamp()
		b.Timestamp(v)
	case KindTimespan:
		v, _ := d.AsTimespan()
		b.Timespan(v)
	case KindAddress:
		v, _ := d.AsAddress()
		b.Address(v)
	case KindSubnet:
		v, _ := d.AsSubnet()
		b.Subnet(v)
	case KindPort:
		v, _ := d.AsPort()
		b.Port(v)
	case KindTable:
		b.BeginTable()
		for i := len(d.list) - 2; i >= 0; i -= 2 { // backwards, for order must not matter
			buildData(b, d.list[i])
			buildData(b, d.list[i+1])
		}
		b.End()
	case KindSet:
		b.BeginSet()
		for i := len(d.list) - 1; i >= 0; i-- {
			buildData(b, d.list[i])
		}
		b.End()
	default:
		b.BeginVector()
		for e := range d.Elements() {
			buildData(b, e)
		}
		b.End()
	}
}

// TestEventBuilder writes random events in three ways.
func TestEventBuilder(t *testing.T) {
	r := seededRand(t)
	var b EventBuilder
	buf := []byte("front")
	for range rounds(5000) {
		e := Event{Name: randomText(r)}
		for range r.IntN(5) {
			e.Args = append(e.Args, randomData(r, 4))
		}
		if r.IntN(10) == 0 { // a count of two bytes
			for range 130 {
				e.Args = append(e.Args, randomData(r, 1))
			}
		}
		stamp := time.Unix(0, int64(r.Uint64()))
		if r.IntN(2) == 0 {
			e.Metadata = []Metadata{{MetadataNetworkTimestamp, TimestampData(stamp)}}
		}
		want, err := AppendEvent([]byte("front"), &e)
		if err != nil {
			t.Fatal(err)
		}
		for _, write := range []func(Data){
			func(d Data) { buildData(&b, d) },
			b.Data,
			func(d Data) {
				raw, _ := d.Append(nil)
				b.View(DataView{raw})
			},
		} {
			b.Start(buf[:5], e.Name)
			for _, d := range e.Args {
				write(d)
			}
			if e.Metadata != nil {
				b.SetTimestamp(stamp)
			}
			got, err := b.Finish()
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%v: %v\n got %x\nwant %x", e, err, got, want)
			}
			buf = got
		}
	}
}

func TestEventBuilderMistakes(t *testing.T) {
	for name, c := range map[string]struct {
		build  func(b *EventBuilder)
		reason error
	}{
		"open container": {func(b *EventBuilder) { b.BeginSet() }, ErrUnbalanced},
		"End too often":  {func(b *EventBuilder) { b.End() }, ErrUnbalanced},
		"key alone":      {func(b *EventBuilder) { b.BeginTable(); b.None(); b.End() }, ErrUnbalanced},
		"duplicate":      {func(b *EventBuilder) { b.BeginSet(); b.Count(1); b.Count(1); b.End() }, ErrDuplicate},
		"duplicate key": {func(b *EventBuilder) {
			b.BeginTable()
			b.None()
			b.Bool(true)
			b.None()
			b.Bool(false)
			b.End()
		}, ErrDuplicate},
		"bad Data":    {func(b *EventBuilder) { b.Data(SetData(Data{}, Data{})) }, ErrDuplicate},
		"no address":  {func(b *EventBuilder) { b.Address(netip.Addr{}) }, ErrMismatch},
		"no subnet":   {func(b *EventBuilder) { b.Subnet(netip.Prefix{}) }, ErrMismatch},
		"no protocol": {func(b *EventBuilder) { b.Port(Port{1, 4}) }, ErrProto},
		"too deep": {func(b *EventBuilder) {
			for range MaxDepth {
				b.BeginVector()
			}
			for range MaxDepth {
				b.End()
			}
		}, ErrDepth},
		"view too deep": {func(b *EventBuilder) {
			d := VectorData()
			for range MaxDepth - outer {
				d = VectorData(d)
			}
			raw, _ := d.Append(nil)
			b.View(DataView{raw})
		}, ErrDepth},
	} {
		t.Run(name, func(t *testing.T) {
			var b EventBuilder
			b.Start([]byte("kept"), "e")
			c.build(&b)
			b.Real(math.Pi)
			got, err := b.Finish()
			var e *Error
			if !errors.Is(err, c.reason) || !errors.As(err, &e) || string(got) != "kept" {
				t.Fatalf("%q, %v, want %v", got, err, c.reason)
			}
			b.Start(nil, "next")
			if got, err := b.Finish(); err != nil {
				t.Errorf("after a mistake: %x, %v", got, err)
			}
			if _, err := b.Finish(); !errors.Is(err, ErrUnbalanced) {
				t.Errorf("Finish without Start: %v", err)
			}
		})
	}
}
