package side

import (
	"net"
	"testing"
)

func TestSampleReadsPrometheusLines(t *testing.T) {
	const name = "znode_broker_peer_dropped_total"
	for _, c := range []struct {
		line string
		v    float64
		ok   bool
	}{
		{name + `{node="a",peer="127.0.0.1:1"} 12`, 12, true},
		{name + `{peer="odd } name"} 1e+06`, 1e6, true},
		{name + ` 3 1700000000`, 3, true},
		{"# HELP " + name + " text", 0, false},
		{name + `_other{a="b"} 4`, 0, false},
		{"go_goroutines 5", 0, false},
	} {
		v, ok, err := sample(c.line, name)
		if v != c.v || ok != c.ok || err != nil {
			t.Errorf("%q: %v %v %v", c.line, v, ok, err)
		}
	}
	for _, bad := range []string{name + `{a="b"}`, name + ` x`} {
		if _, _, err := sample(bad, name); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func TestListeningAsksTheKernel(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if ok, err := listening(addr); err != nil || !ok {
		t.Errorf("an open listener: %v, %v", ok, err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if ok, err := listening(addr); err != nil || ok {
		t.Errorf("a closed listener: %v, %v", ok, err)
	}
}
