package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/znode/znode/codec"
	"github.com/znode/znode/fuzz/mutate"
)

const goldenEvents = "../../codec/testdata/events"

// behindLengths writes items each behind its length.
func behindLengths(items ...[]byte) []byte {
	var b []byte
	for _, item := range items {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(item))), item...)
	}
	return b
}

// goldenPayloads are the payloads of the messages in a golden file of events.
func goldenPayloads(t testing.TB, name string) (list [][]byte) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(goldenEvents, name))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; len(data) > 0; i++ {
		n := 4 + int(binary.BigEndian.Uint32(data))
		if i%4 == 3 {
			list = append(list, data[4:n])
		}
		data = data[n:]
	}
	if len(list) == 0 {
		t.Fatalf("%s: no messages", name)
	}
	return list
}

// decoded is what znode decode makes of an input.
func decoded(in io.Reader, form string) (stdout, stderr string, err error) {
	var out, people bytes.Buffer
	d := &decoder{in: newItems(in), out: newPrinter(&out, form), name: "f", people: &people}
	err = d.run()
	return out.String(), people.String(), err
}

// TestDecodeFramings: however items are put together, the same is printed, also
// when they come byte by byte.
func TestDecodeFramings(t *testing.T) {
	t.Parallel()
	bin, text := goldenPayloads(t, "broker-bin-v1.msgs"), goldenPayloads(t, "broker-json-v1.msgs")
	logs := batches(t, "../../codec/testdata/logs/own/batches")
	for name, list := range map[string][][]byte{"bin": bin, "json": text, "logs": logs} {
		for _, form := range []string{formJSON, formPretty} {
			want := ""
			for i, item := range list {
				out, people, err := decoded(bytes.NewReader(item), form)
				if err != nil || people != "" || out == "" {
					t.Fatalf("%s %d alone: %v %s", name, i, err, people)
				}
				want += out
			}
			out, people, err := decoded(iotest.OneByteReader(bytes.NewReader(behindLengths(list...))), form)
			if err != nil || people != "" || out != want {
				t.Errorf("%s behind lengths: %v %s\n%.300s\nwant\n%.300s", name, err, people, out, want)
			}
		}
	}
	out, _, err := decoded(bytes.NewReader(append(bytes.Join(text, []byte("\n\n")), '\n')), formJSON)
	if err != nil || strings.Count(out, "\n") != len(text) {
		t.Errorf("lines: %v, %d of %d", err, strings.Count(out, "\n"), len(text))
	}
	spread := `{"@data-type":"vector",` + "\n" + `"data":[{"@data-type":"count","data":1},{"@data-type":"count","data":1},` +
		`{"@data-type":"vector","data":[` + "\n" + `{"@data-type":"string","data":"e"},{"@data-type":"vector","data":[]}]}]}` + "\n"
	if out, people, err := decoded(strings.NewReader(spread), formJSON); err != nil || out != `{"event":"e","args":[]}`+"\n" {
		t.Errorf("on several lines: %v %s %s", err, people, out)
	}
}

// TestDecodeMessages reads what a cluster sent, and what znode sub writes.
func TestDecodeMessages(t *testing.T) {
	t.Parallel()
	for _, name := range []string{codec.BrokerBinV1, codec.BrokerJSONV1} {
		data, err := os.ReadFile(filepath.Join(goldenEvents, name+".msgs"))
		if err != nil {
			t.Fatal(err)
		}
		out, people, err := decoded(iotest.HalfReader(bytes.NewReader(data)), formJSON)
		if err != nil || people != "" {
			t.Fatal(err, people)
		}
		for line := range strings.Lines(out) {
			var e struct {
				Topic, Sender, Event *string
				Args                 []struct {
					Type string `json:"@data-type"`
				}
			}
			if err := json.Unmarshal([]byte(line), &e); err != nil || e.Topic == nil || e.Sender == nil || e.Event == nil {
				t.Fatalf("%v in %s", err, line)
			}
			for _, a := range e.Args {
				if a.Type == "" {
					t.Fatalf("an argument without a type in %s", line)
				}
			}
		}
		var raw bytes.Buffer
		items := newItems(bytes.NewReader(data))
		err = newPrinter(&raw, formRaw).print(func(yield func(message) bool) {
			for m, err := items.next(); err == nil && yield(m); m, err = items.next() {
			}
		}, func(_ message, err error) { t.Error(err) })
		if err != nil || !bytes.Equal(raw.Bytes(), data) {
			t.Errorf("raw differs from what was read: %v", err)
		}
	}
}

