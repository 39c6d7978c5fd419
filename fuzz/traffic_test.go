package fuzz

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/znode/znode/fuzz/mutate"
	"github.com/znode/znode/fuzz/oracle"
	"github.com/znode/znode/sockets"
)

// FuzzTraffic gives a PULL anything after its handshake, whole and in pieces of
// any sizes. Both times it must hand over the messages that the oracle finds, up to the
// first error, and end for the same reason. FuzzRead of package sockets does the
// same with the reader alone, many times as fast.
func FuzzTraffic(tf *testing.F) {
	f := mutate.From(tf)
	ping := oracle.AppendCommand(nil, "PING", []byte("\x00\x05abc"))
	long := append([]byte{2, 0, 0, 0, 0, 0, 0, 1, 44}, make([]byte, 300)...)
	for _, traffic := range [][]byte{
		nil,
		[]byte("\x00\x01x\x00\x00\x01\x01a\x01\x00\x00\x01b"),
		slices.Concat([]byte("\x01\x01a"), ping, []byte("\x00\x01b"), ping),
		slices.Concat(long, long[:5]),
		[]byte("\x02\x00\x00\x00\x00\x00\x00\x00\x01x"),
		[]byte("\x02\xff\xff\xff\xff\xff\xff\xff\xff"),
		[]byte("\x08\x00"),
		[]byte("\x05\x00"),
		[]byte("\x04\x00"),
		slices.Concat([]byte("\x00\x01x"), oracle.AppendCommand(nil, "ERROR", []byte("\x01x"))),
		oracle.AppendCommand(nil, "SUBSCRIBE", []byte("x")),
		oracle.AppendCommand(nil, "PONG", nil),
		append(bytes.Repeat([]byte("\x01\x02ab"), 600), "\x00\x00"...),
	} {
		f.Add(traffic, []byte{}, byte(0))
		f.Add(traffic, []byte{0, 0, 0, 0, 0, 0, 0, 0}, byte(1))
		f.Add(traffic, []byte{0, 3, 1, 255}, byte(3))
	}
	f.Fuzz(func(t *testing.T, traffic, sizes []byte, batch byte) {
		var messages []string
		read := oracle.Traffic{Limit: 2000, Message: func(frames [][]byte) { messages = append(messages, fmt.Sprintf("%q", frames)) }}
		reason := sockets.Reason(read.Read(traffic))
		want := strings.Join(messages, "\n")
		// A copy: what the fuzzing engine gives has memory of others behind it.
		again := bytes.Repeat(slices.Concat(sizes, []byte{0}), 1+len(traffic)/(1+len(sizes)))
		for _, in := range [][]byte{nil, sizes, again} {
			got, ended := pull(t, traffic, in, int(batch))
			if got != want || ended != reason {
				t.Fatalf("in pieces of %.20v less one: %q, ended by %s; want %q, ended by %s", in, got, ended, want, reason)
			}
		}
	})
}

// pull gives a PULL a peer with this traffic, in reads of these sizes less one,
// and returns what it hands over and why the connection ends.
func pull(t *testing.T, traffic, sizes []byte, batch int) (string, sockets.Reason) {
	t.Helper()
	ended := make(chan sockets.Event, 10)
	o := options()
	o.RcvHWM = batch
	o.OnEvent = func(e sockets.Event) { ended <- e }
	var got []string
	x, err := sockets.NewPULL(o, func(b sockets.Batch) {
		if n := b.Len(); n == 0 || batch > 0 && n > batch {
			t.Errorf("a batch of %d messages", n)
		}
		for m := range b.Messages() {
			got = append(got, fmt.Sprintf("%q", m.Frames(nil)))
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	c := newMemConn()
	c.in, c.ended = append(oracle.Hello("PUSH"), traffic...), true
	c.sizes = append(bytes.Repeat([]byte{255}, 3), sizes...)
	if err := x.Attach(c, "memory"); err != nil {
		t.Fatal(err)
	}
	for {
		select {
		case e := <-ended:
			if e.Kind == sockets.EventDisconnected {
				return strings.Join(got, "\n"), e.Reason
			}
		case <-time.After(patience):
			t.Fatal("the connection does not end")
		}
	}
}
