package main

import (
	"strings"
	"testing"

	"github.com/znode/znode/sockets/zmqtest"
)

// TestCheckKeys: libzmq's broker with CURVE takes the right keys, and what is
// wrong with others is said.
func TestCheckKeys(t *testing.T) {
	t.Parallel()
	p := zmqtest.Start(t)
	serverPublic, serverSecret := p.Keypair(t)
	public, secret := p.Keypair(t)
	otherPublic, otherSecret := p.Keypair(t)
	p.Admit(t, public)
	var endpoints [2]string
	var ends [2]*zmqtest.Socket
	for i, kind := range []string{"XSUB", "XPUB"} {
		ends[i] = p.Socket(t, kind)
		if kind == "XPUB" {
			ends[i].SetInt(t, zmqtest.XPUB_VERBOSER, 1)
		}
		ends[i].CurveServer(t, serverSecret)
		endpoints[i] = ends[i].Bind(t, zmqtest.Loopback)
	}
	p.Proxy(t, ends[0], ends[1])
	run := func(command string, server, public, secret string, more ...string) (string, string, int) {
		args := append([]string{command, "--timeout=" + long, "--connect-xpub-endpoint=" + endpoints[0], "--connect-xsub-endpoint=" + endpoints[1]}, more...)
		if server != "" {
			args = append(args, "--curve-server-publickey="+server, "--curve-client-publickey="+public, "--curve-client-secretkey="+secret)
		}
		return outcome(t, args...)
	}
	for name, tc := range map[string]struct {
		server, public, secret string
		status                 int
		want                   []string
	}{
		"right":      {serverPublic, public, secret, 0, []string{"connected, mechanism CURVE, keys accepted", "an event came back"}},
		"no keys":    {"", "", "", 1, []string{"mechanism", "What listens there wants keys."}},
		"client key": {serverPublic, otherPublic, otherSecret, 1, []string{"Compare curve_client_publickey"}},
		"server key": {otherPublic, public, secret, 1, []string{"Compare curve_server_publickey"}},
		"not a pair": {serverPublic, otherPublic, secret, 2, nil},
	} {
		out, people, status := run("check", tc.server, tc.public, tc.secret)
		if status != tc.status || tc.want != nil && people != "" {
			t.Errorf("%s: status %d\n%s%s", name, status, out, people)
		}
		for _, want := range tc.want {
			if !strings.Contains(out, want) {
				t.Errorf("%s: %q is not in\n%s", name, want, out)
			}
		}
		if strings.Contains(out+people, secret) || strings.Contains(out+people, otherSecret) {
			t.Errorf("%s: a secret shows", name)
		}
	}
	n := p.Node(t, "reader")
	n.XPUB.CurveClient(t, serverPublic, public, secret)
	n.XSUB.CurveClient(t, serverPublic, public, secret)
	n.Join(t, endpoints[0], endpoints[1])
	n.Subscribe(t, "t")
	n.Sync(t)
	if _, people, status := run("pub", serverPublic, public, secret, "t", "Test::event"); status != 0 {
		t.Fatalf("pub: status %d, %s", status, people)
	}
	if got := n.RecvUntilSync(t); len(got) != 1 {
		t.Errorf("%d events", len(got))
	}
}
