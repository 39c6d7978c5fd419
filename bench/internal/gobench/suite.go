package gobench

import "github.com/znode/znode/bench/internal/report"

// Suite is some benchmarks of one package.
type Suite struct {
	Package string // below the module, such as "ring"
	Bench   string // which, as go test -bench takes it
	Title   string // what is compared, for people
	Side    string // the key that tells the sides; "": there is one, znode
	Wants   []report.Want
}

// Metrics of every benchmark. Those that a benchmark reports itself keep the
// names it gives them.
var (
	Time   = report.Metric{Name: "time-per-op", Unit: report.Seconds, Better: report.Less, Plot: true}
	Allocs = report.Metric{Name: "allocs-per-op", Unit: report.Count, Better: report.Less}
	Bytes  = report.Metric{Name: "bytes-per-op", Unit: report.Bytes, Better: report.Less}
)

// faster wants one side's operation to take at most limit times the other's.
func faster(side, base string, limit float64) report.Want {
	return report.Want{Side: side, Metric: Time.Name, Unit: Time.Unit, Base: base, Bound: report.AtMost, Limit: limit}
}

// lean wants a side to allocate nothing.
func lean(side string) report.Want {
	return report.Want{Side: side, Metric: Allocs.Name, Unit: Allocs.Unit, Bound: report.AtMost, Limit: 0}
}

// Ring compares the module's queues with a channel and with xsync's.
func Ring() []Suite {
	return []Suite{
		{
			Package: "ring", Bench: "^BenchmarkMPSC$/^queue=/^producers=(1|4)$/^batch=(1|64)$", Side: "queue",
			Title: "items of several producers to one consumer",
			Wants: []report.Want{faster("ring", "chan", 1), faster("ring", "xsync", 1), lean("ring"), lean("ring-force")},
		},
		{
			Package: "ring", Bench: "^BenchmarkSPSC$/^queue=/^batch=(1|64)$", Side: "queue",
			Title: "items of one producer to one consumer",
			Wants: []report.Want{faster("ring", "chan", 1), faster("ring", "xsync", 1), lean("ring")},
		},
	}
}

// Codec compares reading and writing with what encoding/json does.
func Codec() []Suite {
	return []Suite{
		{
			Package: "codec", Bench: "^BenchmarkConnJSON$", Side: "impl", Title: "1000 conn records to JSON lines",
			Wants: []report.Want{faster("codec", "encodingjson", 1), lean("codec")},
		},
		{
			Package: "codec", Bench: "^BenchmarkBinToJSON$", Side: "method", Title: "an event to JSON",
			Wants: []report.Want{faster("converter", "encoding-json", 1), lean("converter")},
		},
		{
			Package: "codec", Bench: "^BenchmarkJSONToBin$", Side: "method", Title: "an event from JSON",
			Wants: []report.Want{faster("converter", "encoding-json", 1), lean("converter")},
		},
	}
}

// Curve compares the sealing and opening of a frame with a bare secretbox.
func Curve() []Suite {
	return []Suite{
		{
			Package: "sockets/curve", Bench: "^Benchmark(Seal|Open)$/^impl=/^size=(20|200|1000)$", Side: "impl", Title: "a frame of CURVE traffic",
			Wants: []report.Want{faster("curve", "secretbox", 1.5), lean("curve")},
		},
	}
}

// Node measures from the socket to the handler, and back.
func Node() []Suite {
	return []Suite{{
		Package: "node", Bench: "^Benchmark(Node|Publish|LogWrite)$", Title: "a node's events and records over loopback",
		Wants: []report.Want{lean("znode")},
	}}
}
