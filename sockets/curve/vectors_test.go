package curve

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/znode/znode/sockets"
)

// vectors are what testdata/handshake.txt holds.
type vectors struct {
	values map[string][]byte
	frames map[string][]vectorFrame // by who sends
}

type vectorFrame struct {
	flags byte
	size  int
	wire  []byte
}

func loadVectors(tb testing.TB) vectors {
	tb.Helper()
	file, err := os.Open("testdata/handshake.txt")
	if err != nil {
		tb.Fatal(err)
	}
	defer file.Close()
	v := vectors{values: make(map[string][]byte), frames: make(map[string][]vectorFrame)}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		name, value, ok := strings.Cut(lines.Text(), ": ")
		switch {
		case strings.HasPrefix(name, "#"):
		case !ok:
			tb.Fatalf("line %q is no vector", lines.Text())
		case strings.HasSuffix(name, "-frame"):
			var f vectorFrame
			var wire string
			if _, err := fmt.Sscan(value, &f.flags, &f.size, &wire); err != nil {
				tb.Fatalf("line %q: %v", lines.Text(), err)
			}
			f.wire = unhex(tb, wire)
			who := strings.TrimSuffix(name, "-frame")
			v.frames[who] = append(v.frames[who], f)
		default:
			v.values[name] = unhex(tb, value)
		}
	}
	if len(v.values) != 10 || len(v.frames["server"]) < 10 || len(v.frames["client"]) < 10 {
		tb.Fatalf("%d values and %d and %d frames", len(v.values), len(v.frames["server"]), len(v.frames["client"]))
	}
	return v
}

func unhex(tb testing.TB, text string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// cast returns a server and a client that will repeat the vectors.
func (v vectors) cast(tb testing.TB) cast {
	tb.Helper()
	client := Public(v.values["client-public"])
	server, err := newServer(ServerOptions{
		Secret: newSecret((*[KeySize]byte)(v.values["server-secret"])), Public: Public(v.values["server-public"]), Authorize: only(client),
	}, bytes.NewReader(v.values["server-random"]))
	if err != nil {
		tb.Fatal(err)
	}
	c, err := newClient(ClientOptions{
		Server: Public(v.values["server-public"]), Secret: newSecret((*[KeySize]byte)(v.values["client-secret"])), Public: client,
	}, bytes.NewReader(v.values["client-random"]))
	if err != nil {
		tb.Fatal(err)
	}
	return cast{server, c}
}

// again returns the cast as it was before it drew any random numbers.
func (v vectors) again(is cast) cast {
	server, client := *is.server, *is.client
	server.random = bytes.NewReader(v.values["server-random"])
	// With a previous key there is no new timer: some tests make thousands.
	server.cookies = &cookies{random: server.random, previous: new([32]byte)}
	client.random = bytes.NewReader(v.values["client-random"])
	return cast{&server, &client}
}

// command returns the data of a command of the vectors.
func (v vectors) command(tb testing.TB, name string) []byte {
	tb.Helper()
	got, data, err := sockets.ReadCommand(bytes.NewReader(v.values[strings.ToLower(name)]))
	if err != nil || got != name {
		tb.Fatalf("vector %s: %s, %v", name, got, err)
	}
	return data
}

// TestVectorsHandshake repeats a handshake that was computed with libsodium: each
// side makes the same commands and takes the other's.
func TestVectorsHandshake(t *testing.T) {
	v := loadVectors(t)
	is := v.cast(t)
	s, c := serverHandshake{server: is.server}, clientHandshake{client: is.client}
	check := func(name string, data []byte, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := sockets.AppendCommand(nil, name, data); !bytes.Equal(got, v.values[strings.ToLower(name)]) {
			t.Fatalf("%s is\n%x, want\n%x", name, got, v.values[strings.ToLower(name)])
		}
	}
	hello, err := c.hello()
	check(cmdHello, hello, err)
	welcome, err := s.hello(v.command(t, cmdHello))
	check(cmdWelcome, welcome, err)
	if err := c.welcome(v.command(t, cmdWelcome)); err != nil {
		t.Fatal(err)
	}
	initiate, err := c.initiate(sockets.AppendMetadata(nil, socketType, "XSUB"))
	check(cmdInitiate, initiate, err)
	key, metadata, err := s.initiate(v.command(t, cmdInitiate))
	if err != nil || key != is.client.Public() || !bytes.Equal(metadata, sockets.AppendMetadata(nil, socketType, "XSUB")) {
		t.Fatalf("INITIATE: %v, %q, %v", key, metadata, err)
	}
	check(cmdReady, s.ready(sockets.AppendMetadata(nil, socketType, "XPUB")), nil)
	metadata, err = c.ready(v.command(t, cmdReady))
	if err != nil || !bytes.Equal(metadata, sockets.AppendMetadata(nil, socketType, "XPUB")) {
		t.Fatalf("READY: %q, %v", metadata, err)
	}

	var server, client traffic
	server.start(&s.key, serverPrefix, s.sent, clientPrefix, s.received)
	client.start(&c.key, clientPrefix, c.sent, serverPrefix, c.received)
	testFrames(t, &server, &client, v.frames["server"])
	testFrames(t, &client, &server, v.frames["client"])
}

func testFrames(t *testing.T, from, to *traffic, frames []vectorFrame) {
	t.Helper()
	for _, f := range frames {
		wire, err := from.Seal(nil, f.flags, body(f.size))
		if err != nil || !bytes.Equal(wire, f.wire) {
			t.Fatalf("frame of %d octets is\n%x, %v, want\n%x", f.size, wire, err, f.wire)
		}
		outer, sealed, _ := cutFrame(t, wire)
		flags, plain, err := to.Open(outer, sealed)
		if err != nil || flags != f.flags || !bytes.Equal(plain, body(f.size)) {
			t.Fatalf("frame of %d octets opens as %#x %x, %v", f.size, flags, plain, err)
		}
	}
}
