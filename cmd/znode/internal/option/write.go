package option

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode"
)

// Write writes the options of use with their values and where these come from, as
// a file that --config reads to the same effect. Defaults, secrets and what cannot
// be in the file are comments. given leaves out defaults.
func (s *Settings) Write(w io.Writer, use Use, given bool) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	between := ""
	for _, section := range Sections() {
		title := between + "# " + section.Title + "\n"
		for _, o := range section.Options {
			if o.Use&use == 0 || given && s.Origin(o).Place == FromDefault {
				continue
			}
			fmt.Fprint(t, title)
			title, between = "", "\n"
			line := o.assignment(&s.Config)
			if o.NotInFile || o.Secret || s.Origin(o).Place == FromDefault {
				line = "# " + line
			}
			fmt.Fprintf(t, "%s\t# %s\n", line, visible(s.Origin(o).String()))
		}
		if err := t.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// assignment is a line of the file, without its end.
func (o *Option) assignment(c *Config) string {
	text := o.Text(c)
	if o.Kind.Literal {
		return o.Name + " = " + cmp.Or(text, "[]")
	}
	if n, err := strconv.Atoi(text); o.Kind.Bare || err == nil && strconv.Itoa(n) == text {
		return o.Name + " = " + text
	}
	return o.Name + " = " + tomlString(text)
}

// tomlString is a basic string of TOML 1.0.
func tomlString(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
