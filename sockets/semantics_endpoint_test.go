package sockets_test

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/znode/znode/sockets"
	"github.com/znode/znode/sockets/zmqtest"
)

func TestParseEndpoint(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		in    string
		want  sockets.Endpoint
		again string // what String gives, if not in
	}{
		{"tcp://127.0.0.1:5555", sockets.Endpoint{Network: "tcp", Host: "127.0.0.1", Port: 5555}, ""},
		{"tcp://127.0.0.1:0", sockets.Endpoint{Network: "tcp", Host: "127.0.0.1"}, ""},
		{"tcp://127.0.0.1:*", sockets.Endpoint{Network: "tcp", Host: "127.0.0.1"}, "tcp://127.0.0.1:0"},
		{"tcp://*:5556", sockets.Endpoint{Network: "tcp", Host: "*", Port: 5556}, ""},
		{"tcp://*:*", sockets.Endpoint{Network: "tcp", Host: "*"}, "tcp://*:0"},
		{"tcp://localhost:65535", sockets.Endpoint{Network: "tcp", Host: "localhost", Port: 65535}, ""},
		{"tcp://a-b_c.Example:1", sockets.Endpoint{Network: "tcp", Host: "a-b_c.Example", Port: 1}, ""},
		{"tcp://[::1]:5555", sockets.Endpoint{Network: "tcp", Host: "::1", Port: 5555}, ""},
		{"tcp://[::]:0", sockets.Endpoint{Network: "tcp", Host: "::"}, ""},
		{"tcp://[fe80::1%eth0]:7", sockets.Endpoint{Network: "tcp", Host: "fe80::1%eth0", Port: 7}, ""},
		{"tcp://[127.0.0.1]:7", sockets.Endpoint{Network: "tcp", Host: "127.0.0.1", Port: 7}, "tcp://127.0.0.1:7"},
		{"tcp://h:007", sockets.Endpoint{Network: "tcp", Host: "h", Port: 7}, "tcp://h:7"},
		{"ipc:///run/zeek/x.sock", sockets.Endpoint{Network: "unix", Host: "/run/zeek/x.sock"}, ""},
		{"ipc://relative", sockets.Endpoint{Network: "unix", Host: "relative"}, ""},
		{"ipc://" + strings.Repeat("x", 103), sockets.Endpoint{Network: "unix", Host: strings.Repeat("x", 103)}, ""},
	} {
		got, err := sockets.ParseEndpoint(tc.in)
		if err != nil || got != tc.want {
			t.Errorf("%s: %+v, %v", tc.in, got, err)
		}
		if tc.again == "" {
			tc.again = tc.in
		}
		if got.String() != tc.again {
			t.Errorf("%s is printed as %s, want %s", tc.in, got, tc.again)
		}
	}
	for in, want := range map[string]string{
		"":                  "want tcp://host:port or ipc://path",
		"127.0.0.1:5555":    "want tcp://host:port or ipc://path",
		"udp://127.0.0.1:1": `unknown transport "udp"`,
		"inproc://x":        `unknown transport "inproc"`,
		"TCP://127.0.0.1:1": `unknown transport "TCP"`,
		"tcp://":            "want tcp://host:port",
		"tcp://127.0.0.1":   "want tcp://host:port",
		"tcp://::1:5555":    "in brackets",
		"tcp://[::1]":       "want tcp://host:port",
		"tcp://[::1:5555":   "in brackets",
		"tcp://:5555":       `host "" is empty`,
		"tcp://[]:5555":     `"" is not an IPv6 address`,
		"tcp://[host]:5555": `"host" is not an IPv6 address`,
		"tcp://[*]:5555":    `"*" is not an IPv6 address`,
		"tcp://h:":          `port ""`,
		"tcp://h:65536":     `port "65536"`,
		"tcp://h:-1":        `port "-1"`,
		"tcp://h:+1":        `port "+1"`,
		"tcp://h:1x":        `port "1x"`,
		"tcp://a b:1":       `holds ' '`,
		"tcp://a/b:1":       `holds '/'`,
		"tcp://h\x00:1":     `holds '\x00'`,
		"tcp://h;1.2.3.4:1": `holds ';'`,
		"tcp://" + strings.Repeat("h", 254) + ":1": "too long",
		"ipc://":                            "the path is empty",
		"ipc://*":                           "a path is needed",
		"ipc://a\x00b":                      "NUL",
		"ipc://" + strings.Repeat("x", 104): "104 bytes, at most 103 fit",
	} {
		if e, err := sockets.ParseEndpoint(in); err == nil {
			t.Errorf("%q is taken as %+v", in, e)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %q does not say %q", in, err, want)
		}
	}
}

// reached fails the test unless a message gets through an endpoint to this PULL.
func reached(t *testing.T, endpoint string, in inbox) {
	t.Helper()
	zmqtest.DialAs(t, endpoint, "PUSH").SendText(t, "through "+endpoint)
	if got := in.text(t); got[0] != "through "+endpoint {
		t.Errorf("through %s came %q", endpoint, got)
	}
}

