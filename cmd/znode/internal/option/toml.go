package option

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// parseFile reads the options in data, in the order of the file. Every key must
// be known. name is the file's, fit to print.
func (t table) parseFile(name, data string) ([]given, error) {
	var keys map[string]toml.Primitive
	meta, err := toml.Decode(data, &keys)
	if err != nil {
		return nil, syntaxError(name, err)
	}
	var found []given
	for _, key := range meta.Keys() {
		value, first := keys[key[0]]
		if !first {
			continue // already read: another key of the same table
		}
		delete(keys, key[0])
		tree, line := locate(&meta, value)
		where := fmt.Sprintf("%s:%d: %s", name, line, Printable(key[0]))
		o := t.byName(key[0])
		if o == nil || o.NotInFile {
			return nil, t.unknownKey(where, key[0], tree, o)
		}
		g := given{option: o, origin: Origin{FromFile, where}}
		if text, scalar := scalarText(tree); scalar {
			g.text = text
		} else {
			g.tree = tree
		}
		found = append(found, g)
	}
	return found, nil
}

// syntaxError is a parse error of the library in our form.
func syntaxError(name string, err error) error {
	parseError, ok := errors.AsType[toml.ParseError](err)
	if !ok {
		return &Error{Where: name, Problem: plainError(err)}
	}
	return &Error{
		Where:   fmt.Sprintf("%s:%d", name, parseError.Position.Line),
		Problem: visible(strings.TrimSuffix(parseError.Message, ".")),
	}
}

func (t table) unknownKey(where, key string, tree any, o *Option) error {
	if o != nil {
		return &Error{Where: where, Problem: "can only be set by " + o.Flag() + " or " + o.Variable()}
	}
	var names []string
	for _, o := range t {
		if !o.NotInFile {
			names = append(names, o.Name)
		}
	}
	problem := "unknown key" + didYouMean("", key, names)
	if _, isTable := tree.(map[string]any); isTable {
		problem = "unknown table; options stand at the top of the file, outside of tables"
	}
	return &Error{Where: where, Problem: problem}
}

// probe takes any value and refuses it, which makes the library tell its line.
type probe struct{ tree any }

var errProbe = errors.New("probe")

// UnmarshalTOML keeps the value.
func (p *probe) UnmarshalTOML(tree any) error {
	p.tree = tree
	return errProbe
}

// locate is the value of a key and the line that it stands in. A table that is
// only implied, as d by [d.e], has the line of the first key in it.
func locate(meta *toml.MetaData, value toml.Primitive) (tree any, line int) {
	var p probe
	err := meta.PrimitiveDecode(value, &p)
	if parseError, ok := errors.AsType[toml.ParseError](err); ok {
		line = parseError.Position.Line
	}
	var inner map[string]toml.Primitive
	if line > 0 || meta.PrimitiveDecode(value, &inner) != nil {
		return p.tree, line
	}
	for _, v := range inner {
		if _, n := locate(meta, v); n > 0 && (line == 0 || n < line) {
			line = n
		}
	}
	return p.tree, line
}

// scalarText writes a value of the file as it would stand in a flag.
func scalarText(tree any) (string, bool) {
	switch v := tree.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64), true
	}
	return "", false
}

func describeTree(tree any) string {
	switch tree.(type) {
	case map[string]any:
		return "is a table"
	case []any, []map[string]any:
		return "is an array"
	}
	return "is a date or time"
}
