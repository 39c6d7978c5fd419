package option

import (
	"fmt"
	"strings"
)

// Request is what [Load] works from.
type Request struct {
	// Command is the name of the command, for messages.
	Command string
	// Use are the options that the command takes. A command that takes none
	// reads neither environment nor file.
	Use Use
	// Flags are switches of this command alone.
	Flags []Flag
	// Args is the command line after the command's name.
	Args []string
	// Environ is the environment as os.Environ gives it.
	Environ []string
}

// Settings are the values in force and where they came from.
type Settings struct {
	// Config holds all values, also of options that the command does not use.
	Config Config
	// Args are the arguments that are no flags, in order.
	Args []string
	// Hints name ZNODE_* variables that are nobody's but look like a mistyped
	// option. Others are not ours to judge: Kubernetes, for one, sets
	// ZNODE_SERVICE_HOST for a service of that name.
	Hints []string

	table   table
	request Request
	origins map[*Option]Origin
}

// Variable returns what a variable of the environment is set to; "" if it is not.
func (s *Settings) Variable(name string) string {
	for _, entry := range s.request.Environ {
		if text, ok := strings.CutPrefix(entry, name+"="); ok {
			return text
		}
	}
	return ""
}

// Place is where a value can come from.
type Place int

// Places, from the weakest to the strongest.
const (
	FromDefault Place = iota
	FromLayout        // the cluster's layout; see [Settings.Suggest]
	FromFile
	FromEnvironment
	FromZeek // Zeek's own variable
	FromFlag
)

// Origin is where a value came from.
type Origin struct {
	Place Place
	// Name is what the user wrote: --log-dir, ZNODE_LOG_DIR or
	// znode.toml:3: log_dir.
	Name string
}

// String is Name, or "default".
func (o Origin) String() string {
	if o.Place == FromDefault {
		return "default"
	}
	return o.Name
}

// Origin tells where the value of o came from.
func (s *Settings) Origin(o *Option) Origin { return s.origins[o] }

// Given tells whether a user set the option of that name anywhere.
func (s *Settings) Given(name string) bool {
	return s.origins[s.table.byName(name)].Place > FromLayout
}

// Suggest sets the option of that name to what the layout says, unless a user
// set it. where names the place in the layout.
func (s *Settings) Suggest(name, text, where string) error {
	if s.Given(name) {
		return nil
	}
	g := given{option: s.table.byName(name), origin: Origin{FromLayout, where}, text: text}
	if err := g.assign(&s.Config); err != nil {
		return err
	}
	s.origins[g.option] = g.origin
	return nil
}

// FlagsWithout lists the options that were given as flags although none of use
// reads them.
func (s *Settings) FlagsWithout(use Use) []*Option {
	var unread []*Option
	for _, o := range s.table {
		if s.origins[o].Place == FromFlag && o.Use&use == 0 {
			unread = append(unread, o)
		}
	}
	return unread
}

// Reload loads again from the same command line and environment and from what
// the file holds now. s stays as it is.
func (s *Settings) Reload() (*Settings, error) { return s.table.load(s.request) }

// Changed lists the options whose values differ between the two configurations.
func Changed(before, after *Config) []*Option {
	var changed []*Option
	for _, o := range all() {
		if o.Kind.get(o.Field(before)) != o.Kind.get(o.Field(after)) {
			changed = append(changed, o)
		}
	}
	return changed
}

// Load finds the value of every option. Its errors are [ErrHelp] and mistakes
// that a person made, each in one line.
func Load(r Request) (*Settings, error) { return all().load(r) }

func (t table) load(r Request) (*Settings, error) {
	l := &loader{t, &Settings{table: t, request: r, origins: map[*Option]Origin{}}}
	line, err := t.parseArgs(r)
	if err != nil {
		return nil, err
	}
	l.settings.Args = line.args
	if err := l.defaults(); err != nil {
		return nil, err
	}
	if r.Use == 0 {
		return l.settings, nil
	}
	env := t.parseEnviron(r.Environ)
	l.settings.Hints = env.hints
	file, err := t.parseConfigured(line.given, env.given)
	if err != nil {
		return nil, err
	}
	for _, given := range [][]given{file, env.given, env.zeek, line.given} {
		for _, g := range given {
			if err := l.take(g); err != nil {
				return nil, err
			}
		}
	}
	return l.settings, nil
}

// given is a value that a user gave in one place.
type given struct {
	option *Option
	origin Origin
	text   string
	tree   any // array or table of the file; text is empty then
}

// loader applies values, the weakest place first.
type loader struct {
	table    table
	settings *Settings
}

func (l *loader) defaults() error {
	for _, o := range l.table {
		if o.Default == "" && !o.Kind.Empty {
			continue
		}
		if err := o.Kind.assign(o.Field(&l.settings.Config), o.Default, o.Name, o.Default); err != nil {
			return fmt.Errorf("default of %w", err)
		}
	}
	return nil
}

func (l *loader) take(g given) error {
	before := l.settings.origins[g.option]
	mixes := g.origin.Place == FromZeek || before.Place == FromZeek
	if mixes && before.Place != FromDefault {
		return &Error{
			Where:   g.origin.Name,
			Problem: before.Name + " is set too; set only one of them",
			Flag:    g.origin.Place == FromFlag,
		}
	}
	if err := g.assign(&l.settings.Config); err != nil {
		err.Flag = g.origin.Place == FromFlag
		return err
	}
	l.settings.origins[g.option] = g.origin
	return nil
}

func (g given) assign(c *Config) *Error {
	shown, dst, kind := Quote(g.text), g.option.Field(c), g.option.Kind
	if g.option.Secret || kind.Private {
		shown = Hidden
	}
	if g.tree == nil {
		return kind.assign(dst, g.text, g.origin.Name, shown)
	}
	if kind.FromTree == nil {
		return kind.mistake(errWant, g.origin.Name, describeTree(g.tree))
	}
	return kind.mistake(kind.FromTree(dst, g.tree), g.origin.Name, describeTree(g.tree))
}
