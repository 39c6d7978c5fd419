package node

import (
	"bufio"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/znode/znode/sockets"
)

// gather is what a collector shows, as Prometheus reads it.
func gather(t testing.TB, c prometheus.Collector) string {
	t.Helper()
	r := prometheus.NewPedanticRegistry()
	if err := r.Register(c); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	promhttp.HandlerFor(r, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

// metricNames are the series of a text: name and the names of the labels.
func metricNames(text string, match string) []string {
	label := regexp.MustCompile(`([a-z_]+)="`)
	var list []string
	for s := bufio.NewScanner(strings.NewReader(text)); s.Scan(); {
		name, rest, _ := strings.Cut(s.Text(), "{")
		if strings.HasPrefix(name, "#") || !strings.Contains(name, match) {
			continue
		}
		var labels []string
		for _, l := range label.FindAllStringSubmatch(rest, -1) {
			labels = append(labels, l[1])
		}
		slices.Sort(labels)
		list = append(list, name+" "+strings.Join(labels, ","))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// metricHeads are what a text says of the series: help, type, and the bounds of
// histograms.
func metricHeads(text string, match string) []string {
	bound := regexp.MustCompile(`\ble="[^"]+"`)
	var list []string
	for line := range strings.Lines(text) {
		name, _, _ := strings.Cut(line, "{")
		switch {
		case !strings.Contains(line, match):
		case strings.HasPrefix(line, "#"):
			list = append(list, line)
		default:
			if le := bound.FindString(line); le != "" {
				list = append(list, name+" "+le+"\n")
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// What a member with all kinds of telemetry shows is what a Zeek worker shows of
// the cluster, name by name and label by label.
func TestMetricsAreZeeks(t *testing.T) {
	t.Parallel()
	golden := readFile(t, "testdata/worker_metrics.txt")
	at := testEndpoints(t)
	at.broker(t)
	all := func(o *Options) { o.Telemetry.CoreMetrics = TelemetryInfo | TelemetryVerbose | TelemetryDebug }
	a, _, _ := testMember(t, "worker-1", at, all)
	b, _, _ := testMember(t, "manager", at, all)
	startNode(t, a)
	startNode(t, b)
	await(t, "all to see all", func() bool { return len(a.Nodes())+len(b.Nodes()) == 2 })
	// A greeting is counted after it was sent, when b may have it already.
	onLoop(a, func() bool { return true })
	text := gather(t, a)
	want := metricNames(golden, "zeek_cluster_")
	if len(want) < 10 {
		t.Fatalf("only %d golden metrics", len(want))
	}
	if got := metricNames(text, "zeek_cluster_"); !slices.Equal(got, want) {
		t.Errorf("shows\n%s\nZeek shows\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	want = metricHeads(golden, "zeek_cluster_")
	if len(want) < 2*10+2*9 { // ten metrics, two of them histograms
		t.Fatalf("only %d golden lines:\n%s", len(want), strings.Join(want, ""))
	}
	if got := metricHeads(text, "zeek_cluster_"); !slices.Equal(got, want) {
		t.Errorf("says\n%s\nZeek says\n%s", strings.Join(got, ""), strings.Join(want, ""))
	}
	for _, line := range []string{
		`zeek_cluster_core_outgoing_events_total{node="worker-1"} 2`,
		`zeek_cluster_core_incoming_events_total{node="worker-1"} 2`,
		`zeek_cluster_core_verbose_outgoing_events_total{handler="Cluster::hello",node="worker-1",topic="zeek.cluster.nodeid.__normalized__"} 1`,
		`zeek_cluster_core_verbose_incoming_events_total{handler="Cluster::Backend::ZeroMQ::hello",node="worker-1",topic="zeek.cluster.nodeid.__normalized__"} 1`,
		`zeek_cluster_core_debug_incoming_event_sizes_bucket{handler="Cluster::hello",node="worker-1",topic="zeek.cluster.nodeid.__normalized__",le="10"} 0`,
		`zeek_cluster_core_debug_incoming_event_sizes_bucket{handler="Cluster::hello",node="worker-1",topic="zeek.cluster.nodeid.__normalized__",le="500"} 1`,
		`zeek_cluster_core_debug_outgoing_event_sizes_count{handler="Cluster::hello",node="worker-1",script_location="none",topic="zeek.cluster.nodeid.__normalized__"} 1`,
		`zeek_cluster_onloop_queue_blocks_total{node="worker-1",tag="ZeroMQ"} 0`,
		`znode_node_cluster_nodes{node="worker-1"} 1`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no line %s in\n%s", line, text)
		}
	}
}

// Topics, names and places from outside are bounded in number and length.
func TestTelemetryBounds(t *testing.T) {
	t.Parallel()
	opt := DefaultTelemetryOptions()
	opt.CoreMetrics = TelemetryInfo | TelemetryVerbose | TelemetryDebug
	opt.TopicNormalizations = append(opt.TopicNormalizations,
		TopicNormalization{regexp.MustCompile(`^secret`), ""}, TopicNormalization{regexp.MustCompile(`^user\.`), "user.*"})
	tel := newTelemetry("core", opt)
	const events = 3 * maxTelemetryCache
	for i := range events {
		tel.incoming(fmt.Appendf(nil, "topic-%d", i), []byte("A::x"), i)
		tel.incoming(fmt.Appendf(nil, "zeek.cluster.nodeid.%d.", i), []byte("A::hello"), 60)
		tel.incoming(fmt.Appendf(nil, "secret-%d", i), []byte("A::x"), 60)
		tel.outgoing(fmt.Sprintf("user.%d", i), "A::y", 60000)
	}
	tel.incoming([]byte(strings.Repeat("x", 10*maxNameBytes)+"\xff"), []byte{0xff}, 1)
	if n := len(tel.in.labels); n > maxTelemetryTopics+1 {
		t.Errorf("%d labels", n)
	}
	if n := len(tel.in.cache); n > maxTelemetryCache {
		t.Errorf("%d topics remembered", n)
	}
	if got := tel.in.total.Load(); got != 3*events+1 {
		t.Errorf("%d incoming events", got)
	}
	sum := uint64(0)
	for _, c := range tel.in.list() {
		sum += c.n.Load()
		if c.labels.topic == "zeek.cluster.nodeid.__normalized__" && c.n.Load() != events {
			t.Errorf("%d under %s", c.n.Load(), c.labels.topic)
		}
		if len(c.labels.topic) > maxNameBytes+3 || strings.HasPrefix(c.labels.topic, "secret") {
			t.Errorf("label %q", c.labels.topic)
		}
	}
	if sum != 2*events+1 {
		t.Errorf("%d events counted by topic, want %d", sum, 2*events+1)
	}
	out := tel.out.list()
	if len(out) != 1 || out[0].labels.topic != "user.*" || out[0].n.Load() != events || out[0].sum.Load() != 60000*events {
		t.Errorf("outgoing: %+v", out[0].labels)
	}
	for i := range out[0].buckets {
		if out[0].buckets[i].Load() != 0 {
			t.Error("60000 bytes in a bucket of at most 50000")
		}
	}
}

func TestParseTelemetryKinds(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]TelemetryKinds{
		"": 0, "info": TelemetryInfo, "INFO, debug": TelemetryInfo | TelemetryDebug, "verbose": TelemetryVerbose,
	} {
		got, err := ParseTelemetryKinds(text)
		if err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
		if again, err := ParseTelemetryKinds(got.String()); err != nil || again != got {
			t.Errorf("%q comes back as %v, %v", got, again, err)
		}
	}
	if _, err := ParseTelemetryKinds("all"); err == nil {
		t.Error("all is a kind")
	}
}

// The hot paths allocate nothing, with any telemetry.
func TestNodeAllocs(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes pools forget")
	}
	for _, kinds := range []TelemetryKinds{TelemetryInfo, TelemetryInfo | TelemetryVerbose} {
		opt := testNodeOptions(t)
		opt.Telemetry.CoreMetrics = kinds
		n := newNode(t, opt)
		handled := 0
		n.Handle("A::x", func(e *Event) {
			for range e.Args() {
				handled++
			}
		})
		l := loop{n: n}
		msg := testEvent(t, "zeek.test", "x", "A::x")
		work := work{kind: workEvent, msg: msg}
		check := func(what string, f func()) {
			t.Helper()
			if a := testing.AllocsPerRun(1000, f); a != 0 {
				t.Errorf("telemetry %s: %s allocates %v times", kinds, what, a)
			}
		}
		check("handling an event", func() {
			l.batch[0] = work
			l.process(l.batch[:1])
		})
		_, _, _, payload, _ := sockets.Message(msg).Split()
		check("publishing an event", func() {
			if err := n.PublishEncoded("zeek.test", payload); err != nil {
				t.Fatal(err)
			}
		})
		if handled == 0 {
			t.Error("the handler was not called")
		}
	}
	s := newLogSink(t)
	_, log := logTo(t, func(o *Options) { o.WriteBufferSize, o.FlushInterval = 1<<20, 0 }, s.LogEndpoint())
	line := &logLine{1, "a line"}
	const grown = 5000
	for range grown { // lets the batch's buffer grow
		log.Write(line)
	}
	log.Flush()
	// Who takes them allocates, and that counts for all.
	await(t, "the records", func() bool { return len(s.records()) == grown })
	if a := testing.AllocsPerRun(1000, func() { log.Write(line) }); a != 0 {
		t.Errorf("writing a record allocates %v times", a)
	}
}