// TestDecodeDamage: what is bad is named, and what is behind it is read.
func TestDecodeDamage(t *testing.T) {
	t.Parallel()
	good := goldenPayloads(t, "broker-bin-v1.msgs")[0]
	bad := append([]byte{}, good[:len(good)-1]...)
	out, people, err := decoded(bytes.NewReader(behindLengths(good, bad, nil, good)), formJSON)
	if err != exitStatus(1) || strings.Count(out, "\n") != 2 ||
		!strings.Contains(people, "znode: f: item 2, ") || !strings.Contains(people, "znode: f: item 3, 0 bytes at offset ") {
		t.Errorf("%v\n%s%s", err, people, out)
	}
	for input, want := range map[string]string{
		string(behindLengths(good)[:len(good)]):                     "offset 0: want ",
		string(append(behindLengths(good), 0, 0)):                   "want a length of 4 bytes, the input ends after 2",
		string(append(behindLengths(good), 0xff, 0xff, 0xff, 0xff)): "a length of 4294967295 bytes, the most is 268435456",
		"hello, world\n": "begins with 68 65 6c 6c 6f 2c 20 77, which is neither a batch of log writes nor an event",
		"\x00\x00":       "begins with 00 00, which",
		"":               "",
	} {
		_, people, err := decoded(strings.NewReader(input), formJSON)
		if want == "" {
			if err != nil || people != "" {
				t.Errorf("%q: %v %s", input, err, people)
			}
		} else if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v, want %s", input, err, want)
		}
	}
	if _, _, err := decoded(iotest.ErrReader(io.ErrNoProgress), formJSON); err == nil {
		t.Error("an input that cannot be read is taken for an empty one")
	}
}

// TestDecodeStreams: what has come is printed before the rest of it comes.
func TestDecodeStreams(t *testing.T) {
	t.Parallel()
	in, feed := io.Pipe()
	shown, out := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := decodeFile(process{stdin: in, stdout: out, stderr: io.Discard}, "-", formJSON)
		out.Close()
		ended <- err
	}()
	item := behindLengths(goldenPayloads(t, "broker-bin-v1.msgs")[0])
	lines := bufio.NewScanner(shown)
	for range 3 {
		if _, err := feed.Write(item); err != nil {
			t.Fatal(err)
		}
		if !lines.Scan() {
			t.Fatalf("nothing is printed: %v", lines.Err())
		}
	}
	feed.Close()
	if lines.Scan() {
		t.Errorf("more than went in: %s", lines.Text())
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// FuzzDecode: whatever comes, what is printed as JSON is JSON, and an input that
// cannot be read to its end is no success.
func FuzzDecode(tf *testing.F) {
	f := mutate.From(tf)
	for _, e := range goldenPayloads(f, "broker-bin-v1.msgs")[:4] {
		f.Add(e, false)
		f.Add(e, true)
		f.Add(behindLengths(e), false)
		f.Add(behindLengths(e, e)[:len(e)+6], true)
		f.Add(behindLengths([]byte("topic"), []byte("s"), []byte(codec.BrokerBinV1), e), false)
	}
	const most = detectWindow + 400 // of an item
	event := goldenPayloads(f, "broker-json-v1.msgs")[0]
	f.Add(event, false)
	f.Add(append(append(event[:len(event):len(event)], '\n'), event[:len(event)/2]...), true)
	for _, n := range []int{detectWindow + 100, most + 1} { // more than is read at once, more than is taken
		line := append(event[:len(event):len(event)], bytes.Repeat([]byte(" "), n-len(event))...)
		f.Add(append(line, '\n'), false)
		f.Add(append([]byte{byte(codec.KindVector)}, make([]byte, n-1)...), false)
	}
	// Made once: their buffers are large.
	var out, people bytes.Buffer
	in, printer := newItems(nil), newPrinter(&out, formJSON)
	f.Fuzz(func(t *testing.T, data []byte, broken bool) {
		out.Reset()
		people.Reset()
		var from io.Reader = bytes.NewReader(data)
		if broken {
			from = io.MultiReader(from, iotest.ErrReader(errors.New("broken")))
		}
		in.r.Reset(from)
		err := (&decoder{in: &items{r: in.r, most: most}, out: printer, name: "f", people: &people}).run()
		for line := range strings.Lines(out.String()) {
			if !json.Valid([]byte(line)) {
				t.Fatalf("%q gives %q", data, line)
			}
		}
		if (people.Len() > 0 || broken) && err == nil {
			t.Fatalf("%q, broken %v: success, after %q", data, broken, &people)
		}
	})
}
