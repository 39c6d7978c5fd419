package layout

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/znode/znode/fuzz/mutate"
	"github.com/znode/znode/node"
)

// entries are the nodes without their places in the file.
func entries(l *Layout) []Node {
	list := slices.Clone(l.Nodes)
	for i := range list {
		list[i].at = 0
	}
	return list
}

func TestRead(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]Layout{
		"zeekctl.zeek": {Nodes: []Node{
			{Name: "control", Type: node.NodeControl, Host: "fd00::1", Port: 27762},
			{Name: "manager", Type: node.NodeManager, Host: "fd00::1", Port: 27763, MetricsPort: 9991},
			{Name: "logger-1", Type: node.NodeLogger, Host: "fd00::1", Port: 27764, MetricsPort: 9992},
			{Name: "proxy-1", Type: node.NodeProxy, Host: "10.0.0.2", Port: 27765, MetricsPort: 9993, Manager: "manager"},
			{Name: "worker-1", Type: node.NodeWorker, Host: "10.0.0.3", Port: 27766, Manager: "manager"},
		}},
		"generator.zeek": {ManagerIsLogger: true, Nodes: []Node{
			{Name: "manager", Type: node.NodeManager, Host: "10.0.0.1", Port: 27760},
			{Name: "worker-1", Type: node.NodeWorker, Host: "wkr.example", Manager: "manager"},
		}},
	} {
		l, err := Read(filepath.Join("testdata", file))
		if err != nil {
			t.Error(err)
			continue
		}
		if got := entries(l); !reflect.DeepEqual(got, want.Nodes) || l.ManagerIsLogger != want.ManagerIsLogger {
			t.Errorf("%s: got %+v, manager_is_logger %v", file, got, l.ManagerIsLogger)
		}
	}
	if _, err := Read("testdata/none.zeek"); err == nil || err.Error() != "testdata/none.zeek: no such file or directory" {
		t.Errorf("no file: %v", err)
	}
}

func TestEndpoints(t *testing.T) {
	t.Parallel()
	l, err := Read("testdata/zeekctl.zeek")
	if err != nil {
		t.Fatal(err)
	}
	if got := l.LogEndpoints(); !slices.Equal(got, []string{"tcp://[fd00::1]:27764"}) {
		t.Errorf("loggers at %q", got)
	}
	n := l.ForNode()
	want := node.LayoutNode{Type: node.NodeProxy, Host: "10.0.0.2", Port: 27765, MetricsPort: 9993}
	if len(n) != 5 || n["proxy-1"] != want {
		t.Errorf("for a node: %+v", n)
	}
	if l, err = Read("testdata/generator.zeek"); err != nil {
		t.Fatal(err)
	}
	if got := l.LogEndpoints(); !slices.Equal(got, []string{"tcp://10.0.0.1:27760"}) {
		t.Errorf("the manager is the logger, and loggers are at %q", got)
	}
}

// one is a layout with one node, whose record holds these fields.
func one(fields string) string {
	return "redef Cluster::nodes = { [\"logger-1\"] = [" + fields + "] };"
}

