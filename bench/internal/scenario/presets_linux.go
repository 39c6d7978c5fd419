package scenario

import (
	"fmt"
	"slices"

	"github.com/znode/znode/bench/internal/load"
	"github.com/znode/znode/bench/internal/report"
	"github.com/znode/znode/bench/internal/side"
)

var (
	bothPeers = []string{RawPeers, ZmqPeers}
	// A byte pump knows neither subscriptions nor clusters.
	brokers = []string{side.Znode, side.Libzmq}
)

// over is a want of znode's figure as a multiple of another side's.
func over(base string, m report.Metric, bound report.Bound, limit float64) report.Want {
	return report.Want{Side: side.Znode, Metric: m.Name, Unit: m.Unit, Base: base, Bound: bound, Limit: limit}
}

// own is a want of znode's figure itself.
func own(m report.Metric, bound report.Bound, limit float64) report.Want {
	return report.Want{Side: side.Znode, Metric: m.Name, Unit: m.Unit, Bound: bound, Limit: limit}
}

// nothingLost is wanted wherever no subscriber is slow.
var nothingLost = []report.Want{own(metricLost, report.AtMost, 0), own(metricMisordered, report.AtMost, 0)}

func traffic(pubs, subs, size int) load.Config {
	return load.Config{Pubs: pubs, Subs: subs, Size: size, Topics: 1, Select: load.SelectAny}
}

func topics(sel string) load.Config {
	cfg := traffic(4, 8, 200)
	cfg.Topics, cfg.Select = 8, sel
	return cfg
}

func paced(perSecond int) load.Config {
	cfg := traffic(1, 1, 200)
	cfg.Rate = perSecond
	return cfg
}

// grace is the broker's default slow_subscriber_grace in seconds, and a tenth
// for the machine to wake everybody up again.
const grace = 1.1

// Presets returns all named scenarios, with what is wanted of znode in each.
func Presets() []Scenario {
	pump := over(side.Pump, metricDeliveries, report.AtLeast, 0.95)
	return []Scenario{
		{
			Name: "1to1", Title: "1 publisher, 1 subscriber, 200 B", Peers: bothPeers, Lossless: true, measure: stream(traffic(1, 1, 200)),
			Wants: append([]report.Want{
				over(side.Libzmq, metricDeliveries, report.AtLeast, 12), pump,
				over(side.Pump, metricCPU, report.AtMost, 1.4),
			}, nothingLost...),
		},
		{
			Name: "4to8", Title: "4 publishers, 8 subscribers, 200 B", Peers: bothPeers, Lossless: true, measure: stream(traffic(4, 8, 200)),
			Wants: append([]report.Want{over(side.Libzmq, metricDeliveries, report.AtLeast, 10), pump}, nothingLost...),
		},
		{
			Name: "topics8-all", Title: "8 interleaved topics, 4 publishers, 8 subscribers to all of them, 200 B", Peers: bothPeers,
			Lossless: true, measure: stream(topics(load.SelectAll)),
			Wants: append([]report.Want{over(side.Libzmq, metricDeliveries, report.AtLeast, 6)}, nothingLost...),
		},
		{
			Name: "topics8-one", Title: "8 interleaved topics, 4 publishers, 8 subscribers to one each, 200 B", Peers: bothPeers,
			Sides: brokers, Lossless: true, measure: stream(topics(load.SelectOne)),
			Wants: append([]report.Want{over(side.Libzmq, metricDeliveries, report.AtLeast, 6)}, nothingLost...),
		},
		{
			Name: "size2000", Title: "1 publisher, 1 subscriber, 2000 B", Peers: bothPeers, Lossless: true, measure: stream(traffic(1, 1, 2000)),
			Wants: append([]report.Want{pump}, nothingLost...),
		},
		{
			Name: "size65536", Title: "1 publisher, 1 subscriber, 64 KiB", Peers: bothPeers, Lossless: true, measure: stream(traffic(1, 1, 65536)),
			Wants: append([]report.Want{pump}, nothingLost...),
		},
		{
			Name: "latency", Title: "5000 messages a second, 200 B, 1 publisher, 1 subscriber", Peers: bothPeers, measure: stream(paced(5000)),
			Wants: append([]report.Want{
				over(side.Libzmq, metricP50, report.AtMost, 1), over(side.Libzmq, metricP99, report.AtMost, 1),
			}, nothingLost...),
		},
		{
			Name: "curve-1to1", Title: "CURVE, 1 publisher, 1 subscriber, 200 B", Curve: true, Lossless: true, Peers: bothPeers,
			Sides: brokers, measure: stream(traffic(1, 1, 200)),
			Wants: append([]report.Want{
				over(side.Libzmq, metricCPU, report.AtMost, 0.55), over(side.Libzmq, metricDeliveries, report.AtLeast, 1.4),
			}, nothingLost...),
		},
		{
			Name: "curve-4to8", Title: "CURVE, 4 publishers, 8 subscribers, 200 B", Curve: true, Lossless: true, Peers: bothPeers,
			Sides: brokers, measure: stream(traffic(4, 8, 200)),
			Wants: append([]report.Want{
				over(side.Libzmq, metricCPU, report.AtMost, 0.6), over(side.Libzmq, metricDeliveries, report.AtLeast, 1.3),
			}, nothingLost...),
		},
		{
			Name: "join400", Title: "400 nodes join", Sides: brokers, measure: join(400),
			Wants: []report.Want{
				over(side.Libzmq, metricJoin, report.Below, 1), over(side.Libzmq, metricJoinPeak, report.AtMost, 1),
				own(metricJoined, report.AtLeast, 400),
			},
		},
		{Name: "join2000", Title: "2000 nodes join", Sides: brokers, Most: 1, measure: join(2000), Wants: []report.Want{own(metricJoined, report.AtLeast, 2000)}},
		{
			Name: "stopped-subscriber", Title: "one of 4 subscribers stopped for 5 s", Sides: brokers, Most: 3, measure: stoppedSubscriber,
			Wants: []report.Want{
				own(metricPause, report.AtMost, grace), own(metricOthersLost, report.AtMost, 0), own(metricMisordered, report.AtMost, 0),
				own(metricResumed, report.Above, 0), own(metricStoppedLost, report.Above, 0),
				own(metricMiscounted, report.AtMost, 0), own(metricMiscounted, report.AtLeast, 0),
			},
		},
		{
			Name: "slow-subscriber", Title: "one of 4 subscribers reads at half speed", Sides: brokers, Most: 3, measure: slowSubscriber,
			Wants: []report.Want{
				own(metricKept, report.AtLeast, 0.85), own(metricOthersLost, report.AtMost, 0),
				own(metricMiscounted, report.AtMost, 0), own(metricMiscounted, report.AtLeast, 0),
			},
		},
		{
			Name: "silent10k", Title: "10,000 silent connections, then an honest node joins", Sides: brokers, Most: 3, measure: silent(10_000),
			Wants: []report.Want{
				own(metricDelay, report.AtMost, 0.01), own(metricPerSilent, report.AtMost, 16<<10), own(metricHeld, report.AtLeast, 10_000),
			},
		},
	}
}

