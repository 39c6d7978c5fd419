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
	// Layout is the file that has the logger Node already; then Log is empty.
	Layout string
	// Keys are what the nodes need to speak with a znode that encrypts; nil where
	// it does not.
	Keys *Keys
}

// Keys are those of CURVE that Zeek's nodes need, in Z85.
type Keys struct {
	ServerPublic, ClientPublic string
	// ClientSecret is empty where it is not to be shown.
	ClientSecret string
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
	if l.XSUB != "" || l.Log != "" && !l.Entry || l.Layout != "" || l.Keys != nil {
		b.WriteString("# znode.zeek: goes into the site directory, and every node of the cluster loads it.\n" +
			"# zeekctl, which sets endpoints of its own before it: ZeekArgs = znode in zeekctl.cfg.\n" +
			"# zeek-systemd-generator: cluster_backend_args = znode in zeek.conf.\n" +
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
			"redef Cluster::Backend::ZeroMQ::listen_log_endpoint = \"\";\n" +
			"@endif\n")
	}
	if l.Layout != "" {
		fmt.Fprintf(&b, "\n# %s takes logs as %q says. Nothing may start a Zeek for it.\n", l.Node, l.Layout)
	}
	if l.Keys != nil {
		b.WriteString(l.Keys.lines())
	}
	if l.ipv6() {
		fmt.Fprintf(&b, "\n%sipv6 = T;\n", module)
	}
	if l.Log != "" && l.Entry {
		b.WriteString(l.entry(b.Len() > 0))
	}
	return b.String()
}

// lines are what gives the nodes their keys. Zeek ends with an error when there are
// also keys in its environment.
func (k *Keys) lines() string {
	const module = "redef Cluster::Backend::ZeroMQ::curve_"
	var b strings.Builder
	b.WriteString("\n# znode takes nobody without these keys. Leave the lines out where the nodes have them already:\n" +
		"# from zeekctl, or in ZEEK_CLUSTER_BACKEND_ZEROMQ_CURVE_*.\n")
	fmt.Fprintf(&b, "%sserver_publickey = %s;\n%sclient_publickey = %s;\n", module, quote(k.ServerPublic), module, quote(k.ClientPublic))
	if k.ClientSecret == "" {
		fmt.Fprintf(&b, "# %sclient_secretkey = the secret one of client_publickey; see znode layout --secret\n", module)
	} else {
		fmt.Fprintf(&b, "%sclient_secretkey = %s;\n", module, quote(k.ClientSecret))
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
