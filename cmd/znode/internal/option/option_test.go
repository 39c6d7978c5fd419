package option

import (
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// A row that is wrong in itself would only show when somebody uses it.
func TestRows(t *testing.T) {
	t.Parallel()
	if len(all()) == 0 {
		t.Fatal("the table is empty")
	}
	var defaults Config
	if s, err := Load(Request{Use: All}); err != nil {
		t.Fatal(err)
	} else {
		defaults = s.Config
	}
	names := map[string]bool{}
	for _, o := range all() {
		if len(o.Name) > maxCompared {
			t.Errorf("name %q is longer than nearest names may be", o.Name)
		}
		t.Run(o.Name, func(t *testing.T) {
			if !regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`).MatchString(o.Name) || names[o.Name] {
				t.Errorf("name %q is taken or malformed", o.Name)
			}
			names[o.Name] = true
			if o.Use == 0 {
				t.Error("nobody uses it")
			}
			if o.Help == "" || strings.HasSuffix(o.Help, ".") || strings.Contains(o.Help, "\n") {
				t.Errorf("help %q is not a sentence without its stop", o.Help)
			}
			if (o.Kind.Placeholder == "") != o.Kind.Bare {
				t.Errorf("placeholder %q of a kind with Bare %t", o.Kind.Placeholder, o.Kind.Bare)
			}
			if text := o.Text(&defaults); text != o.Default {
				t.Errorf("default %q is written %q when printed", o.Default, text)
			}
		})
	}
}

// Every field of Config has exactly one row, so that nothing is read that
// nobody can set.
func TestRowsCoverConfig(t *testing.T) {
	t.Parallel()
	var c Config
	owner := map[any]string{}
	for _, o := range all() {
		p := o.Field(&c)
		if owner[p] != "" {
			t.Errorf("%s and %s share a field", owner[p], o.Name)
		}
		owner[p] = o.Name
	}
	v := reflect.ValueOf(&c).Elem()
	for i := range v.NumField() {
		field := v.Type().Field(i).Name
		name := owner[v.Field(i).Addr().Interface()]
		if strings.ReplaceAll(name, "_", "") != strings.ToLower(field) {
			t.Errorf("field %s belongs to row %q", field, name)
		}
	}
}

func TestUse(t *testing.T) {
	t.Parallel()
	for use, want := range map[Use]string{
		0: "", Broker: "broker", Roles: "broker, logger", Runnable: "broker, logger, member", Logger | Demo: "logger, demo", All: "all",
	} {
		if got := use.String(); got != want {
			t.Errorf("Use(%d) is %q, want %q", use, got, want)
		}
	}
	if use, ok := ParseRole("logger"); use != Logger || !ok {
		t.Errorf("role logger is %v, %t", use, ok)
	}
	for _, name := range []string{"demo", "", "Broker"} {
		if _, ok := ParseRole(name); ok {
			t.Errorf("%q is a role", name)
		}
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	names := []string{"listen-xsub-endpoint", "listen-xpub-endpoint", "log-dir", "log-level", "node", "run", "version", strings.Repeat("v", 100)}
	for name, want := range map[string]string{
		"lisen-xsub-endpoint":      "listen-xsub-endpoint", // letter missing
		"log_dir":                  "log-dir",              // Zeek's spelling
		"logdir":                   "log-dir",
		"lgo-dir":                  "log-dir", // letters swapped
		"nod":                      "node",
		"rn":                       "run",
		"xpub-endpoint":            "listen-xpub-endpoint", // a part
		"level":                    "log-level",
		"x":                        "",
		"":                         "",
		"zeek":                     "",
		"completely-else":          "",
		strings.Repeat("n", 1<<20): "",
	} {
		if got := Nearest(name, names); got != want {
			t.Errorf("nearest to %.30q is %q, want %q", name, got, want)
		}
	}
}
