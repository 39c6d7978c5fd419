package option

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/znode/znode/fuzz/mutate"
)

func TestFileMistakes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"node = 'a'\n\nlog_drr = 'x'\n":           "f:3: log_drr: unknown key; did you mean log_dir?",
		"log-dir = 'x'\n":                         "f:1: log-dir: unknown key; did you mean log_dir?",
		"# c\nwholly_other = 1\n":                 "f:2: wholly_other: unknown key",
		"\n[broker]\nlisten_xsub_endpoint = 'x'":  "f:2: broker: unknown table; options stand at the top of the file, outside of tables",
		"\n[broker.a]\nb = 1":                     "f:2: broker: unknown table; options stand at the top of the file, outside of tables",
		"config = 'x'":                            "f:1: config: can only be set by --config or ZNODE_CONFIG",
		"node = 'a'\nnode = 'b'\n":                "f:2: Key 'node' has already been defined",
		"node = \n":                               "f:1: expected value but found '\\n' instead",
		"node = 'a'\n\"x\\ny\" = 1\n":             `f:2: "x\ny": unknown key`,
		"= 1":                                     "f:1: unexpected '=': key name appears blank",
		"node = 'a'\nmax_subscriptions = 1\n\xff": "f:3: invalid UTF-8 byte: 0xff",
	} {
		_, err := all().parseFile("f", text)
		if got := errorText(err); got != want {
			t.Errorf("%q gives %q, want %q", text, got, want)
		}
		if IsCommandLine(err) {
			t.Errorf("%q is called a mistake on the command line", text)
		}
	}
}

func TestFileValues(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"log_format = 'xml'":                        `:1: log_format "xml": want tsv or json`,
		"\nmax_connections = 1.5":                   `:2: max_connections "1.5": want a whole number from 1 to 1048576`,
		"max_connections = 0":                       `:1: max_connections "0": want a whole number from 1 to 1048576`,
		"node = true\nipv6 = 1":                     `:2: ipv6 "1": want true, false, T or F`,
		"node = [\n'a'\n]":                          `:1: node is an array: want up to 64 letters, digits, '-', '_' or '.'`,
		"handshake_timeout = 5":                     `:1: handshake_timeout "5": want a duration of at least 1ms, such as 90s, 1h30m or 10 min`,
		"node = '" + strings.Repeat("n", 100) + "'": `:1: node "` + strings.Repeat("n", 80) + `"...: want up to 64`,
	} {
		file := writeFile(t, text)
		_, err := Load(Request{Use: All, Args: []string{"--config", file}})
		if got := errorText(err); !strings.HasPrefix(got, file+want) {
			t.Errorf("%q gives %q, want %q", text, got, file+want)
		}
	}
}

// TOML resolves its own escapes first; both spellings of a tab must work.
func TestFileEscapes(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`separator = "\t"`, `separator = '\t'`, `separator = '\x09'`, `separator = "\\x09"`} {
		s, err := Load(Request{Use: All, Args: []string{"--config", writeFile(t, text)}})
		if err != nil || s.Config.Separator != "\t" {
			t.Errorf("%s gives %v, %v", text, s, err)
		}
	}
}

func TestFileUnreadable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	big := filepath.Join(dir, "big.toml")
	if err := os.WriteFile(big, []byte(strings.Repeat("# comment\n", maxFile/10+1)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		filepath.Join(dir, "none.toml"): "no such file or directory",
		dir:                             "is a directory",
		big:                             "more than 4MiB, which is no option file",
		"":                              "no such file or directory",
	} {
		_, err := Load(Request{Use: All, Args: []string{"--config", name}})
		if got := errorText(err); got != "--config "+Quote(name)+": "+want || !IsCommandLine(err) {
			t.Errorf("%q gives %q, want %q", name, got, want)
		}
		if name == "" {
			continue // an empty variable is not set
		}
		_, err = Load(Request{Use: All, Environ: []string{"ZNODE_CONFIG=" + name}})
		if got := errorText(err); got != "ZNODE_CONFIG "+Quote(name)+": "+want || IsCommandLine(err) {
			t.Errorf("variable %q gives %q, want %q", name, got, want)
		}
	}
}

// Whatever a file holds, it is read or refused in one line that names the file.
func FuzzFile(tf *testing.F) {
	f := mutate.From(tf)
	f.Add("node = 'a'\n[x.y]\n[[z]]\n")
	f.Add("config = 'x'")
	f.Add("log_dir = true")
	f.Add("separator = \"\\t\"\n\"a b\" = [1, {b = 2}]")
	f.Add("slow_subscriber_grace = -1\nd = 1979-05-27T07:32:00Z")
	for _, value := range []string{"1.5", "inf", "1979-05-27T07:32:00Z", "1979-05-27", "07:32:00", "[1]", "{}", "[]"} {
		f.Add("node = " + value)
	}
	f.Add("clients.a = 1\nclients.b = 2")
	f.Add("node = 'a'\nnode = 'b'")
	f.Add("node = \xff")
	f.Add("node = 99999999999999999999")
	f.Fuzz(func(t *testing.T, text string) {
		given, err := all().parseFile("f", text)
		l := &loader{all(), &Settings{origins: map[*Option]Origin{}}}
		for _, g := range given {
			if err == nil {
				err = l.take(g)
			}
		}
		if err != nil && (!strings.HasPrefix(err.Error(), "f:") || strings.ContainsFunc(err.Error(), unicode.IsControl)) {
			t.Fatalf("error is %q", err)
		}
	})
}
