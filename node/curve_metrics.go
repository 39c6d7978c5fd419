package node

import "github.com/prometheus/client_golang/prometheus"

var _ prometheus.Collector = (*CurveServer)(nil)

var clientRefused = prometheus.NewDesc("znode_client_refused_total",
	"What a client wanted and has no right to: events to publish, subscriptions, connections to a logger",
	[]string{"node", "client", "what"}, nil)

// Describe implements prometheus.Collector.
func (s *CurveServer) Describe(ch chan<- *prometheus.Desc) { ch <- clientRefused }

// Collect implements prometheus.Collector. Clients that have all rights are shown
// too: they may lose them.
func (s *CurveServer) Collect(ch chan<- prometheus.Metric) {
	for _, c := range *s.clients.Load() {
		name := c.may().name
		if name == "" {
			continue // it has just left the list
		}
		for kind := range c.refused {
			ch <- prometheus.MustNewConstMetric(clientRefused, prometheus.CounterValue,
				float64(c.refused[kind].count.Load()), s.node, name, refusedNames[kind])
		}
	}
}
