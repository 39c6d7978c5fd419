package node_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/znode/znode/codec"
	"github.com/znode/znode/node"
	"github.com/znode/znode/sockets/curve"
	"github.com/znode/znode/sockets/zmqtest"
)

// pair is a key pair of a test.
type pair struct {
	public curve.Public
	secret curve.Secret
}

func newPair(t *testing.T) pair {
	t.Helper()
	public, secret, err := curve.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return pair{public, secret}
}

// realm is a broker and a logger with CURVE, and the keys of those in their list.
type realm struct {
	server                  pair
	cluster, sensor, reader pair
	curve                   *node.CurveServer
	broker                  *node.Broker
	logger                  *node.Logger
	logDir                  string
	lines                   *lineLog
}

// lineLog keeps log lines.
type lineLog struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lineLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lineLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// list is who may enter: the cluster's nodes, a sensor, and a reader that may see
// what the sensor publishes.
func (r *realm) list() []node.ClientRights {
	return []node.ClientRights{
		node.AllRights("cluster", r.cluster.public),
		{Name: "sensor", Key: r.sensor.public, Publish: []string{"sensor.a."}, Log: true},
		{Name: "reader", Key: r.reader.public, Subscribe: []string{"sensor.", "zeek.cluster.worker"}},
	}
}

