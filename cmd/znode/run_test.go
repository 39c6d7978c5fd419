package main

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/znode/znode/cmd/znode/internal/option"
)

func TestParseRoles(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]option.Use{
		"": option.Roles, "broker": option.Broker, "logger": option.Logger,
		"logger broker": option.Roles, "broker broker": option.Broker,
	} {
		if got, err := parseRoles(strings.Fields(args)); got != want || err != nil {
			t.Errorf("%q gives %v, %v", args, got, err)
		}
	}
	if _, err := parseRoles([]string{"broker", "demo"}); err == nil {
		t.Error("demo is a role")
	}
}

func TestReload(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "znode.toml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("log_level = 'warn'\n")
	s, err := option.Load(option.Request{Command: "run", Use: option.Roles, Args: []string{"--config", file}})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	level := new(slog.LevelVar)
	level.Set(s.Config.LogLevel)
	r := &reloader{started: s, roles: option.Broker, level: level, log: newLog(&out, level)}

	for _, c := range []struct {
		file, level string
		logged      []string // parts, in order; nothing else
	}{
		{"log_level = 'debug'\n", "DEBUG", []string{`"msg":"options reloaded","log_level":"DEBUG"`}},
		{"log_level = 'loud'\n", "DEBUG", []string{`"msg":"options not reloaded, all stay as they are","error":"` + file + `:1: log_level`}},
		{"listen_xsub_endpoint = 'tcp://127.0.0.1:5555'\n", "DEBUG", []string{`must differ`}},
		{"ipv6 = true\nlog_dir = 'x'\n", "INFO", []string{
			`"msg":"a new value needs a restart","option":"ipv6","origin":"` + file + `:1: ipv6"`, // log_dir: not a broker's
			`"msg":"options reloaded"`,
		}},
		{"log_level = 'error'\n", "ERROR", []string{`"msg":"options reloaded","log_level":"ERROR"`}},
		{"", "INFO", []string{`"msg":"options reloaded"`}},
	} {
		out.Reset()
		write(c.file)
		r.reload()
		if got := level.Level().String(); got != c.level {
			t.Errorf("%q: level %s, want %s", c.file, got, c.level)
		}
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) != len(c.logged) {
			t.Errorf("%q: logged %q", c.file, lines)
			continue
		}
		for i, part := range c.logged {
			if !strings.Contains(lines[i], part) {
				t.Errorf("%q: logged %s, want %s", c.file, lines[i], part)
			}
		}
	}
}

func TestVersionLine(t *testing.T) {
	t.Parallel()
	info := &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}}
	info.Settings = []debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.modified", Value: "true"}}
	for _, c := range []struct {
		info *debug.BuildInfo
		want string
	}{
		{nil, "znode (unknown), commit unknown, go"},
		{&debug.BuildInfo{}, "znode (unknown), commit unknown, go"},
		{info, "znode v1.2.3, commit abc with changes, go"},
	} {
		if got := versionLine(c.info); !strings.HasPrefix(got, c.want) {
			t.Errorf("got %q, want %q...", got, c.want)
		}
	}
}
