# As zeek-cluster-layout-generator writes it for several hosts.

module Cluster;

type Host: record {
	ip: addr;
};

const hosts: table[string] of Host &redef;

redef Cluster::hosts += {
	["mgr"] = [$ip=10.0.0.1],
	["wkr"] = [$ip=(blocking_lookup_hostname("wkr.example") as vector of addr)[0]],
};

redef Cluster::nodes += {
    ["manager"] = [$node_type=Cluster::MANAGER, $ip=hosts["mgr"]$ip, $p=27760/tcp],
    ["worker-1"] = [$node_type=Cluster::WORKER, $ip=hosts["wkr"]$ip, $manager="manager"]
};

redef Cluster::manager_is_logger = T;

@load base/frameworks/telemetry/options

const metrics_address_env = getenv("ZEEK_TELEMETRY_LISTEN_ADDRESS");
@if ( |metrics_address_env| > 0 )
redef Telemetry::metrics_address = metrics_address_env;
@else
@if ( Cluster::node in Cluster::nodes )
const my_ip = Cluster::nodes[Cluster::node]$ip;
const my_ip_str = is_v4_addr(my_ip) ? cat(my_ip) : cat("[", my_ip, "]");
redef Telemetry::metrics_address = my_ip_str;
@endif
@endif
redef Telemetry::metrics_port = Cluster::local_node_metrics_port();