// TestMistakes: line, column and what is wrong.
func TestMistakes(t *testing.T) {
	t.Parallel()
	const logger = "$node_type=Cluster::LOGGER, $ip=10.0.0.1"
	for src, want := range map[string]string{
		"":                                     "1:1: no redef Cluster::nodes in this file",
		"# nothing\n":                          "2:1: no redef Cluster::nodes in this file",
		"redef Cluster::node = {};":            "1:7: Cluster::node is nothing that znode knows of a layout; did you mean Cluster::nodes?",
		"redef Cluster::manager_is_loger = F;": "1:7: Cluster::manager_is_loger is nothing that znode knows of a layout; did you mean Cluster::manager_is_logger?",
		"redef Cluster::manager_is_logger = false;":  "1:36: false: want T or F",
		"redef Cluster::manager_is_logger = F":       "1:37: unexpected the end of the file, want ;",
		"redef nodes = {};":                          "1:7: nodes is nothing that znode knows of a layout",
		"redefine Cluster::nodes = {};":              "1:1: unexpected redefine; " + expected,
		"{}":                                         "1:1: unexpected {; " + expected,
		"@if ( T )\nredef Cluster::nodes = {};":      "2:7: Cluster::nodes inside of @if, whose condition only Zeek can evaluate",
		"@if ( T )\n":                                "1:1: @if without @endif",
		"@endif":                                     "1:1: unexpected @endif",
		"@unload x":                                  "1:1: unexpected @unload",
		"const x = (1;":                              "1:1: statement without an end",
		"const x = 1);":                              "1:12: unexpected )",
		"module Cluster":                             "1:15: unexpected the end of the file, want ;",
		"redef Cluster::nodes = [];":                 "1:24: unexpected [, want {",
		"redef Cluster::nodes = {\n\tlogger = [] };": "2:2: unexpected logger, want [",
		"redef Cluster::nodes = { [logger] = [] };":  "1:27: unexpected logger, want a name in quotes",
		"redef Cluster::nodes = { [\"a\" };":         "1:31: unexpected }, want ]",
		"redef Cluster::nodes = { [\"a };":           "1:27: string without an end",
		"redef Cluster::nodes = { [\"\\q\"] };":      "1:27: string is too long or has an escape that is not known",
		"redef Cluster::nodes = { [\"a b\"] = [] };": "1:27: name \"a b\": want up to 64 letters, digits, '-', '_' or '.'",
		// The second name stands behind an umlaut, which is one character.
		"redef Cluster::nodes = { # ü\n[\"ü\"] = [] };": "2:2: name \"ü\": want up to 64 letters, digits, '-', '_' or '.'",
		one(logger) + "x": "1:86: unexpected x; " + expected,
		one("$node_type=Cluster::LOGER, $ip=10.0.0.1"):                                       "1:53: unknown node type Cluster::LOGER; did you mean Cluster::LOGGER?",
		one("$node_type=LOGGER, $ip=10.0.0.1"):                                               "1:53: unknown node type LOGGER; did you mean Cluster::LOGGER?",
		one("$node_type=7, $ip=10.0.0.1"):                                                    "1:53: unknown node type 7; want one of Cluster::CONTROL, Cluster::LOGGER, Cluster::MANAGER, Cluster::PROXY, Cluster::WORKER",
		one("$ip=10.0.0.1"):                                                                  "1:27: logger-1 has no $node_type",
		one("$node_type=Cluster::LOGGER"):                                                    "1:27: logger-1 has no $ip",
		one("$node_type=Cluster::LOGGER, $ip=10.0.0.256"):                                    "1:74: 10.0.0.256 is not an address",
		one("$node_type=Cluster::LOGGER, $ip=fd00::1"):                                       "1:74: IPv6 address fd00::1 needs brackets",
		one("$node_type=Cluster::LOGGER, $ip=[10.0.0.1]"):                                    "1:75: 10.0.0.1 is not an IPv6 address",
		one("$node_type=Cluster::LOGGER, $ip=hosts[\"m\"]$ip"):                               "1:80: \"m\" is not in Cluster::hosts",
		one("$node_type=Cluster::LOGGER, $ip=\"10.0.0.1\""):                                  "1:74: unexpected \"10.0.0.1\", want an address",
		one(logger + ", $p=to_port(x)"):                                                      "1:87: unexpected to_port, want a port such as 27761/tcp",
		one(logger + ", $p=27761"):                                                           "1:87: port 27761 needs a protocol: 27761/tcp",
		one(logger + ", $p=27761/udp"):                                                       "1:87: port 27761/udp: nodes listen at TCP ports only, want 27761/tcp",
		one(logger + ", $p=65536/tcp"):                                                       "1:87: port 65536/tcp: want 0 to 65535 and /tcp",
		one(logger + ", $p=\"1/tcp\""):                                                       "1:87: unexpected \"1/tcp\", want a port such as 27761/tcp",
		one(logger + ", $port=1/tcp"):                                                        "1:85: unknown field $port; did you mean $p?",
		one(logger + ", $metric_port=1/tcp"):                                                 "1:85: unknown field $metric_port; did you mean $metrics_port?",
		one(logger + ", $ip=10.0.0.2"):                                                       "1:85: $ip stands here twice",
		one(logger + " $p=1/tcp"):                                                            "1:83: unexpected $, want ,",
		one(logger + ", $manager=\"m\""):                                                     "1:27: manager \"m\" of logger-1 is no node of this layout",
		"redef Cluster::nodes = { [\"a\"] = [" + logger + "], [\"a\"] = [" + logger + "] };": "1:79: a is in the layout twice",
		"redef Cluster::nodes = { [\"a\"] = [" + logger + ", $p=1/tcp], [\"b\"] = [" + logger + ", $p=1/tcp] };":                      "1:89: b has the same address and port as a",
		"redef Cluster::hosts += { [\"a\"] = [$p=1/tcp] };":                                                                           "1:37: unknown field $p, want $ip",
		"redef Cluster::hosts += { [\"h\x1bost\"] = [$ip=10.0.0.1] }; redef Cluster::nodes = { [\"a\"] = [$ip=hosts[\"host\"]$ip] };": `1:101: "host" is not in Cluster::hosts; did you mean h\x1bost?`,
		"redef Cluster::hosts += { [\"a\"] = [] };":                                                                                   "1:28: \"a\" has no $ip",
		"redef Cluster::hosts += { [\"a\"] = [$ip=(lookup(\"a\") as vector of addr)[0]] };":                                           "1:41: unexpected lookup, want blocking_lookup_hostname",
		"redef Cluster::hosts += { [\"a\"] = [$ip=(blocking_lookup_hostname(\"a b\") as vector of addr)[0]] };":                       "1:66: \"a b\" is no name of a host",
	} {
		_, err := Parse("f", []byte(src))
		e, ok := errors.AsType[*Error](err)
		if !ok {
			t.Errorf("%q: %v", src, err)
			continue
		}
		if got := strings.TrimPrefix(e.Error(), "f:"); want != "" && got != want {
			t.Errorf("%q:\n got %s\nwant %s", src, got, want)
		}
	}
}

