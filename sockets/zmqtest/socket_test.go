package zmqtest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestPairsOfSockets moves a message between the types that belong together.
func TestPairsOfSockets(t *testing.T) {
	p := Start(t)
	if !strings.HasPrefix(p.Version(), "4.") {
		t.Fatalf("libzmq %q, 4.x expected", p.Version())
	}
	for _, kinds := range [][2]string{
		{"PUSH", "PULL"}, {"PUB", "SUB"}, {"PUB", "XSUB"}, {"XPUB", "SUB"}, {"XPUB", "XSUB"}, {"PAIR", "PAIR"},
	} {
		t.Run(kinds[0]+" to "+kinds[1], func(t *testing.T) {
			from, to := p.Socket(t, kinds[0]), p.Socket(t, kinds[1])
			monitor := from.Monitor(t)
			endpoint := from.Bind(t, Loopback)
			if strings.HasSuffix(endpoint, "*") || strings.HasSuffix(endpoint, ":0") {
				t.Fatalf("endpoint %q has no port", endpoint)
			}
			if strings.HasSuffix(kinds[1], "SUB") {
				to.Subscribe(t, "top")
			}
			to.Connect(t, endpoint)
			monitor.Await(t, "HANDSHAKE_SUCCEEDED")
			if kinds[0] == "XPUB" {
				if got := from.RecvText(t); !slices.Equal(got, []string{"\x01top"}) {
					t.Fatalf("subscription %q", got)
				}
			}
			if kinds[0] == "PUB" {
				sendUntilHeard(t, from, to)
			}
			from.SendText(t, "topic", "", "\x00\xff")
			if got := to.RecvText(t); !slices.Equal(got, []string{"topic", "", "\x00\xff"}) {
				t.Fatalf("received %q", got)
			}
			to.Close(t, 0)
			from.Close(t, 0)
		})
	}
}

// sendUntilHeard publishes markers until the subscription has arrived, which a
// PUB cannot tell, and takes them off the subscriber again.
func sendUntilHeard(t *testing.T, pub, sub *Socket) {
	t.Helper()
	for round := 0; ; round++ {
		pub.SendText(t, "top marker", fmt.Sprint(round))
		if _, ok := sub.TryRecv(t); ok {
			pub.SendText(t, "top end")
			sub.RecvUntil(t, "top end")
			return
		}
	}
}

// TestSizesAndFrames covers the edges of the length field, 64 MiB and 200 frames.
func TestSizesAndFrames(t *testing.T) {
	p := Start(t)
	push, pull := p.Socket(t, "PUSH"), p.Socket(t, "PULL")
	push.Connect(t, pull.Bind(t, Loopback))
	for _, size := range []int{0, 1, 255, 256, 64 << 20} {
		body := bytes.Repeat([]byte{0xa5}, size)
		push.Send(t, body)
		if got := pull.Recv(t); len(got) != 1 || !bytes.Equal(got[0], body) {
			t.Fatalf("%d bytes came back as %d frames", size, len(got))
		}
	}
	many := slices.Repeat([][]byte{[]byte("x")}, 200)
	push.Send(t, many...)
	if got := pull.Recv(t); len(got) != 200 {
		t.Fatalf("%d frames, 200 expected", len(got))
	}
}

// TestHighWaterMark needs EAGAIN to be told and a waiting socket to hold up no
// other.
func TestHighWaterMark(t *testing.T) {
	p := Start(t)
	push := p.Socket(t, "PUSH")
	push.SetInt(t, SNDHWM, 3)
	if got := push.GetInt(t, SNDHWM); got != 3 {
		t.Fatalf("SNDHWM %d", got)
	}
	quiet := Listen(t, Loopback) // accepts nothing, so the messages stay in the pipe
	push.Connect(t, quiet.Endpoint)
	for i := range 3 {
		if !push.TrySend(t, []byte("x")) {
			t.Fatalf("no room for message %d of 3", i)
		}
	}
	if push.TrySend(t, []byte("x")) {
		t.Fatal("room for a fourth message")
	}
	waiting := p.Socket(t, "PULL")
	waiting.Bind(t, Loopback)
	job := waiting.StartGather(t, Gather{Count: 1})
	if _, ok := p.Socket(t, "PULL").TryRecv(t); ok {
		t.Fatal("a message from nowhere")
	}
	if tally := job.Stop(t); tally.Messages != 0 {
		t.Fatalf("tally %+v", tally)
	}
}

