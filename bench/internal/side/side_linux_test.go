package side

import (
	"fmt"
	"testing"

	"golang.org/x/sys/unix"
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
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	// The port is ours from here on, so that nobody else listens there.
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	addr := fmt.Sprintf("127.0.0.1:%d", name.(*unix.SockaddrInet4).Port)
	if ok, err := listening(addr); err != nil || ok {
		t.Errorf("before there is a listener: %v, %v", ok, err)
	}
	if err := unix.Listen(fd, 1); err != nil {
		t.Fatal(err)
	}
	if ok, err := listening(addr); err != nil || !ok {
		t.Errorf("a listener: %v, %v", ok, err)
	}
}
