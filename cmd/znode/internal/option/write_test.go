package option

import (
	"bytes"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
)

// TestWriteHidesSecrets: not in the clear from any place, nor read back.
func TestWriteHidesSecrets(t *testing.T) {
	t.Parallel()
	const key = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
	secret := &Option{
		Name: "password", Kind: path("KEY"), Use: Broker, Secret: true,
		Field: func(c *Config) any { return &c.LogDir },
	}
	s, err := table{secret}.load(Request{Use: Broker, Args: []string{"--password", key}})
	if err != nil {
		t.Fatal(err)
	}
	if got := secret.assignment(&s.Config); got != `password = "(hidden)"` {
		t.Errorf("got %s", got)
	}
}

// TestTOMLString: the library reads back what tomlString writes.
func TestTOMLString(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "a", `"`, `\`, `C:\new`, "\x00\t\n\r\x1b\x7f\u0085", "ü€😀", "\u2028", "#'", strings.Repeat("x", 1000)} {
		var got struct{ V string }
		if _, err := toml.Decode("V = "+tomlString(text), &got); err != nil || got.V != text {
			t.Errorf("%q is read as %q, %v", text, got.V, err)
		}
	}
}

// TestWriteGoesBack: what is written, read as a file, writes the same values.
func TestWriteGoesBack(t *testing.T) {
	t.Parallel()
	s, err := Load(Request{Command: "run", Use: Roles, Args: []string{
		"--log-dir", "a \"b\"", "--separator", `\t`, "--slow-subscriber-grace=-1", "--ipv6", "--empty-field=",
	}})
	if err != nil {
		t.Fatal(err)
	}
	values := func(s *Settings, given bool) string {
		var b bytes.Buffer
		if err := s.Write(&b, Runnable, given); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	first := values(s, true)
	read, err := all().parseFile("f", first)
	if err != nil {
		t.Fatalf("%v in\n%s", err, first)
	}
	again, err := Load(Request{Command: "run", Use: Roles})
	if err != nil {
		t.Fatal(err)
	}
	l := &loader{all(), again}
	for _, g := range read {
		if err := l.take(g); err != nil {
			t.Fatal(err)
		}
	}
	if changed := Changed(&s.Config, &again.Config); len(changed) > 0 || len(read) != 5 {
		t.Errorf("%d options read; %s differs", len(read), changed[0].Name)
	}
	if full := values(again, false); len(strings.Split(full, "\n")) < len(all()) {
		t.Errorf("only these are written:\n%s", full)
	}
}
