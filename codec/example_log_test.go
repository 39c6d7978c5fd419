package codec_test

import (
	"fmt"
	"log"
	"net/netip"
	"os"
	"time"

	"github.com/znode/znode/codec"
)

// Declare a log column by column, write two records, and read the batch back.
func ExampleBatchWriter() {
	w, err := codec.NewBatchWriter(codec.BatchHeader{
		Stream: "Weather::LOG",
		Path:   "weather",
		Fields: []codec.Field{
			codec.NewField("ts", codec.TypeTime),
			codec.NewField("station", codec.TypeAddr),
			codec.NewField("celsius", codec.TypeDouble),
			codec.NewContainerField("warnings", codec.TypeTable, codec.TypeString),
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	w.Start(nil)

	w.Time(time.Date(2026, 11, 22, 7, 0, 0, 250_000_000, time.UTC))
	w.Addr(netip.MustParseAddr("192.0.2.7"))
	w.Double(-3.5)
	w.Set(2)
	w.String("frost")
	w.String("wind, strong")
	if err := w.EndRecord(); err != nil {
		log.Fatal(err)
	}

	w.Time(time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC))
	w.Addr(netip.MustParseAddr("2001:db8::7"))
	w.Double(1)
	w.Unset()
	if err := w.EndRecord(); err != nil {
		log.Fatal(err)
	}
	payload := w.Finish() // the fourth frame of a log-write message

	var b codec.Batch
	if err := b.Decode(payload); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %d records in %d bytes\n", b.Path, b.NumRecords, len(payload))
	// Output: weather: 2 records in 324 bytes
}

// Print what is in a batch.
func ExampleBatch() {
	type reading struct {
		TS       time.Time  `zeek:"ts"`
		Station  netip.Addr `zeek:"station"`
		Celsius  float64    `zeek:"celsius"`
		Warnings []string   `zeek:"warnings,set,optional"`
	}
	readings := codec.MustLogStream[reading](codec.BatchHeader{Stream: "Weather::LOG", Path: "weather"})
	w := readings.NewWriter()
	w.Start(nil)
	for _, r := range []reading{
		{time.Date(2026, 11, 22, 7, 0, 0, 250_000_000, time.UTC), netip.MustParseAddr("192.0.2.7"), -3.5, []string{"frost", "wind, strong"}},
		{time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC), netip.MustParseAddr("2001:db8::7"), 1, nil},
	} {
		if err := w.Write(&r); err != nil {
			log.Fatal(err)
		}
	}
	payload := w.Finish() // or the fourth frame of a log-write message

	var b codec.Batch
	if err := b.Decode(payload); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %d records\n", b.Path, b.NumRecords)
	for r := b.Records(); r.Next(); {
		for i, f := range b.Fields {
			v := r.Value(i)
			fmt.Printf(" %s=", f.Name)
			switch {
			case !v.Present:
				fmt.Print("unset")
			case v.Type == codec.TypeTime:
				fmt.Print(v.Time().Format(time.TimeOnly))
			case v.Type == codec.TypeAddr:
				fmt.Print(v.Addr())
			case v.Type == codec.TypeDouble:
				fmt.Print(v.Double())
			case v.Type == codec.TypeTable:
				for e := v.Elements(); e.Next(); {
					fmt.Printf("<%s>", e.Value().Bytes())
				}
			}
		}
		fmt.Println()
	}
	// Output:
	// weather: 2 records
	//  ts=07:00:00 station=192.0.2.7 celsius=-3.5 warnings=<frost><wind, strong>
	//  ts=08:00:00 station=2001:db8::7 celsius=1 warnings=unset
}

// Turn a batch into the lines of a JSON log.
func ExampleFormatter() {
	type reading struct {
		TS       time.Time  `zeek:"ts"`
		Station  netip.Addr `zeek:"station"`
		Celsius  float64    `zeek:"celsius"`
		Warnings []string   `zeek:"warnings,set,optional"`
	}
	readings := codec.MustLogStream[reading](codec.BatchHeader{Stream: "Weather::LOG", Path: "weather"})
	w := readings.NewWriter()
	w.Start(nil)
	for _, r := range []reading{
		{time.Date(2026, 11, 22, 7, 0, 0, 250_000_000, time.UTC), netip.MustParseAddr("192.0.2.7"), -3.5, []string{"frost", "wind, strong"}},
		{time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC), netip.MustParseAddr("2001:db8::7"), 1, nil},
	} {
		if err := w.Write(&r); err != nil {
			log.Fatal(err)
		}
	}
	payload := w.Finish() // or the fourth frame of a log-write message

	o := codec.DefaultTextOptions()
	o.Format = codec.FormatJSON
	f, err := codec.NewFormatter(o)
	if err != nil {
		log.Fatal(err)
	}
	var b codec.Batch
	if err := b.DecodeHeader(payload); err != nil {
		log.Fatal(err)
	}
	text := f.AppendHeader(nil, &b, time.Now()) // nothing, for JSON
	text, err = f.AppendRecords(text, &b)
	if err != nil {
		log.Fatal(err)
	}
	os.Stdout.Write(text)
	// Output:
	// {"ts":1795330800.25,"station":"192.0.2.7","celsius":-3.5,"warnings":["frost","wind, strong"]}
	// {"ts":1795334400.0,"station":"2001:db8::7","celsius":1.0}
}
