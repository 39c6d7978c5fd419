package option

import (
	"errors"
	"strings"
	"testing"
)

// The options of these tests are not in the table yet; what they show is that
// the table can hold such options: secrets, Zeek's own variables, structures.
func testTable() table {
	clients := NewKind("", "an array of tables",
		func(string) (int, error) { return 0, errWant },
		func(n int) string { return strings.Repeat("#", n) })
	clients.FromTree = func(dst, tree any) error {
		list, ok := tree.([]map[string]any)
		if !ok {
			return errWant
		}
		if len(list) > 2 {
			return errors.New("too many")
		}
		*dst.(*int) = len(list)
		return nil
	}
	key := NewKind("KEY", "four letters", func(s string) (string, error) {
		if len(s) != 4 {
			return "", errWant
		}
		return s, nil
	}, verbatim)
	return table{
		{Name: "config", Kind: path("FILE"), Use: Broker, NotInFile: true, Field: func(c *Config) any { return &c.Config }},
		{Name: "key", Kind: key, Use: Broker, Secret: true, ZeekEnv: "ZEEK_KEY", Field: func(c *Config) any { return &c.Node }},
		{Name: "clients", Kind: clients, Use: Broker, OnlyInFile: true, Field: func(c *Config) any { return &c.LogRcvHWM }},
	}
}

func TestSecretAndZeekEnv(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args, environ []string
		want          string // value, or error
		place         Place
	}{
		{nil, nil, "", FromDefault},
		{[]string{"--key=abcd"}, nil, "abcd", FromFlag},
		{nil, []string{"ZEEK_KEY=abcd"}, "abcd", FromZeek},
		{nil, []string{"ZEEK_KEY=", "ZNODE_KEY=abcd"}, "abcd", FromEnvironment},
		{nil, []string{"ZEEK_KEY=abcd", "ZNODE_KEY="}, "abcd", FromZeek},
		{nil, []string{"ZEEK_KEY=abcd", "ZNODE_KEY=abcd"}, "ZEEK_KEY: ZNODE_KEY is set too; set only one of them", 0},
		{[]string{"--key=abcd"}, []string{"ZEEK_KEY=abcd"}, "--key: ZEEK_KEY is set too; set only one of them", 0},
		{[]string{"--key=geheim"}, nil, "--key (hidden): want four letters", 0},
		{nil, []string{"ZEEK_KEY=geheim"}, "ZEEK_KEY (hidden): want four letters", 0},
	} {
		table := testTable()
		s, err := table.load(Request{Use: Broker, Args: c.args, Environ: c.environ})
		if err != nil {
			if err.Error() != c.want {
				t.Errorf("%q %q: %q, want %q", c.args, c.environ, err, c.want)
			}
			continue
		}
		key := table.byName("key")
		if s.Config.Node != c.want || s.Origin(key).Place != c.place {
			t.Errorf("%q %q: %q from %v", c.args, c.environ, s.Config.Node, s.Origin(key))
		}
		if got := key.Text(&s.Config); (got == Hidden) != (c.want != "") || got != Hidden && got != "" {
			t.Errorf("secret is printed as %q", got)
		}
	}
}

func TestStructuredOption(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"[[clients]]\nname = 'a'\n[[clients]]\nname = 'b'\n": "##",
		"clients = 5\n": `f:1: clients "5": want an array of tables`,
		"clients = [1]": "f:1: clients is an array: want an array of tables",
		"[clients]":     "f:1: clients is a table: want an array of tables",
		"[[clients]]\n[[clients]]\n[[clients]]\n": "f:3: clients is an array: too many; want an array of tables",
		"key = ['a']":           "f:1: key is an array: want four letters",
		"key = 2026-01-01":      "f:1: key is a date or time: want four letters",
		"config = 'other.toml'": "f:1: config: can only be set by --config or ZNODE_CONFIG",
	} {
		table := testTable()
		given, err := table.parseFile("f", file)
		l := &loader{table, &Settings{origins: map[*Option]Origin{}}}
		for _, g := range given {
			if err == nil {
				err = l.take(g)
			}
		}
		got := errorText(err)
		if err == nil {
			got = table.byName("clients").Text(&l.settings.Config)
		}
		if got != want {
			t.Errorf("%q gives %q, want %q", file, got, want)
		}
	}
	_, err := testTable().load(Request{Command: "run", Use: Broker, Args: []string{"--clients=x"}})
	if want := "unknown flag --clients; clients can only be set in the file"; errorText(err) != want || !IsCommandLine(err) {
		t.Errorf("flag gives %v, want %q", err, want)
	}
}
