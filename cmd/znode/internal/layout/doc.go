// Package layout reads the cluster-layout.zeek of a Zeek cluster, and writes the
// lines that make a Zeek cluster use znode.
//
// A layout is a Zeek script, and Zeek can compute anything in one. [Parse] reads
// the form that zeekctl (ZeekControl/install.py) and zeek-cluster-layout-generator
// (tools/systemd-generator in Zeek) write:
//
//	redef Cluster::manager_is_logger = F;
//	redef Cluster::nodes = {
//		["logger-1"] = [$node_type=Cluster::LOGGER, $ip=10.0.0.1, $p=27761/tcp],
//	};
//
// with = or +=, with addresses taken from a table Cluster::hosts, and with names
// looked up by blocking_lookup_hostname. What else these programs put there
// (telemetry, a handler of zeek_init) is skipped. Anything else is an error that
// says line and column, because a layout that is half understood is worse than
// none.
//
// Files in reading order: layout.go, error.go, scan.go, parse.go, entry.go,
// value.go; lines.go.
package layout
