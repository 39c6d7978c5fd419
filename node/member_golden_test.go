package node

import (
	"encoding/binary"
	"os"
	"testing"

	"github.com/znode/znode/codec"
)

// greetings are all events that a real Zeek's manager and worker-1 published to
// topics of node ids: the four frames of each, with a length in front.
func greetings(t testing.TB) [][4][]byte {
	t.Helper()
	data, err := os.ReadFile("testdata/greetings.msgs")
	if err != nil {
		t.Fatal(err)
	}
	var frames [][]byte
	for len(data) > 0 {
		n := 4 + binary.BigEndian.Uint32(data)
		frames = append(frames, data[4:n])
		data = data[n:]
	}
	var list [][4][]byte
	for ; len(frames) > 0; frames = frames[4:] {
		list = append(list, [4][]byte(frames[:4]))
	}
	if len(list) != 4 {
		t.Fatalf("%d greetings, want 4", len(list))
	}
	return list
}

// greetingOf is the payload that the node of a name sent, and its id.
func greetingOf(t testing.TB, name, event string) (payload []byte, id string) {
	t.Helper()
	for _, g := range greetings(t) {
		e, err := codec.DecodeEvent(g[3])
		if err != nil {
			t.Fatal(err)
		}
		var got string
		if err := scanStrings(e, &got, &id); err != nil {
			t.Fatal(err)
		}
		if got == name && e.Name == event {
			return g[3], id
		}
	}
	t.Fatalf("no %s of %s", event, name)
	return nil, ""
}

func scanStrings(e *codec.Event, to ...*string) error {
	payload, err := codec.AppendEvent(nil, e)
	if err != nil {
		return err
	}
	var v codec.EventView
	if err := v.Decode(payload); err != nil {
		return err
	}
	args := make([]any, len(to))
	for i := range to {
		args[i] = to[i]
	}
	return v.Scan(args...)
}

// What a member says is what Zeek says, byte for byte.
func TestGreetingsAreZeeks(t *testing.T) {
	t.Parallel()
	for _, g := range greetings(t) {
		e, err := codec.DecodeEvent(g[3])
		if err != nil {
			t.Fatal(err)
		}
		var name, id string
		if err := scanStrings(e, &name, &id); err != nil {
			t.Fatal(err)
		}
		if id != string(g[1]) {
			t.Errorf("%s of %s says id %s, its sender is %s", e.Name, name, id, g[1])
		}
		if e.Name != zeromqHello && e.Name != clusterHello {
			t.Errorf("unknown greeting %s", e.Name)
		}
		got, err := codec.AppendEventArgs(nil, e.Name, name, id)
		if err != nil || string(got) != string(g[3]) {
			t.Errorf("%s: %v\nours  %x\nZeek's %x", e.Name, err, got, g[3])
		}
	}
}
