package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/znode/znode/cmd/znode/internal/option"
)

func helpCommand() *command {
	return &command{
		name:      "help",
		arguments: "[COMMAND | options]",
		summary:   "explain a command, or list all options",
		text: "Explains what a command does and takes. \"options\" lists the options of all\n" +
			"commands; with --markdown as the tables of the README.",
		examples: []string{"znode help run", "znode help options --markdown"},
		prepare: func() ([]option.Flag, action) {
			var markdown bool
			flags := []option.Flag{{
				Name: "markdown", Kind: option.Switch, Dst: &markdown,
				Help: "write options as Markdown tables",
			}}
			return flags, func(_ context.Context, p process, s *option.Settings) error {
				return help(p.stdout, s.Args, markdown)
			}
		},
	}
}

func help(w io.Writer, args []string, markdown bool) error {
	options := len(args) == 1 && args[0] == "options"
	switch {
	case markdown && !options:
		return usageErrorf("--markdown is for znode help options")
	case len(args) == 0:
		return writeOverview(w)
	case len(args) > 1:
		return usageErrorf("znode help takes one command, got also %s", option.Printable(args[1]))
	case options && markdown:
		return option.WriteMarkdown(w)
	case options:
		return option.WriteHelp(w, option.All, nil)
	}
	c, err := findCommand(args[0])
	if err != nil {
		return err
	}
	return writeCommandHelp(w, c)
}

func writeOverview(w io.Writer) error {
	var b strings.Builder
	b.WriteString("znode is the ZeroMQ broker and the logger of a Zeek cluster.\n\n" +
		"Usage: znode COMMAND [ARGUMENT...] [--FLAG...]\n\nCommands:\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "  %-12s%s\n", c.name, c.summary)
	}
	b.WriteString("\nznode COMMAND --help explains a command, znode help options lists all options.\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func writeCommandHelp(w io.Writer, c *command) error {
	var b strings.Builder
	flags, _ := c.prepare()
	b.WriteString("Usage: znode " + c.name)
	if c.arguments != "" {
		b.WriteString(" " + c.arguments)
	}
	if len(flags) > 0 || c.use != 0 {
		b.WriteString(" [--FLAG...]")
	}
	b.WriteString("\n\n" + c.text + "\n\nExamples:\n")
	for _, e := range c.examples {
		b.WriteString("  " + e + "\n")
	}
	if err := option.WriteHelp(&b, c.use, flags); err != nil {
		return err
	}
	_, err := io.WriteString(w, b.String())
	return err
}
