package codec_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/znode/znode/codec"
)

// randomOptions are the defaults or something odd.
func randomOptions(rng *rand.Rand) codec.TextOptions {
	pick := func(s ...string) string { return s[rng.IntN(len(s))] }
	o := codec.DefaultTextOptions()
	o.Format = codec.TextFormat(pick("tsv", "json"))
	o.EnableUTF8 = rng.IntN(2) == 0
	o.JSONTimestamps = codec.TimestampFormat(pick("epoch", "millis", "millis_unsigned", "iso8601"))
	o.JSONStringEscapePolicy = codec.EscapePolicy(pick("hex", "pua", "tsv"))
	o.JSONIncludeUnsetFields = rng.IntN(2) == 0
	if rng.IntN(2) == 0 {
		return o
	}
	for {
		o.Separator = pick("\t", "|", "||", " ", ",", "\\", "é", "\x01", "a separator longer than a word")
		o.SetSeparator = pick(",", ";", "|", "|x", "\t", "0", "\\x", ", ")
		o.EmptyField = pick("(empty)", "", "-", "leer, aber lang genug", "\\N", "é")
		o.UnsetField = pick("-", "", "NULL", "\\N", "unset\tvalue", "\xff")
		o.MetaPrefix = pick("#", "# ", "", "-", "plain", "1")
		if o.Validate() == nil {
			return o
		}
	}
}

// checkText formats a valid batch and compares it with the oracle, alone and
// with bytes behind it, for the formatter reads ahead where it can.
func checkText(t *testing.T, payload []byte, o codec.TextOptions) {
	t.Helper()
	f, err := codec.NewFormatter(o)
	if err != nil {
		t.Fatal(err)
	}
	checkTextOf(t, payload, f, o)
}

// checkTextOf is checkText with the formatter that these options make.
func checkTextOf(t *testing.T, payload []byte, f *codec.Formatter, o codec.TextOptions) {
	t.Helper()
	var b codec.Batch
	if err := b.Decode(payload); err != nil {
		t.Fatal(err)
	}
	want := (&slowText{o: o}).batch(&b)
	for _, behind := range []string{"", "\xff\x00behind the end of the batch"} {
		padded := append(bytes.Clone(payload), behind...)
		if err := b.DecodeHeader(padded); err != nil {
			t.Fatal(err)
		}
		got, err := f.AppendRecords([]byte("before"), &b)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != "before"+want {
			i := 0
			for i < len(want) && i+6 < len(got) && got[i+6] == want[i] {
				i++
			}
			from := max(0, i-60)
			t.Fatalf("%+v\nbatch %x\nfrom byte %d\n got %q\nwant %q", o, payload, i, got[6+from:], want[from:])
		}
	}
	checkShape(t, &b, o, want)
}

// checkShape looks at the text as a reader of the file would.
func checkShape(t *testing.T, b *codec.Batch, o codec.TextOptions, text string) {
	t.Helper()
	if o.MetaPrefix == "" && o.Format == codec.FormatTSV {
		return // every line starts with it, and an empty line has its newline escaped
	}
	lines := strings.SplitAfter(text, "\n")
	if last := lines[len(lines)-1]; last != "" {
		t.Fatalf("text does not end in a newline: %q", last)
	}
	if o.Format == codec.FormatJSON {
		if len(lines)-1 != b.NumRecords {
			t.Fatalf("%d lines for %d records", len(lines)-1, b.NumRecords)
		}
		for _, l := range lines[:len(lines)-1] {
			if !utf8.ValidString(l) || !json.Valid([]byte(l)) {
				t.Fatalf("not JSON: %q", l)
			}
		}
		return
	}
	if o.Separator != "\t" || o.UnsetField != "-" || o.MetaPrefix != "#" {
		return
	}
	if len(lines)-1 != b.NumRecords {
		t.Fatalf("%d lines for %d records", len(lines)-1, b.NumRecords)
	}
	for _, l := range lines[:len(lines)-1] {
		if n := strings.Count(l, "\t") + 1; n != len(b.Fields) {
			t.Fatalf("%d columns instead of %d: %q", n, len(b.Fields), l)
		}
		if i := strings.IndexFunc(l[:len(l)-1], func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }); i >= 0 {
			t.Fatalf("control byte at %d in %q", i, l)
		}
		if strings.HasPrefix(l, "#") {
			t.Fatalf("line looks like a header: %q", l)
		}
	}
}

// TestTextOfRandomBatches compares with the oracle.
func TestTextOfRandomBatches(t *testing.T) {
	rng := seeded(t)
	m := batchMaker{rng: rng}
	for range rounds(4000) {
		checkText(t, m.batch(6, 4), randomOptions(rng))
	}
}

