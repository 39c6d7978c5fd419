package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/znode/znode/cmd/znode/internal/option"
)

//go:generate go test -count=1 -run=^TestREADME$ . -update

var update = flag.Bool("update", false, "rewrite the parts of the README that are made from code")

const readme = "../../README.md"

// made are the parts of the README that stand between NAME:begin and NAME:end.
var made = map[string]func(*bytes.Buffer) error{
	"options": func(b *bytes.Buffer) error { return option.WriteMarkdown(b) },
	"units":   writeUnits,
}

// writeUnits writes the units for systemd.
func writeUnits(b *bytes.Buffer) error {
	files, err := filepath.Glob("systemd/*.service")
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("no units")
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		fmt.Fprintf(b, "<details><summary><code>/etc/systemd/system/%s</code></summary>\n\n```ini\n%s```\n</details>\n\n", filepath.Base(file), text)
	}
	return err
}

// TestREADME: the README says what the code says.
func TestREADME(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for name, write := range made {
		begin, end := "<!-- "+name+":begin -->\n", "<!-- "+name+":end -->"
		before, rest, begins := strings.Cut(text, begin)
		_, after, ends := strings.Cut(rest, end)
		if !begins || !ends {
			t.Fatalf("%s has no %q and %q", readme, begin, end)
		}
		var want bytes.Buffer
		if err := write(&want); err != nil {
			t.Fatal(err)
		}
		text = before + begin + want.String() + end + after
	}
	switch {
	case text == string(data):
	case !*update:
		t.Fatalf("%s is out of date; run go generate in cmd/znode", readme)
	default:
		if err := os.WriteFile(readme, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// block is what the README shows in the first block of a language, without
// comments and empty lines.
func block(t *testing.T, language string) string {
	t.Helper()
	data, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, begins := strings.Cut(string(data), "\n```"+language+"\n")
	text, _, ends := strings.Cut(rest, "```\n")
	if !begins || !ends {
		t.Fatalf("%s has no block of %s", readme, language)
	}
	return bare(text)
}

func bare(text string) string {
	var lines strings.Builder
	for line := range strings.Lines(text) {
		if trimmed := strings.TrimSpace(line); trimmed != "" && trimmed[0] != '#' {
			lines.WriteString(line)
		}
	}
	return lines.String()
}

// TestREADMECluster: the configuration that the README shows is one, and the lines
// for Zeek that it shows are those that znode prints for it.
func TestREADMECluster(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "znode.toml")
	if err := os.WriteFile(config, []byte(block(t, "toml")), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, people, status := outcome(t, "run", "--config", config, "--check"); status != 0 || people != "" {
		t.Errorf("status %d: %s%s", status, out, people)
	}
	lines, people, status := outcome(t, "layout", "--config", config, "--address", "192.0.2.1")
	if status != 0 || people != "" || bare(lines) != block(t, "zeek") {
		t.Errorf("status %d: %s\nprints\n%s\nthe README shows\n%s", status, people, bare(lines), block(t, "zeek"))
	}
}