// TestLoadAndGather counts, compares digests and finds gaps and repetitions.
func TestLoadAndGather(t *testing.T) {
	p, q := Start(t), Start(t)
	push, pull := p.Socket(t, "PUSH"), q.Socket(t, "PULL")
	push.Connect(t, pull.Bind(t, Loopback))

	load := Load{Topics: []string{"a", "b"}, Sender: "one", Count: 5000, Size: 200}
	job := pull.StartGather(t, Gather{Marker: "end"})
	sent := push.SendLoad(t, load)
	push.SendText(t, "end")
	tally := job.Wait(t)
	tally.Complete(t, 5000, "one")
	if sent.Messages != 5000 || sent.Digest != tally.Senders["one"].Digest {
		t.Fatalf("sent %+v, received %+v", sent, tally)
	}
	if want := int64(5000 * (1 + 3 + len(loadSerializer) + 200)); tally.Bytes != want {
		t.Fatalf("%d bytes, %d expected", tally.Bytes, want)
	}

	for _, number := range []uint64{0, 1, 4, 4, 3} {
		push.Send(t, LoadMessage("a", "two", number, 8)...)
	}
	push.SendText(t, "another")
	tally = pull.Gather(t, Gather{Count: 6})
	want := Sequence{Count: 5, First: 0, Last: 3, Missing: 2, Backward: 2}
	got := tally.Senders["two"]
	got.Digest = ""
	if got != want || tally.Unnumbered != 1 {
		t.Fatalf("tally %+v, sequence %+v expected", tally, want)
	}
	if tally.check(5, []string{"two"}) == nil {
		t.Fatal("Complete does not see a gap")
	}
}

// TestRefusedLoad counts what found no room.
func TestRefusedLoad(t *testing.T) {
	p := Start(t)
	push := p.Socket(t, "PUSH")
	push.SetInt(t, SNDHWM, 10)
	push.Connect(t, Listen(t, Loopback).Endpoint)
	sent := push.SendLoad(t, Load{Topics: []string{"a"}, Sender: "s", Count: 100, DontWait: true})
	if sent.Messages != 10 || sent.Refused != 90 {
		t.Fatalf("%+v", sent)
	}
}

// TestStoppedProcess freezes a reader: its sender runs into its own limit, and
// everything arrives after it goes on.
func TestStoppedProcess(t *testing.T) {
	p, q := Start(t), Start(t)
	push, pull := p.Socket(t, "PUSH"), q.Socket(t, "PULL")
	push.SetInt(t, SNDHWM, 2)
	pull.SetInt(t, RCVHWM, 2)
	push.Connect(t, pull.Bind(t, Loopback))
	push.SendText(t, "first")
	pull.Recv(t)
	q.Stop(t)
	big := make([]byte, 1<<20)
	sent := 0
	for push.TrySend(t, big) {
		sent++
	}
	q.Continue(t)
	for range sent {
		if got := pull.Recv(t); len(got[0]) != len(big) {
			t.Fatalf("%d bytes", len(got[0]))
		}
	}
}

// TestKilledAndLeaving looks at both ends of a process from the other side.
func TestKilledAndLeaving(t *testing.T) {
	p := Start(t)
	pull := p.Socket(t, "PULL")
	monitor := pull.Monitor(t)
	endpoint := pull.Bind(t, Loopback)

	q := Start(t)
	push := q.Socket(t, "PUSH")
	push.Connect(t, endpoint)
	monitor.Await(t, "HANDSHAKE_SUCCEEDED")
	q.Kill(t)
	monitor.Await(t, "DISCONNECTED")

	r := Start(t)
	push = r.Socket(t, "PUSH")
	push.Connect(t, endpoint)
	push.SendText(t, "last words")
	r.Leave(t)
	if got := pull.RecvText(t); got[0] != "last words" {
		t.Fatalf("received %q", got)
	}
	monitor.Await(t, "DISCONNECTED")
	if rest := monitor.Pending(t); len(rest) != 0 {
		t.Fatalf("events after the end: %v", rest)
	}
}

// TestCurve lets the admitted client in and the other one not.
func TestCurve(t *testing.T) {
	p := Start(t)
	serverPublic, serverSecret := p.Keypair(t)
	public, secret := p.Keypair(t)
	strangerPublic, strangerSecret := p.Keypair(t)
	p.Admit(t, public)
	pull := p.Socket(t, "PULL")
	pull.CurveServer(t, serverSecret)
	endpoint := pull.Bind(t, Loopback)

	q := Start(t)
	stranger, friend := q.Socket(t, "PUSH"), q.Socket(t, "PUSH")
	stranger.CurveClient(t, serverPublic, strangerPublic, strangerSecret)
	monitor := stranger.Monitor(t)
	stranger.Connect(t, endpoint)
	stranger.SendText(t, "let me in")
	monitor.Await(t, "HANDSHAKE_FAILED_AUTH")
	friend.CurveClient(t, serverPublic, public, secret)
	friend.Connect(t, endpoint)
	friend.SendText(t, "good day")
	if got := pull.RecvText(t); got[0] != "good day" {
		t.Fatalf("received %q", got)
	}
}

// TestRebind moves a bound socket to another place and back.
func TestRebind(t *testing.T) {
	p := Start(t)
	pull, push := p.Socket(t, "PULL"), p.Socket(t, "PUSH")
	first := pull.Bind(t, Loopback)
	pull.Unbind(t, first)
	second := pull.Bind(t, "ipc://"+t.TempDir()+"/s")
	push.Connect(t, first)
	push.Disconnect(t, first)
	push.Connect(t, second)
	push.SendText(t, "x")
	pull.Recv(t)
	push.Close(t, -time.Second)
}
