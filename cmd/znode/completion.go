package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/znode/znode/cmd/znode/internal/option"
)

func completionCommand() *command {
	shells := []string{"bash", "zsh", "fish"}
	return &command{
		name:      "completion",
		arguments: strings.Join(shells, "|"),
		summary:   "print what makes a shell complete znode's commands and flags",
		text: "Prints a script for the shell. It is made from the same table as this help, so\n" +
			"it fits this version of znode.",
		examples: []string{
			"source <(znode completion bash)",
			`znode completion zsh > "${fpath[1]}/_znode"`,
			"znode completion fish > ~/.config/fish/completions/znode.fish",
		},
		prepare: func() ([]option.Flag, action) {
			return nil, func(_ context.Context, p process, s *option.Settings) error {
				if len(s.Args) != 1 {
					return usageErrorf("znode completion takes one shell: %s", strings.Join(shells, ", "))
				}
				var script string
				switch s.Args[0] {
				case "bash":
					script = bashCompletion(completions())
				case "zsh":
					script = zshCompletion(completions())
				case "fish":
					script = fishCompletion(completions())
				default:
					return usageErrorf("unknown shell %s, want one of %s", option.Printable(s.Args[0]), strings.Join(shells, ", "))
				}
				_, err := io.WriteString(p.stdout, script)
				return err
			}
		},
	}
}

// completion is what can stand behind a command.
type completion struct {
	name, summary string
	args          []string // words that may be arguments
	files         bool     // arguments are files
	flags         []completionFlag
}

type completionFlag struct {
	name, help string // name without dashes
	bare       bool   // takes a value only behind =
	values     []string
	files      bool
}

// completions are those of all commands, in their order.
func completions() []completion {
	var list []completion
	for _, c := range commands() {
		flags, _ := c.prepare()
		entry := completion{name: c.name, summary: c.summary, files: strings.Contains(c.arguments, "FILE")}
		switch c.name {
		case "run", "config":
			entry.args = option.RoleNames()
		case "help":
			entry.args = append(commandNames(), "options")
		case "completion":
			entry.args = strings.Split(c.arguments, "|")
		}
		entry.flags = append(entry.flags, completionFlag{name: "help", help: "explain the command", bare: true})
		for _, f := range flags {
			entry.flags = append(entry.flags, newCompletionFlag(f.Name, f.Help, f.Kind))
		}
		for _, section := range option.Sections() {
			for _, o := range section.Options {
				if o.Use&c.use != 0 && !o.OnlyInFile {
					entry.flags = append(entry.flags, newCompletionFlag(strings.TrimPrefix(o.Flag(), "--"), o.Help, o.Kind))
				}
			}
		}
		list = append(list, entry)
	}
	return list
}

func newCompletionFlag(name, help string, kind option.Kind) completionFlag {
	f := completionFlag{name: name, help: strings.ReplaceAll(help, "`", ""), bare: kind.Bare}
	switch {
	case strings.Contains(kind.Placeholder, "|"):
		f.values = strings.Split(kind.Placeholder, "|")
	case kind.Placeholder == "FILE", kind.Placeholder == "DIR":
		f.files = true
	}
	return f
}

func bashCompletion(list []completion) string {
	var b strings.Builder
	b.WriteString(`# znode's completion for bash.
_znode() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words= flags= files=
	COMPREPLY=()
	# Bash makes three words of --flag=value.
	if [[ $cur == = ]]; then
		cur=
	elif [[ $prev == = ]]; then
		prev=${COMP_WORDS[COMP_CWORD-2]}
	fi
	if (( COMP_CWORD == 1 )); then
		COMPREPLY=($(compgen -W "` + strings.Join(names(list), " ") + `" -- "$cur"))
		return
	fi
	case ${COMP_WORDS[1]}:$prev in
`)
	for _, c := range list {
		for _, f := range c.flags {
			switch {
			case f.bare:
			case f.files:
				fmt.Fprintf(&b, "\t%s:--%s) files=1 ;;\n", c.name, f.name)
			default:
				fmt.Fprintf(&b, "\t%s:--%s) words=%s ;;\n", c.name, f.name, shellQuote(orSpace(f.values)))
			}
		}
		var flags []string
		for _, f := range c.flags {
			flags = append(flags, "--"+f.name)
		}
		files := ""
		if c.files {
			files = " files=1"
		}
		fmt.Fprintf(&b, "\t%s:*) words=%s flags=%s%s ;;\n", c.name,
			shellQuote(strings.Join(c.args, " ")), shellQuote(strings.Join(flags, " ")), files)
	}
	b.WriteString(`	esac
	[[ $cur == -* && $flags ]] && words=$flags
	COMPREPLY=($(compgen -W "$words" -- "$cur"))
	if [[ $files ]]; then
		compopt -o filenames 2>/dev/null
		COMPREPLY+=($(compgen -f -- "$cur"))
	fi
}
complete -F _znode znode
`)
	return b.String()
}

