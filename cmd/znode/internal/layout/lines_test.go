package layout

import (
	"strings"
	"testing"
)

func TestLines(t *testing.T) {
	t.Parallel()
	all := Lines{XSUB: "tcp://192.0.2.1:5556", XPUB: "tcp://192.0.2.1:5555", Log: "tcp://192.0.2.1:5557"}
	broker := []string{
		"@load frameworks/cluster/backend/zeromq",
		"redef Cluster::Backend::ZeroMQ::run_proxy_thread = F;",
		`redef Cluster::Backend::ZeroMQ::connect_xpub_endpoint = "tcp://192.0.2.1:5556";`,
		`redef Cluster::Backend::ZeroMQ::connect_xsub_endpoint = "tcp://192.0.2.1:5555";`,
	}
	zero := []string{
		"redef Cluster::manager_is_logger = F;",
		`redef Cluster::Backend::ZeroMQ::connect_log_endpoints += { "tcp://192.0.2.1:5557" };`,
		"@if ( Cluster::local_node_type() == Cluster::MANAGER )",
		"redef Log::enable_local_logging = F;",
		"redef Log::enable_remote_logging = T;",
		`redef Cluster::Backend::ZeroMQ::listen_log_endpoint = "";`,
		"@endif",
	}
	keys := []string{
		`redef Cluster::Backend::ZeroMQ::curve_server_publickey = "server";`,
		`redef Cluster::Backend::ZeroMQ::curve_client_publickey = "client";`,
	}
	entry := Lines{Log: "tcp://[2001:db8::1]:5557", Entry: true, Node: "logger-1", Manager: "manager"}
	for _, c := range []struct {
		lines Lines
		want  []string // without comments and empty lines
	}{
		{all, append(broker[:4:4], zero...)},
		{Lines{XSUB: all.XSUB, XPUB: all.XPUB}, broker},
		{Lines{XSUB: all.XSUB, XPUB: all.XPUB, Layout: "a\nb", Node: "logger-1"}, broker},
		{Lines{Log: all.Log}, append(broker[:1:1], zero...)},
		{Lines{Log: "ipc:///run/\"x"}, append(append(broker[:1:1], zero[0],
			`redef Cluster::Backend::ZeroMQ::connect_log_endpoints += { "ipc:///run/\"x" };`), zero[2:]...)},
		{entry, []string{
			"redef Cluster::manager_is_logger = F;",
			"redef Cluster::nodes += {",
			`["logger-1"] = [$node_type=Cluster::LOGGER, $ip=[2001:db8::1], $p=5557/tcp, $manager="manager"],`,
			"};",
		}},
		{Lines{XSUB: "tcp://[::1]:1", XPUB: "tcp://[::1]:2"}, []string{
			broker[0], broker[1],
			`redef Cluster::Backend::ZeroMQ::connect_xpub_endpoint = "tcp://[::1]:1";`,
			`redef Cluster::Backend::ZeroMQ::connect_xsub_endpoint = "tcp://[::1]:2";`,
			"redef Cluster::Backend::ZeroMQ::ipv6 = T;",
		}},
		{Lines{XSUB: all.XSUB, XPUB: all.XPUB, Keys: &Keys{"server", "client", ""}}, append(broker[:4:4], keys...)},
		{Lines{Log: entry.Log, Entry: true, Node: "logger-1", Manager: "manager", Keys: &Keys{"server", "client", "secret"}}, []string{
			broker[0], keys[0], keys[1],
			`redef Cluster::Backend::ZeroMQ::curve_client_secretkey = "secret";`,
			zero[0], "redef Cluster::nodes += {",
			`["logger-1"] = [$node_type=Cluster::LOGGER, $ip=[2001:db8::1], $p=5557/tcp, $manager="manager"],`,
			"};",
		}},
	} {
		var got []string
		for _, line := range strings.Split(c.lines.String(), "\n") {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
				got = append(got, line)
			}
		}
		if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
			t.Errorf("%+v gives\n%s\nwant\n%s", c.lines, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
	// What is written is what is read.
	l, err := Parse("f", []byte(strings.Replace(entry.String(), "$manager", "$id", 1)))
	if err != nil || len(l.Nodes) != 1 || l.ManagerIsLogger || l.Nodes[0].LogEndpoint() != entry.Log {
		t.Errorf("read back: %+v, %v", l, err)
	}
}

func TestCheckEntry(t *testing.T) {
	t.Parallel()
	for endpoint, good := range map[string]bool{
		"tcp://192.0.2.1:5557": true, "tcp://[::1]:5557": true, "tcp://host:5557": false,
		"ipc:///run/x": false, "tcp://[fe80::1%eth0]:1": false,
	} {
		if err := CheckEntry(endpoint); (err == nil) != good {
			t.Errorf("%s: %v", endpoint, err)
		}
	}
}
