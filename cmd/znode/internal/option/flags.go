package option

import (
	"slices"
	"strings"
)

// Flag is a switch of one command alone: it has no variable and no key.
type Flag struct {
	Name string // as typed, without the two dashes
	Kind Kind
	Help string
	// Dst points at the value, of the type that Kind handles, and holds the
	// default.
	Dst any
}

// Enum is the kind of a string that is one of values.
func Enum(values ...string) Kind { return enum(values...) }

// ListenEndpoint is the kind of a place to listen at.
var ListenEndpoint = listenEndpoint

// NodeName is the kind of the name of a node.
var NodeName = nodeName

// CheckHost tells what is wrong with text as a host: a name, an IPv4 address, or
// an IPv6 address in brackets.
func CheckHost(text string) error { return checkHost(text) }

// commandLine is what was on it.
type commandLine struct {
	given []given
	args  []string
}

// parseArgs reads flags and arguments in any order. A flag is --name=value,
// --name value, or --name alone for switches; after -- everything is an
// argument. Values of the command's own flags are set on the way.
func (t table) parseArgs(r Request) (commandLine, error) {
	var line commandLine
	for i := 0; i < len(r.Args); i++ {
		arg := r.Args[i]
		switch {
		case arg == "--":
			line.args = append(line.args, r.Args[i+1:]...)
			return line, nil
		case arg == "-h" || arg == "--help":
			return line, ErrHelp
		case arg == "-" || !strings.HasPrefix(arg, "-"):
			line.args = append(line.args, arg)
			continue
		}
		flag, text, hasText := strings.Cut(arg, "=")
		name, ok := strings.CutPrefix(flag, "--")
		target, known := t.lookup(r, name)
		if !ok || !known {
			return line, t.unknownFlag(r, flag)
		}
		switch {
		case hasText:
		case target.kind.Bare:
			text = "true"
		case i+1 == len(r.Args):
			return line, flagErrorf("%s needs a value: %s", flag, target.kind.Allowed)
		case strings.HasPrefix(r.Args[i+1], "--"):
			return line, flagErrorf("%s needs a value: %s (write %s=%s if that is the value)",
				flag, target.kind.Allowed, flag, r.Args[i+1])
		default:
			i++
			text = r.Args[i]
		}
		if target.option != nil {
			line.given = append(line.given, given{target.option, Origin{FromFlag, flag}, text, nil})
		} else if err := target.kind.assign(target.dst, text, flag, Quote(text)); err != nil {
			err.Flag = true
			return line, err
		}
	}
	return line, nil
}

// target is what a flag sets: an option of the table or the command's own.
type target struct {
	option *Option
	kind   Kind
	dst    any
}

func (t table) lookup(r Request, name string) (target, bool) {
	for _, f := range r.Flags {
		if f.Name == name {
			return target{nil, f.Kind, f.Dst}, true
		}
	}
	o := t.find(func(o *Option) bool { return dashed(o.Name) == name && o.takenBy(r.Use) })
	if o == nil {
		return target{}, false
	}
	return target{o, o.Kind, nil}, true
}

// takenBy tells whether a command for use has a flag for o.
func (o *Option) takenBy(use Use) bool { return o.Use&use != 0 && !o.OnlyInFile }

func (t table) unknownFlag(r Request, flag string) error {
	name := strings.TrimLeft(flag, "-")
	if _, known := t.lookup(r, name); known {
		return flagErrorf("unknown flag %s; did you mean --%s?", flag, name)
	}
	if o := t.find(func(o *Option) bool { return dashed(o.Name) == name }); o != nil {
		if o.OnlyInFile {
			return flagErrorf("unknown flag %s; %s can only be set in the file", flag, o.Name)
		}
		return flagErrorf("znode %s takes no %s; it is for %s", r.Command, flag, o.Use)
	}
	names := []string{"help"}
	for _, f := range r.Flags {
		names = append(names, f.Name)
	}
	for _, o := range t {
		if o.takenBy(r.Use) {
			names = append(names, dashed(o.Name))
		}
	}
	slices.Sort(names)
	hint := didYouMean("--", name, names)
	if hint == "" {
		hint = "; see znode " + r.Command + " --help"
	}
	return flagErrorf("unknown flag %s%s", Printable(flag), hint)
}
