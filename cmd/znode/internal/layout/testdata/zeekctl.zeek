# As zeekctl writes it.
redef Cluster::manager_is_logger = F;
redef Cluster::nodes = {
	["control"] = [$node_type=Cluster::CONTROL, $ip=[fd00::1], $p=27762/tcp],
	["manager"] = [$node_type=Cluster::MANAGER, $ip=[fd00::1], $p=27763/tcp, $metrics_port=9991/tcp],
	["logger-1"] = [$node_type=Cluster::LOGGER, $ip=[fd00::1], $p=27764/tcp, $metrics_port=9992/tcp],
	["proxy-1"] = [$node_type=Cluster::PROXY, $ip=10.0.0.2, $p=27765/tcp, $manager="manager", $metrics_port=9993/tcp],
	["worker-1"] = [$node_type=Cluster::WORKER, $ip=10.0.0.3, $p=27766/tcp, $manager="manager", $interface="eth0", $zone_id=""],
};

event zeek_init()
	{
	if ( getenv("ZEEKCTL_DISABLE_LISTEN") == "" && Cluster::local_node_type() == Cluster::MANAGER )
		{
		Cluster::listen_websocket([$listen_addr=127.0.0.1, $listen_port=27759/tcp]);
		}
	}