// TestBounds: a file and its parts may not be of any size.
func TestBounds(t *testing.T) {
	t.Parallel()
	var many strings.Builder
	many.WriteString("redef Cluster::nodes = {")
	for i := range maxNodes + 1 {
		fmt.Fprintf(&many, "[\"w%d\"]=[$node_type=Cluster::WORKER,$ip=10.0.0.1],", i)
	}
	many.WriteString("};")
	for src, want := range map[string]string{
		strings.Repeat(" ", maxFile+1): "more than 16 MiB",
		many.String():                  "more than 100000 nodes",
		"module \"" + strings.Repeat("x", maxString) + "\"": "string is too long",
		"module " + strings.Repeat("(", 1<<20):              "unexpected (",
		"const " + strings.Repeat("(", 1<<20):               "statement without an end",
	} {
		if _, err := Parse("f", []byte(src)); err == nil || !strings.Contains(err.Error(), want) || len(err.Error()) > 300 {
			t.Errorf("want %s, got %.300v", want, err)
		}
	}
}

// render writes a layout in the plainest form.
func render(l *Layout) string {
	var b strings.Builder
	fmt.Fprintf(&b, "redef Cluster::manager_is_logger = %s;\nredef Cluster::nodes = {\n", map[bool]string{true: "T", false: "F"}[l.ManagerIsLogger])
	for _, n := range l.Nodes {
		host := n.Host
		if ip, err := netip.ParseAddr(host); err != nil {
			host = fmt.Sprintf("(blocking_lookup_hostname(%q) as vector of addr)[0]", host)
		} else if ip.Is6() {
			host = "[" + host + "]"
		}
		fmt.Fprintf(&b, "\t[%q] = [$node_type=%s, $ip=%s, $p=%d/tcp, $metrics_port=%d/tcp", n.Name, typeName(n.Type), host, n.Port, n.MetricsPort)
		if n.Manager != "" {
			fmt.Fprintf(&b, ", $manager=%q", n.Manager)
		}
		b.WriteString("],\n")
	}
	return b.String() + "};\n"
}

// FuzzParse: what is read can be written in the plainest form and says the same;
// what is refused has a place inside of the file.
func FuzzParse(tf *testing.F) {
	f := mutate.From(tf)
	files, err := filepath.Glob("testdata/*.zeek")
	if err != nil || len(files) == 0 {
		f.Fatalf("no layouts: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(one("$node_type=Cluster::LOGGER, $ip=10.0.0.1, $p=0/unknown")))
	f.Add([]byte("module Cluster; redef nodes = {}; redef manager_is_logger = T;"))
	f.Add([]byte(`redef Cluster::nodes = { ["a"] = [$node_type=Cluster::LOGGER, $ip=10.0.0.1, $p=1/tcp], ["b"] = [$node_type=Cluster::LOGGER, $ip=10.0.0.1, $p=1/tcp] };`))
	f.Add([]byte("redef Cluster::hosts += { [\"h\x1bost\"] = [$ip=10.0.0.1] }; redef Cluster::nodes = { [\"a\"] = [$ip=hosts[\"host\"]$ip] };"))
	f.Words("redef Cluster::nodes", "Cluster::LOGGER", "$ip=", "$p=", "hosts[", "@if (", "@endif", "@else", "const ", "[$", "/tcp", "manager_is_logger")
	f.Fuzz(func(t *testing.T, src []byte) {
		l, err := Parse("f", src)
		if err != nil {
			e, ok := errors.AsType[*Error](err)
			lines := strings.Split(string(src), "\n")
			if !ok || e.Line < 1 || e.Line > len(lines) || e.Column < 1 || e.Column > len(lines[e.Line-1])+1 {
				t.Fatalf("%q: %v", src, err)
			}
			if text := err.Error(); !strings.HasPrefix(text, "f:") || strings.ContainsFunc(text, unicode.IsControl) {
				t.Fatalf("%q: error %q", src, text)
			}
			return
		}
		again, err := Parse("f", []byte(render(l)))
		if err != nil {
			t.Fatalf("%q: %v", render(l), err)
		}
		if !reflect.DeepEqual(entries(l), entries(again)) || l.ManagerIsLogger != again.ManagerIsLogger {
			t.Fatalf("%q: got %+v, want %+v", src, entries(again), entries(l))
		}
	})
}