// orSpace is a list of words, or a space where any value goes, so that nothing is
// offered.
func orSpace(values []string) string {
	if len(values) == 0 {
		return " "
	}
	return strings.Join(values, " ")
}

func zshCompletion(list []completion) string {
	var b strings.Builder
	b.WriteString("#compdef znode\n# znode's completion for zsh.\n_znode() {\n" +
		"\tlocal -a commands\n\tcommands=(\n")
	for _, c := range list {
		fmt.Fprintf(&b, "\t\t%s\n", shellQuote(c.name+":"+strings.ReplaceAll(c.summary, ":", `\:`)))
	}
	b.WriteString("\t)\n\tif (( CURRENT == 2 )); then\n\t\t_describe command commands\n\t\treturn\n\tfi\n" +
		"\tlocal command=$words[2]\n\t(( CURRENT-- ))\n\tshift words\n\tcase $command in\n")
	escape := strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`, ":", `\:`)
	for _, c := range list {
		fmt.Fprintf(&b, "\t%s)\n\t\t_arguments", c.name)
		for _, f := range c.flags {
			spec := "--" + f.name
			if !f.bare {
				spec += "="
			}
			spec += "[" + escape.Replace(f.help) + "]"
			switch {
			case f.bare:
			case f.files:
				spec += ":path:_files"
			default:
				spec += ":value:(" + strings.Join(f.values, " ") + ")"
			}
			b.WriteString(" \\\n\t\t\t" + shellQuote(spec))
		}
		switch {
		case c.files:
			b.WriteString(" \\\n\t\t\t'*:file:_files'")
		case len(c.args) > 0:
			b.WriteString(" \\\n\t\t\t" + shellQuote("*:argument:("+strings.Join(c.args, " ")+")"))
		}
		b.WriteString("\n\t\t;;\n")
	}
	b.WriteString("\tesac\n}\n" +
		"if [[ $funcstack[1] == _znode ]]; then\n\t_znode \"$@\"\nelse\n\tcompdef _znode znode\nfi\n")
	return b.String()
}

func fishCompletion(list []completion) string {
	var b strings.Builder
	b.WriteString("# znode's completion for fish.\ncomplete -c znode -f\n")
	for _, c := range list {
		fmt.Fprintf(&b, "complete -c znode -n __fish_use_subcommand -a %s -d %s\n", c.name, fishQuote(c.summary))
		when := fmt.Sprintf("complete -c znode -n '__fish_seen_subcommand_from %s'", c.name)
		switch {
		case c.files:
			fmt.Fprintf(&b, "%s -F\n", when)
		case len(c.args) > 0:
			fmt.Fprintf(&b, "%s -a %s\n", when, fishQuote(strings.Join(c.args, " ")))
		}
		for _, f := range c.flags {
			value := ""
			switch {
			case f.bare:
			case f.files:
				value = " -r -F"
			default:
				value = " -x -a " + fishQuote(strings.Join(f.values, " "))
			}
			fmt.Fprintf(&b, "%s -l %s%s -d %s\n", when, f.name, value, fishQuote(f.help))
		}
	}
	return b.String()
}

func names(list []completion) (names []string) {
	for _, c := range list {
		names = append(names, c.name)
	}
	return names
}

// shellQuote is a word of POSIX shells.
func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// fishQuote is a word of fish.
func fishQuote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
}
