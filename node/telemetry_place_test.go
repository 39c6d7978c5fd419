package node_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/znode/znode/node"
)

// With TelemetryDebug an event is counted under the place that publishes it,
// outside of package node.
func TestTelemetryPlace(t *testing.T) {
	t.Parallel()
	opt := node.DefaultOptions()
	opt.ConnectXPUBEndpoint, opt.ConnectXSUBEndpoint = "", ""
	opt.Telemetry.CoreMetrics = node.TelemetryDebug
	n, err := node.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	for range 3 {
		if err := n.PublishTo("worker-1", "A::x"); err != nil {
			t.Fatal(err)
		}
	}
	_, _, line, _ := runtime.Caller(0)
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(n)
	w := httptest.NewRecorder()
	promhttp.HandlerFor(r, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	want := fmt.Sprintf(`event_sizes_count{handler="A::x",node="znode",script_location="node/telemetry_place_test.go:%d",topic="zeek.cluster.node.worker-1."} 3`, line-4)
	if !strings.Contains(w.Body.String(), want) {
		t.Errorf("no %s in\n%s", want, w.Body)
	}
}