// TestSeveralEndpoints binds one socket to several endpoints of all transports,
// and takes them away one by one.
func TestSeveralEndpoints(t *testing.T) {
	t.Parallel()
	x, in := newPULL(t, nil)
	dir := t.TempDir()
	var all []string
	for _, e := range []string{anyPort, anyPort, "tcp://*:*", "tcp://localhost:0", "ipc://" + filepath.Join(dir, "a"), "ipc://" + filepath.Join(dir, "b")} {
		all = append(all, bind(t, x, e))
	}
	if v6 := "tcp://[::1]:0"; hasIPv6() {
		all = append(all, bind(t, x, v6))
	}
	if got := x.Endpoints(); len(got) != len(all) {
		t.Fatalf("endpoints %q, bound %q", got, all)
	}
	conns := make(map[string]*zmqtest.Raw)
	for _, e := range all {
		if strings.HasSuffix(e, ":0") || strings.Contains(e, "*") {
			t.Errorf("endpoint %s is not the real one", e)
		}
		reached(t, e, in)
		conns[e] = zmqtest.DialAs(t, e, "PUSH")
	}
	for i, e := range all {
		if err := x.Unbind(e); err != nil {
			t.Fatal(err)
		}
		if err := x.Unbind(e); err == nil || !strings.Contains(err.Error(), e) {
			t.Errorf("unbind %s again: %v", e, err)
		}
		if refused(e) == nil {
			t.Errorf("%s still accepts", e)
		}
		// Connections that came through it live on, and so do the others.
		conns[e].SendText(t, "still here")
		if got := in.text(t); got[0] != "still here" {
			t.Errorf("received %q", got)
		}
		for _, left := range all[i+1:] {
			reached(t, left, in)
		}
	}
	// What was unbound can be bound again.
	for _, e := range all {
		if again := bind(t, x, e); again != e {
			t.Errorf("%s bound again is %s", e, again)
		}
		reached(t, e, in)
	}
}

// refused returns why nobody can connect.
func refused(endpoint string) error {
	network, address, _ := strings.Cut(endpoint, "://")
	if network == "ipc" {
		network = "unix"
	}
	nc, err := net.DialTimeout(network, address, zmqtest.Patience)
	if err == nil {
		nc.Close()
	}
	return err
}

func hasIPv6() bool {
	l, err := net.Listen("tcp", "[::1]:0")
	if err == nil {
		l.Close()
	}
	return err == nil
}

// TestIPv6 checks which addresses a wildcard is: as with libzmq all IPv4
// addresses, and IPv6 only when asked for.
func TestIPv6(t *testing.T) {
	t.Parallel()
	if !hasIPv6() {
		t.Skip("no IPv6 here")
	}
	for _, tc := range []struct {
		endpoint string
		ipv6     bool // the option
		v4, v6   bool // can be reached
	}{
		{"tcp://*:0", false, true, false},
		{"tcp://*:0", true, true, true},
		{"tcp://0.0.0.0:0", false, true, false},
		{"tcp://0.0.0.0:0", true, true, false},
		{"tcp://127.0.0.1:0", true, true, false},
		{"tcp://[::1]:0", false, false, true},
	} {
		x, in := newPULL(t, func(o *sockets.Options) { o.IPv6 = tc.ipv6 })
		e, err := sockets.ParseEndpoint(bind(t, x, tc.endpoint))
		if err != nil {
			t.Fatal(err)
		}
		for host, want := range map[string]bool{"127.0.0.1": tc.v4, "::1": tc.v6} {
			e.Host = host
			if err := refused(e.String()); (err == nil) != want {
				t.Errorf("%s with IPv6=%v: %s can be reached: %v (%v)", tc.endpoint, tc.ipv6, host, !want, err)
			} else if want {
				reached(t, e.String(), in)
			}
		}
		// A connecting socket of ours needs no option.
		push := newPUSH(t, nil)
		if e.Host = "127.0.0.1"; !tc.v4 {
			e.Host = "::1"
		}
		connect(t, push, e.String())
		if err := push.Send([]byte("x")); err != nil {
			t.Fatal(err)
		}
		in.before(t, "x")
	}
}

// TestIPv6WithLibzmq lets libzmq connect over IPv6 and bind for us.
func TestIPv6WithLibzmq(t *testing.T) {
	t.Parallel()
	if !hasIPv6() {
		t.Skip("no IPv6 here")
	}
	p := zmqtest.Start(t)
	x, in := newPULL(t, nil)
	push := p.Socket(t, "PUSH")
	push.SetInt(t, zmqtest.IPV6, 1)
	push.Connect(t, bind(t, x, "tcp://[::1]:0"))
	push.SendText(t, "one")
	in.before(t, "one")
	other := p.Socket(t, "PUSH")
	other.SetInt(t, zmqtest.IPV6, 1)
	connect(t, x, other.Bind(t, "tcp://[::1]:*"))
	other.SendText(t, "two")
	in.before(t, "two")
}

