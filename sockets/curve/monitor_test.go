package curve

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/go-zeromq/zmq4"

	"github.com/znode/znode/sockets"
	"github.com/znode/znode/sockets/zmqtest"
)

// A scene is who meets whom. The server is bound, as in Zeek.
type scene struct {
	serverNull, clientNull bool
	wrongServerKey         bool // the client has another key for the server
	unlisted               bool // the client's key is not the one that may enter

	// The last event of each side's libzmq monitor.
	serverEnds, clientEnds string
	// What our sockets tell, as server and as client.
	ownServer, ownClient sockets.Reason // "": connected
}

var scenes = map[string]scene{
	"welcome client": {serverEnds: "HANDSHAKE_SUCCEEDED", clientEnds: "HANDSHAKE_SUCCEEDED"},
	"unlisted client": {unlisted: true,
		serverEnds: "HANDSHAKE_FAILED_AUTH", clientEnds: "HANDSHAKE_FAILED_AUTH",
		ownServer: sockets.ReasonUnauthorized, ownClient: sockets.ReasonUnauthorized},
	"wrong server key": {wrongServerKey: true, // the client tries again for ever
		serverEnds: "HANDSHAKE_FAILED_PROTOCOL", clientEnds: "CONNECT_RETRIED",
		ownServer: sockets.ReasonSecurity, ownClient: sockets.ReasonClosed},
	"NULL client": {clientNull: true,
		serverEnds: "HANDSHAKE_FAILED_PROTOCOL", clientEnds: "HANDSHAKE_FAILED_PROTOCOL",
		ownServer: sockets.ReasonMechanism, ownClient: sockets.ReasonMechanism},
	"NULL server": {serverNull: true,
		serverEnds: "HANDSHAKE_FAILED_PROTOCOL", clientEnds: "HANDSHAKE_FAILED_PROTOCOL",
		ownServer: sockets.ReasonMechanism, ownClient: sockets.ReasonMechanism},
}

// cast returns the keys of a scene: the server's own, and the client's.
func (c scene) cast(t *testing.T, listed keys) (server, client keys) {
	t.Helper()
	server, client = listed, listed
	stranger := newKeys(t)
	if c.wrongServerKey {
		client.serverPublic = stranger.serverPublic
	}
	if c.unlisted {
		client.clientPublic, client.clientSecret = stranger.clientPublic, stranger.clientSecret
	}
	return server, client
}

// TestMonitor plays each scene between two libzmq sockets, and then with ours in
// the place of one: libzmq's monitor must show the same.
func TestMonitor(t *testing.T) {
	listed := newKeys(t)
	p := zmqtest.Start(t)
	p.Admit(t, listed.clientPublic.String())
	for name, c := range scenes {
		for _, kinds := range [][2]string{{"PULL", "PUSH"}, {"XPUB", "XSUB"}} {
			t.Run(fmt.Sprintf("%s/server=%s", name, kinds[0]), func(t *testing.T) {
				serverKeys, clientKeys := c.cast(t, listed)
				libServer := func() (*zmqtest.Socket, *zmqtest.Monitor, string) {
					s := p.Socket(t, kinds[0])
					if !c.serverNull {
						s.CurveServer(t, serverKeys.serverSecret.Reveal())
					}
					m := s.Monitor(t)
					return s, m, s.Bind(t, zmqtest.Loopback)
				}
				libClient := func(endpoint string) (*zmqtest.Socket, *zmqtest.Monitor) {
					s := p.Socket(t, kinds[1])
					if !c.clientNull {
						s.CurveClient(t, clientKeys.serverPublic.String(), clientKeys.clientPublic.String(), clientKeys.clientSecret.Reveal())
					}
					m := s.Monitor(t)
					s.Connect(t, endpoint)
					return s, m
				}

				s, sm, endpoint := libServer()
				k, km := libClient(endpoint)
				wantServer, wantClient := until(t, sm, c.serverEnds), until(t, km, c.clientEnds)
				k.Close(t, 0)
				s.Close(t, 0)
				t.Logf("libzmq's server %v, client %v", wantServer, wantClient)

				own := openSocket(t, zmq4.SocketType(kinds[0]), mechanismOr(t, serverKeys, true, c.serverNull), nil)
				k, km = libClient(own.bind(t))
				if got := until(t, km, c.clientEnds); !slices.Equal(got, wantClient) {
					t.Errorf("libzmq's client sees %v of us, %v of libzmq", got, wantClient)
				}
				own.tells(t, c.ownServer)
				k.Close(t, 0)

				s, sm, endpoint = libServer()
				own = openSocket(t, zmq4.SocketType(kinds[1]), mechanismOr(t, clientKeys, false, c.clientNull), nil)
				own.connect(t, endpoint)
				if got := until(t, sm, c.serverEnds); !slices.Equal(got, wantServer) {
					t.Errorf("libzmq's server sees %v of us, %v of libzmq", got, wantServer)
				}
				own.tells(t, c.ownClient)
				s.Close(t, 0)
			})
		}
	}
}

func mechanismOr(t *testing.T, is keys, server, null bool) func(bool) zmq4.Security {
	t.Helper()
	if null {
		return sockets.NewNull
	}
	return is.mechanism(t, server)
}

// tells checks the first thing that our socket tells of its peer.
func (o *ours) tells(t *testing.T, want sockets.Reason) {
	t.Helper()
	kind := sockets.EventHandshakeFailed
	if want == "" {
		kind = sockets.EventConnected
	}
	e := await(t, o.events, "an event")
	if e.Kind != kind || e.Reason != want || e.Addr == "" || (e.Err == nil) != (want == "") {
		t.Errorf("we tell of %v with reason %q, peer %q: %v; want %v, %q", e.Kind, e.Reason, e.Addr, e.Err, kind, want)
	}
	t.Logf("we tell: %v %s: %v", e.Kind, e.Reason, e.Err)
}

// until returns the names of the events up to this one, of a handshake's with
// their values, which say why it failed.
func until(t *testing.T, m *zmqtest.Monitor, last string) (names []string) {
	t.Helper()
	event, before := m.Await(t, last)
	for _, e := range append(before, event) {
		switch e.Name {
		case "HANDSHAKE_FAILED_PROTOCOL", "HANDSHAKE_FAILED_AUTH":
			names = append(names, fmt.Sprintf("%s(%#x)", e.Name, e.Value))
		case "LISTENING":
		default:
			names = append(names, e.Name)
		}
	}
	return names
}

// TestWrongServerKeyIsLogged: a client whose server closes without a word says what
// may be the cause, or it would try for ever in silence.
func TestWrongServerKeyIsLogged(t *testing.T) {
	listed, stranger := newKeys(t), newKeys(t)
	pull := openSocket(t, zmq4.Pull, listed.mechanism(t, true), nil)
	var lines bytes.Buffer // written before the event is told
	wrong := listed
	wrong.serverPublic, wrong.serverSecret = stranger.serverPublic, stranger.serverSecret
	push := openSocket(t, zmq4.Push, wrong.mechanism(t, false), func(o *sockets.Options) {
		o.Log = slog.New(slog.NewTextHandler(&lines, nil))
		o.ReconnectInterval = patience
	})
	push.connect(t, pull.bind(t))
	push.event(t, sockets.EventHandshakeFailed)
	for _, want := range []string{"level=WARN", "perhaps its key is not " + wrong.serverPublic.String()} {
		if !strings.Contains(lines.String(), want) {
			t.Errorf("the log has no %q:\n%s", want, &lines)
		}
	}
}
