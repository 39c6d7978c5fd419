package load

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/znode/znode/bench/internal/zmtp"
	"github.com/znode/znode/node"
	"github.com/znode/znode/sockets/curve"
)

// TestChildWithCurve: with keys in its environment a load process speaks CURVE with a
// broker that takes nothing else, and counts as it does without.
func TestChildWithCurve(t *testing.T) {
	serverPublic, serverSecret := newPair(t)
	clientPublic, clientSecret := newPair(t)
	server, err := node.NewCurveServer(node.CurveServerOptions{
		Secret: serverSecret, Clients: []node.ClientRights{node.AllRights("load", clientPublic)},
	})
	if err != nil {
		t.Fatal(err)
	}
	o := node.DefaultBrokerOptions()
	o.ListenXSUBEndpoint, o.ListenXPUBEndpoint, o.Curve = "tcp://127.0.0.1:0", "tcp://127.0.0.1:0", server
	o.XPUB.SlowGrace = -1
	b, err := node.NewBroker(o)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for _, rate := range []int{0, 2000} {
		cfg := Config{
			Role: RoleStream, PubAddr: b.XSUBEndpoint()[len("tcp://"):], SubAddr: b.XPUBEndpoint()[len("tcp://"):],
			Pubs: 2, Subs: 2, Size: 700, Topics: 3, Select: SelectAll, Inflight: 8, Rate: rate,
		}
		c, err := Start([]string{os.Args[0], "load"}, cfg,
			zeekCurve+"SERVER_PUBLICKEY="+serverPublic.String(), zeekCurve+"CLIENT_SECRETKEY="+clientSecret.Reveal())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Stop()
		if err := Settle(time.Minute, c); err != nil {
			t.Fatal(err)
		}
		do(t, c, "go")
		await(t, c, func(s Snap) bool { return s.Received[0] > 100 && s.Received[1] > 100 })
		sent := do(t, c, "pause").Sent
		s := await(t, c, func(s Snap) bool { return Total(s.Received) >= 2*Total(sent) })
		if s.Received[0] != Total(sent) || s.Received[1] != Total(sent) || s.Misordered != 0 {
			t.Errorf("sent %v, received %v, %d misordered", sent, s.Received, s.Misordered)
		}
		if rate > 0 && s.Latency.Count() != Total(s.Received) {
			t.Errorf("%d latencies of %v messages", s.Latency.Count(), s.Received)
		}
	}
}

func newPair(t *testing.T) (curve.Public, curve.Secret) {
	t.Helper()
	public, secret, err := curve.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return public, secret
}

// plainCodec seals by adding an octet.
type plainCodec struct{}

func (plainCodec) Overhead() int { return 1 }

func (plainCodec) Seal(dst []byte, flags byte, body []byte) ([]byte, error) {
	return zmtp.AppendFrame(dst, append([]byte{flags & 1}, body...), false), nil
}

func (plainCodec) Open(_ byte, sealed []byte) (byte, []byte, error) {
	return sealed[0], sealed[1:], nil
}

// TestOpener: whatever the pieces a connection comes in, what is opened of them is
// what was sealed.
func TestOpener(t *testing.T) {
	layout, err := zmtp.NewLayout(300)
	if err != nil {
		t.Fatal(err)
	}
	want := newBatch(&layout, 1, 1).bytes[:3*layout.Size]
	wire, err := seal(nil, plainCodec{}, want)
	if err != nil {
		t.Fatal(err)
	}
	for size := 1; size <= len(wire); size++ {
		o := &opener{codec: plainCodec{}}
		var got []byte
		buf := make([]byte, 2*len(wire))
		for rest := wire; len(rest) > 0; {
			at := o.begin(buf)
			n := copy(buf[at:at+size], rest)
			rest = rest[n:]
			plain, err := o.open(nil, buf[:at+n])
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, plain...)
		}
		if !bytes.Equal(got, want) {
			t.Fatalf("in pieces of %d bytes: %d bytes, want %d", size, len(got), len(want))
		}
	}
	if _, err := seal(nil, plainCodec{}, want[:len(want)-1]); err == nil {
		t.Error("half a frame was sealed")
	}
}