// Named returns the presets with the given names, in that order; "all" is all.
func Named(names []string) ([]Scenario, error) {
	presets := Presets()
	var found []Scenario
	for _, name := range names {
		if name == "all" {
			found = append(found, presets...)
			continue
		}
		i := slices.IndexFunc(presets, func(s Scenario) bool { return s.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("unknown scenario %q; -list names them", name)
		}
		found = append(found, presets[i])
	}
	return found, nil
}

// Grid returns a scenario for each combination that makes sense.
func Grid(pubs, subs, sizes, topics []int, selects []string, rate int) (all []Scenario, err error) {
	for _, p := range pubs {
		for _, s := range subs {
			for _, size := range sizes {
				for _, n := range topics {
					for _, sel := range selects {
						cfg := load.Config{Role: load.RoleStream, Pubs: p, Subs: s, Size: size, Topics: n, Select: sel, Rate: rate, Inflight: 1}
						if err := cfg.Validate(); err != nil {
							return nil, err
						}
						all = append(all, gridScenario(cfg))
					}
				}
			}
		}
	}
	return all, nil
}

func gridScenario(cfg load.Config) Scenario {
	s := Scenario{
		Name:  fmt.Sprintf("grid/pubs=%d/subs=%d/size=%d/topics=%d/select=%s/rate=%d", cfg.Pubs, cfg.Subs, cfg.Size, cfg.Topics, cfg.Select, cfg.Rate),
		Title: fmt.Sprintf("%d publishers, %d subscribers, %d B, %d topics, %s", cfg.Pubs, cfg.Subs, cfg.Size, cfg.Topics, cfg.Select),
		Peers: bothPeers, Wants: nothingLost, measure: stream(cfg),
	}
	if cfg.Select == load.SelectOne && cfg.Topics > 1 {
		s.Sides = brokers
	}
	return s
}
