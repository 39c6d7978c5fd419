package fuzz

import (
	"bytes"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/znode/znode/fuzz/mutate"
	"github.com/znode/znode/fuzz/oracle"
	"github.com/znode/znode/sockets"
)

// FuzzHandshakeSteps gives a bound socket of each type anything in place of a
// greeting and READY, made of whole steps. FuzzNull of package sockets does the same
// with the handshake alone, many times as fast.
func FuzzHandshakeSteps(tf *testing.F) {
	f := mutate.From(tf)
	for kind := range byte(4) {
		for _, script := range oracle.Scripts() {
			f.Add(kind, script)
		}
	}
	f.Words("g", "r", "p", "w", "m")
	f.Fuzz(func(t *testing.T, kind byte, script []byte) {
		ours := oracle.Kinds[kind%4]
		checkHandshake(t, ours, oracle.Script(ours, script))
	})
}

// checkHandshake gives a bound socket these bytes. It must take exactly what the
// oracle takes, end everything else, and send nothing but its own greeting and READY.
func checkHandshake(t *testing.T, ours string, data []byte) {
	events := make(chan sockets.Event, 10)
	o := options()
	o.OnEvent = func(e sockets.Event) { events <- e }
	x := newSocket(t, ours, o)
	defer x.Close()
	c := newMemConn()
	c.in, c.ended = bytes.Clone(data), true
	if err := x.Attach(c, "memory"); err != nil {
		t.Fatal(err)
	}
	var first sockets.Event
	select {
	case first = <-events:
	case <-time.After(patience):
		t.Fatal("the connection does not end")
	}
	_, want := oracle.ReadHello(ours, data)
	if got := first.Kind == sockets.EventConnected; got != want {
		t.Errorf("%s: connected %v (%v), want %v", ours, got, first.Err, want)
	}
	if !want && (first.Kind != sockets.EventHandshakeFailed || first.Reason == "" || first.Err == nil) {
		t.Errorf("event %+v", first)
	}
	if first.Err != nil && strings.ContainsFunc(first.Err.Error(), func(r rune) bool { return r < ' ' }) {
		t.Errorf("untrusted bytes in the error %q", first.Err)
	}
	x.Close()
	if sent := c.written(); !oracle.SentRight(ours, sent) {
		t.Errorf("sent %q", sent)
	}
}

// socket is what the sockets have in common here.
type socket interface {
	Attach(nc net.Conn, endpoint string) error
	Close() error
}

func newSocket(t *testing.T, kind string, o sockets.Options) (x socket) {
	var err error
	switch kind {
	case "XPUB":
		x, err = sockets.NewXPUB(o, nil)
	case "XSUB":
		x, err = sockets.NewXSUB(o, func(sockets.Batch) {})
	case "PULL":
		x, err = sockets.NewPULL(o, func(sockets.Batch) {})
	case "PUSH":
		x, err = sockets.NewPUSH(o)
	}
	if err != nil {
		t.Fatal(err)
	}
	return x
}
