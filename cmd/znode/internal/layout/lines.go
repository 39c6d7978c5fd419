package layout

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// Lines says what a Zeek cluster is to use. Endpoints are where the cluster's
// nodes connect: what znode listens at, with an address that they reach.
type Lines struct {
	// XSUB and XPUB are the broker's; empty leaves the broker to the manager.
	XSUB, XPUB string
	// Log is the logger's; empty leaves logs to the loggers of the layout.
	Log string
	// Entry makes the logger a node of the layout by the name Node, with the
	// manager of the name Manager; otherwise the cluster has no logger of its own
	// and is told the endpoint.
	Entry         bool
	Node, Manager string
}

// CheckEntry tells why an endpoint cannot stand in a layout: only an address and
// a port can.
func CheckEntry(endpoint string) error {
	_, _, err := addressAndPort(endpoint)
	return err
}

func addressAndPort(endpoint string) (netip.Addr, string, error) {
	hostPort, ok := strings.CutPrefix(endpoint, "tcp://")
	if !ok {
		return netip.Addr{}, "", fmt.Errorf("%s is no TCP endpoint, and a layout has no others", endpoint)
	}
	host, port, err := net.SplitHostPort(hostPort)
	if err != nil {
		return netip.Addr{}, "", err
	}
	ip, err := netip.ParseAddr(host)
	if err != nil || ip.Zone() != "" {
		return netip.Addr{}, "", fmt.Errorf("%s has no plain address, and a layout has no names", endpoint)
	}
	return ip, port, nil
}

// String is the script. Where the lines have to stand follows from the order in
// which Zeek reads scripts: base scripts and cluster-layout.zeek, then those of
// the command line; and zeekctl sets the connect endpoints itself, behind
// local.zeek and before ZeekArgs.
func (l Lines) String() string {
	var b strings.Builder
	if l.XSUB != "" || l.Log != "" && !l.Entry {
		b.WriteString("# znode.zeek: every node of the cluster loads this after all other scripts.\n" +
			"# With zeekctl, put it into the site directory and ZeekArgs = znode into zeekctl.cfg.\n" +
			"@load frameworks/cluster/backend/zeromq\n")
	}
	const module = "redef Cluster::Backend::ZeroMQ::"
	if l.XSUB != "" {
		b.WriteString("\n# znode is the broker. The names cross: a node's XPUB connects to the broker's XSUB.\n")
		fmt.Fprintf(&b, "%srun_proxy_thread = F;\n", module)
		fmt.Fprintf(&b, "%sconnect_xpub_endpoint = %s;\n", module, quote(l.XSUB))
		fmt.Fprintf(&b, "%sconnect_xsub_endpoint = %s;\n", module, quote(l.XPUB))
	}
	if l.Log != "" && !l.Entry {
		b.WriteString("\n# znode is the logger, and the layout has none.\n" +
			"redef Cluster::manager_is_logger = F;\n")
		fmt.Fprintf(&b, "%sconnect_log_endpoints += { %s };\n", module, quote(l.Log))
		b.WriteString("# A manager whose layout named no logger has been made one before this is read.\n" +
			"@if ( Cluster::local_node_type() == Cluster::MANAGER )\n" +
			"redef Log::enable_local_logging = F;\n" +
			"redef Log::enable_remote_logging = T;\n" +
			"@endif\n")
	}
	if l.ipv6() {
		fmt.Fprintf(&b, "\n%sipv6 = T;\n", module)
	}
	if l.Log != "" && l.Entry {
		b.WriteString(l.entry(b.Len() > 0))
	}
	return b.String()
}

// entry is what makes znode a logger of the layout.
func (l Lines) entry(behind bool) string {
	var b strings.Builder
	if behind {
		b.WriteByte('\n')
	}
	ip, port, _ := addressAndPort(l.Log)
	address := ip.String()
	if ip.Is6() {
		address = "[" + address + "]"
	}
	b.WriteString("# cluster-layout.zeek: znode is a logger of the layout. Nothing may start a Zeek for it.\n" +
		"redef Cluster::manager_is_logger = F;\n" +
		"redef Cluster::nodes += {\n")
	fmt.Fprintf(&b, "\t[%s] = [$node_type=Cluster::LOGGER, $ip=%s, $p=%s/tcp, $manager=%s],\n};\n",
		quote(l.Node), address, port, quote(l.Manager))
	return b.String()
}

// ipv6 tells whether libzmq has to be told of IPv6.
func (l Lines) ipv6() bool {
	return strings.Contains(l.XSUB+l.XPUB, "[") || !l.Entry && strings.Contains(l.Log, "[")
}

// quote is a string of a Zeek script.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