// TestStaleSocketFile: a file that a dead process left is replaced, one that is in
// use is not, and what is no socket is never touched.
func TestStaleSocketFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s")
	endpoint := "ipc://" + path
	leave := func() {
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		l.(*net.UnixListener).SetUnlinkOnClose(false)
		l.Close()
	}
	leave()
	x, in := newPULL(t, nil)
	bind(t, x, endpoint)
	reached(t, endpoint, in)

	y, _ := newPULL(t, nil)
	if _, err := y.Bind(endpoint); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a path in use: error %v", err)
	}
	reached(t, endpoint, in)

	x.Close()
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("Close left the file: %v", err)
	}
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := y.Bind(endpoint); err == nil {
		t.Error("a file is bound to")
	}
	if b, err := os.ReadFile(path); string(b) != "precious" {
		t.Errorf("the file is %q, %v", b, err)
	}
	if _, err := y.Bind("ipc://" + filepath.Join(path, "no", "such", "dir")); err == nil {
		t.Error("a path without a directory is bound to")
	}
}

// TestBusySocketFile: a process that is too busy to accept is not a dead one.
func TestBusySocketFile(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("how a full backlog looks differs")
	}
	path := filepath.Join(t.TempDir(), "s")
	fillBacklog(t, path)
	x, _ := newPULL(t, nil)
	if _, err := x.Bind("ipc://" + path); err == nil {
		t.Error("the path of a live process was taken")
	}
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("the file of a live process is gone: %v", err)
	}
}

func TestBindErrors(t *testing.T) {
	t.Parallel()
	x, _ := newPULL(t, nil)
	e := bind(t, x, anyPort)
	for _, bad := range []string{"", "tcp://127.0.0.1", "tcp://192.0.2.1:0", "tcp://no-such-host.invalid:0", e} {
		if bound, err := x.Bind(bad); err == nil {
			t.Errorf("%q is bound as %s", bad, bound)
		} else if !strings.Contains(err.Error(), bad) || !strings.HasPrefix(err.Error(), "bind") {
			t.Errorf("%q: error %q", bad, err)
		}
	}
	if err := x.Unbind("tcp://127.0.0.1:1"); err == nil {
		t.Error("unbound what was not bound")
	}
	for _, bad := range []string{"", "tcp://127.0.0.1:0", "tcp://127.0.0.1:*", "ipc://"} {
		if err := x.Connect(bad); err == nil {
			t.Errorf("connected to %q", bad)
		}
	}
	connect(t, x, e)
	if err := x.Connect(e); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("a second Connect: %v", err)
	}
	if err := x.Disconnect("tcp://127.0.0.1:1"); err == nil {
		t.Error("disconnected what was not connected")
	}
	x.Close()
	if _, err := x.Bind(anyPort); err != sockets.ErrClosed {
		t.Errorf("Bind after Close: %v", err)
	}
	if err := x.Connect(e); err != sockets.ErrClosed {
		t.Errorf("Connect after Close: %v", err)
	}
	if err := x.Unbind(e); err == nil {
		t.Error("Unbind after Close")
	}
}

// TestDisconnect ends a connection with what is queued for it, and the same
// endpoint can be connected again.
func TestDisconnect(t *testing.T) {
	t.Parallel()
	push := newPUSH(t, nil)
	l := zmqtest.Listen(t, zmqtest.Loopback)
	connect(t, push, l.Endpoint)
	r := l.Accept(t)
	r.Handshake(t, "PULL")
	if err := push.Send([]byte("one")); err != nil {
		t.Fatal(err)
	}
	if got := r.RecvText(t); got[0] != "one" {
		t.Errorf("received %q", got)
	}
	if err := push.Disconnect(l.Endpoint); err != nil {
		t.Fatal(err)
	}
	if got := r.ReadClosed(t); len(got) > 0 {
		t.Errorf("sent %q at the end", got)
	}
	if err := push.Send([]byte("nobody")); err != sockets.ErrAgain {
		t.Errorf("without a pipe Send gives %v", err)
	}
	if n := len(push.Peers()); n != 0 {
		t.Errorf("%d peers", n)
	}
	// Before anybody has answered, in the middle of a handshake, and queueing.
	connect(t, push, l.Endpoint)
	if err := push.Send([]byte("lost")); err != nil {
		t.Fatal(err)
	}
	half := l.Accept(t)
	half.SendBytes(t, zmqtest.Greeting(0, "NULL", false))
	if err := push.Disconnect(l.Endpoint); err != nil {
		t.Fatal(err)
	}
	half.ReadClosed(t)
	connect(t, push, l.Endpoint)
	r = l.Accept(t)
	r.Handshake(t, "PULL")
	if err := push.Send([]byte("two")); err != nil {
		t.Fatal(err)
	}
	if got := r.RecvText(t); got[0] != "two" {
		t.Errorf("received %q", got)
	}
}
