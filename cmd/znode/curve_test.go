package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/znode/znode/sockets/curve"
	"github.com/znode/znode/sockets/zmqtest"
)

// keyPair is the text of a key pair.
type keyPair struct{ public, secret string }

func newKeyPair(t *testing.T) keyPair {
	t.Helper()
	public, secret, err := curve.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return keyPair{public.String(), secret.Reveal()}
}

// TestCurveProcess is a cluster of libzmq's nodes around znode run with CURVE: all
// keys as Zeek has them, a sensor with its own, and SIGHUP for a list that changes.
func TestCurveProcess(t *testing.T) {
	t.Parallel()
	server, zeek, sensor := newKeyPair(t), newKeyPair(t), newKeyPair(t)
	file := filepath.Join(t.TempDir(), "znode.toml")
	write := func(clients string) {
		t.Helper()
		text := fmt.Sprintf("curve_server_publickey = %q\ncurve_server_secretkey = %q\ncurve_client_publickey = %q\n%s",
			server.public, server.secret, zeek.public, clients)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	client := func(rights string) string {
		return fmt.Sprintf("[[clients]]\nname = \"sensor\"\npublic_key = %q\n%s", sensor.public, rights)
	}
	write(client("publish = ['sensor.a.']\nlog = true\n"))
	z := start(t, "run", "--config", file, "--log-dir", filepath.Join(t.TempDir(), "logs"), "--metrics-address=127.0.0.1:0",
		"--listen-xsub-endpoint=tcp://127.0.0.1:0", "--listen-xpub-endpoint=tcp://127.0.0.1:0", "--listen-log-endpoint=tcp://127.0.0.1:0")
	broker := z.await(t, "broker listens")
	logs := z.await(t, "logger listens")["endpoint"].(string)
	metrics := z.await(t, "metrics served")["address"].(string)

	p := zmqtest.Start(t)
	join := func(id string, is keyPair) *zmqtest.Node {
		n := p.Node(t, id)
		n.XPUB.CurveClient(t, server.public, is.public, is.secret)
		n.XSUB.CurveClient(t, server.public, is.public, is.secret)
		n.Join(t, broker["xsub"].(string), broker["xpub"].(string))
		return n
	}
	worker, edge := join("worker", zeek), join("edge", sensor)
	for _, prefix := range []string{"sensor.", "zeek.cluster.worker"} {
		worker.Subscribe(t, prefix)
	}
	edge.Subscribe(t, "zeek.cluster.worker")
	worker.Sync(t)
	if got, want := edge.Sync(t), []string{"+sensor."}; !slices.Equal(got, want) {
		t.Errorf("the sensor is told %q, want %q", got, want)
	}
	for _, topic := range []string{"sensor.b.1", "sensor.a.1"} {
		edge.Publish(t, topic, "x")
	}
	if got := worker.Recv(t); got[0] != "sensor.a.1" {
		t.Errorf("the worker receives %q", got)
	}
	z.await(t, "client may not publish this, its event is not forwarded")
	if n := metric(t, metrics, "znode_client_refused_total"); n != 2 {
		t.Errorf("%v refusals, want 2", n)
	}
	pushed := func(is keyPair) *zmqtest.Monitor {
		push := p.Socket(t, "PUSH")
		push.CurveClient(t, server.public, is.public, is.secret)
		m := push.Monitor(t)
		push.Connect(t, logs)
		return m
	}
	pushed(zeek).Await(t, "HANDSHAKE_SUCCEEDED")
	logging := pushed(sensor)
	logging.Await(t, "HANDSHAKE_SUCCEEDED")

	hup := func() {
		t.Helper()
		if err := z.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	// A broken list changes nothing.
	write(client("publish = 'sensor.b.'\n"))
	hup()
	if line := z.await(t, "options not reloaded, all stay as they are"); !strings.Contains(line["error"].(string), "client 1 (sensor): publish: want an array") {
		t.Errorf("logged %v", line)
	}
	edge.Publish(t, "sensor.a.2", "x")
	if got := worker.Recv(t); got[0] != "sensor.a.2" {
		t.Errorf("the worker receives %q", got)
	}

	// Other rights count for who is connected.
	write(client("publish = ['sensor.b.']\nsubscribe = ['zeek.cluster.']\n"))
	hup()
	z.await(t, "options reloaded")
	logging.Await(t, "DISCONNECTED")
	if e, _ := logging.Await(t, "HANDSHAKE_FAILED_AUTH"); e.Value != 400 {
		t.Errorf("HANDSHAKE_FAILED_AUTH %d", e.Value)
	}
	edge.Publish(t, "sensor.a.3", "x")
	edge.Publish(t, "sensor.b.3", "x")
	if got := worker.Recv(t); got[0] != "sensor.b.3" {
		t.Errorf("the worker receives %q", got)
	}
	worker.Sync(t)
	worker.Publish(t, "zeek.cluster.worker", "seen now")
	if got := edge.Recv(t); got[3] != "seen now" {
		t.Errorf("the sensor receives %q", got)
	}

	// Who is taken off the list is thrown out.
	watched := p.Socket(t, "XSUB")
	watched.CurveClient(t, server.public, sensor.public, sensor.secret)
	m := watched.Monitor(t)
	watched.Connect(t, broker["xpub"].(string))
	m.Await(t, "HANDSHAKE_SUCCEEDED")
	write("")
	hup()
	m.Await(t, "DISCONNECTED")
	m.Await(t, "HANDSHAKE_FAILED_AUTH")
	worker.Sync(t)
	if status := z.signal(t, syscall.SIGTERM); status != 0 {
		t.Errorf("exit status %d after SIGTERM", status)
	}
}

// TestCurveCommands: znode's own client commands with keys.
func TestCurveCommands(t *testing.T) {
	t.Parallel()
	server, zeek := newKeyPair(t), newKeyPair(t)
	file := filepath.Join(t.TempDir(), "znode.toml")
	text := fmt.Sprintf("curve_server_publickey = %q\ncurve_server_secretkey = %q\ncurve_client_publickey = %q\ncurve_client_secretkey = %q\n",
		server.public, server.secret, zeek.public, zeek.secret)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	z := start(t, "run", "broker", "--config", file, "--metrics-address=",
		"--listen-xsub-endpoint=tcp://127.0.0.1:0", "--listen-xpub-endpoint=tcp://127.0.0.1:0")
	broker := z.await(t, "broker listens")
	to := []string{"--config=" + file, "--connect-xpub-endpoint=" + broker["xsub"].(string), "--connect-xsub-endpoint=" + broker["xpub"].(string)}
	checked := start(t, append([]string{"check", "--timeout=" + long}, to...)...)
	if status := checked.wait(t); status != 0 {
		t.Errorf("znode check ends with status %d", status)
	}
	// Without keys it is turned away, and says so.
	if status := start(t, append([]string{"check", "--timeout=" + long}, to[1:]...)...).wait(t); status != 1 {
		t.Errorf("znode check without keys ends with status %d", status)
	}
	var members []*started
	for _, name := range []string{"worker-1", "worker-2"} {
		members = append(members, start(t, append([]string{"run", "member", "--node=" + name}, to...)...))
	}
	for _, m := range members {
		m.await(t, "node up") // the other one's hello came through the broker
	}
	for _, m := range members {
		if status := m.signal(t, syscall.SIGTERM); status != 0 {
			t.Errorf("a member ends with status %d", status)
		}
	}
}