func newRealm(t *testing.T) *realm {
	t.Helper()
	r := &realm{
		server: newPair(t), cluster: newPair(t), sensor: newPair(t), reader: newPair(t),
		lines: new(lineLog), logDir: t.TempDir(),
	}
	var err error
	r.curve, err = node.NewCurveServer(node.CurveServerOptions{
		Node: "n", Secret: r.server.secret, Public: r.server.public, Clients: r.list(),
		Log: slog.New(slog.NewTextHandler(r.lines, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	r.broker = startBroker(t, func(o *node.BrokerOptions) { o.Curve = r.curve })
	o := node.DefaultLoggerOptions()
	o.ListenLogEndpoint = zmqtest.Loopback
	o.LogDir = r.logDir
	o.RotationInterval = 0
	r.curve.SecureLogger(&o)
	if r.logger, err = node.NewLogger(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.logger.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return r
}

// join makes a libzmq node with a client's keys.
func (r *realm) join(t *testing.T, p *zmqtest.Process, id string, is pair) *zmqtest.Node {
	t.Helper()
	n := p.Node(t, id)
	for _, s := range []*zmqtest.Socket{n.XPUB, n.XSUB} {
		s.CurveClient(t, r.server.public.String(), is.public.String(), is.secret.Reveal())
	}
	n.Join(t, r.broker.XSUBEndpoint(), r.broker.XPUBEndpoint())
	return n
}

// refused wants these counts of the client's publish, subscribe and log. An event
// that is refused is counted after those beside it were sent.
func (r *realm) refused(t *testing.T, client string, counts string) {
	t.Helper()
	var got map[string]string
	defer func() {
		if t.Failed() {
			t.Logf("refused are %v", got)
		}
	}()
	eventually(t, client+" is refused "+counts, func() bool {
		got = r.refusals(t)
		for i, what := range []string{"publish", "subscribe", "log"} {
			if got["client="+client+" node=n what="+what] != strings.Fields(counts)[i] {
				return false
			}
		}
		return true
	})
}

// refusals are the counts by their labels.
func (r *realm) refusals(t *testing.T) map[string]string {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(r.curve)
	families, err := registry.Gather()
	if err != nil || len(families) != 1 || families[0].GetName() != "znode_client_refused_total" {
		t.Fatalf("metrics %v, %v", families, err)
	}
	got := make(map[string]string)
	for _, m := range families[0].GetMetric() {
		var labels []string
		for _, l := range m.GetLabel() {
			labels = append(labels, l.GetName()+"="+l.GetValue())
		}
		got[strings.Join(labels, " ")] = fmt.Sprint(m.GetCounter().GetValue())
	}
	return got
}

// TestSensorKey: a key that may publish below sensor.a. and log can see and send
// nothing else, though its owner tries, and can find out all the same when it is
// ready to publish.
func TestSensorKey(t *testing.T) {
	r := newRealm(t)
	p := zmqtest.Start(t)
	worker := r.join(t, p, "worker", r.cluster)
	prefixes := []string{"", "sensor.", "sensor.a.door", "sensor.b.", "zeek.cluster.worker", "zeek.cluster.nodeid.worker."}
	for _, prefix := range prefixes {
		worker.Subscribe(t, prefix)
	}
	worker.Sync(t)

	// What it is told: before it came and after, and in between of its own.
	sensor := r.join(t, zmqtest.Start(t), "sensor", r.sensor)
	for _, prefix := range []string{"", "zeek.", "sensor.a.", "zeek.zeromq.internal", "sensor.a.door"} {
		sensor.Subscribe(t, prefix) // refused, the last too
	}
	worker.Sync(t)
	if got, want := sensor.Sync(t), []string{"+", "+sensor.", "+sensor.a.door"}; !slices.Equal(got, want) {
		t.Errorf("the sensor is told %q, want %q", got, want)
	}
	worker.Subscribe(t, "sensor.a.window")
	worker.Subscribe(t, "secret")
	worker.Unsubscribe(t, "sensor.a.door")
	worker.Unsubscribe(t, "sensor.b.")
	if got := worker.Sync(t); slices.Contains(got, "+zeek.") {
		t.Errorf("what the sensor may not subscribe to is told: %q", got)
	}
	if got, want := sensor.Sync(t), []string{"+sensor.a.window", "-sensor.a.door"}; !slices.Equal(got, want) {
		t.Errorf("the sensor is told %q, want %q", got, want)
	}

	// What it sends. The subscription to everything makes libzmq send it.
	for _, topic := range []string{
		"zeek.cluster.worker", "sensor.b.x", "sensor.a", "sensor.a.1", "", "zeek.zeromq.internal.sensor.x", "sensor.a.2",
	} {
		sensor.Publish(t, topic, "from the sensor")
	}
	for _, want := range []string{"sensor.a.1", "sensor.a.2"} {
		if got := worker.Recv(t); got[0] != want || got[3] != "from the sensor" {
			t.Errorf("the worker receives %q, want topic %s", got, want)
		}
	}

	// What it gets: nothing up to a marker, which it can get because a node's
	// own internal topics are always its to take.
	const marker = "zeek.zeromq.internal.sensor.marker."
	sensor.Subscribe(t, marker)
	sensor.Sync(t)
	worker.Sync(t)
	for _, topic := range []string{"zeek.cluster.worker", "sensor.a.3", "zeek.cluster.nodeid.worker.", marker} {
		worker.Publish(t, topic, "from the worker")
	}
	if got := sensor.XSUB.RecvUntil(t, marker); len(got) != 0 {
		t.Errorf("the sensor receives %q", got)
	}
	if got := worker.RecvUntilSync(t); len(got) != 4 {
		t.Errorf("the worker receives %q of its own", got)
	}

	r.refused(t, "sensor", "5 5 0")
	r.refused(t, "cluster", "0 0 0")
	r.broker.Close() // with what is still to be logged
	lines := r.lines.String()
	for _, want := range []string{
		`msg="client may not subscribe to this, it gets nothing of it" client=sensor`,
		`msg="client may not publish this, its event is not forwarded" client=sensor`,
		"topic=zeek.cluster.worker",
	} {
		if strings.Count(lines, want) != 1 {
			t.Errorf("the log does not have %q once:\n%s", want, lines)
		}
	}
	s := r.broker.Stats()
	if n := s.FrontendMessagesReceived - s.BackendMessagesSent; n != 5 {
		t.Errorf("the proxy's figures show %d events that were not forwarded, want 5", n)
	}
}

// TestClientsApart: clients with limits do not see each other, not even when they
// make themselves ready to publish, and get what they may.
func TestClientsApart(t *testing.T) {
	r := newRealm(t)
	p := zmqtest.Start(t)
	sensor, reader := r.join(t, p, "sensor", r.sensor), r.join(t, p, "reader", r.reader)
	second := r.join(t, p, "second", r.sensor) // another process with the sensor's key
	for _, prefix := range []string{"sensor.a.", "sensor", "zeek.cluster.worker.7", "zeek.cluster"} {
		reader.Subscribe(t, prefix) // the second and the last are beyond its rights
	}
	reader.Sync(t)
	if got, want := sensor.Sync(t), []string{"+sensor.a."}; !slices.Equal(got, want) {
		t.Errorf("the sensor is told %q, want %q", got, want)
	}
	second.Sync(t)
	if got := reader.Sync(t); len(got) != 0 {
		t.Errorf("the reader, which publishes nothing, is told %q", got)
	}
	sensor.Publish(t, "sensor.a.door", "open")
	if got := reader.Recv(t); got[0] != "sensor.a.door" || got[3] != "open" {
		t.Errorf("the reader receives %q", got)
	}
	r.refused(t, "reader", "0 2 0")
	r.refused(t, "sensor", "0 0 0")
	// Sockets show barriers of others, which Sync leaves out.
	sensor.XSUB.Subscribe(t, "zeek.zeromq.internal.raw.1.")
	reader.XSUB.Subscribe(t, "zeek.zeromq.internal.raw.2.")
	for {
		got := reader.XPUB.RecvText(t)[0]
		if got == "\x01zeek.zeromq.internal.raw.2." {
			break
		}
		if !strings.HasPrefix(got, "\x00zeek.zeromq.internal.reader.") {
			t.Errorf("the reader is told %q", got)
		}
	}
}

// TestLogRight: a logger takes clients that may log, turns others away as it does
// strangers, and libzmq is told so.
func TestLogRight(t *testing.T) {
	r := newRealm(t)
	p := zmqtest.Start(t)
	for _, is := range []pair{r.reader, newPair(t)} {
		push := p.Socket(t, "PUSH")
		push.CurveClient(t, r.server.public.String(), is.public.String(), is.secret.Reveal())
		m := push.Monitor(t)
		push.Connect(t, r.logger.Endpoint())
		if e, before := m.Await(t, "HANDSHAKE_FAILED_AUTH"); e.Value != 400 {
			t.Errorf("HANDSHAKE_FAILED_AUTH %d after %v", e.Value, before)
		}
	}
	r.refused(t, "reader", "0 0 1")
	if line := `msg="client may not log, it is turned away" client=reader`; !strings.Contains(r.lines.String(), line) {
		t.Errorf("the log has no %q:\n%s", line, r.lines)
	}

	// A node of ours with the sensor's key logs.
	type reading struct {
		Name string `zeek:"name"`
	}
	o := node.DefaultOptions()
	o.ConnectXPUBEndpoint, o.ConnectXSUBEndpoint = r.broker.XSUBEndpoint(), r.broker.XPUBEndpoint()
	o.ConnectLogEndpoints = []string{r.logger.Endpoint()}
	if err := node.SecureClient(&o, curve.ClientOptions{Server: r.server.public, Secret: r.sensor.secret}); err != nil {
		t.Fatal(err)
	}
	n, err := node.New(o)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	if err := n.Start(); err != nil {
		t.Fatal(err)
	}
	ready := make(chan struct{})
	if err := n.ReadyToPublish(func() { close(ready) }); err != nil {
		t.Fatal(err)
	}
	wait(t, "ready to publish", ready)
	l, err := node.OpenLog(n, codec.MustLogStream[reading](codec.BatchHeader{Stream: "Sensor::LOG", Path: "sensor"}))
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Write(&reading{"door-1"}); err != nil {
		t.Fatal(err)
	}
	if err := l.Flush(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(r.logDir, "sensor.log")
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for expired := time.After(zmqtest.Patience); ; {
		if data, _ := os.ReadFile(file); strings.Contains(string(data), "\ndoor-1\n") {
			break
		}
		select {
		case <-tick.C:
		case <-expired:
			t.Fatal("the record is not in sensor.log")
		}
	}
}

func wait(t *testing.T, what string, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(zmqtest.Patience):
		t.Fatalf("not %s in %v", what, zmqtest.Patience)
	}
}

// TestSetClients: a new list counts at once, for what there is already too.
func TestSetClients(t *testing.T) {
	r := newRealm(t)
	p := zmqtest.Start(t)
	worker := r.join(t, p, "worker", r.cluster)
	reader := r.join(t, p, "reader", r.reader)
	worker.Subscribe(t, "zeek.cluster.worker")
	reader.Subscribe(t, "zeek.cluster.worker")
	reader.Subscribe(t, "secret.")
	reader.Sync(t)
	worker.Sync(t)

	// Rights go and come: the reader's subscription is taken from it, the one
	// that was refused is given, and it learns what it may publish to.
	list := r.list()
	list[2].Subscribe, list[2].Publish = []string{"secret."}, []string{"zeek.cluster.worker"}
	if err := r.curve.SetClients(list); err != nil {
		t.Fatal(err)
	}
	r.broker.Rejudge()
	if got, want := worker.Sync(t), []string{"+secret."}; !slices.Equal(got, want) {
		t.Errorf("the worker is told %q, want %q", got, want)
	}
	if got, want := reader.Sync(t), []string{"+zeek.cluster.worker"}; !slices.Equal(got, want) {
		t.Errorf("the reader is told %q, want %q", got, want)
	}
	reader.Publish(t, "zeek.cluster.worker", "hello")
	if got := worker.Recv(t); got[3] != "hello" {
		t.Errorf("the worker receives %q", got)
	}
	worker.Publish(t, "zeek.cluster.worker", "not for the reader")
	worker.Publish(t, "secret.1", "for the reader")
	if got := reader.Recv(t); got[3] != "for the reader" {
		t.Errorf("the reader receives %q", got)
	}
	r.refused(t, "reader", "0 2 0")

	// A mistake changes nothing.
	for _, c := range []struct {
		change func(*node.ClientRights)
		want   string
	}{
		{func(c *node.ClientRights) { c.Name = "cluster" }, `client "cluster": two clients have this name`},
		{func(c *node.ClientRights) { c.Key = r.cluster.public }, `client "reader": has the public key of client "cluster" too`},
		{func(c *node.ClientRights) { c.Key = curve.Public{} }, `client "reader": no public key`},
		{func(c *node.ClientRights) { c.Name = "" }, "client 3: no name"},
	} {
		bad := r.list()
		c.change(&bad[2])
		if err := r.curve.SetClients(bad); err == nil || err.Error() != c.want {
			t.Errorf("error %v, want %s", err, c.want)
		}
	}
	r.broker.Rejudge()
	reader.Sync(t)
	worker.Publish(t, "secret.2", "still for the reader")
	if got := reader.Recv(t); got[3] != "still for the reader" {
		t.Errorf("the reader receives %q", got)
	}

	// Who is not in the list any more is disconnected and does not come back;
	// the rest stays.
	watched := p.Socket(t, "XSUB")
	watched.CurveClient(t, r.server.public.String(), r.reader.public.String(), r.reader.secret.Reveal())
	m := watched.Monitor(t)
	watched.Connect(t, r.broker.XPUBEndpoint())
	m.Await(t, "HANDSHAKE_SUCCEEDED")
	if err := r.curve.SetClients(list[:2]); err != nil {
		t.Fatal(err)
	}
	r.broker.Rejudge()
	m.Await(t, "DISCONNECTED")
	if e, _ := m.Await(t, "HANDSHAKE_FAILED_AUTH"); e.Value != 400 {
		t.Errorf("HANDSHAKE_FAILED_AUTH %d", e.Value)
	}
	for {
		if got := worker.XPUB.RecvText(t)[0]; got == "\x00secret." {
			break
		}
	}
	worker.Sync(t)
	worker.Publish(t, "zeek.cluster.worker", "alone")
	for worker.Recv(t)[3] != "alone" {
	}
}

// TestSecureClient: mistakes are found before anything is started.
func TestSecureClient(t *testing.T) {
	server, is := newPair(t), newPair(t)
	o := node.DefaultOptions()
	if err := node.SecureClient(&o, curve.ClientOptions{Secret: is.secret}); err == nil {
		t.Error("no server key, no error")
	}
	o.ListenLogEndpoint = zmqtest.Loopback
	if err := node.SecureClient(&o, curve.ClientOptions{Server: server.public, Secret: is.secret}); err == nil ||
		!strings.Contains(err.Error(), "listen_log_endpoint") {
		t.Errorf("error %v does not name listen_log_endpoint", err)
	}
	s, err := node.NewCurveServer(node.CurveServerOptions{Secret: server.secret, Clients: []node.ClientRights{node.AllRights("c", is.public)}})
	if err != nil {
		t.Fatal(err)
	}
	o.LogCurve = s
	o.ConnectXPUBEndpoint, o.ConnectXSUBEndpoint = "", ""
	if err := node.SecureClient(&o, curve.ClientOptions{Server: s.Public(), Secret: is.secret}); err != nil {
		t.Fatal(err)
	}
	n, err := node.New(o)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	got := make(chan struct{})
	n.HandleLogs(func(*node.LogWrite) { close(got) })
	if err := n.Start(); err != nil {
		t.Fatal(err)
	}
	o.ListenLogEndpoint, o.ConnectLogEndpoints = "", []string{n.LogEndpoint()}
	o.Linger = zmqtest.Patience
	writer, err := node.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := writer.Start(); err != nil {
		t.Fatal(err)
	}
	type empty struct {
		Name string `zeek:"name"`
	}
	l, err := node.OpenLog(writer, codec.MustLogStream[empty](codec.BatchHeader{Stream: "T::LOG", Path: "t"}))
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Write(&empty{"x"}); err != nil {
		t.Fatal(err)
	}
	writer.Close()
	wait(t, "logged", got)
}
