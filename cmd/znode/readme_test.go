package main

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/znode/znode/cmd/znode/internal/option"
)

//go:generate go test -count=1 -run=^TestREADMEOptions$ . -update

var update = flag.Bool("update", false, "rewrite the table of options in the README")

const (
	readme       = "../../README.md"
	optionsBegin = "<!-- options:begin -->\n"
	optionsEnd   = "<!-- options:end -->"
)

func TestREADMEOptions(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(data), optionsBegin)
	table, after, ends := strings.Cut(rest, optionsEnd)
	if !begins || !ends {
		t.Fatalf("%s has no table between %q and %q", readme, optionsBegin, optionsEnd)
	}
	var want bytes.Buffer
	if err := option.WriteMarkdown(&want); err != nil {
		t.Fatal(err)
	}
	if table == want.String() {
		return
	}
	if !*update {
		t.Fatalf("the table of options in %s is out of date; run go generate in cmd/znode", readme)
	}
	if err := os.WriteFile(readme, []byte(before+optionsBegin+want.String()+optionsEnd+after), 0o644); err != nil {
		t.Fatal(err)
	}
}
