package zmqtest

import (
	"encoding/binary"
	"fmt"
	"testing"
)

// An Event is one thing that happened to a socket's connections.
type Event struct {
	Name     string // zmq.h's name without ZMQ_EVENT_, such as HANDSHAKE_SUCCEEDED
	Value    uint32 // a file descriptor, errno, interval in ms or protocol error, depending on Name
	Endpoint string
}

// eventNames are the events of libzmq 4.3.
var eventNames = map[uint16]string{
	0x0001: "CONNECTED",
	0x0002: "CONNECT_DELAYED",
	0x0004: "CONNECT_RETRIED",
	0x0008: "LISTENING",
	0x0010: "BIND_FAILED",
	0x0020: "ACCEPTED",
	0x0040: "ACCEPT_FAILED",
	0x0080: "CLOSED",
	0x0100: "CLOSE_FAILED",
	0x0200: "DISCONNECTED",
	0x0400: "MONITOR_STOPPED",
	0x0800: "HANDSHAKE_FAILED_NO_DETAIL",
	0x1000: "HANDSHAKE_SUCCEEDED",
	0x2000: "HANDSHAKE_FAILED_PROTOCOL", // Zeek ends when it sees this one
	0x4000: "HANDSHAKE_FAILED_AUTH",
}

// A Monitor tells what happens to a socket's connections.
type Monitor struct{ s *Socket }

// Monitor starts to watch a socket, to be called once, before Bind or Connect.
func (s *Socket) Monitor(tb testing.TB) *Monitor {
	tb.Helper()
	m := &Monitor{s: &Socket{p: s.p, number: s.p.newSocket(), kind: s.kind + " monitor"}}
	s.start(tb, request{Op: "monitor", New: m.s.number}).ok(tb, Patience)
	return m
}

// Next returns the next event.
func (m *Monitor) Next(tb testing.TB) Event {
	tb.Helper()
	return m.decode(tb, m.s.Recv(tb))
}

// Await returns the next event of this name, and those that came before it.
func (m *Monitor) Await(tb testing.TB, name string) (event Event, before []Event) {
	tb.Helper()
	for {
		frames, ok := m.s.TryRecv(tb)
		if !ok {
			c := m.s.start(tb, request{Op: "recv", Ms: Patience.Milliseconds()})
			got := again(tb, c, Patience)
			if got == nil {
				tb.Fatalf("zmqtest: %s: no %s within %v, only %v", m.s.kind, name, Patience, before)
			}
			frames = got.frames
		}
		if event = m.decode(tb, frames); event.Name == name {
			return event, before
		}
		before = append(before, event)
	}
}

// Pending returns the events that are there now, in order.
func (m *Monitor) Pending(tb testing.TB) []Event {
	tb.Helper()
	var events []Event
	for {
		frames, ok := m.s.TryRecv(tb)
		if !ok {
			return events
		}
		events = append(events, m.decode(tb, frames))
	}
}

// decode reads an event: two bytes of number and four of value in the
// machine's own order, then the endpoint.
func (m *Monitor) decode(tb testing.TB, frames [][]byte) Event {
	tb.Helper()
	if len(frames) != 2 || len(frames[0]) != 6 {
		tb.Fatalf("zmqtest: %s: event in an unknown form: %q", m.s.kind, frames)
	}
	number := binary.NativeEndian.Uint16(frames[0])
	name, known := eventNames[number]
	if !known {
		name = fmt.Sprintf("EVENT_%#04x", number)
	}
	return Event{Name: name, Value: binary.NativeEndian.Uint32(frames[0][2:]), Endpoint: string(frames[1])}
}