// TestTextOfGoldenBatches does so with all options on real batches.
func TestTextOfGoldenBatches(t *testing.T) {
	rng := seeded(t)
	for _, payload := range allGolden(t) {
		for range 4 {
			checkText(t, payload, randomOptions(rng))
		}
	}
}

// TestFormatterRefusesWhole cuts a batch at every offset: nothing of it may be
// written, and the error must be that of Decode.
func TestFormatterRefusesWhole(t *testing.T) {
	rng := seeded(t)
	payload := (&batchMaker{rng: rng}).batch(12, 6)
	payload = append(payload, goldenBatches(t, "own")[0]...)
	for _, p := range [][]byte{payload, goldenBatches(t, "own")[3]} {
		for _, format := range []codec.TextFormat{codec.FormatTSV, codec.FormatJSON} {
			f := newFormatter(t, func(o *codec.TextOptions) { o.Format = format })
			for end := range p {
				var b, whole codec.Batch
				if b.DecodeHeader(p[:end:end]) != nil {
					continue
				}
				wholeErr := whole.Decode(p[:end:end])
				got, err := f.AppendRecords([]byte("before"), &b)
				if (err == nil) != (wholeErr == nil) {
					t.Fatalf("cut at %d: formatter says %v, Decode %v", end, err, wholeErr)
				}
				if err == nil {
					continue
				}
				if string(got) != "before" || err.Error() != wholeErr.Error() {
					t.Fatalf("cut at %d: got %q, %v, want %v", end, got, err, wholeErr)
				}
			}
		}
	}
}

func TestHeader(t *testing.T) {
	w, err := codec.NewBatchWriter(codec.BatchHeader{Stream: "S::LOG", Path: "a b\\c\x01é", Fields: []codec.Field{
		codec.NewField("x", codec.TypeCount),
		codec.NewField("tab\there", codec.TypePattern),
		codec.NewContainerField("é", codec.TypeTable, codec.TypeAddr),
		codec.NewContainerField("v", codec.TypeVector, codec.TypeFunc),
	}})
	if err != nil {
		t.Fatal(err)
	}
	w.Start(nil)
	var b codec.Batch
	if err := b.Decode(w.Finish()); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 999, time.Local)
	f := newFormatter(t, func(o *codec.TextOptions) {
		o.Separator, o.SetSeparator, o.EmptyField, o.UnsetField, o.MetaPrefix = "\t", "; ", "", "\xff", "% "
	})
	want := "% separator \\x09\n% set_separator\t;\\x20\n% empty_field\t\n% unset_field\t\\xff\n" +
		"% path\ta\\x20b\\c\\x01\\xc3\\xa9\n% open\t2026-01-02-03-04-05\n" +
		"% fields\tx\ttab\\x09here\té\tv\n% types\tcount\tpattern\tset[addr]\tvector[func]\n"
	if got := string(f.AppendHeader(nil, &b, at)); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if got, want := string(f.AppendClose([]byte("x"), at)), "x% close\t2026-01-02-03-04-05\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, change := range []func(*codec.TextOptions){
		func(o *codec.TextOptions) { o.IncludeMeta = false },
		func(o *codec.TextOptions) { o.Format = codec.FormatJSON },
	} {
		f := newFormatter(t, change)
		if got := f.AppendClose(f.AppendHeader(nil, &b, at), at); len(got) != 0 {
			t.Errorf("header where there is none: %q", got)
		}
	}
}

func TestOptions(t *testing.T) {
	for _, c := range []struct {
		change func(*codec.TextOptions)
		want   string // in the error; empty: fine
	}{
		{func(o *codec.TextOptions) {}, ""},
		{func(o *codec.TextOptions) { o.Format = "csv" }, `format = "csv": want one of: tsv json`},
		{func(o *codec.TextOptions) { o.JSONTimestamps = "EPOCH" }, `json_timestamps = "EPOCH"`},
		{func(o *codec.TextOptions) { o.JSONStringEscapePolicy = "" }, `json_string_escape_policy = ""`},
		{func(o *codec.TextOptions) { o.Separator = "" }, `separator = "": must not be empty`},
		{func(o *codec.TextOptions) { o.SetSeparator = "" }, `set_separator = ""`},
		{func(o *codec.TextOptions) { o.SetSeparator = "\t" }, `set_separator = "\t": must differ`},
		{func(o *codec.TextOptions) { o.MetaPrefix = "\n#" }, `meta_prefix = "\n#"`},
		{func(o *codec.TextOptions) { o.MetaPrefix, o.EmptyField, o.UnsetField = "", "", "" }, ""},
	} {
		o := codec.DefaultTextOptions()
		c.change(&o)
		_, err := codec.NewFormatter(o)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("got error %v, want %q", err, c.want)
		}
		if err != nil && !errors.Is(err, codec.ErrOption) {
			t.Errorf("%v is not ErrOption", err)
		}
	}
}
