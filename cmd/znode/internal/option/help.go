package option

import (
	"fmt"
	"io"
	"strings"
)

// WriteHelp lists the flags of a command that takes the options of use and has
// flags of its own.
func WriteHelp(w io.Writer, use Use, flags []Flag) error {
	var b strings.Builder
	if len(flags) > 0 {
		b.WriteString("\nFlags of this command:\n")
		for _, f := range flags {
			writeFlag(&b, f.Name, f.Kind.Placeholder, f.Help, "")
		}
	}
	zeekEnv := false
	for _, s := range Sections() {
		title := "\n" + s.Title + ":\n"
		for _, o := range s.Options {
			if !o.takenBy(use) {
				continue
			}
			b.WriteString(title)
			title = ""
			if o.ZeekEnv != "" {
				zeekEnv = true
			}
			writeFlag(&b, dashed(o.Name), o.Kind.Placeholder, o.Help, o.shownDefault())
		}
	}
	if use != 0 {
		b.WriteString("\nA flag --some-name is also the variable ZNODE_SOME_NAME and the key some_name of\n" +
			"the --config file. A flag beats the variable, the variable beats the file.\n" +
			"Switches take =true or =false; lengths of time 10s, 1h30m or 10 min; sizes 64MiB.\n")
	}
	if zeekEnv {
		b.WriteString("The four keys are also taken from Zeek's own variables, " + zeekCurve + "SERVER_PUBLICKEY\n" +
			"and so on. A key there and in another place is a mistake.\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeFlag(b *strings.Builder, name, placeholder, help, def string) {
	b.WriteString("  --" + name)
	if placeholder != "" {
		b.WriteString(" " + placeholder)
	}
	if def != "" {
		def = " (default " + def + ")"
	}
	b.WriteString("\n" + wrap(strings.ReplaceAll(help, "`", "")+def, "      "))
}

// helpWidth fits a terminal of 80 columns.
const helpWidth = 78

// wrap breaks text at spaces into indented lines.
func wrap(text, indent string) string {
	var b strings.Builder
	column := 0
	for _, word := range strings.Fields(text) {
		switch {
		case column == 0:
			b.WriteString(indent)
			column = len(indent)
		case column+1+len(word) > helpWidth:
			b.WriteString("\n" + indent)
			column = len(indent)
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	return b.String() + "\n"
}

// shownDefault is the default as a user may type it, empty where there is none.
func (o *Option) shownDefault() string {
	if o.Secret {
		return ""
	}
	return o.Default
}

// WriteMarkdown writes the README's tables, one for each section.
func WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	for i, s := range Sections() {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "#### %s\n\n", s.Title)
		b.WriteString("| Option | Default | For | Meaning |\n| --- | --- | --- | --- |\n")
		for _, o := range s.Options {
			help := o.Help
			if o.ZeekEnv != "" {
				help += "; also `" + o.ZeekEnv + "`"
			}
			if o.Reload {
				help += "; changes on SIGHUP"
			}
			if o.OnlyInFile {
				help += "; only in the file"
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", code(o.signature()), code(o.shownDefault()), o.Use, cell(help))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// signature is the flag with its placeholder, or the key of what has no flag.
func (o *Option) signature() string {
	if o.OnlyInFile {
		return o.Name
	}
	return strings.TrimSuffix(o.Flag()+" "+o.Kind.Placeholder, " ")
}

func code(text string) string {
	if text == "" {
		return ""
	}
	return "`" + cell(text) + "`"
}

// cell keeps text inside its column.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
