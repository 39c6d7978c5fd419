package option

import (
	"slices"
	"strings"
	"sync"
)

// Option is a row of the table: one thing that an operator can set.
type Option struct {
	// Name is Zeek's name where Zeek has this option, with underscores. Flag,
	// variable and key follow from it.
	Name string
	// Kind says how a value is written and what is allowed.
	Kind Kind
	// Default is written as a user would write it. Empty where Kind takes no
	// empty value means that the field keeps its zero value until set.
	Default string
	// Use says who reads the value; only commands named here take the flag.
	Use Use
	// Reload is true when a running znode takes a new value on SIGHUP.
	Reload bool
	// Secret values are never printed, neither by commands nor in errors.
	Secret bool
	// NotInFile excludes the key from the file, OnlyInFile excludes the flag
	// and the variable.
	NotInFile, OnlyInFile bool
	// ZeekEnv is the variable by which Zeek itself takes this value, if znode
	// takes it too. It ranks with none of the other places: a value there and
	// here is refused.
	ZeekEnv string
	// Help is one sentence without a final stop, Markdown-safe.
	Help string
	// Field points at the Config field of the type that Kind handles.
	Field func(*Config) any
}

// Flag is the option's name on the command line, dashes included.
func (o *Option) Flag() string { return "--" + dashed(o.Name) }

// Variable is the option's name in the environment.
func (o *Option) Variable() string { return variablePrefix + strings.ToUpper(o.Name) }

// Text is the option's value in c as a user would write it. Secrets that are
// set come out as [Hidden].
func (o *Option) Text(c *Config) string {
	text := o.Kind.get(o.Field(c))
	if o.Secret && text != "" {
		return Hidden
	}
	return text
}

// Hidden stands where a secret would.
const Hidden = "(hidden)"

const variablePrefix = "ZNODE_"

func dashed(name string) string { return strings.ReplaceAll(name, "_", "-") }

// Use is the set of roles and commands that an option is for.
type Use uint32

// Roles of znode run, and commands.
const (
	Broker Use = 1 << iota
	Logger
	Demo
	Sub
	Pub
	Check
	Member
)

const (
	// Roles is what znode run is when nothing is named.
	Roles = Broker | Logger
	// Runnable is everything that it can be.
	Runnable = Roles | Member
	// Clients are the commands that connect to a running cluster.
	Clients = Sub | Pub | Check
	// All is every command that takes options at all.
	All = Runnable | Demo | Clients
)

var useNames = []struct {
	use  Use
	name string
}{{Broker, "broker"}, {Logger, "logger"}, {Member, "member"}, {Demo, "demo"}, {Sub, "sub"}, {Pub, "pub"}, {Check, "check"}}

// String lists the names in u, separated by commas; "all" for [All].
func (u Use) String() string {
	if u == All {
		return "all"
	}
	var names []string
	for _, n := range useNames {
		if u&n.use != 0 {
			names = append(names, n.name)
		}
	}
	return strings.Join(names, ", ")
}

// ParseRole is the role of znode run with that name.
func ParseRole(name string) (Use, bool) {
	for _, n := range useNames {
		if n.name == name && Runnable&n.use != 0 {
			return n.use, true
		}
	}
	return 0, false
}

// RoleNames lists what [ParseRole] knows.
func RoleNames() []string { return strings.Split(Runnable.String(), ", ") }

// Section is a titled group of options, in the order of help and README.
type Section struct {
	Title   string
	Options []*Option
}

// Sections is the whole table. Callers must not change it.
var Sections = sync.OnceValue(func() []Section {
	return []Section{
		{"General", general},
		{"Broker", broker},
		{"Logger", logger},
		{"Log files", ascii},
		{"Cluster", cluster},
		{"Member", member},
		{"Encryption and rights", curveKeys},
		{"Connections", connections},
	}
})

// table is a set of options to look names up in. Tests make their own.
type table []*Option

// all is every option there is.
var all = sync.OnceValue(func() table {
	var t table
	for _, s := range Sections() {
		t = append(t, s.Options...)
	}
	return t
})

func (t table) byName(name string) *Option {
	return t.find(func(o *Option) bool { return o.Name == name })
}

func (t table) find(match func(*Option) bool) *Option {
	if i := slices.IndexFunc(t, match); i >= 0 {
		return t[i]
	}
	return nil
}
