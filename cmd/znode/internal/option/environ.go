package option

import (
	"cmp"
	"slices"
	"strings"
)

// environment is what the environment says about options.
type environment struct {
	given []given // in ZNODE_* variables
	zeek  []given // in Zeek's own
	hints []string
}

// parseEnviron finds the options in environ. An empty variable counts as not
// set, except where the empty text is a value.
func (t table) parseEnviron(environ []string) environment {
	var env environment
	for _, entry := range environ {
		name, text, _ := strings.Cut(entry, "=")
		o := t.find(func(o *Option) bool {
			return !o.OnlyInFile && (o.Variable() == name || o.ZeekEnv != "" && o.ZeekEnv == name)
		})
		switch {
		case o == nil:
			if hint := t.variableHint(name); hint != "" {
				env.hints = append(env.hints, hint)
			}
		case text == "" && (o.Secret || !o.Kind.Empty):
		case o.ZeekEnv == name:
			env.zeek = append(env.zeek, given{o, Origin{FromZeek, name}, text, nil})
		default:
			env.given = append(env.given, given{o, Origin{FromEnvironment, name}, text, nil})
		}
	}
	// The order of an environment is accidental; which error is told is not.
	byName := func(a, b given) int { return cmp.Compare(a.origin.Name, b.origin.Name) }
	slices.SortStableFunc(env.given, byName)
	slices.SortStableFunc(env.zeek, byName)
	slices.Sort(env.hints)
	return env
}

func (t table) variableHint(name string) string {
	if !strings.HasPrefix(name, variablePrefix) {
		return ""
	}
	var names []string
	for _, o := range t {
		if !o.OnlyInFile {
			names = append(names, strings.ToUpper(o.Name))
		}
	}
	hint := didYouMean(variablePrefix, strings.ToUpper(strings.TrimPrefix(name, variablePrefix)), names)
	if hint == "" {
		return ""
	}
	return "variable " + Printable(name) + " is no option" + hint
}
