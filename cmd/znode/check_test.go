package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/znode/znode/sockets/zmqtest"
)

const checkLayout = `redef Cluster::manager_is_logger = F;
redef Cluster::nodes = {
	["control"] = [$node_type=Cluster::CONTROL, $ip=127.0.0.1, $p=1/tcp],
	["manager"] = [$node_type=Cluster::MANAGER, $ip=127.0.0.1, $p=2/tcp],
	["logger-1"] = [$node_type=Cluster::LOGGER, $ip=127.0.0.1, $p=PORT/tcp],
	["proxy_1"] = [$node_type=Cluster::PROXY, $ip=127.0.0.1],
	["worker-1"] = [$node_type=Cluster::WORKER, $ip=127.0.0.1],
	["worker-2"] = [$node_type=Cluster::WORKER, $ip=127.0.0.1],
};
`

// TestCheck: a cluster of libzmq's nodes is found well, and what is wrong is found
// too.
func TestCheck(t *testing.T) {
	t.Parallel()
	p := zmqtest.Start(t)
	c := startCluster(t)
	layout := filepath.Join(t.TempDir(), "cluster-layout.zeek")
	if err := os.WriteFile(layout, []byte(strings.Replace(checkLayout, "PORT", c.logs[strings.LastIndexByte(c.logs, ':')+1:], 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"check", "--json", "--layout=" + layout, "--timeout=" + long}, c.at()...)
	check := func(status int) (r report) {
		t.Helper()
		out, people, got := outcome(t, args...)
		if err := json.Unmarshal([]byte(out), &r); err != nil || got != status || people != "" || r.OK != (status == 0) {
			t.Fatalf("status %d, want %d: %v\n%s%s", got, status, err, out, people)
		}
		return r
	}
	var watch *zmqtest.Node
	for _, name := range []string{"manager", "proxy_1", "worker-1"} {
		watch = c.zeekNode(t, p, name)
	}
	r := check(1)
	if n := r.node("worker-2"); n.Present || n.Problem != "in the layout, but not connected to the broker" || n.Type != "worker" {
		t.Errorf("worker-2 is missing: %+v", n)
	}
	elsewhere := filepath.Join(t.TempDir(), "elsewhere.zeek")
	if err := os.WriteFile(elsewhere, []byte(strings.Replace(checkLayout, "PORT", "1", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, _, status := outcome(t, append([]string{"check", "--layout=" + elsewhere, "--timeout=" + long}, c.at()...)...); status != 1 || !strings.Contains(out, "name that with --connect-log-endpoints.") {
		t.Errorf("a logger that is not where the layout has it: status %d\n%s", status, out)
	}
	c.zeekNode(t, p, "worker-2")
	watch.Sync(t)
	r = check(0)
	for name, kind := range map[string]string{"manager": "manager", "proxy_1": "proxy", "worker-1": "worker", "worker-2": "worker"} {
		if n := r.node(name); !n.Present || n.Type != kind || n.Problem != "" {
			t.Errorf("%+v", n)
		}
	}
	if n := r.node("logger-1"); n.Detail != "not at the broker, but takes logs" {
		t.Errorf("%+v", n)
	}
	if r.node("control").Name != "" {
		t.Error("the control node is missed")
	}
	for _, s := range watch.Sync(t) {
		if strings.HasPrefix(s[1:], nodeIDTopic) && !strings.Contains(s, "worker-2") {
			t.Errorf("check subscribed to %s", s)
		}
	}

	c.zeekNode(t, p, "worker-3")
	again := p.Node(t, "zeromq_worker-1_host_18_NqVcXOfRxbbkGC3MK")
	again.Join(t, c.xsub, c.xpub)
	again.Subscribe(t, nodeIDTopic+again.ID+".")
	again.Sync(t)
	r = check(1)
	if n := r.node("worker-3"); n.Problem != "this name is not in the layout" {
		t.Errorf("%+v", n)
	}
	out, _, _ := outcome(t, append(args[:1:1], args[2:]...)...)
	for _, part := range []string{
		"CHECK  ", "\nbroker XPUB " + c.xpub + "  ok  ", "\nround trip  ", "\nlogger " + c.logs + "  ", "another process has this name: zeromq_worker-1_host_",
		"\nnode worker-2 (worker)  ", "-> Stop one of the two",
	} {
		if !strings.Contains(out, part) {
			t.Errorf("%q is not in\n%s", part, out)
		}
	}
}

func (r report) node(name string) (found nodeReport) {
	for _, n := range r.Nodes {
		if n.Name == name {
			found = n
		}
	}
	return found
}

// TestCheckTrouble: each kind of trouble has a name and a way out.
func TestCheckTrouble(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	silent := zmqtest.Listen(t, zmqtest.Loopback)
	gone := "tcp://127.0.0.1:1"
	for name, tc := range map[string]struct{ timeout, xsub, xpub, log, detail, advice string }{
		"nobody":  {long, gone, gone, gone, "connection refused", "Is it running"},
		"swapped": {long, c.xpub, c.xsub, c.logs, "socket_type", "swapped"},
		"silent":  {"1s", silent.Endpoint, silent.Endpoint, silent.Endpoint, "no answer in time", "may be stopped"},
	} {
		out, people, status := outcome(t, "check", "--timeout="+tc.timeout, "--connect-xpub-endpoint="+tc.xsub, "--connect-xsub-endpoint="+tc.xpub, "--connect-log-endpoints="+tc.log)
		if status != 1 || people != "" || !strings.Contains(out, tc.detail) || !strings.Contains(out, tc.advice) || !strings.Contains(out, "round trip  ") {
			t.Errorf("%s: status %d\n%s%s", name, status, out, people)
		}
	}
}
