package node

import (
	"io"
	"net/http"
	"slices"
	"testing"
)

func TestLayout(t *testing.T) {
	t.Parallel()
	l := Layout{
		"manager":  {Type: NodeManager, Host: "10.0.0.1", MetricsPort: 9991},
		"logger-2": {Type: NodeLogger, Host: "2001:db8::2", Port: 5557, MetricsPort: 9993},
		"logger-1": {Type: NodeLogger, Host: "logger.example", Port: 5557, MetricsPort: 9992},
		"worker-1": {Type: NodeWorker, Host: "10.0.0.3", Port: 4000},
		"logger-3": {Type: NodeLogger, Host: "10.0.0.4"},
	}
	if got, want := l.LogEndpoints(), []string{"tcp://logger.example:5557", "tcp://[2001:db8::2]:5557"}; !slices.Equal(got, want) {
		t.Errorf("log endpoints %q, want %q", got, want)
	}
	listener, err := ListenMetrics("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m, err := ServeMetrics(listener, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	get := func() (int, string) {
		t.Helper()
		client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		r, err := client.Get("http://" + m.Addr().String() + "/services.json")
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return r.StatusCode, string(body)
	}
	if code, body := get(); code != http.StatusNotFound {
		t.Errorf("without a layout: %d, %s", code, body)
	}
	for want, l := range map[string]Layout{
		`[{"targets":["logger.example:9992","[2001:db8::2]:9993","10.0.0.1:9991"],"labels":{}}]`: l,
		`[{"targets":[],"labels":{}}]`: nil,
	} {
		m.SetLayout(l)
		if code, body := get(); code != http.StatusOK || body != want {
			t.Errorf("%d, %s, want %s", code, body, want)
		}
	}
}

func TestParseNodeType(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]NodeType{
		"worker": NodeWorker, "WORKER": NodeWorker, "Cluster::LOGGER": NodeLogger, "manager": NodeManager, "proxy": NodeProxy, "none": NodeNone,
	} {
		if got, err := ParseNodeType(text); got != want || err != nil {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "boss"} {
		if got, err := ParseNodeType(text); err == nil {
			t.Errorf("%q is a %v", text, got)
		}
	}
	if got := NodeType(99).String(); got != "NodeType(99)" {
		t.Error(got)
	}
}
