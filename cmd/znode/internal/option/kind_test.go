package option

import (
	"strings"
	"testing"
	"time"

	"github.com/znode/znode/fuzz/mutate"
)

// kindCase is what a kind makes of text. An empty want is a refusal, whose
// error holds problem.
type kindCase struct{ text, want, problem string }

// testKind checks the value by its canonical text, and that this text is taken
// again as the same value.
func testKind[T comparable](t *testing.T, k Kind, cases []kindCase) {
	t.Helper()
	for _, c := range cases {
		var v, again T
		err := k.assign(&v, c.text, "here", Quote(c.text))
		if c.want == "" {
			if err == nil {
				t.Errorf("%q is taken as %v", c.text, v)
				continue
			}
			if !strings.Contains(err.Error(), c.problem) || !strings.HasSuffix(err.Error(), "want "+k.Allowed) {
				t.Errorf("%q: error %q does not tell %q and what is allowed", c.text, err, c.problem)
			}
			var zero T
			if v != zero {
				t.Errorf("%q is refused but sets %v", c.text, v)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		if got := k.get(&v); got != c.want {
			t.Errorf("%q is %q, want %q", c.text, got, c.want)
		}
		if err := k.assign(&again, c.want, "here", ""); err != nil || again != v {
			t.Errorf("%q is printed %q, which is read as %v, %v", c.text, c.want, again, err)
		}
	}
}

func TestSwitch(t *testing.T) {
	t.Parallel()
	testKind[bool](t, Switch, []kindCase{
		{"true", "true", ""}, {"T", "true", ""}, {"false", "false", ""}, {"F", "false", ""},
		{"", "", ""}, {"yes", "", ""}, {"1", "", ""}, {"TRUE", "", ""},
	})
}

func TestSizeKind(t *testing.T) {
	t.Parallel()
	testKind[int64](t, size(1, 10*gib), []kindCase{
		{"1", "1", ""}, {"65536", "64KiB", ""}, {"64KiB", "64KiB", ""}, {"64 MiB", "64MiB", ""},
		{"10GiB", "10GiB", ""}, {"1000000", "1000000", ""}, {"1MB", "1000000", ""}, {"100B", "100", ""},
		{"1kB", "1000", ""}, {"1KB", "1000", ""}, {"1536", "1536", ""},
		{"0", "", ""}, {"11GiB", "", ""}, {"-1", "", ""}, {"", "", ""}, {"MiB", "", ""}, {"1.5GiB", "", ""},
		{"64M", "", ""}, {"+5", "", ""}, {"9223372036854775808", "", ""},
		{"9223372036854775807TiB", "", ""}, // must not wrap around
		{"16777216TiB", "", ""},            // 2^64
	})
	testKind[int](t, socketBuffer, []kindCase{
		{"-1", "-1", ""}, {"4MiB", "4MiB", ""}, {"1GiB", "1GiB", ""}, {"1", "1", ""},
		{"0", "", ""}, {"-2", "", ""}, {"2GiB", "", ""},
	})
}

func TestIntegerKind(t *testing.T) {
	t.Parallel()
	testKind[int](t, integer("N", 0, 127), []kindCase{
		{"0", "0", ""}, {"127", "127", ""}, {"128", "", ""}, {"-1", "", ""}, {"", "", ""}, {"1e2", "", ""},
		{"99999999999999999999", "", ""},
	})
}

func TestDurationKind(t *testing.T) {
	t.Parallel()
	testKind[time.Duration](t, duration(time.Millisecond, special{zero: "never", forever: "always"}), []kindCase{
		{"0", "0", ""}, {"0s", "0", ""}, {"0 secs", "0", ""}, {"-1", "-1", ""},
		{"90s", "1m30s", ""}, {"1h", "1h", ""}, {"1h30m", "1h30m", ""}, {"1h0m5s", "1h0m5s", ""}, {"10m", "10m", ""},
		{"1.5s", "1.5s", ""}, {"20s", "20s", ""}, {"10h", "10h", ""},
		{"1sec", "1s", ""}, {"10 min", "10m", ""}, {"2.5 hrs", "2h30m", ""}, {"1day", "24h", ""}, {"5msecs", "5ms", ""},
		{"1000 usec", "1ms", ""},
		{"1ns", "", ""}, {"-1s", "", ""}, {"-1ns", "", ""}, {"-1sec", "", ""}, {"5", "", ""}, {"", "", ""},
		{"sec", "", ""}, {"ten", "", ""}, {"NaN sec", "", ""}, {"Inf sec", "", ""}, {"1e300 days", "", ""},
		{"4000 days", "", ""}, {"87601h", "", ""},
	})
	testKind[time.Duration](t, duration(time.Second, special{}), []kindCase{
		{"1s", "1s", ""}, {"0", "", ""}, {"-1", "", ""}, {"999ms", "", ""},
	})
}

func TestEndpointKind(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("p", maxSocketPath)
	same := func(s string) kindCase { return kindCase{s, s, ""} }
	testKind[string](t, listenEndpoint, []kindCase{
		same("tcp://127.0.0.1:5555"), same("tcp://0.0.0.0:0"), same("tcp://*:65535"), same("tcp://*:*"),
		same("tcp://[::1]:5555"), same("tcp://[fe80::1%eth0]:5555"), same("tcp://localhost:5555"),
		same("tcp://broker_1.example.org:5555"), same("tcp://1and1.example:1"),
		same("ipc:///run/znode.sock"), same("ipc://relative"), same("ipc://" + long),
		{"", "", ""}, {"5555", "", ""}, {"127.0.0.1:5555", "", ""}, {"tcp:/127.0.0.1:5555", "", ""},
		{"udp://127.0.0.1:5555", "", `unknown transport "udp"`}, {"TCP://127.0.0.1:5555", "", "unknown transport"},
		{"tcp://127.0.0.1", "", "no port"}, {"tcp://127.0.0.1:", "", "no port"}, {"tcp://[::1]", "", "no port"},
		{"tcp://127.0.0.1:65536", "", `port "65536" is not a number`}, {"tcp://127.0.0.1:http", "", "port"},
		{"tcp://127.0.0.1:-1", "", "port"}, {"tcp://127.0.0.1:+1", "", "port"}, {"tcp://127.0.0.1:5555/tcp", "", "port"},
		{"tcp://:5555", "", "no host"}, {"tcp://::1:5555", "", `"::1" needs brackets`},
		{"tcp://[127.0.0.1]:5555", "", "IPv6"}, {"tcp://[]:5555", "", "IPv6"}, {"tcp://[::1:5555", "", "IPv6"},
		{"tcp://300.1.1.1:5555", "", "no name or address"}, {"tcp://10.0.0:5555", "", "no name or address"},
		{"tcp://a b:5555", "", "no name or address"}, {"tcp://a..b:5555", "", "no name or address"},
		{"tcp://" + strings.Repeat("a", 254) + ":1", "", "no name or address"},
		{"ipc://", "", "no path"}, {"ipc://*", "", "no wildcard"}, {"ipc://" + long + "p", "", "longer than 103 bytes"}, {"ipc://a\x00b", "", "NUL"},
	})
}

func TestHTTPAddressKind(t *testing.T) {
	t.Parallel()
	same := func(s string) kindCase { return kindCase{s, s, ""} }
	testKind[string](t, httpAddress, []kindCase{
		same("127.0.0.1:9991"), same(":9991"), same("[::1]:0"), same("localhost:80"),
		{"9991", "", "no port"}, {"http://127.0.0.1:9991", "", "no scheme"}, {"*:9991", "", "no name"},
		{"127.0.0.1:x", "", "port"}, {"::1:9991", "", "brackets"},
	})
	value := "127.0.0.1:1"
	if err := httpAddress.assign(&value, "", "", ""); err != nil || value != "" {
		t.Errorf("empty gives %q, %v", value, err)
	}
}

func TestTextKinds(t *testing.T) {
	t.Parallel()
	testKind[string](t, nodeName, []kindCase{
		{"logger-1", "logger-1", ""}, {"a.B_9", "a.B_9", ""},
		{"", "", ""}, {"a b", "", ""}, {"ä", "", ""}, {strings.Repeat("n", 65), "", ""},
	})
	testKind[string](t, path("DIR"), []kindCase{
		{"./logs", "./logs", ""}, {"/a b", "/a b", ""}, {"", "", ""}, {"a\x00", "", "NUL"},
	})
	testKind[string](t, enum("tsv", "json"), []kindCase{
		{"tsv", "tsv", ""}, {"TSV", "", ""}, {"", "", ""},
	})
}

func TestMarkKind(t *testing.T) {
	t.Parallel()
	testKind[string](t, mark(false), []kindCase{
		{`\t`, `\x09`, ""}, {`\x09`, `\x09`, ""}, {"\t", `\x09`, ""}, {",", ",", ""}, {`\\`, `\\`, ""},
		{`a\x2cb\\\t`, `a,b\\\x09`, ""}, {`\xFF`, `\xff`, ""}, {`é`, `\xc3\xa9`, ""}, {`\x00`, `\x00`, ""},
		{"", "", ""}, {`\`, "", "unknown escape"}, {`\n`, "", "unknown escape"}, {`\x9`, "", "unknown escape"},
		{`\xzz`, "", "hexadecimal"}, {`\x+1`, "", "hexadecimal"}, {`\x0a`, "", ""}, {"a\r", "", ""},
		{strings.Repeat("m", maxMark+1), "", ""},
	})
	value := "before"
	if err := mark(true).assign(&value, "", "", ""); err != nil || value != "" {
		t.Errorf("empty gives %q, %v", value, err)
	}
}

// What a mark is printed as must be read as the same bytes.
func FuzzMark(tf *testing.F) {
	f := mutate.From(tf)
	f.Add("\t")
	f.Add(`\x09`)
	f.Add("é\\x")
	f.Fuzz(func(t *testing.T, s string) {
		got, err := unescape(escape(s))
		if err != nil || got != s {
			t.Fatalf("%q is printed %q, which is read as %q, %v", s, escape(s), got, err)
		}
	})
}

// Durations and sizes that are taken are printed as text that is taken as the
// same value.
func FuzzNumbers(tf *testing.F) {
	f := mutate.From(tf)
	for _, s := range []string{"0", "-1", "1h30m", "10 min", "64MiB", "1e3 days", "9223372036854775807"} {
		f.Add(s)
	}
	d, n := duration(time.Microsecond, special{"never", "always"}), size(0, 1<<62)
	f.Fuzz(func(t *testing.T, text string) {
		var d1, d2 time.Duration
		if d.set(&d1, text) == nil {
			if err := d.set(&d2, d.get(&d1)); err != nil || d1 != d2 {
				t.Errorf("duration %q is printed %q, which is read as %v, %v", text, d.get(&d1), d2, err)
			}
		}
		var n1, n2 int64
		if n.set(&n1, text) == nil {
			if err := n.set(&n2, n.get(&n1)); err != nil || n1 != n2 {
				t.Errorf("size %q is printed %q, which is read as %v, %v", text, n.get(&n1), n2, err)
			}
		}
	})
}
