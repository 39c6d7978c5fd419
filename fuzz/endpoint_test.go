package fuzz

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/znode/znode/fuzz/mutate"
	"github.com/znode/znode/sockets"
)

// FuzzEndpoint parses anything. What is taken is printed as what is parsed to the
// same; what is not is quoted in one line of error.
func FuzzEndpoint(tf *testing.F) {
	f := mutate.From(tf)
	for _, s := range []string{
		"tcp://127.0.0.1:5555", "tcp://*:*", "tcp://[::1]:0", "tcp://[fe80::1%eth0]:1", "tcp://localhost:65535", "tcp://[1.2.3.4]:007",
		"ipc:///run/x", "ipc://@abstract", "ipc://*", "tcp://::1:5", "tcp://h:65536", "udp://x", "", "://", "tcp://[::1%25]]:1", "tcp://a%b:1",
		"ipc://", "ipc://" + strings.Repeat("p", 104), "ipc://a\x00", "tcp://[x]:1", "tcp://:1", "tcp://h", "tcp://h:x",
		"tcp://" + strings.Repeat("h", 254) + ":1",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := sockets.ParseEndpoint(s)
		if err != nil {
			if text := err.Error(); !strings.Contains(text, fmt.Sprintf("%q", s)) || strings.Contains(text, "\n") {
				t.Errorf("error %q for %q", text, s)
			}
			return
		}
		again, err := sockets.ParseEndpoint(e.String())
		if err != nil || again != e {
			t.Errorf("%q is %+v, printed %q, which is %+v (%v)", s, e, e, again, err)
		}
		if len(e.Host) == 0 || strings.ContainsAny(e.Host, "\x00") || e.Network != "tcp" && (e.Network != "unix" || e.Port != 0 || len(e.Host) > 103) {
			t.Errorf("%q is %+v", s, e)
		}
	})
}

// FuzzMessage makes a message of frames, cut out of the data by sizes, and takes
// it apart.
func FuzzMessage(tf *testing.F) {
	f := mutate.From(tf)
	f.Add([]byte("topicsenderserializerpayload"), []byte{5, 6, 10})
	f.Add(bytes.Repeat([]byte("x"), 1000), []byte{255, 0, 0, 1, 255, 255})
	f.Add([]byte{}, []byte{})
	f.Fuzz(func(t *testing.T, data, sizes []byte) {
		var frames [][]byte
		for _, n := range sizes {
			n := min(int(n)+int(n)/250*40, len(data)) // some beyond 255
			frames = append(frames, data[:n])
			data = data[n:]
		}
		frames = append(frames, data)
		m := sockets.AppendMessage([]byte("before"), frames...)[len("before"):]
		got := m.Frames(nil)
		if !slices.EqualFunc(got, frames, bytes.Equal) || !bytes.Equal(m.First(), frames[0]) {
			t.Errorf("%q became %q", frames, got)
		}
		topic, sender, serializer, payload, n := m.Split()
		if n != len(frames) || n == 4 && !slices.EqualFunc([][]byte{topic, sender, serializer, payload}, frames, bytes.Equal) ||
			n != 4 && (topic != nil || sender != nil || serializer != nil || payload != nil) {
			t.Errorf("%d frames %q are split into %d", len(frames), frames, n)
		}
		if again := sockets.AppendMessage(nil, got...); !bytes.Equal(again, m) {
			t.Errorf("%q became %q", m, again)
		}
	})
}
