package codec

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/znode/znode/fuzz/mutate"
)

// addPayloads seeds a target with what a real Zeek sent and with what it would
// never send.
func addPayloads(f *mutate.F) {
	for _, m := range goldenMessages(f, BrokerBinV1) {
		f.Add(m[3])
	}
	f.Add(unorderedEvent)
	for _, b := range oddBin() {
		f.Add(b)
	}
	f.Add(typicalEvent(f))
	r := seededRand(f)
	for range 20 {
		b, err := randomData(r, 4).Append(nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
}

// FuzzEventBin reads any bytes in all ways there are and compares them.
func FuzzEventBin(tf *testing.F) {
	f := mutate.From(tf)
	addPayloads(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		var ev EventView
		var conv Converter
		evErr := ev.Decode(b)
		v, err := DecodeData(b)
		text, jsonErr := conv.AppendJSON(nil, b)
		if (err == nil) != (jsonErr == nil) || evErr == nil && err != nil {
			t.Fatalf("readers disagree: %v, %v, %v", evErr, err, jsonErr)
		}
		if err != nil {
			checkError(t, err, b)
			checkError(t, jsonErr, b)
			checkError(t, evErr, b)
			return
		}
		if again, err := DecodeData(v.Encoded()); err != nil || !bytes.Equal(again.b, b) {
			t.Fatalf("encoded as %x, %v", v.Encoded(), err)
		}
		tree := v.Data()
		back, err := tree.Append(nil)
		if err != nil {
			t.Fatalf("%v cannot be written: %v", tree, err)
		}
		again, err := DecodeData(back)
		if err != nil || !again.Data().Equal(tree) {
			t.Fatalf("%v became %v, %v", tree, again, err)
		}
		s := brokerScan{b: b}
		s.value(0, 0)
		if canonical, _ := new(brokerSorter).canonical(nil, b, 0); !bytes.Equal(canonical, back) {
			t.Fatalf("tree and canonical form differ:\n%x\n%x", back, canonical)
		} else if !s.unordered && len(canonical) != len(b) {
			t.Fatalf("in order, yet changed:\n%x\n%x", b, canonical)
		}
		checkJSON(t, text)
		if fromView := v.AppendJSON(nil); !bytes.Equal(fromView, text) {
			t.Fatalf("view: %s\n%s", fromView, text)
		}
		if fromTree, err := tree.AppendJSON(nil); err != nil || !bytes.Equal(fromTree, text) {
			t.Fatalf("tree: %s\n%s", fromTree, text)
		}
		compareTree(t, v, tree, s.unordered)
		if evErr == nil {
			checkEvent(t, &ev, b, text)
		}
	})
}

// checkEvent compares the views and trees of an event.
func checkEvent(t *testing.T, ev *EventView, b, text []byte) {
	if fromView := ev.AppendJSON(nil); !bytes.Equal(fromView, text) {
		t.Fatalf("event: %s\n%s", fromView, text)
	}
	e, err := DecodeEvent(b)
	if err != nil || e.Name != string(ev.Name()) || len(e.Args) != ev.NumArgs() {
		t.Fatalf("event and view differ: %+v, %s, %v", e, ev, err)
	}
	for i := range e.Args {
		if !e.Args[i].Equal(ev.Arg(i).Data()) {
			t.Fatalf("argument %d: %v, %v", i, e.Args[i], ev.Arg(i))
		}
	}
	if !VectorData(e.Args...).Equal(ev.ArgVector().Data()) {
		t.Fatalf("arguments %v, %v", e.Args, ev.ArgVector())
	}
	inTree, ok := e.Timestamp()
	inView, okView := ev.Timestamp()
	if ok != okView || !inTree.Equal(inView) {
		t.Fatalf("timestamp %v, %v", inTree, inView)
	}
	back, err := AppendEvent(nil, e)
	if err != nil {
		t.Fatal(err)
	}
	var again EventView
	if err := again.Decode(back); err != nil || again.Event().data().Compare(e.data()) != 0 {
		t.Fatalf("%s became %s, %v", ev, &again, err)
	}
}

// compareTree compares a view and a tree value by value.
func compareTree(t *testing.T, v DataView, d Data, unordered bool) {
	if v.Kind() != d.Kind() || v.Len() != d.Len() {
		t.Fatalf("%v of %d, %v of %d", v.Kind(), v.Len(), d.Kind(), d.Len())
	}
	compareAs(t, v, d)
	if unordered {
		return // the view walks in the order of the message
	}
	if v.String() != d.String() {
		t.Fatalf("%v\n%v", v, d)
	}
	i := 0
	for e := range v.Elements() {
		other, _ := d.Element(i)
		compareTree(t, e, other, false)
		if same, ok := v.Element(i); v.Kind() != KindTable && (!ok || !bytes.Equal(same.b, e.b)) {
			t.Fatalf("element %d is %v and %v", i, e, same)
		}
		i++
	}
	if _, ok := v.Element(i); ok {
		t.Fatalf("%v has an element %d", v, i)
	}
	pairs := 0
	for range v.Pairs() {
		pairs++
	}
	if v.Kind() == KindTable && pairs != v.Len() || v.Kind() != KindTable && pairs > 0 {
		t.Fatalf("%v has %d pairs", v, pairs)
	}
}

// compareAs reads a view and a tree value as each kind there is: they agree, and
// only their own kind is taken.
func compareAs(t *testing.T, v DataView, d Data) {
	type as struct {
		value any
		ok    bool
	}
	of := func(value any, ok bool) as { return as{value, ok} }
	text := func(value []byte, ok bool) as { return as{string(value), ok} }
	number := func(value float64, ok bool) as { return as{math.Float64bits(value), ok} }
	views := [...]as{
		KindBoolean: of(toAny(v.AsBool())), KindCount: of(toAny(v.AsCount())), KindInteger: of(toAny(v.AsInteger())),
		KindReal: number(v.AsReal()), KindString: text(v.AsString()), KindEnum: text(v.AsEnum()),
		KindAddress: of(toAny(v.AsAddress())), KindSubnet: of(toAny(v.AsSubnet())), KindPort: of(toAny(v.AsPort())),
		KindTimestamp: of(toAny(v.AsTimestamp())), KindTimespan: of(toAny(v.AsTimespan())),
	}
	trees := [...]as{
		KindBoolean: of(toAny(d.AsBool())), KindCount: of(toAny(d.AsCount())), KindInteger: of(toAny(d.AsInteger())),
		KindReal: number(d.AsReal()), KindString: of(toAny(d.AsString())), KindEnum: of(toAny(d.AsEnum())),
		KindAddress: of(toAny(d.AsAddress())), KindSubnet: of(toAny(d.AsSubnet())), KindPort: of(toAny(d.AsPort())),
		KindTimestamp: of(toAny(d.AsTimestamp())), KindTimespan: of(toAny(d.AsTimespan())),
	}
	for k := range views {
		if views[k] != trees[k] || views[k].ok != (v.Kind() == Kind(k) && views[k].value != nil) {
			t.Fatalf("%v %v as kind %d is %+v and %+v", v.Kind(), v, k, views[k], trees[k])
		}
	}
}

func toAny[T any](value T, ok bool) (any, bool) { return value, ok }

func checkError(t *testing.T, err error, input []byte) {
	var e *Error
	if !errors.As(err, &e) || e.Offset < 0 || e.Offset > len(input) || e.Reason == nil || e.Error() == "" {
		t.Fatalf("error without place or reason: %#v", err)
	}
}

// checkJSON fails unless text is JSON to encoding/json, which takes 10000 levels.
func checkJSON(t *testing.T, text []byte) {
	if !utf8.Valid(text) {
		t.Fatalf("not UTF-8: %q", text)
	}
	if !json.Valid(text) {
		t.Fatalf("not JSON: %s", text)
	}
}

// FuzzEventJSON reads any text. What it accepts it can write, and that, read
// again, is the same value.
func FuzzEventJSON(tf *testing.F) {
	f := mutate.From(tf)
	for _, m := range goldenMessages(f, BrokerJSONV1) {
		if len(m[3]) < 2000 { // a long text makes each of its mutations slow
			f.Add(m[3])
			f.Add(validJSON(m[3]))
		}
	}
	f.Add([]byte(`{"data":[{"value":{"@data-type":"none"},"key":{"data":"1e3min","@data-type":"timespan"}}],"topic":"\ud83d\ude00","@data-type":"table"}`))
	f.Add([]byte(`{"@data-type":"set","data":[{"@data-type":"real","data":-nan},{"@data-type":"real","data":1e999},{"@data-type":"integer","data":-0x7f}]}`))
	for _, text := range oddJSON() {
		f.Add([]byte(text))
	}
	f.Words(`"@data-type":"`, `"data":`, `{"key":`, `,"value":`, `"topic":`, `\ud83d\ude00`, "vector", "table", "timespan", "subnet", "::", "nan")
	f.Fuzz(func(t *testing.T, text []byte) {
		var conv Converter
		b, err := conv.AppendBin(nil, text)
		withTopic, _, _, err2 := conv.AppendBinMessage(nil, text)
		if err != nil {
			checkError(t, err, text)
			return
		}
		if err2 != nil && !errors.Is(err2, ErrSyntax) || err2 == nil && !bytes.Equal(withTopic, b) {
			t.Fatalf("as a message: %v", err2)
		}
		s := brokerScan{b: b}
		if end := s.value(0, 0); end != len(b) || s.unordered {
			t.Fatalf("%s became %x: ends at %d, unordered: %v, %v", text, b, end, s.unordered, s.reason)
		}
		out, err := conv.AppendJSON(nil, b)
		if err != nil {
			t.Fatal(err)
		}
		checkJSON(t, out)
		back, err := conv.AppendBin(nil, out)
		if errors.Is(err, ErrDuplicate) {
			return // elements that differ in what the text leaves out
		}
		if err != nil {
			t.Fatalf("%s: %v", out, err)
		}
		// What Broker's text leaves out is gone now, so this is the fixed point.
		third, err := conv.AppendJSON(nil, back)
		if err != nil {
			t.Fatal(err)
		}
		fixed, err := conv.AppendBin(nil, third)
		if err != nil || !bytes.Equal(fixed, back) {
			t.Fatalf("%s\n%s\n%x\n%x, %v", out, third, back, fixed, err)
		}
	})
}

// addChanged adds an event with each of its arguments in the place of which there is
// something else, as a whole or within it.
func addChanged(f *mutate.F, b []byte) {
	many := make([]Data, 40)
	for i := range many {
		many[i] = CountData(uint64(i))
	}
	others := []Data{{}, CountData(1 << 40), IntegerData(-1 << 40), RealData(1e300), StringData("x"), VectorData(many...), SetData(many...),
		VectorData(), TableData(Pair{StringData("k"), VectorData(CountData(1))}), TableData(Pair{CountData(1), VectorData()}),
		VectorData(StringData("x"), Data{}), SetData(StringData("x"), VectorData()), SetData(VectorData(StringData("x"), StringData("y"))), VectorData(VectorData(CountData(1)))}
	e, err := DecodeEvent(b)
	if err != nil {
		f.Fatal(err)
	}
	for i := range e.Args {
		right := e.Args[i]
		for _, other := range others {
			for _, arg := range []Data{other, VectorData(right, other), VectorData(append(slices.Collect(right.Elements()), other)...)} {
				e.Args[i] = arg
				if changed, err := AppendEvent(nil, e); err == nil {
					f.Add(changed)
				}
			}
		}
		e.Args[i] = right
	}
	for _, n := range []int{0, 1, len(e.Args) - 1} {
		if shorter, err := AppendEvent(nil, &Event{Name: e.Name, Args: e.Args[:n]}); err == nil {
			f.Add(shorter)
		}
	}
}

// FuzzGoValue turns events into Go values and back.
func FuzzGoValue(tf *testing.F) {
	f := mutate.From(tf)
	addPayloads(f)
	full := fullValue()
	et := MustEventType[goEverything]("Evt::all")
	b, err := et.Append(nil, &full)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	addChanged(f, b)
	f.Fuzz(func(t *testing.T, b []byte) {
		var ev EventView
		if ev.Decode(b) != nil {
			return
		}
		var args goEverything
		if err := et.Decode(&ev, &args); err != nil {
			var e *ValueError
			if !errors.As(err, &e) || e.Error() == "" {
				t.Fatalf("%#v", err)
			}
		} else if again, err := et.Append(nil, &args); err == nil {
			used := fullValue()
			if err := et.Decode(&ev, &used); err != nil {
				t.Fatalf("%v, where something has been", err)
			}
			if other, err := et.Append(nil, &used); err != nil || !bytes.Equal(again, other) {
				t.Fatalf("filled again it is another: %v\n%x\n%x", err, again, other)
			}
			var second goEverything
			if err := ev.Decode(again); err != nil {
				t.Fatal(err)
			}
			if err := et.Decode(&ev, &second); err != nil {
				t.Fatal(err)
			}
			third, err := et.Append(nil, &second)
			if err != nil || !bytes.Equal(again, third) {
				t.Fatalf("%v\n%x\n%x", err, again, third)
			}
			return
		}
		values := make([]any, ev.NumArgs())
		for i := range values {
			values[i] = new(any)
		}
		if err := ev.Scan(values...); err != nil {
			t.Fatal(err)
		}
		args2 := make([]any, len(values))
		for i, v := range values {
			args2[i] = *v.(*any)
		}
		back, err := AppendEventArgs(nil, string(ev.Name()), args2...)
		if err != nil {
			t.Fatal(err)
		}
		var again EventView
		if err := again.Decode(back); err != nil || !bytes.Equal(again.ArgVector().AppendJSON(nil), ev.ArgVector().AppendJSON(nil)) {
			t.Fatalf("%s\n%s\n%v", &ev, &again, err)
		}
	})
}
