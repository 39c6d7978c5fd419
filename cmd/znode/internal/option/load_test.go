package option

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func writeFile(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "znode.toml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestPrecedence(t *testing.T) {
	t.Parallel()
	file := writeFile(t, "# comment\nlog_dir = 'file'\nnode = 'file'\nlog_rcvhwm = 7\nslow_subscriber_grace = -1\nipv6 = true\n")
	s, err := Load(Request{
		Use:     All,
		Args:    []string{"logger", "--log-dir", "first", "--config=" + file, "--log-dir=flag", "x", "--", "--y"},
		Environ: []string{"ZNODE_LOG_DIR=env", "ZNODE_NODE=env", "ZNODE_CONFIG=/nowhere", "HOME=/"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, text, origin string
		place              Place
	}{
		{"log_dir", "flag", "--log-dir", FromFlag},
		{"node", "env", "ZNODE_NODE", FromEnvironment},
		{"log_rcvhwm", "7", file + ":4: log_rcvhwm", FromFile},
		{"slow_subscriber_grace", "-1", file + ":5: slow_subscriber_grace", FromFile},
		{"ipv6", "true", file + ":6: ipv6", FromFile},
		{"log_format", "tsv", "default", FromDefault},
		{"config", file, "--config", FromFlag},
	} {
		o := all().byName(c.name)
		if got := o.Text(&s.Config); got != c.text {
			t.Errorf("%s is %q, want %q", c.name, got, c.text)
		}
		if got := s.Origin(o); got.String() != c.origin || got.Place != c.place {
			t.Errorf("%s is from %q (%d), want %q (%d)", c.name, got, got.Place, c.origin, c.place)
		}
	}
	if want := []string{"logger", "x", "--y"}; !slices.Equal(s.Args, want) {
		t.Errorf("arguments are %q, want %q", s.Args, want)
	}
	if s.Config.SlowSubscriberGrace != Forever || s.Config.LogRcvHWM != 7 || !s.Config.IPv6 {
		t.Errorf("config holds %v, %d, %t", s.Config.SlowSubscriberGrace, s.Config.LogRcvHWM, s.Config.IPv6)
	}
}

func TestFlagForms(t *testing.T) {
	t.Parallel()
	var check bool
	count := 3
	s, err := Load(Request{
		Use: All,
		Flags: []Flag{
			{Name: "check", Kind: Switch, Dst: &check},
			{Name: "count", Kind: integer("N", 0, 9), Dst: &count},
		},
		Args: []string{
			"--ipv6", "--listen-xpub-nodrop=F", "--slow-subscriber-grace", "-1", "--unset-field", "-",
			"--meta-prefix=", "--check", "--count=4", "-", "--node", "a",
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	c := s.Config
	if !c.IPv6 || c.ListenXPUBNoDrop || c.SlowSubscriberGrace != Forever || c.UnsetField != "-" ||
		c.MetaPrefix != "" || c.Node != "a" {
		t.Errorf("config is %+v", c)
	}
	if !check || count != 4 || !slices.Equal(s.Args, []string{"-"}) {
		t.Errorf("check %t, count %d, arguments %q", check, count, s.Args)
	}
	for _, help := range []string{"--help", "-h"} {
		if _, err := Load(Request{Use: All, Args: []string{"x", help}}); !errors.Is(err, ErrHelp) {
			t.Errorf("%s gives %v", help, err)
		}
	}
}

func TestEmptyVariable(t *testing.T) {
	t.Parallel()
	s, err := Load(Request{Use: All, Environ: []string{"ZNODE_METRICS_ADDRESS=", "ZNODE_LOG_DIR=", "ZNODE_LOG_FORMAT="}})
	if err != nil {
		t.Fatal(err)
	}
	if c := s.Config; c.MetricsAddress != "" || c.LogDir != "./logs" || c.LogFormat != "tsv" {
		t.Errorf("metrics %q, directory %q, format %q", c.MetricsAddress, c.LogDir, c.LogFormat)
	}
}

func TestHints(t *testing.T) {
	t.Parallel()
	s, err := Load(Request{Use: All, Environ: []string{
		"ZNODE_SERVICE_HOST=10.0.0.1", "ZNODE_PORT=tcp://10.0.0.1:5555", "ZNODE_LOGDIR=/x", "LOG_DIRR=/x",
	}})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"variable ZNODE_LOGDIR is no option; did you mean ZNODE_LOG_DIR?"}; !slices.Equal(s.Hints, want) {
		t.Errorf("hints are %q, want %q", s.Hints, want)
	}
}

// version and help must work whatever the environment holds.
func TestNoOptionsReadsNothing(t *testing.T) {
	t.Parallel()
	s, err := Load(Request{Command: "version", Environ: []string{"ZNODE_LOG_FORMAT=xml", "ZNODE_CONFIG=/nowhere"}})
	if err != nil || s.Config.LogFormat != "tsv" {
		t.Errorf("settings %+v, %v", s, err)
	}
}

func TestFlagsWithoutAndChanged(t *testing.T) {
	t.Parallel()
	before, err := Load(Request{Use: Roles, Args: []string{"--log-dir=x", "--listen-xpub-sndhwm=5", "--node=y"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := names(before.FlagsWithout(Broker)); got != "log_dir" {
		t.Errorf("a broker does not read %q", got)
	}
	after := before.Config
	after.Node, after.HandshakeTimeout = "z", time.Second
	if got := names(Changed(&before.Config, &after)); got != "node handshake_timeout" {
		t.Errorf("changed: %q", got)
	}
}

func names(options []*Option) string {
	var b []string
	for _, o := range options {
		b = append(b, o.Name)
	}
	return strings.Join(b, " ")
}

func TestReload(t *testing.T) {
	t.Parallel()
	file := writeFile(t, "node = 'a'\nlog_level = 'info'\n")
	s, err := Load(Request{Use: All, Args: []string{"--config", file, "--log-dir=x"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("node = 'b'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	again, err := s.Reload()
	if err != nil || again.Config.Node != "b" || again.Config.LogDir != "x" || s.Config.Node != "a" {
		t.Errorf("reloaded %+v, %v", again, err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Reload(); err == nil {
		t.Error("reloading without the file succeeds")
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		use  Use
		want string
	}{
		{nil, Roles, ""},
		{[]string{"--separator=,"}, Roles,
			`--separator "," and default set_separator ",": must differ, or readers could not tell columns from elements`},
		{[]string{"--separator=,"}, Broker, ""},
		{[]string{"--separator=,", "--log-format=json"}, Logger, ""},
		{[]string{"--empty-field=-"}, Logger,
			`--empty-field "-" and default unset_field "-": must differ, or readers could not tell them apart`},
		{[]string{"--listen-log-endpoint=tcp://127.0.0.1:5555"}, Roles,
			`default listen_xpub_endpoint "tcp://127.0.0.1:5555" and --listen-log-endpoint "tcp://127.0.0.1:5555": must differ; each needs a place of its own`},
		{[]string{"--listen-log-endpoint=tcp://127.0.0.1:5555"}, Logger, ""},
		{[]string{"--listen-xsub-endpoint=tcp://127.0.0.1:0", "--listen-xpub-endpoint=tcp://127.0.0.1:0"}, Broker, ""},
		{[]string{"--listen-xsub-endpoint=ipc://a:0", "--listen-xpub-endpoint=ipc://a:0"}, Broker,
			`--listen-xsub-endpoint "ipc://a:0" and --listen-xpub-endpoint "ipc://a:0": must differ; each needs a place of its own`},
	} {
		s, err := Load(Request{Use: Roles, Args: c.args})
		if err != nil {
			t.Fatal(err)
		}
		if got := errorText(s.Check(c.use)); got != c.want {
			t.Errorf("%q for %s: %q\nwant %q", c.args, c.use, got, c.want)
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
